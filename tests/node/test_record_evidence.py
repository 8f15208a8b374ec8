"""Which record is read, and for whom it counts."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from anchoring.backend import AnchorReceipt
from anchoring.blocks import HeldBlocks
from anchoring.note import VerifierKey
from anchoring.receipt import Receipt
from anchoring.record import build_record, parse_record, raw_cid, record_cid
from anchoring.tlog_proof import TlogProof
from credentials.evidence import NOT_LOOKED_UP, Evidence, Missing, Obtained
from credentials.policy import Policy
from node.logbook import close_batch
from node.node import Node
from node.record_blocks import record_blocks
from node.record_evidence import RecordSource, add_record
from node.setup import add_issuer
from node.storage.anchor_store import all_checkpoints
from primitives.canonical_json import JsonObject, canonicalize
from tests.support.nodes import HandClock, issue

DID = "did:web:localhost%3A8460"
SECOND = f"{DID}:issuers:second"
STRANGER = "did:web:school.example"
DOCUMENT: JsonObject = {"issuer": {"id": DID}}


@dataclass
class Records:
    """Two records of one log, and all blocks of both; the second has one issuer more."""

    first: bytes
    second: bytes
    blocks: HeldBlocks
    vkey: VerifierKey

    def source(self, head: bytes | None) -> RecordSource:
        cid = record_cid(head) if head is not None else None
        return RecordSource(self.blocks, cid, "a test")

    def receipt(self, record: bytes) -> Obtained[Receipt]:
        now = datetime(2026, 3, 2, tzinfo=UTC)
        nowhere = AnchorReceipt("eip155:1:0x00", "0x" + "0" * 64, 1, "0x", 0, now)
        receipt = Receipt(TlogProof(0, (), ""), record, (nowhere,))
        return Obtained(receipt, "a file", now)

    async def ask(self, evidence: Evidence, head: bytes | None, *bound: str) -> Evidence:
        policy = Policy(logs=dict.fromkeys(bound, self.vkey))
        return await add_record(DOCUMENT, evidence, policy, self.source(head), HandClock())


@pytest.fixture
async def records(node: Node) -> Records:
    await issue(node, 1)
    await close_batch(node)
    await add_issuer(node, "second", "Second School")
    await close_batch(node)
    async with node.reading() as c:
        made = await all_checkpoints(c)
    blocks: dict[str, bytes] = {}
    for checkpoint in made:
        blocks |= {cid: block async for cid, block in record_blocks(node, checkpoint)}
    first, second = (checkpoint.record for checkpoint in made)
    return Records(first, second, HeldBlocks(blocks), node.vkey)


def asking(*dids: str) -> Evidence:
    return Evidence(did_documents=dict.fromkeys(dids, NOT_LOOKED_UP))


def source_of(evidence: Evidence, did: str) -> str:
    found = evidence.did_document(did)
    assert isinstance(found, Obtained), found
    assert found.value["id"] == did
    return found.source


def code_of(evidence: Evidence, did: str) -> str:
    found = evidence.did_document(did)
    assert isinstance(found, Missing)
    return found.code


async def test_the_newest_of_the_named_records_is_read(records: Records) -> None:
    old, new = (record_cid(r) for r in (records.first, records.second))
    found = await records.ask(asking(DID), records.first, DID)
    assert source_of(found, DID) == f"record {old} from a test"
    for head, receipt in (
        (records.first, records.second),
        (records.second, records.first),
    ):
        evidence = replace(asking(DID), receipt=records.receipt(receipt))
        found = await records.ask(evidence, head, DID)
        assert source_of(found, DID) == f"record {new} from a test"


async def test_a_record_speaks_for_those_alone_that_its_log_is_bound_to(
    records: Records,
) -> None:
    found = await records.ask(asking(DID, SECOND), records.second, DID)
    assert source_of(found, DID)
    assert code_of(found, SECOND) == "not-looked-up"
    found = await records.ask(asking(DID, SECOND), records.second, DID, SECOND)
    assert source_of(found, SECOND)
    found = await records.ask(asking(DID), records.second)
    assert code_of(found, DID) == "log-not-bound"


async def test_what_the_record_does_not_link_is_named(records: Records) -> None:
    found = await records.ask(asking(DID, STRANGER), records.second, DID, STRANGER)
    assert code_of(found, STRANGER) == "record-lacks-document"


async def test_what_was_had_from_elsewhere_stays(records: Records) -> None:
    known: JsonObject = {"id": DID}
    had = Obtained(known, "own-node", datetime(2026, 3, 2, tzinfo=UTC))
    evidence = Evidence(did_documents={DID: had})
    found = await records.ask(evidence, records.second, DID)
    assert found.did_document(DID) is had


async def test_a_list_of_no_known_day_is_not_used(records: Records) -> None:
    evidence = replace(
        asking(DID),
        status_lists={"https://x.example/1": NOT_LOOKED_UP},
        receipt=records.receipt(records.second),
    )
    found = await records.ask(evidence, None, DID)
    undated = found.status_list("https://x.example/1")
    assert isinstance(undated, Missing)
    assert undated.code == "record-undated"


async def test_a_forged_record_around_a_genuine_checkpoint_is_not_believed(
    records: Records,
) -> None:
    genuine = parse_record(records.second)
    forged_document = canonicalize({"id": DID, "of": "a thief"})
    forged = build_record(
        checkpoint=genuine.checkpoint,
        previous=record_cid(records.first),
        did_documents={DID: forged_document},
        status_lists={},
        tiles={link.name: await records.blocks.get(link.cid) for link in genuine.tiles},
    )
    blocks = dict(records.blocks._blocks)
    blocks[raw_cid(forged_document)] = forged_document
    blocks[record_cid(forged)] = forged
    thief = replace(records, blocks=HeldBlocks(blocks))
    found = (await thief.ask(asking(DID), forged, DID)).did_document(DID)
    assert isinstance(found, Missing)
    assert found.code == "record-document-unlogged"
    # The honest record in the same place is believed.
    source_of(await thief.ask(asking(DID), records.second, DID), DID)


async def test_entries_that_are_not_all_there_prove_nothing(records: Records) -> None:
    first = parse_record(records.first)
    blocks = dict(records.blocks._blocks)
    for link in first.tiles:
        del blocks[link.cid]
    thinner = replace(records, blocks=HeldBlocks(blocks))
    found = (await thinner.ask(asking(DID), records.first, DID)).did_document(DID)
    assert isinstance(found, Missing)
    assert found.code == "block-not-found"


async def test_other_entries_do_not_give_the_signed_root(records: Records) -> None:
    genuine = parse_record(records.first)
    tiles = {link.name: await records.blocks.get(link.cid) for link in genuine.tiles}
    path = next(name for name in tiles if name.startswith("tile/entries/"))
    tiles[path] = tiles[path][:-1] + bytes([tiles[path][-1] ^ 1])
    forged = build_record(
        checkpoint=genuine.checkpoint,
        previous=None,
        did_documents={
            link.name: await records.blocks.get(link.cid) for link in genuine.did_documents
        },
        status_lists={},
        tiles=tiles,
    )
    blocks = {raw_cid(tile): tile for tile in tiles.values()}
    linked = {
        link.cid: await records.blocks.get(link.cid) for link in genuine.did_documents
    }
    source = RecordSource(
        HeldBlocks(blocks | linked | {record_cid(forged): forged}),
        record_cid(forged),
        "a test",
    )
    policy = Policy(logs={DID: records.vkey})
    evidence = await add_record(DOCUMENT, asking(DID), policy, source, HandClock())
    found = evidence.did_document(DID)
    assert isinstance(found, Missing)
    assert found.code == "record-entries-missing"
