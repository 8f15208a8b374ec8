"""What a stolen key signed, where nobody shows a receipt: the log decides, if it is read.

Design: of what is proven absent from a log that was read in full, `failed`; of what nobody
has looked up, `undetermined`. The same through HTTP, the command line, and a stranger who
reads the log from the web.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from anchoring.anchored_record import AnchoredRecord
from anchoring.memory import MEMORY_CONTRACT, MemoryAnchor
from anchoring.record import record_cid, record_digest
from cli.log_evidence import LogEvidence
from credentials.case import Case
from credentials.data_integrity import add_proof
from credentials.evidence import NOT_LOOKED_UP, Lookup, Missing, Obtained
from credentials.judge import judge
from credentials.log_question import log_wanted_since
from credentials.policy import Policy
from did.document import parse_did_document
from did.fetch import FetchNotFound
from node import public_log
from node.gather import Gatherer
from node.home import Home
from node.issuance import issue_document
from node.log_reading import read_log
from node.node import Node
from node.own_node import OwnNode
from node.public_log import read_public_log
from node.rotation import rotate
from primitives.canonical_json import JsonObject, canonicalize
from primitives.errors import PatunayError
from primitives.strict_json import parse_json_object
from tests.support.api import report_of
from tests.support.command_line import run_json
from tests.support.declaring import declare_compromised
from tests.support.nodes import (
    Client,
    HandClock,
    anchor,
    client_of,
    make_home_here,
    opened,
)

DID = "did:web:localhost%3A8460"
KEY = f"{DID}#credential-1"
GOOD = ("passed", "key-compromised-anchored-before")
VOID = ("failed", "key-compromised-unanchored")
UNKNOWN = ("undetermined", "anchor-not-shown")


def unsigned(number: int) -> JsonObject:
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": f"urn:uuid:00000000-0000-4000-8000-{number:012}",
        "type": ["VerifiableCredential"],
        "issuer": DID,
        "credentialSubject": {"id": "did:example:learner"},
    }


@dataclass
class Theft:
    """A node whose key was stolen between its second anchor and its third."""

    home: Home
    node: Node
    client: Client
    chain: MemoryAnchor
    clock: HandClock
    since: datetime
    before: JsonObject
    """Anchored before."""

    after: JsonObject
    """Signed by the school itself, and anchored after."""

    forged: JsonObject
    """Signed by the thief, who dates it to before."""

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        response = await self.client.get(url.removeprefix("http://localhost:8460"))
        if response.status != 200:
            raise FetchNotFound(url)
        body = await response.read()
        assert len(body) <= max_bytes
        return body


@pytest.fixture
async def theft(tmp_path: Path) -> AsyncIterator[Theft]:
    clock, chain = HandClock(), MemoryAnchor()
    home = await make_home_here(tmp_path / "node")
    async with opened(home, clock) as node, client_of(node) as client:
        documents = []
        for number in range(3):
            documents.append(await issue_document(node, unsigned(number), None))
            await anchor(node, chain)
        anchored = [one.anchors[0].timestamp for one in (await read_log(node)).records]
        since = anchored[1] + timedelta(seconds=1)
        assert since < anchored[2]
        forged = add_proof(
            unsigned(9),
            node.signer("main.credential"),
            verification_method=KEY,
            created=since - timedelta(days=30),
        )
        await rotate(node, "main")
        await declare_compromised(node, KEY, since)
        await anchor(node, chain)
        yield Theft(
            home, node, client, chain, clock, since, documents[0], documents[2], forged
        )


def said(check: Any) -> tuple[str, str]:
    return check["result"], check["code"]


async def over_http(theft: Theft, document: JsonObject) -> tuple[str, str]:
    response = await theft.client.post("/credentials/verify", json=document)
    report = await report_of(response, response.status)
    return said(next(c for c in report["checks"] if c["name"] == "issuer-key"))


async def test_the_node_reads_its_own_log_when_it_is_asked_over_http(
    theft: Theft,
) -> None:
    assert await over_http(theft, theft.before) == GOOD
    assert await over_http(theft, theft.after) == VOID
    assert await over_http(theft, theft.forged) == VOID


async def test_the_command_line_reads_the_log_of_its_own_node(
    theft: Theft, tmp_path: Path
) -> None:
    for document, wanted in (
        (theft.before, GOOD),
        (theft.after, VOID),
        (theft.forged, VOID),
    ):
        file = tmp_path / "credential.json"
        file.write_bytes(canonicalize(document))
        code = 0 if wanted is GOOD else 1
        arguments = ("verify", file, "--offline", "--as-of", "2026-03-03T00:00:00Z")
        report = await asyncio.to_thread(
            run_json, *arguments, home=theft.home.root, code=code
        )
        checks = {check["name"]: check for check in report["checks"]}
        assert said(checks["issuer-key"]) == wanted


@dataclass
class Stranger:
    """Reads what the node publishes, and asks the chain itself."""

    theft: Theft

    async def case(self, document: JsonObject) -> Case:
        own = OwnNode.load(self.theft.home, self.theft.clock)
        gatherer = Gatherer(clock=self.theft.clock, own=own)
        policy = gatherer.policy(Policy(contracts=frozenset({MEMORY_CONTRACT})))
        evidence = await gatherer.gather(document)
        return Case(document, evidence, policy, self.theft.clock.now())

    async def judge(self, document: JsonObject) -> tuple[str, str]:
        case = await self.case(document)
        since = log_wanted_since(case)
        assert since == self.theft.since
        reading = await read_public_log(self.service(case), self.theft.fetch, since)
        seen: dict[str, Lookup[Any]] = {}
        for one in reading.records[:2]:
            for a in one.anchors:
                found = await self.theft.chain.check(a, record_digest(one.record))
                seen[a.transaction] = Obtained(found, "chain", self.theft.clock.now())
        log = Obtained(reading, "web", self.theft.clock.now())
        evidence = replace(case.evidence, log=log, sightings=seen)
        report = judge(document, evidence, case.policy, case.as_of)
        check = report.check("issuer-key")
        return check.result.value, check.code

    def service(self, case: Case) -> Any:
        found = case.evidence.did_documents[DID]
        assert isinstance(found, Obtained)
        return parse_did_document(found.value, DID).log_service()


async def test_a_stranger_reads_the_log_from_the_web(theft: Theft) -> None:
    stranger = Stranger(theft)
    assert await stranger.judge(theft.before) == GOOD
    assert await stranger.judge(theft.after) == VOID
    assert await stranger.judge(theft.forged) == VOID


async def test_the_log_is_read_back_to_the_first_record_from_before(theft: Theft) -> None:
    stranger = Stranger(theft)
    service = stranger.service(await stranger.case(theft.forged))
    whole = await read_log(theft.node)
    reading = await read_public_log(service, theft.fetch, theft.since)
    assert reading == whole._replace(records=whole.records[1:])
    early = await read_public_log(service, theft.fetch, theft.since - timedelta(days=9))
    assert early == whole
    late = await read_public_log(service, theft.fetch, theft.since + timedelta(days=9))
    assert late.records == whole.records[-1:]


async def unreadable(theft: Theft, change: dict[str, bytes]) -> str:
    """Return the code with which a log is refused that serves `change` instead."""
    stranger = Stranger(theft)
    service = stranger.service(await stranger.case(theft.forged))

    async def fetch(url: str, max_bytes: int) -> bytes:
        for path, body in change.items():
            if url.startswith(f"http://localhost:8460/log/{path}"):
                return body
        return await theft.fetch(url, max_bytes)

    with pytest.raises(PatunayError) as caught:
        await read_public_log(service, fetch, theft.since - timedelta(days=9))
    return caught.value.code


async def test_a_log_that_is_not_what_it_signs_is_not_read(theft: Theft) -> None:
    size = len((await read_log(theft.node)).entries)
    path = f"http://localhost:8460/log/tile/entries/000.p/{size}"
    bundle = bytearray(await theft.fetch(path, 99_999))
    bundle[-1] ^= 1
    assert await unreadable(theft, {"tile/entries/": bytes(bundle)}) == "log-unreadable"
    assert await unreadable(theft, {"tile/": b"\0"}) == "entry-bundle-malformed"
    other = bytes(bundle).replace(b"\x00\x21", b"\x00\x20")
    assert await unreadable(theft, {"tile/": other}) == "entry-bundle-malformed"
    assert await unreadable(theft, {"checkpoint": b"no note"}) == "checkpoint-malformed"
    latest = await theft.fetch("http://localhost:8460/log/records/latest", 99_999)
    # The newest record in place of each one before it: read for ever, if nobody looked.
    assert await unreadable(theft, {"records/": latest}) == "log-unreadable"
    raw = parse_json_object(latest)
    for broken in ({**raw, "version": 2}, {**raw, "more": 1}, {**raw, "record": "?"}):
        with pytest.raises(PatunayError) as caught:
            AnchoredRecord.parse(broken)
        assert caught.value.code == "anchored-record-malformed"


async def test_a_log_that_is_too_long_is_not_read(
    theft: Theft, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_log, "MAX_LOG_ENTRIES", 3)
    assert await unreadable(theft, {}) == "log-unreadable"
    monkeypatch.setattr(public_log, "MAX_LOG_ENTRIES", 1_000)
    monkeypatch.setattr(public_log, "MAX_RECORDS", 3)
    assert await unreadable(theft, {}) == "log-unreadable"


async def test_nothing_is_read_where_it_would_decide_nothing(theft: Theft) -> None:
    stranger = Stranger(theft)
    honest = await issue_document(theft.node, unsigned(5), None)  # with the new key
    assert log_wanted_since(await stranger.case(honest)) is None
    changed = {**theft.forged, "validFrom": "2026-01-01T00:00:00Z"}
    assert log_wanted_since(await stranger.case(changed)) is None
    assert log_wanted_since(await stranger.case({"a": 1})) is None


async def test_without_a_chain_endpoint_a_strangers_log_is_not_read(theft: Theft) -> None:
    asked: list[str] = []

    async def fetch(url: str, max_bytes: int) -> bytes:
        asked.append(url)
        return await theft.fetch(url, max_bytes)

    case = await Stranger(theft).case(theft.forged)
    silent = LogEvidence(theft.clock, None, fetch, ())
    assert (await silent.add(case)).log == NOT_LOOKED_UP
    offline = LogEvidence(theft.clock, None, None, ("http://127.0.0.1:9",))
    assert (await offline.add(case)).log == NOT_LOOKED_UP
    assert asked == []

    async def dead(url: str, _: int) -> bytes:
        asked.append(url)
        raise FetchNotFound(url)

    lost = LogEvidence(theft.clock, None, dead, ("http://127.0.0.1:9",))
    for _ in range(2):  # the second is not asked again
        evidence = await lost.add(case)
        assert isinstance(evidence.log, Missing)
        assert evidence.log.code == "fetch-not-found"
        report = judge(case.document, evidence, case.policy, case.as_of)
        check = report.check("issuer-key")
        assert (check.result.value, check.code) == UNKNOWN
    assert len(asked) == 1


async def test_each_record_is_served_by_its_cid(theft: Theft) -> None:
    reading = await read_log(theft.node)
    for one in reading.records:
        response = await theft.client.get(f"/log/records/{record_cid(one.record)}")
        assert await response.json() == one.to_json()
        assert response.headers["Cache-Control"] == "no-cache"
    for name in ("none", record_cid(b"another")):
        response = await theft.client.get(f"/log/records/{name}")
        assert (response.status, (await response.json())["code"]) == (404, "record-unknown")


async def test_a_log_before_its_first_checkpoint_has_no_record(tmp_path: Path) -> None:
    home = await make_home_here(tmp_path / "empty")
    async with opened(home) as node, client_of(node) as client:
        response = await client.get("/log/records/latest")
        assert (response.status, (await response.json())["code"]) == (404, "record-unknown")
