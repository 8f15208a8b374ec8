"""The ways in: the library, HTTP and the command line, each with the same question."""

import asyncio
import contextlib
import io
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import jsonschema

from credentials.evidence import Obtained
from credentials.judge import judge
from credentials.kinds import is_presentation
from credentials.policy import Policy
from credentials.presentation import PresentationReport, judge_presentation
from credentials.report import Report
from node.api.openapi import describe
from node.api.presentations import text_option
from node.api.request import MAX_BODY_BYTES
from node.api.verify import VerifyRequestMalformed, read_options, required_checks
from node.gather_presentation import gather_presentation
from node.log_reading import own_receipt, own_sightings
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError
from primitives.instants import format_instant
from primitives.strict_json import parse_json_object
from tests.architecture.documents import DOCS, first_cells, read
from tests.fuzz.world import World
from tests.support.command_line import run
from tests.support.credentials_support import NOW

CODES: Final = frozenset(first_cells(read(DOCS / "errors.md"))) - {"code"}
"""Every code that a caller may meet."""

ROUTES: Final = {
    "credential": "/credentials/verify",
    "presentation": "/presentations/verify",
    "request": "/credentials/issue",
}
_STATUSES: Final = {
    "credential": {200, 400, 413, 422},
    "presentation": {200, 400, 413, 422},
    "request": {201, 400, 404, 409, 413, 422},
}
_EXITS: Final = {"valid": 0, "rejected": 1, "malformed": 2, "undetermined": 3}


class Wrong(Exception):
    """The product answered as it must not."""


@dataclass(frozen=True)
class Answer:
    """What came of one input by one way."""

    outcome: str
    """Of a report; `malformed` for what was refused before; `issued`."""

    codes: frozenset[tuple[str, str, str]]
    """Name, result and code of each required check; of an error its code alone."""

    seconds: float
    """As a clock on the wall has it."""

    cpu: float = 0
    """Seconds of this process, which other programs do not lengthen."""


def _validators() -> dict[str, jsonschema.Draft202012Validator]:
    components = describe()["components"]
    return {
        name: jsonschema.Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": components}
        )
        for name in ("Report", "PresentationReport", "Problem")
    }


_SHAPES: Final = _validators()


async def by_library(world: World, kind: str, body: bytes) -> Answer:
    """Parse and judge, with what the node would look up."""
    start, cpu = time.perf_counter(), time.process_time()
    try:
        parsed = parse_json_object(body, MAX_BODY_BYTES)
        report = await _judge(world, kind, parsed)
    except PatunayError as e:
        return Answer(
            "malformed",
            _only(e.code),
            time.perf_counter() - start,
            time.process_time() - cpu,
        )
    seconds = time.perf_counter() - start
    cpu = time.process_time() - cpu
    return replace(_answer(report.to_json(), seconds), cpu=cpu)


async def _judge(
    world: World, kind: str, body: dict[str, Any]
) -> Report | PresentationReport:
    if kind == "credential":
        inner = body.get("verifiableCredential")
        is_wrapped = isinstance(inner, dict) and "@context" not in body
        document: JsonObject = inner if isinstance(inner, dict) and is_wrapped else body
        required = required_checks(read_options({} if document is body else body))
        evidence = await world.verifier.evidence(document)
        return judge(document, evidence, world.verifier.demands(required), NOW)
    presented = body.get("verifiablePresentation")
    if not isinstance(presented, dict):
        raise VerifyRequestMalformed("no presentation")
    options = read_options(body)
    required = required_checks(options)
    verifier = world.verifier
    found = await gather_presentation(presented, verifier.gatherer, verifier.evidence)
    return judge_presentation(
        presented,
        found,
        world.verifier.demands(required),
        NOW,
        challenge=text_option(options, "challenge"),
        domain=text_option(options, "domain"),
    )


async def by_http(world: World, kind: str, body: bytes) -> Answer:
    """Post the body as it is."""
    headers = {"Content-Type": "application/json"}
    if kind == "request":
        headers["Authorization"] = f"Bearer {world.token}"
    start, cpu = time.perf_counter(), time.process_time()
    async with world.client.post(ROUTES[kind], data=body, headers=headers) as response:
        raw = await response.read()
        seconds = time.perf_counter() - start
        cpu = time.process_time() - cpu
        status, media = response.status, response.content_type
    if status not in _STATUSES[kind]:
        raise Wrong(f"status {status}: {raw[:300]!r}")
    answer = parse_json_object(raw, len(raw))
    if media == "application/problem+json":
        _SHAPES["Problem"].validate(answer)
        _require_known([str(answer["code"])])
        return Answer("malformed", _only(str(answer["code"])), seconds, cpu)
    if kind == "request":
        return replace(await _issued(world, answer, seconds), cpu=cpu)
    shape = "Report" if kind == "credential" else "PresentationReport"
    _SHAPES[shape].validate(answer)
    if (status == 200) is not (answer["outcome"] == "valid"):
        raise Wrong(f"status {status} for {answer['outcome']}")
    return replace(_answer(answer, seconds), cpu=cpu)


