"""Gathering and judging for `patunay verify`: an answer for each file.

Imports neither database nor web server nor chain: each is loaded when a file needs it.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cli.anchor_evidence import AnchorQuestion
from cli.credential_files import read_credential
from cli.files import STANDARD_INPUT
from cli.network import Network, Surroundings
from cli.report_text import Answer
from credentials.case import Case
from credentials.evidence import Evidence, Obtained
from credentials.judge import judge
from credentials.kinds import is_presentation
from credentials.policy import Policy
from credentials.report import Report
from node.gather import Gatherer
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import Malformed, PatunayError

if TYPE_CHECKING:  # each is loaded when a file, or an option, asks for it
    from cli.log_evidence import LogEvidence
    from cli.own_receipts import OwnReceipts
    from credentials.bundle import Bundle
    from credentials.presentation import PresentationReport
    from credentials.trust_pack.belief import PackBelief
    from did.resolver import MethodResolver
    from node.auditing import Progress
    from node.home import Home
    from node.own_node import OwnNode
    from node.record_evidence import RecordSource


class PresentationWanted(Malformed):
    """A challenge or a domain was asked for, which a credential cannot answer."""

    code = "presentation-wanted"
    hint = "leave --challenge and --domain away, or ask the holder for a presentation"


class Question(NamedTuple):
    """What is to be found out about each file."""

    around: Surroundings
    policy: Policy
    as_of: datetime
    """The moment asked about."""

    clock: datetime
    """What this machine's clock said when it was asked."""

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


class _Sources(NamedTuple):
    """Where evidence comes from."""

    gatherer: Gatherer
    logs: "LogEvidence | None"
    """None where nothing is asked that could have a log."""

    records: "RecordSource | None"
    receipts: "OwnReceipts | None"


def read_or_error(path: Path) -> "JsonObject | Bundle | PatunayError":
    """Return what is in a file, or why it is nothing that can be verified."""
    try:
        return read_credential(path)
    except PatunayError as e:
        return e


async def answer_files(
    files: Sequence[Path],
    typed_in: "JsonObject | Bundle | PatunayError | None",
    question: Question,
    progress: "Progress",
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
        _receipts(own, question) as receipts,
    ):
        gatherer = Gatherer(
            clock=clock,
            own=own,
            resolver=_resolver(network, clock) if has_web else None,
            fetch=network.fetch if has_web else None,
        )
        logs = _logs(gatherer, question) if question.waits else None
        sources = _Sources(gatherer, logs, records, receipts)
        answers = []
        for path in files:
            if question.waits:
                await _hear_ctrl_c()
            given = typed_in if path == STANDARD_INPUT else None
            document = read_or_error(path) if given is None else given
            found = await _answer(document, sources, question)
            answers.append(Answer(str(path), found, _credential_in(document)))
            progress("verifying", len(answers), len(files))
        return answers


def _own_node(home: "Home | None", clock: Clock) -> "OwnNode | None":
    if home is None:
        return None
    from node.own_node import OwnNode  # noqa: PLC0415 - a stranger has none

    return OwnNode.load(home, clock)


def _resolver(network: Network, clock: Clock) -> "MethodResolver":
    from did.resolver import DidKeyResolver, MethodResolver  # noqa: PLC0415 - see above

    return MethodResolver({"key": DidKeyResolver(clock), "web": network})


def _logs(gatherer: Gatherer, question: Question) -> "LogEvidence":
    from cli.log_evidence import LogEvidence  # noqa: PLC0415 - see above

    fetch, rpc = gatherer.fetch, question.anchor.rpc
    return LogEvidence(gatherer.clock, gatherer.own, fetch, rpc)


def _receipts(
    own: "OwnNode | None", question: Question
) -> "AbstractAsyncContextManager[OwnReceipts | None]":
    if own is None or question.anchor.receipt is not None:
        return nullcontext()
    from cli.own_receipts import own_receipts  # noqa: PLC0415 - a stranger has none

    return own_receipts(own, question.around.clock)


def _records(
    place: str | None, *, allow_loopback: bool
) -> "AbstractAsyncContextManager[RecordSource | None]":
    if place is None:
        return nullcontext()
    from cli.record_source import open_records  # noqa: PLC0415 - seldom given

    return open_records(place, allow_loopback=allow_loopback)


async def _hear_ctrl_c() -> None:
    """Let the loop hear Ctrl-C: the own node answers without waiting."""
    # asyncio takes longer to import than a credential takes to be verified.
    from asyncio import sleep  # noqa: PLC0415

    await sleep(0)


def _credential_in(document: "JsonObject | Bundle | PatunayError") -> JsonObject | None:
    if isinstance(document, PatunayError):
        return None
    return document if isinstance(document, dict) else document.credential


async def _answer(
    document: "JsonObject | Bundle | PatunayError", sources: _Sources, question: Question
) -> "Report | PresentationReport | PatunayError":
    if isinstance(document, PatunayError):
        return document
    if not isinstance(document, dict):
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
        document,
        evidence,
        sources.gatherer.policy(question.policy),
        question.as_of,
        clock=question.clock,
    )


async def _report_bundle(
    bundle: "Bundle", sources: _Sources, question: Question
) -> Report | PatunayError:
    """Judge a bundle by what is in it; only the chain is asked, and if the user says so."""
    if question.challenge is not None or question.domain is not None:
        return PresentationWanted("found a bundle, want a presentation")
    policy, evidence = sources.gatherer.policy(question.policy), bundle.judged()
    if question.pack is not None:
        evidence = question.pack.before(evidence, bundle.credential)
    if isinstance(evidence.receipt, Obtained) and question.anchor.rpc:
        evidence = await question.anchor._replace(receipt=evidence.receipt).ask(
            bundle.credential,
            evidence,
            policy,
            clock=question.around.clock,
            fetch=None,
        )
    return judge(bundle.credential, evidence, policy, question.as_of, clock=question.clock)


async def _report_presentation(
    document: JsonObject, sources: _Sources, question: Question
) -> "PresentationReport":
    # Most files hold a credential alone.
    from credentials.presentation import judge_presentation  # noqa: PLC0415
    from node.gather_presentation import gather_presentation  # noqa: PLC0415

    async def evidence_of(member: JsonObject) -> Evidence:
        return await _evidence(member, sources, question)

    return judge_presentation(
        document,
        await gather_presentation(document, sources.gatherer, evidence_of),
        sources.gatherer.policy(question.policy),
        question.as_of,
        challenge=question.challenge,
        domain=question.domain,
        clock=question.clock,
    )


async def _evidence(
    document: JsonObject, sources: _Sources, question: Question
) -> Evidence:
    gatherer, clock = sources.gatherer, question.around.clock
    policy = gatherer.policy(question.policy)
    found = await gatherer.gather(document)
    fetch = gatherer.fetch
    if sources.receipts is not None and sources.receipts.concern(document):
        found, fetch = await sources.receipts.add(document, found), None
    found = await question.anchor.ask(document, found, policy, clock=clock, fetch=fetch)
    if question.pack is not None:
        found = question.pack.evidence(found, document)
    if sources.records is not None:
        from node.record_evidence import add_record  # noqa: PLC0415 - seldom given

        found = await add_record(document, found, policy, sources.records, clock)
    if sources.logs is None:
        return found
    return await sources.logs.add(Case(document, found, policy, question.as_of))
