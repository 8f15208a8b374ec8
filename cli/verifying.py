"""`patunay verify`.

Imports neither database nor web server nor chain: each is loaded when a file needs it.
"""

from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from anchoring.receipt import MAX_RECEIPT_BYTES, Receipt
from cli.anchor_evidence import AnchorQuestion
from cli.bundle_files import read_credential
from cli.files import STANDARD_INPUT, read_json, typed_errors
from cli.log_evidence import LogEvidence
from cli.network import Network, Surroundings
from cli.options import FILE, json_option, own_home_option
from cli.output import WORST_FIRST, Exit, exit_code, print_json, say, say_hint, worst
from cli.report_text import Answer, overview_lines, report_lines
from credentials.bundle import Bundle
from credentials.case import Case
from credentials.evidence import Evidence, Obtained
from credentials.judge import judge
from credentials.policy import Policy, parse_policy
from credentials.presentation import PresentationReport, judge_presentation
from credentials.presentation_checks import is_presentation
from credentials.report import Outcome, Report
from did.resolver import DidKeyResolver, MethodResolver, Resolver
from node.gather import Gatherer
from node.gather_presentation import gather_presentation
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import Malformed, PatunayError
from primitives.instants import parse_instant

if TYPE_CHECKING:
    from credentials.trust_pack.belief import PackBelief
    from node.home import Home
    from node.own_node import OwnNode
    from node.record_evidence import RecordSource

T = TypeVar("T")

_EXIT: Final = {
    Outcome.VALID: Exit.VALID,
    Outcome.REJECTED: Exit.REJECTED,
    Outcome.UNDETERMINED: Exit.UNDETERMINED,
}


class NothingToVerify(Malformed):
    """A folder without any file to check."""

    code = "folder-without-credentials"
    hint = "the files must end in .json"


class PresentationWanted(Malformed):
    """A challenge or a domain was asked for, which a credential cannot answer."""

    code = "presentation-wanted"
    hint = "leave --challenge and --domain away, or ask the holder for a presentation"


