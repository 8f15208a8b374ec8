"""The same documents with other implementations, where Node.js and they are installed.

They run in a process of their own, after warming up, with no way to the network: contexts
and the schema are handed over. What is issued and verified is of one template, and what is
verified is parsed from its bytes, on both sides. Ours makes all checks and a report;
`peers.mjs` says what theirs look at. All rates here are of CPU time, the best of short
rounds.
"""

import json
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.credentials import verify_raw, verify_raw_proof
from benchmarks.documents import SUITES, Batch, batches, sign, sign_batch
from benchmarks.figures import Figure, Job, rates
from credentials.jsonld.loader import KNOWN
from credentials.template import SCHEMA
from primitives.canonical_json import canonicalize

GOALS: Final[dict[str, float | None]] = {
    "vc issue eddsa-jcs-2022": 7,
    "vc verify eddsa-jcs-2022": 3,
    "jsigs proof eddsa-jcs-2022": None,
    "vc issue eddsa-rdfc-2022": 30,
    "vc verify eddsa-rdfc-2022": 30,
    "jsigs proof eddsa-rdfc-2022": None,
    "verifier-core verify eddsa-rdfc-2022": 20,
}
"""Times the peer's rate; the first word is the peer, the others are ours."""

_TITLES = {
    "vc": "@digitalbazaar/vc",
    "jsigs": "jsonld-signatures",
    "verifier-core": "@digitalcredentials/verifier-core",
}
_WORDS = {"verify": "verify, all checks,", "proof": "verify the proof alone,"}
_ROOT = Path(__file__).parents[1]
_PACKAGES = _ROOT / ".tools" / "npm" / "node_modules"
_NEEDED = _PACKAGES / "@digitalbazaar" / "eddsa-jcs-2022-cryptosuite"
_ANY_SCHEMA = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}


def peer_rows(
    credentials: int = 10, seconds: float = 1.5, rounds: int = 200
) -> list[Figure]:
    """Measure the peers, and the same documents here; or say why that cannot be.

    A round is all documents once, there and here: so few that the best rounds of both
    are those in which nobody else had the core.
    """
    node = shutil.which("node")
    if node is None or not _NEEDED.is_dir():
        missing = "Node.js" if node is None else "npm packages"
        return [
            Figure("SKIPPED: peers", f"no {missing}", "`make tools` as root installs them")
        ]
    rows: list[Figure] = []
    for batch in batches(credentials):
        signed = {s: [canonicalize(sign(d, s)) for d in batch.documents] for s in SUITES}
        texts = {s: [raw.decode() for raw in each] for s, each in signed.items()}
        theirs = _ask(
            node, {"unsigned": batch.documents, "signed": texts, "seconds": seconds}
        )
        ours = rates(_own_jobs(batch, signed), rounds)
        rows += [_row(batch, name, ours, theirs) for name in GOALS]
    return rows


def _own_jobs(batch: Batch, signed: Mapping[str, list[bytes]]) -> dict[str, Job]:
    count = len(batch.documents)
    jobs: dict[str, Job] = {}
    for suite, raw in signed.items():
        jobs[f"issue {suite}"] = (
            count,
            lambda s=suite: sign_batch(batch.documents, s),  # type: ignore[misc]
        )
        jobs[f"verify {suite}"] = (
            count,
            lambda r=raw: deque(map(verify_raw, r), maxlen=0),  # type: ignore[misc]
        )
        jobs[f"proof {suite}"] = (
            count,
            lambda r=raw: deque(map(verify_raw_proof, r), maxlen=0),  # type: ignore[misc]
        )
    return jobs


def _row(
    batch: Batch, name: str, ours: dict[str, float], theirs: dict[str, float]
) -> Figure:
    peer, what = name.split(" ", 1)
    verb, suite = what.split(" ")
    return Figure(
        f"{batch.title}: {_WORDS.get(verb, verb)} {suite}",
        f"{ours[what]:,.0f}/s",
        f"{_TITLES[peer]} {theirs[name]:,.0f}/s",
        ours[what] / theirs[name],
        goal=GOALS[name],
    )


def _ask(node: str, question: dict[str, object]) -> dict[str, float]:
    documents = {url: {"@context": KNOWN[url]} for url in KNOWN} | {SCHEMA: _ANY_SCHEMA}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(_ROOT / "benchmarks" / "peers.mjs", folder)
        shutil.copy(_ROOT / "tests" / "peers" / "offline.mjs", folder)
        (folder / "node_modules").symlink_to(_PACKAGES)
        lines = [json.dumps({"documents": documents}), json.dumps(question)]
        done = subprocess.run(  # noqa: S603 - Node.js with our own program
            [node, folder / "peers.mjs"],
            input="\n".join(lines),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"the peers ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)["found"]
    return found
