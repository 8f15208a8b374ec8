"""The steps of the demonstration: the node's own use cases, one after the other.

Nothing here is arranged: the same functions serve `patunay issue`, `patunay serve` and
`patunay verify`, on SQLite and on the development chain inside this process.
"""

import asyncio
import copy
import json
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from anchoring.backend import AnchorBackend
from credentials.judge import judge
from credentials.policy import Policy
from credentials.registrar import read_registrar_file
from credentials.report import Outcome, Report
from credentials.template import parse_template
from did.fetch import PublicFetcher
from node.anchoring import Anchorer
from node.backends import open_backend
from node.batches import BatchReport, issue_rows
from node.config import Config
from node.daemon import AnchorJob
from node.home import Home, write_file
from node.logbook import build_receipt, close_batch
from node.node import MAIN, Node
from node.setup import create_node
from node.storage import anchor_store, ledger
from node.storage.registry import save_template
from node.web_lookups import web_gatherer
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import Misconfigured, Rejected
from primitives.strict_json import parse_json_object

EXAMPLES: Final = Path(__file__).parent.parent / "examples"
TEMPLATE: Final = EXAMPLES / "als-life-skills-communication.json"
LEARNERS: Final = EXAMPLES / "learners.csv"

PASSPHRASE: Final = b"demo"
PREFERRED_PORT: Final = 8460
_AT_ONCE: Final = 8
_MARKER: Final = ".demo"
_COMMAND: Final = "from cli.main import main; main()"

Progress = Callable[[str, int, int], None]


class DemoFolderTaken(Misconfigured):
    """The folder holds something that the demonstration has not made."""

    code = "demo-folder-taken"
    hint = "name another folder with --dir, or move that one away"


class ExamplesMissing(Misconfigured):
    """The example files are not beside the program."""

    code = "demo-examples-missing"
    hint = "run the demonstration from a clone of the project: make demo"


class DemoFailed(Rejected):
    """A step did not come to what it has to come to: a bug in Patunay."""

    code = "demo-failed"


@dataclass(frozen=True, slots=True)
class Tampered:
    """One change that somebody made to a credential, and what was said of it."""

    what: str
    outcome: str
    code: str
    detail: str


@dataclass(slots=True)
class Figures:
    """What the demonstration measured."""

    issued: int = 0
    transactions: int = 0
    gas: int = 0
    leaves: int = 0
    valid: int = 0
    verified: int = 0
    receipt_bytes: int = 0
    proof_bytes: int = 0
    tampered: list[Tampered] = field(default_factory=list)
    stranger: Report | None = None
    command_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)


async def make_node(folder: Path, clock: Clock) -> Home:
    """Make a fresh node in `folder`.

    A folder that an earlier demonstration made is replaced; any other is refused.

    Raises:
        DemoFolderTaken: It holds something else.
        ExamplesMissing: There is nothing to issue.
    """
    for file in (TEMPLATE, LEARNERS):
        if not file.is_file():
            raise ExamplesMissing(f"found no {file.name} at {EXAMPLES}")
    if folder.exists():
        if any(folder.iterdir()) and not (folder / _MARKER).is_file():
            raise DemoFolderTaken(f"{folder} is not empty, and no demonstration made it")
        shutil.rmtree(folder)
    port = _free_port()
    config = Config(
        domain=f"localhost:{port}",
        public_url=f"http://localhost:{port}",
        listen_port=port,
        allow_loopback_http=True,
    )
    home = Home(folder.resolve())
    await create_node(home, config, PASSPHRASE, clock, name="DepEd ALS (demonstration)")
    write_file(home.root / _MARKER, b"made by `patunay demo`, which may replace it\n")
    return home


@asynccontextmanager
async def opened(home: Home, clock: Clock) -> AsyncIterator[Node]:
    """Hold the node and open it with its keys."""
    with home.hold():
        async with Node.open(home, clock, PASSPHRASE) as node:
            yield node