@dataclass(frozen=True, slots=True)
class _Question:
    """What is to be found out about each file."""

    around: Surroundings
    policy: Policy
    as_of: datetime
    anchor: AnchorQuestion
    records: str | None
    """Place to read anchor records from, instead of asking the issuers."""

    pack: "PackBelief | None"
    """What a verified trust pack gives."""

    home: "Home | None"
    offline: bool
    allow_loopback: bool
    challenge: str | None
    domain: str | None

    @property
    def waits(self) -> bool:
        """Whether something outside may be waited for: a network, a database, a disk."""
        return not self.offline or self.home is not None or self.records is not None


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where evidence comes from."""

    gatherer: Gatherer
    logs: LogEvidence
    records: "RecordSource | None"


@click.command(epilog="Example: patunay verify diploma.json --trust providers-we-know.json")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--trust", type=FILE, metavar="FILE", help="Issuers that you know, by DID.")
@click.option("--policy", type=FILE, metavar="FILE", help="Which checks you require.")
@click.option(
    "--pack", type=FILE, metavar="FILE|DIR", help="A trust pack, or imported ones."
)
@click.option("--root", type=FILE, metavar="FILE", help="The federation of a pack's file.")
@click.option(
    "--rpc", multiple=True, metavar="URL", help="Also check the anchor, at this endpoint."
)
@click.option("--receipt", type=FILE, metavar="FILE", help="The credential's receipt.")
@click.option(
    "--record-source",
    metavar="FILE|URL",
    help="Read what issuers published from anchor records, and not from their servers.",
)
@click.option("--challenge", metavar="TEXT", help="What a presentation has to answer.")
@click.option("--domain", metavar="TEXT", help="Whom a presentation has to be made for.")
@click.option("--offline", is_flag=True, help="Look nothing up over the network.")
@click.option(
    "--allow-loopback", is_flag=True, help="Also ask `localhost`, without TLS, for trials."
)
@click.option(
    "--as-of", metavar="TIME", help="Judge as of 2026-11-22, or 2026-11-22T08:00:00Z."
)
@own_home_option
@json_option
def verify(  # noqa: PLR0913 - one parameter for each option
    *,
    files: tuple[Path, ...],
    trust: Path | None,
    policy: Path | None,
    pack: Path | None,
    root: Path | None,
    rpc: tuple[str, ...],
    receipt: Path | None,
    record_source: str | None,
    challenge: str | None,
    domain: str | None,
    offline: bool,
    allow_loopback: bool,
    as_of: str | None,
    home: "Home | None",
    as_json: bool,
) -> None:
    """Check credentials: FILE, folders, or -. Presentations too.

    Says who signed, whether a word was changed, and whether it is still in force. Exit
    code 0 valid, 1 rejected, 2 not a credential, 3 could not be determined, 4 set up
    wrongly; of several files the worst, in the order 4, 1, 2, 3, 0.
    """
    found = list(find_files(files))
    refuse_contradictions(len(found), rpc=rpc, receipt=receipt, offline=offline)
    refuse_contradictory_source(record_source, offline=offline)
    around = Surroundings.of(click.get_current_context())
    demands = parse_policy(*(read_json(p) if p else None for p in (policy, trust)))
    belief = _belief(pack, root, around.clock)
    question = _Question(
        around=around,
        policy=demands if belief is None else belief.policy(demands),
        pack=belief,
        as_of=around.clock.now() if as_of is None else _moment(as_of),
        anchor=AnchorQuestion(read_receipt(receipt, around.clock), rpc),
        records=record_source,
        home=home,
        offline=offline,
        allow_loopback=allow_loopback,
        challenge=challenge,
        domain=domain,
    )
    # Outside of the event loop, which would not hear Ctrl-C while this waits.
    typed_in = _read(STANDARD_INPUT) if STANDARD_INPUT in found else None
    answers = _run(_verify(found, typed_in, question), waits=question.waits)
    if found == list(files) and len(found) == 1:
        _print_one(answers[0], as_json=as_json)
    else:
        _print_several(answers, as_json=as_json)
    click.get_current_context().exit(worst(map(_exit_of, answers)))


def _run(work: Coroutine[Any, Any, T], *, waits: bool) -> T:
    """Return what `work` gives: in an event loop, or at once where it waits for nothing.

    asyncio takes longer to import than a credential takes to be verified.
    """
    if waits:
        import asyncio  # noqa: PLC0415 - see above

        return asyncio.run(work)
    try:
        work.send(None)
    except StopIteration as e:
        found: T = e.value
        return found
    raise RuntimeError("found something to wait for, want nothing")


def _moment(text: str) -> datetime:
    """Return the moment that `text` names; of a day alone its last second, in UTC.

    Raises:
        InstantMalformed: It names none.
    """
    is_day = len(text) == len("2026-11-22") and "T" not in text
    return parse_instant(f"{text}T23:59:59Z" if is_day else text)


def find_files(named: Sequence[Path]) -> Iterator[Path]:
    """Yield the files, and the *.json of each folder in the order of their names.

    Raises:
        NothingToVerify: A folder without any.
    """
    for path in named:
        if path == STANDARD_INPUT or not path.is_dir():
            yield path
            continue
        with typed_errors(path):
            inside = sorted(path.glob("*.json"))
        if not inside:
            raise NothingToVerify(f"found no .json file in {path}")
        yield from inside


def refuse_contradictions(
    count: int, *, rpc: tuple[str, ...], receipt: Path | None, offline: bool
) -> None:
    """Return if the options fit together.

    Raises:
        UsageError: They do not.
    """
    if offline and rpc:
        raise click.UsageError("--offline and --rpc exclude each other")
    if receipt is not None and count > 1:
        raise click.UsageError(f"--receipt is for one credential, found {count}")


def refuse_contradictory_source(place: str | None, *, offline: bool) -> None:
    """Return if the source may be read.

    Raises:
        UsageError: It is on the web, which is not to be asked.
    """
    if offline and place is not None:
        from cli.record_source import is_address  # noqa: PLC0415 - seldom given

        if is_address(place):
            raise click.UsageError(
                "--offline and a --record-source on the web exclude each other"
            )


def read_receipt(file: Path | None, clock: Clock) -> Obtained[Receipt] | None:
    """Return the receipt in a file.

    Raises:
        ReceiptMalformed: It is none.
    """
    if file is None:
        return None
    raw = read_json(file, max_bytes=MAX_RECEIPT_BYTES)
    return Obtained(Receipt.parse(raw), str(file), clock.now())


def _read(path: Path) -> JsonObject | Bundle | PatunayError:
    try:
        return read_credential(path)
    except PatunayError as e:
        return e


async def _verify(
    files: Sequence[Path],
    typed_in: JsonObject | Bundle | PatunayError | None,
    question: _Question,
) -> list[Answer]:
    """Return an answer for each file; `typed_in` is what `-` stands for."""
    clock = question.around.clock
    own = _own_node(question.home, clock)
    local = question.allow_loopback or (own is not None and own.config.allow_loopback_http)
    made = question.around.fetcher
    # Records are read in the place of the issuers' servers, which may be anybody's now.
    has_web = not question.offline and question.records is None
    async with (
        Network(clock, allow_loopback=local, make_fetcher=made) as network,
        _records(question.records, allow_loopback=local) as records,
    ):
        methods: dict[str, Resolver] = {"key": DidKeyResolver(clock), "web": network}
        gatherer = Gatherer(
            clock=clock,
            own=own,
            resolver=MethodResolver(methods) if has_web else None,
            fetch=network.fetch if has_web else None,
        )
        logs = LogEvidence(clock, own, gatherer.fetch, question.anchor.rpc)
        sources = _Sources(gatherer, logs, records)
        answers = []
        for path in files:
            if question.waits:
                await _hear_ctrl_c()
            given = typed_in if path == STANDARD_INPUT else None
            document = _read(path) if given is None else given
            answers.append(Answer(str(path), await _answer(document, sources, question)))
        return answers


def _own_node(home: "Home | None", clock: Clock) -> "OwnNode | None":
    if home is None:
        return None
    from node.own_node import OwnNode  # noqa: PLC0415 - a stranger has none

    return OwnNode.load(home, clock)


def _records(
    place: str | None, *, allow_loopback: bool
) -> "AbstractAsyncContextManager[RecordSource | None]":
    if place is None:
        return nullcontext()
    from cli.record_source import open_records  # noqa: PLC0415 - seldom given

    return open_records(place, allow_loopback=allow_loopback)


def _belief(pack: Path | None, root: Path | None, clock: Clock) -> "PackBelief | None":
    if pack is None:
        if root is not None:
            raise click.UsageError("--root is for a --pack")
        return None
    from cli.pack_source import read_belief  # noqa: PLC0415 - most files need none

    return read_belief(pack, root, clock.now())


async def _hear_ctrl_c() -> None:
    """Let the loop hear Ctrl-C: the own node answers without waiting."""
    from asyncio import sleep  # noqa: PLC0415 - see `_run`

    await sleep(0)


async def _answer(
    document: JsonObject | Bundle | PatunayError, sources: _Sources, question: _Question
) -> Report | PresentationReport | PatunayError:
    if isinstance(document, PatunayError):
        return document
    if isinstance(document, Bundle):
        return await _report_bundle(document, sources, question)
    try:
        if is_presentation(document):
            return await _report_presentation(document, sources, question)
        if question.challenge is not None or question.domain is not None:
            raise PresentationWanted("found a credential, want a presentation")
    except Malformed as e:
        return e
    evidence = await _evidence(document, sources, question)
    return judge(
        document, evidence, sources.gatherer.policy(question.policy), question.as_of
    )


async def _report_bundle(
    bundle: Bundle, sources: _Sources, question: _Question
) -> Report | PatunayError:
    """Judge a bundle by what is in it; only the chain is asked, and if the user says so."""
    if question.challenge is not None or question.domain is not None:
        return PresentationWanted("found a bundle, want a presentation")
    policy, evidence = sources.gatherer.policy(question.policy), bundle.judged()
    if question.pack is not None:
        evidence = question.pack.before(evidence)
    if isinstance(evidence.receipt, Obtained) and question.anchor.rpc:
        evidence = await replace(question.anchor, receipt=evidence.receipt).ask(
            bundle.credential,
            evidence,
            policy,
            clock=question.around.clock,
            fetch=None,
        )
    return judge(bundle.credential, evidence, policy, question.as_of)


async def _report_presentation(
    document: JsonObject, sources: _Sources, question: _Question
) -> PresentationReport:
    async def evidence_of(member: JsonObject) -> Evidence:
        return await _evidence(member, sources, question)

    return judge_presentation(
        document,
        await gather_presentation(document, sources.gatherer, evidence_of),
        sources.gatherer.policy(question.policy),
        question.as_of,
        challenge=question.challenge,
        domain=question.domain,
    )


async def _evidence(
    document: JsonObject, sources: _Sources, question: _Question
) -> Evidence:
    gatherer, clock = sources.gatherer, question.around.clock
    policy = gatherer.policy(question.policy)
    found = await gatherer.gather(document)
    found = await question.anchor.ask(
        document, found, policy, clock=clock, fetch=gatherer.fetch
    )
    if question.pack is not None:
        found = question.pack.evidence(found)
    if sources.records is not None:
        from node.record_evidence import add_record  # noqa: PLC0415 - seldom given

        found = await add_record(document, found, policy, sources.records, clock)
    return await sources.logs.add(Case(document, found, policy, question.as_of))


def _exit_of(answer: Answer) -> Exit:
    if isinstance(answer.found, PatunayError):
        return exit_code(answer.found)
    return _EXIT[answer.found.outcome]


def _print_one(answer: Answer, *, as_json: bool) -> None:
    if isinstance(answer.found, PatunayError):
        raise answer.found
    if as_json:
        print_json(answer.found.to_json())
        return
    for line in report_lines(answer.found):
        say(line)
    if answer.found.outcome is Outcome.REJECTED:
        say_hint("do not rely on it; ask the issuer for the credential as it was issued")


def _print_several(answers: Sequence[Answer], *, as_json: bool) -> None:
    if as_json:
        word = min(answers, key=lambda a: WORST_FIRST.index(_exit_of(a))).word
        reports = [answer.to_json() for answer in answers]
        print_json({"version": 1, "outcome": word, "reports": reports})
        return
    for line in overview_lines(answers):
        say(line)
