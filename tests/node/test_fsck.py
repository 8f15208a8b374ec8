import asyncio
import threading
from dataclasses import dataclass

import pytest

from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.memory import MemoryAnchor
from anchoring.record import build_record, record_digest
from node import fsck
from node.fsck import FsckReport, check_node
from node.home import Home
from node.node import LOG_KEY, Node
from node.status import revoke
from primitives.ed25519 import SoftwareSigner
from primitives.hashing import Digest
from tests.support.nodes import (
    anchor,
    issue,
    meddle,
    new_seed,
    opened,
    query,
)


@dataclass
class Sound:
    home: Home
    chain: MemoryAnchor


@pytest.fixture
async def sound(home: Home) -> Sound:
    """Two anchored batches, and one credential that waits."""
    chain = MemoryAnchor()
    async with opened(home) as node:
        for count in (4, 9):
            await issue(node, count)
            await anchor(node, chain)
        await issue(node, 10)
    return Sound(home, chain)


async def report_on(sound: Sound, chain: MemoryAnchor | None = None) -> FsckReport:
    async with opened(sound.home, sealed=True) as node:
        return await check_node(node, chain or sound.chain, lambda *_: None)


def found(report: FsckReport) -> set[tuple[str, str]]:
    return {(p.where.partition(" (")[0], p.code) for p in report.problems}


async def test_a_sound_node_has_no_problems(sound: Sound) -> None:
    report = await report_on(sound)
    assert (report.problems, report.unknown) == ([], [])
    assert (report.leaves, report.checkpoints, report.anchors) == (11, 2, 2)
    assert report.anchors_unchecked == 0
    assert report.to_json()["problems"] == []


async def test_checking_changes_nothing_and_tells_how_far_it_is(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fsck, "_CHUNK", 4)
    before = [query(sound.home, f"SELECT * FROM {t}") for t in ("entries", "transactions")]
    told: list[tuple[str, int, int]] = []
    async with opened(sound.home, sealed=True) as node:
        report = await check_node(node, None, lambda *step: told.append(step))
    assert report.problems == []
    assert report.anchors_unchecked == report.anchors == 2
    assert [done for _, done, _ in told] == [4, 8, 11]
    assert before == [
        query(sound.home, f"SELECT * FROM {t}") for t in ("entries", "transactions")
    ]