async def _issued(world: World, answer: Mapping[str, Any], seconds: float) -> Answer:
    """What the node has issued is authentic to the node."""
    document = answer["verifiableCredential"]
    evidence = await world.verifier.evidence(document)
    report = judge(document, evidence, world.policy(), NOW)
    if report.authenticity.value != "valid":
        raise Wrong(f"issued what does not verify: {report.to_json()}")
    return Answer("issued", frozenset(), seconds)


async def by_command(world: World, raw: bytes, file: Path) -> None:
    """Run `patunay verify` on a file, offline, and compare it with the library."""
    await asyncio.to_thread(file.write_bytes, raw)
    start = time.perf_counter()
    wanted = await _offline(world, raw)
    arguments = ("verify", "--json", "--offline", "--as-of", format_instant(NOW), file)
    done = await asyncio.to_thread(run, *arguments, home=world.node.home.root)
    answer = parse_json_object(done.stdout_bytes, 1 << 22)
    if "error" in answer:
        code = str(dict(answer["error"])["code"])  # type: ignore[arg-type]
        found = Answer("malformed", _only(code), 0)
    else:
        found = _answer(answer, time.perf_counter() - start)
    require_same(wanted, found, "the command line")
    if done.exit_code != _EXITS[found.outcome]:
        raise Wrong(f"exit code {done.exit_code} for {found.outcome}")
    if "Traceback" in done.stderr:
        raise Wrong(done.stderr)


async def _offline(world: World, raw: bytes) -> Answer:
    try:
        report = await _judge_offline(world, parse_json_object(raw))
    except PatunayError as e:
        return Answer("malformed", _only(e.code), 0)
    return _answer(report.to_json(), 0)


async def _judge_offline(world: World, document: JsonObject) -> Report | PresentationReport:
    gatherer = world.offline
    policy = gatherer.policy(Policy())
    if is_presentation(document):
        found = await gather_presentation(document, gatherer, gatherer.gather)
        return judge_presentation(document, found, policy, NOW, challenge=None, domain=None)
    evidence = await gatherer.gather(document)
    if gatherer.own is not None and _issuer(document) in gatherer.own.issuers:
        # As the command does, which finds them in the node's database.
        receipt = await own_receipt(world.node, document)
        if isinstance(receipt, Obtained):
            depth, _ = world.node.config.chain.depths
            seen = own_sightings(receipt.value.anchors, depth=depth, at=NOW)
            evidence = replace(evidence, receipt=receipt, sightings=seen)
        elif receipt is not None:
            evidence = replace(evidence, receipt=receipt)
    return judge(document, evidence, policy, NOW)


def _issuer(document: JsonObject) -> str:
    issuer = document.get("issuer")
    return str(issuer.get("id") if isinstance(issuer, dict) else issuer)


def require_same(one: Answer, other: Answer, where: str) -> None:
    """Raise if two ways in do not say the same."""
    if (one.outcome, one.codes) != (other.outcome, other.codes):
        raise Wrong(
            f"the library says {one.outcome} {sorted(one.codes ^ other.codes)},"
            f" {where} {other.outcome}"
        )


def _answer(report: Mapping[str, Any], seconds: float) -> Answer:
    checks = report["checks"]
    _require_known([c["code"] for c in checks if c["code"]])
    required = frozenset((c["name"], c["result"], c["code"]) for c in checks)
    return Answer(str(report["outcome"]), required, seconds)


def _only(code: str) -> frozenset[tuple[str, str, str]]:
    return frozenset({("", "", code)})


def _require_known(codes: list[str]) -> None:
    unknown = set(codes) - CODES
    if unknown:
        raise Wrong(f"found codes {sorted(unknown)}, want those of docs/errors.md")


class _Listener(logging.Handler):
    """Hears warnings and errors, bugs among them with their tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextlib.contextmanager
def nothing_said() -> Iterator[None]:
    """Raise if a warning is logged, or anything is written to standard error."""
    listener, words = _Listener(), io.StringIO()
    logging.getLogger().addHandler(listener)
    wrong: Wrong | None = None
    try:
        with contextlib.redirect_stderr(words):
            yield
    except Wrong as e:
        wrong = e
    finally:
        logging.getLogger().removeHandler(listener)
    said = [logging.Formatter().format(r) for r in listener.records]
    said += [words.getvalue()] * bool(words.getvalue())
    if said or wrong is not None:
        raise Wrong("\n".join([*said, *([str(wrong)] if wrong else [])])) from wrong
