"""Running `patunay` in this process, and a node for it to work on."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cli.network import Surroundings
from cli.root import root
from did.keyfile import Argon2Cost
from node.config import Config
from node.home import Home
from node.setup import create_node
from primitives.clock import SystemClock

EXAMPLES = Path(__file__).parents[2] / "examples"
TEMPLATE = EXAMPLES / "als-life-skills-communication.json"
TEMPLATE_ID = "als-lifeskills-communication"
PASSPHRASE = "carabao at sunrise"

CHEAP = Argon2Cost(operations=1, memory_bytes=8192)
"""No protection at all, and no second lost for each test."""


def run(
    *arguments: str | Path,
    home: Path | None = None,
    passphrase: str | None = PASSPHRASE,
    stdin: bytes | str | None = None,
    charset: str = "utf-8",
    surroundings: Surroundings | None = None,
) -> Result:
    """Run one command; a traceback fails the test that asked."""
    result = CliRunner(charset=charset).invoke(
        root,
        [str(argument) for argument in arguments],
        input=stdin,
        env={
            "PATUNAY_HOME": str(home) if home is not None else None,
            "PATUNAY_PASSPHRASE": passphrase,
        },
        obj=surroundings,
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def run_json(*arguments: str | Path, home: Path | None = None, code: int = 0) -> Any:
    """Run one command with `--json`, and return what it printed."""
    result = run(*arguments, "--json", home=home)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def assert_refused(result: Result, code: str, *, exit_code: int) -> None:
    """The command ended with that error, a hint, and that exit code; nothing else."""
    first, *rest = result.stderr.splitlines()
    assert first.startswith("patunay: error: ")
    assert first.endswith(f"({code})")
    assert rest, "no hint"
    assert all(line.startswith("patunay: hint: ") for line in rest)
    assert result.exit_code == exit_code


def create_home(root_dir: Path, port: int = 8460, **settings: Any) -> Home:
    """Create a node for `localhost` whose keys open at once."""
    config = Config(
        domain=f"localhost:{port}",
        public_url=f"http://localhost:{port}",
        listen_port=port,
        allow_loopback_http=True,
        **settings,
    )
    home = Home(root_dir)
    asyncio.run(
        create_node(
            home,
            config,
            PASSPHRASE.encode(),
            SystemClock(),
            name="Sample Schools Division",
            cost=CHEAP,
        )
    )
    return home


def learners(rows: int) -> str:
    """Return a registrar's file with the first learners of the example."""
    lines = (EXAMPLES / "learners.csv").read_text(encoding="utf-8").splitlines()
    return "\n".join(lines[: rows + 1]) + "\n"


def issue(home: Home, folder: Path, rows: int = 3) -> list[Path]:
    """Issue to the first learners of the example; return the files."""
    assert run("template", "add", TEMPLATE, home=home.root).exit_code == 0
    file = folder / "learners.csv"
    file.write_text(learners(rows), encoding="utf-8")
    result = run("issue", "--template", TEMPLATE_ID, file, home=home.root)
    assert result.exit_code == 0, result.output
    return sorted(home.issued.glob("*.json"))


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def web_server(folder: Path) -> Iterator[int]:
    """Serve the files of a folder, as any web server would; give the port."""
    handler = partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