def _free_port() -> int:
    """Return the usual port, or any free one where another program has it."""
    for port in (PREFERRED_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise DemoFailed("found no free port on this machine")


async def issue(node: Node, progress: Progress) -> BatchReport:
    """Add the template and issue a credential for each learner of the file."""
    body = TEMPLATE.read_bytes()
    template = parse_template(parse_json_object(body))
    async with node.writing() as c:
        await save_template(
            c, template.template_id, template.version, body.decode(), node.now()
        )
    file = read_registrar_file(LEARNERS.read_bytes(), today=node.instant().date())
    report = await issue_rows(node, template, file, MAIN, progress=progress)
    if report.held or not report.issued:
        raise DemoFailed(f"found {report.held} rows that were not issued, want none")
    return report


async def anchor(node: Node, progress: Progress) -> tuple[AnchorBackend, int, int, int]:
    """Start the chain and anchor the log; return it with leaves, transactions and gas."""
    steps = ("chain", "batch", "transaction", "block", "final")
    progress("anchoring", 0, len(steps))
    backend = await open_backend(node)
    progress("anchoring", 1, len(steps))
    await close_batch(node)
    progress("anchoring", 2, len(steps))
    anchorer = Anchorer.configured(node, backend)
    state = await anchorer.step()
    progress("anchoring", 3, len(steps))
    while not state.settled:
        state = await anchorer.step()
    progress("anchoring", len(steps), len(steps))
    async with node.reading() as c:
        sent = await anchor_store.all_transactions(c)
    leaves = state.checkpoint.tree_size if state.checkpoint is not None else 0
    return backend, leaves, len(sent), sum(t.gas_used or 0 for t in sent)


async def write_credentials(node: Node) -> list[Path]:
    """Write every credential to `issued/`, one file each and nothing else."""
    async with node.reading() as c:
        documents = await ledger.all_documents(c, "", 1_000_000)
    files = []
    for name, body in documents:
        file = node.home.issued / f"{name}.json"
        write_file(file, body.encode())
        files.append(file)
    return files


async def verify_all(url: str, files: list[Path], progress: Progress) -> int:
    """Ask the node over HTTP about each file; return how many it calls valid."""
    valid = done = 0
    gate = asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession() as session:

        async def one(file: Path) -> None:
            nonlocal valid, done
            async with gate:
                answer = await _ask(session, url, file.read_bytes())
            valid += answer["outcome"] == "valid"
            done += 1
            progress("verifying", done, len(files))

        await asyncio.gather(*(one(file) for file in files))
    return valid


async def verify_tampered(url: str, file: Path) -> list[Tampered]:
    """Ask the node over HTTP about changed copies of one credential."""
    found = []
    async with aiohttp.ClientSession() as session:
        for what, document in tampered_copies(parse_json_object(file.read_bytes())).items():
            answer = await _ask(session, url, json.dumps(document).encode())
            failed = next(c for c in answer["checks"] if c["result"] != "passed")
            found.append(
                Tampered(what, answer["outcome"], failed["code"], failed["detail"])
            )
    return found


def tampered_copies(original: JsonObject) -> dict[str, JsonObject]:
    """Return copies of `original` that somebody has improved, by what was changed."""

    def copied() -> Any:
        return copy.deepcopy(original)

    name, level, status, context, proof, term = (copied() for _ in range(6))
    name["credentialSubject"]["identifier"][0]["identityHash"] = "Somebody Else"
    result = level["credentialSubject"]["result"][0]
    reached = result["achievedLevel"]
    result["achievedLevel"] = reached[:-1] + ("4" if reached[-1] != "4" else "2")
    entry = status["credentialStatus"]
    index = str((int(entry["statusListIndex"]) + 1) % 131_072)
    entry["statusListIndex"] = index
    entry["id"] = f"{entry['statusListCredential']}#{index}"
    context["@context"].append({"awardedDate": "https://schema.org/birthDate"})
    value = proof["proof"][0]["proofValue"]
    proof["proof"][0]["proofValue"] = value[:-1] + ("2" if value[-1] != "2" else "3")
    term["credentialSubject"]["honours"] = "summa cum laude"
    return {
        "learner's name": name,
        "level": level,
        "status entry": status,
        "context": context,
        "proof": proof,
        "an added term": term,
    }


async def verify_as_stranger(file: Path, clock: Clock) -> Report:
    """Judge a credential with nothing of the node's own: its DID is resolved over HTTP."""
    document = parse_json_object(file.read_bytes())
    async with PublicFetcher(allow_loopback_http=True) as fetcher:
        evidence = await web_gatherer(fetcher, clock).gather(document)
    return judge(document, evidence, Policy(), clock.now())


async def verify_by_command(home: Home, file: Path) -> tuple[str, float]:
    """Run `patunay verify` in a process of its own; return its output and seconds."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    arguments = ("--data-dir", str(home.root), "verify", str(file))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _COMMAND, *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise DemoFailed(f"`patunay verify` ended with {process.returncode}, want 0")
    return output.decode(errors="replace"), loop.time() - start


async def measure_receipt(node: Node, report: BatchReport) -> tuple[int, int]:
    """Return the bytes of one receipt as JSON, and of its tlog-proof alone."""
    receipt = await build_receipt(node, report.issued[0])
    whole = json.dumps(receipt.to_json(), ensure_ascii=False).encode()
    return len(whole), len(str(receipt.tlog_proof).encode())


async def keep_serving(node: Node, backend: AnchorBackend, stop: asyncio.Event) -> None:
    """Anchor what else is issued until `stop` is set."""
    job = asyncio.create_task(AnchorJob(node, backend).run())
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({job, waiting}, return_when=asyncio.FIRST_COMPLETED)
    job.cancel()
    waiting.cancel()
    await asyncio.gather(job, waiting, return_exceptions=True)


def require_expected(figures: Figures) -> None:
    """Return if everything came to what it has to come to.

    Raises:
        DemoFailed: Naming the first thing that did not.
    """
    if figures.valid != figures.issued or figures.verified != figures.issued:
        raise DemoFailed(f"found {figures.valid} valid, want {figures.issued}")
    if figures.transactions != 1:
        raise DemoFailed(f"found {figures.transactions} transactions, want 1")
    for tampered in figures.tampered:
        if tampered.outcome != Outcome.REJECTED.value:
            raise DemoFailed(f"a changed {tampered.what} came out as {tampered.outcome}")
    if figures.stranger is None or figures.stranger.outcome is not Outcome.VALID:
        raise DemoFailed("a stranger could not verify the did:web credential")


async def _ask(session: aiohttp.ClientSession, url: str, body: bytes) -> Any:
    headers = {"Content-Type": "application/json"}
    async with session.post(f"{url}/credentials/verify", data=body, headers=headers) as r:
        return await r.json()
