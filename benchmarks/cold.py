"""What a cold `patunay verify` costs, beside starting Python at all."""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.documents import batches, sign
from benchmarks.figures import Figure
from primitives.canonical_json import canonicalize

START_GOAL = 6
"""Times the CPU of `python -c pass`."""

SLOW_IMPORTS = ("web3", "aiohttp", "pyld", "sqlalchemy", "eth_account")
"""What an offline verification has no use for."""

_PROGRAM = f"""
import sys
from cli.main import main
try:
    main()
except SystemExit as e:
    if e.code:
        raise
print(*(name for name in {SLOW_IMPORTS!r} if name in sys.modules), file=sys.stderr)
"""


def cold_rows(rounds: int = 9) -> list[Figure]:
    """Measure one verification in a fresh process, the files being warm."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "credential.json"
        document = sign(batches(1)[0].documents[0], "eddsa-rdfc-2022")
        file.write_bytes(canonicalize(document))
        verify = ["-c", _PROGRAM, "verify", str(file), "--offline"]
        # As an installed program has it: compiled once, here by this first call.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        imported = _run(verify, environment)[1].split()
        empty = cold = float("inf")
        for _ in range(rounds):
            empty = min(empty, _run(["-c", "pass"], environment)[0])
            cold = min(cold, _run(verify, environment)[0])
    words = f"imports {', '.join(imported)}" if imported else "imports none of these"
    return [
        Figure(
            "patunay verify FILE --offline, cold",
            f"{cold * 1000:.0f} ms",
            f"python -c pass {empty * 1000:.0f} ms",
            cold / empty,
            goal=START_GOAL,
            at_most=True,
        ),
        Figure(
            f"of {', '.join(SLOW_IMPORTS)}",
            words,
            ratio=len(imported),
            goal=0,
            at_most=True,
        ),
    ]


def _run(arguments: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """Return the CPU seconds of one Python process, and what it said on stderr."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        env=environment,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, done.stderr