async def test_one_flipped_bit_in_any_stored_credential_is_found(sound: Sound) -> None:
    rows = query(
        sound.home,
        "SELECT uuid, document, leaf_index FROM credentials JOIN entries ON subject = uuid"
        " WHERE leaf_index IS NOT NULL",
    )
    assert len(rows) == 9
    for uuid, document, leaf in rows:
        for place in (len(document) // 3, document.index('"name"') + 9):
            flipped = chr(ord(document[place]) ^ 1)
            changed = document[:place] + flipped + document[place + 1 :]
            sql = "UPDATE credentials SET document = ? WHERE uuid = ?"
            meddle(sound.home, sql, changed, uuid)
            (problem,) = (await report_on(sound)).problems
            assert problem.where == f"leaf {leaf} ({uuid})"
            assert problem.code in ("leaf-mismatch", "json-malformed")
            meddle(sound.home, sql, document, uuid)
    assert (await report_on(sound)).problems == []


async def test_one_flipped_bit_in_a_did_document_or_status_list_is_found(
    sound: Sound,
) -> None:
    for digest, body in query(sound.home, "SELECT sha256, body FROM documents"):
        changed = body.replace("did:web", "did:wec", 1)
        assert changed != body
        sql = "UPDATE documents SET body = ? WHERE sha256 = ?"
        meddle(sound.home, sql, changed, digest)
        ((_, code),) = found(await report_on(sound))
        assert code == "leaf-mismatch"
        meddle(sound.home, sql, body, digest)


DAMAGE = {
    "a leaf's digest": (
        "UPDATE entries SET digest = zeroblob(32) WHERE leaf_index = 3",
        {
            ("leaf 3", "leaf-mismatch"),
            ("checkpoint 6", "root-mismatch"),
            ("checkpoint 11", "root-mismatch"),
        },
    ),
    "a credential deleted": (
        (
            "DELETE FROM credentials WHERE uuid IN"
            " (SELECT subject FROM entries WHERE leaf_index = 8)"
        ),
        {("leaf 8", "document-missing")},
    ),
    "a document deleted": (
        "DELETE FROM documents",
        {
            ("leaf 0", "document-missing"),
            ("leaf 1", "document-missing"),
        },
    ),
    "a leaf deleted": (
        "DELETE FROM entries WHERE leaf_index = 8",
        {
            ("leaves 0 to 10", "leaves-missing"),
            ("checkpoint 11", "leaves-missing"),
            ("credential", "entry-missing"),
        },
    ),
    "the last leaf deleted": (
        "DELETE FROM entries WHERE leaf_index = 10",
        {("checkpoint 11", "leaves-missing"), ("credential", "entry-missing")},
    ),
    "a place in the queue deleted": (
        "DELETE FROM entries WHERE leaf_index IS NULL",
        {("credential", "entry-missing")},
    ),
    "a root": (
        "UPDATE checkpoints SET root = zeroblob(32) WHERE tree_size = 6",
        {("checkpoint 6", "checkpoint-mismatch"), ("checkpoint 6", "root-mismatch")},
    ),
    "a size": (
        "UPDATE checkpoints SET tree_size = 12 WHERE tree_size = 11",
        {
            ("checkpoint 12", "checkpoint-mismatch"),
            ("checkpoint 12", "leaves-missing"),
            ("transaction", "checkpoint-missing"),
        },
    ),
    "a record": (
        (
            "UPDATE checkpoints SET record = CAST(replace(CAST(record AS TEXT),"
            " 'version', 'versioN') AS BLOB) WHERE tree_size = 11"
        ),
        {("checkpoint 11", "record-malformed")},
    ),
    "a record's digest": (
        "UPDATE checkpoints SET record_digest = zeroblob(32) WHERE tree_size = 6",
        {("checkpoint 6", "record-mismatch"), ("transaction", "anchor-not-found")},
    ),
    "the first checkpoint deleted": (
        "DELETE FROM checkpoints WHERE tree_size = 6",
        {("checkpoint 11", "record-mismatch"), ("transaction", "checkpoint-missing")},
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
async def test_damage_is_found_and_named(sound: Sound, what: str) -> None:
    sql, wanted = DAMAGE[what]
    assert meddle(sound.home, sql) > 0
    report = await report_on(sound)
    plain = {
        (w.partition(" ")[0] if w.startswith(("credential", "transaction")) else w, code)
        for w, code in found(report)
    }
    # In memory the digest of an event is not looked at by `find`.
    assert plain == wanted - {("transaction", "anchor-not-found")}


async def test_a_checkpoint_that_another_key_signed_is_found(sound: Sound) -> None:
    ((root,),) = query(sound.home, "SELECT root FROM checkpoints WHERE tree_size = 11")
    forged = sign_checkpoint(
        Checkpoint("localhost:8460/log", 11, root), SoftwareSigner(new_seed())
    )
    meddle(sound.home, "UPDATE checkpoints SET note = ? WHERE tree_size = 11", forged)
    ((where, code),) = found(await report_on(sound))
    assert where == "checkpoint 11"
    assert code == "checkpoint-unsigned"


async def test_a_log_that_was_rewritten_and_signed_again_is_found(sound: Sound) -> None:
    """Whoever has the log's key can sign another root; the leaves still tell."""
    async with opened(sound.home) as node:
        signer = node.signer(LOG_KEY)
    note = sign_checkpoint(Checkpoint("localhost:8460/log", 11, Digest(bytes(32))), signer)
    record = build_record(
        checkpoint=note, previous=None, did_documents={}, status_lists={}, tiles={}
    )
    meddle(
        sound.home,
        "UPDATE checkpoints SET note = ?, root = ?, record = ?, record_digest = ?"
        " WHERE tree_size = 11",
        note,
        bytes(32),
        record,
        record_digest(record),
    )
    assert ("checkpoint 11", "root-mismatch") in found(await report_on(sound))


async def test_an_anchor_that_the_chain_does_not_show_is_found(sound: Sound) -> None:
    report = await report_on(sound, MemoryAnchor())
    assert {code for _, code in found(report)} == {"anchor-not-found"}
    assert len(report.problems) == 2


async def test_a_chain_out_of_reach_is_not_a_problem_but_unknown(sound: Sound) -> None:
    sound.chain.unreachable = True
    report = await report_on(sound)
    assert report.problems == []
    assert [p.code for p in report.unknown] == ["anchor-unreachable"] * 2


async def test_a_node_that_goes_on_working_is_checked_as_it_was(
    node: Node, home: Home
) -> None:
    chain = MemoryAnchor()
    await issue(node, 5)
    await anchor(node, chain)
    grown = False

    async def grow(*_: object) -> None:
        async with opened(home) as other:
            await issue(other, 8)
            await anchor(other, chain)

    def progress(*_: object) -> None:
        """Between looking at the leaves and at what refers to them."""
        nonlocal grown
        if not grown:
            grown = True
            worker = threading.Thread(target=lambda: asyncio.run(grow()))
            worker.start()
            worker.join()

    report = await check_node(node, chain, progress)
    assert grown
    assert (report.problems, report.checkpoints) == ([], 1)
    assert len(query(home, "SELECT * FROM checkpoints")) == 2


@pytest.mark.parametrize("how", ["bit taken back", "event lost", "bit added", "no list"])
async def test_a_list_that_contradicts_what_was_done_is_found(
    sound: Sound, how: str
) -> None:
    async with opened(sound.home) as node:
        before = query(sound.home, "SELECT url, document FROM status_lists")
        ((uuid,),) = query(sound.home, "SELECT min(uuid) FROM credentials")
        await revoke(node, uuid, "a mistake")
        await anchor(node, sound.chain)
    assert (await report_on(sound)).problems == []
    url, empty = before[0]
    match how:
        case "bit taken back":
            meddle(sound.home, "UPDATE status_lists SET document = ?", empty)
        case "event lost":
            meddle(sound.home, "DELETE FROM status_events")
        case "bit added":
            meddle(sound.home, "UPDATE status_events SET status_index = status_index + 64")
        case _:
            meddle(sound.home, "UPDATE status_lists SET document = '{}'")
    problems = (await report_on(sound)).problems
    code = "status-list-unusable" if how == "no list" else "status-list-mismatch"
    assert (f"status list {url}", code) in {(p.where, p.code) for p in problems}
