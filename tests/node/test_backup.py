import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from anchoring.backend import AnchorEvent, AnchorReceipt
from anchoring.memory import MemoryAnchor
from did.keystore import KeyUnlockFailed
from node.backup import write_backup
from node.config_tables import DatabaseConfig
from node.daemon import run_daemon
from node.fsck import check_node
from node.home import Home, HomeExists
from node.issuance import issue_document
from node.logbook import LogCorrupt, close_batch
from node.node import Node, RestoreBehindPublished
from node.published_log import PublishedLogIncomplete, seen
from node.reconciling import Answers, NothingAsked, NotRestored, reconcile
from node.restoring import restore_backup
from node.sealed_stream import BackupMalformed, SealedWriter, read_sealed
from node.setup import add_issuer
from node.status import reinstate, revoke, suspend
from node.storage.database import DatabaseInUse, SchemaNewer
from primitives.canonical_json import JsonObject, canonicalize
from primitives.hashing import Digest
from tests.restore_drill.drill import back_up, events_of, place_of, quiet, restore
from tests.support.nodes import (
    CHEAP,
    PASSPHRASE,
    HandClock,
    anchor,
    client_of,
    document_of,
    issue,
    meddle,
    opened,
    query,
    settle,
)
from tests.support.postgres import Cluster, drop

ON_BOTH_STORES = ("test_every_row_and_every_key_comes_back",)

PLAIN: JsonObject = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "name": "Licence",
    "credentialSubject": {"id": "did:example:learner"},
}


@pytest.fixture
async def databases(postgres: Cluster) -> AsyncIterator[list[DatabaseConfig]]:
    made = DatabaseConfig(url=postgres.create())
    yield [DatabaseConfig(), made]
    drop(made.url)


def rows_of(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    tables = (
        *("issuers", "credentials", "entries", "status_lists", "documents", "tokens"),
        *("checkpoints", "transactions", "status_events", "audit_entries"),
    )
    return {t: sorted(query(home, f"SELECT * FROM {t}"), key=repr) for t in tables}


async def test_every_row_and_every_key_comes_back(
    node: Node,
    home: Home,
    tmp_path: Path,
    clock: HandClock,
    databases: list[DatabaseConfig],
) -> None:
    """From each store into each: rows, bytes, large numbers, and the key file."""
    uuids = (await issue(node, 30)).issued
    await revoke(node, uuids[0], "a mistake")
    await anchor(node, MemoryAnchor())
    meddle(home, "UPDATE transactions SET max_fee = ?", 2**60)
    await add_issuer(node, "sdo-batangas", "Another")
    raw = await back_up(node)
    before = rows_of(home)
    for n, database in enumerate(databases):
        copy = await restore(raw, tmp_path / f"copy{n}", clock, database)
        assert rows_of(copy) == before
        assert copy.keystore_file.read_bytes() == home.keystore_file.read_bytes()
        assert copy.keystore_file.stat().st_mode & 0o777 == 0o600
        async with opened(copy, clock) as again:
            report = await check_node(again, None, quiet)
            assert report.problems == []
            await reconcile(again, Answers(), quiet, nothing_since=True)
            # Its own numbers go on after those that came in.
            assert len((await issue(again, 33)).issued) == 3
            await close_batch(again)
            report = await check_node(again, None, quiet)
            assert report.problems == []


async def test_a_backup_is_of_one_moment_while_the_node_goes_on(
    node: Node, home: Home, tmp_path: Path, clock: HandClock
) -> None:
    await issue(node, 40)
    steps: list[int] = []

    def progress(_step: str, done: int, _total: int) -> None:
        steps.append(done)
        meddle(home, "INSERT INTO requests VALUES (?, 'now')", f"{len(steps)}")

    file = io.BytesIO()
    report = await write_backup(node, file, PASSPHRASE, progress, cost=CHEAP)
    assert len(steps) > 3
    assert steps[-1] == report.rows
    copy = await restore(file.getvalue(), tmp_path / "copy", clock)
    assert query(copy, "SELECT * FROM requests") == []
    assert query(copy, "SELECT count(*) FROM credentials") == [(40,)]


async def test_memory_does_not_grow_with_the_database(
    node: Node, home: Home, tmp_path: Path, clock: HandClock
) -> None:
    """Messages are of bounded size, and one is held at a time."""
    for n in range(60):
        meddle(
            home,
            "INSERT INTO documents VALUES (?, 2, ?, 'now')",
            f"{n:064}",
            "x" * 100_000,
        )
    raw = await back_up(node)
    sizes = [len(m) for m in read_sealed(io.BytesIO(raw), PASSPHRASE)]
    assert sum(sizes) > 6_000_000
    assert max(sizes) < 1_300_000
    copy = await restore(raw, tmp_path / "copy", clock)
    assert query(copy, "SELECT count(*) FROM documents WHERE sha256 LIKE '000%'") == [(60,)]


async def test_another_passphrase_than_the_key_stores_makes_no_backup(node: Node) -> None:
    with pytest.raises(KeyUnlockFailed):
        await write_backup(node, io.BytesIO(), b"another", quiet, cost=CHEAP)


async def test_challenges_do_not_come_back(
    node: Node, home: Home, tmp_path: Path, clock: HandClock
) -> None:
    meddle(home, "INSERT INTO challenges VALUES ('a', 'now', '9999', NULL)")
    copy = await restore(await back_up(node), tmp_path / "copy", clock)
    assert query(copy, "SELECT * FROM challenges") == []


async def test_a_damaged_backup_leaves_nothing_that_looks_like_a_node(
    node: Node, tmp_path: Path, clock: HandClock, databases: list[DatabaseConfig]
) -> None:
    await issue(node, 5)
    raw = bytearray(await back_up(node))
    raw[-100] ^= 1
    for n, database in enumerate(databases):
        with pytest.raises(BackupMalformed):
            await restore(bytes(raw), tmp_path / f"copy{n}", clock, database)
        assert not (tmp_path / f"copy{n}" / "patunay.toml").exists()
    # The same database takes the whole backup.
    whole = await back_up(node)
    await restore(whole, tmp_path / "whole", clock, databases[1])


async def test_it_is_restored_into_nothing_that_is_in_use(
    node: Node, tmp_path: Path, clock: HandClock, databases: list[DatabaseConfig]
) -> None:
    raw = await back_up(node)
    await restore(raw, tmp_path / "copy", clock, databases[1])
    with pytest.raises(HomeExists):
        await restore(raw, tmp_path / "copy", clock)
    with pytest.raises(DatabaseInUse):
        await restore(raw, tmp_path / "another", clock, databases[1])


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ([], BackupMalformed),
        ([{"backup": 2}], BackupMalformed),
        ([{"backup": 1, "revision": "9999", "tables": {}}], SchemaNewer),
        ([{"backup": 1, "revision": "0001", "tables": {}}], BackupMalformed),
        (
            [
                {"backup": 1, "revision": "0001", "tables": {}},
                {"file": "../x", "mode": 0, "content": ""},
            ],
            BackupMalformed,
        ),
    ],
)
async def test_what_is_sealed_and_no_backup_is_refused(
    tmp_path: Path, clock: HandClock, parts: list[Any], error: type[Exception]
) -> None:
    file = io.BytesIO()
    writer = SealedWriter(file, PASSPHRASE, CHEAP)
    for part in parts:
        writer.write(canonicalize(part))
    writer.close()
    messages = read_sealed(io.BytesIO(file.getvalue()), PASSPHRASE)
    with pytest.raises(error):
        await restore_backup(Home(tmp_path / "copy"), messages, clock, quiet)


# Before it is reconciled


@pytest.fixture
async def copy(node: Node, tmp_path: Path, clock: HandClock) -> Home:
    """Restored; the node itself has gone on."""
    await issue(node, 4)
    await close_batch(node)
    raw = await back_up(node)
    await issue(node, 9)
    await close_batch(node)
    return await restore(raw, tmp_path / "copy", clock)


async def test_a_restored_copy_signs_nothing_and_changes_nothing(
    copy: Home, clock: HandClock
) -> None:
    before = rows_of(copy)
    async with opened(copy, clock) as again:
        uuid = query(copy, "SELECT uuid FROM credentials")[0][0]
        for act in (
            issue(again, 12),
            issue_document(again, dict(PLAIN), None),
            revoke(again, uuid, "x"),
            close_batch(again),
            add_issuer(again, "sdo-batangas", "Another"),
        ):
            with pytest.raises(RestoreBehindPublished, match="may be behind"):
                await act
        for key in ("log", "main.credential"):
            with pytest.raises(RestoreBehindPublished):
                again.signer(key)
    assert rows_of(copy) == before


async def test_a_restored_copy_serves_nothing(copy: Home, clock: HandClock) -> None:
    def ready(url: str) -> None:
        raise AssertionError(url)

    for passphrase in (PASSPHRASE, None):
        with pytest.raises(RestoreBehindPublished) as caught:
            await run_daemon(copy, clock, passphrase, on_ready=ready, port=0)
        assert caught.value.code == "restore-behind-published"


async def test_nobody_asked_is_not_nothing_published(copy: Home, clock: HandClock) -> None:
    async with opened(copy, clock, sealed=True) as again:
        with pytest.raises(NothingAsked, match="the mirror: gone") as caught:
            await reconcile(again, Answers(silent=("the mirror: gone",)), quiet)
        assert caught.value.code == "restore-nothing-asked"
        found = await reconcile(again, Answers(), quiet, nothing_since=True)
        assert (found.before, found.published, found.lost) == (6, 6, 0)
        with pytest.raises(NotRestored):
            await reconcile(again, Answers(), quiet, nothing_since=True)
    async with opened(copy, clock) as again:
        assert len((await issue(again, 6)).issued) == 2


async def test_a_checkpoint_that_somebody_kept_shows_how_far_it_is_behind(
    node: Node, copy: Home, clock: HandClock
) -> None:
    ((note,),) = query(node.home, "SELECT note FROM checkpoints WHERE tree_size > 6")
    async with opened(copy, clock) as again:
        shown = seen(note, again.vkey, "a peer")
        with pytest.raises(RestoreBehindPublished, match="a peer shows a checkpoint of 11"):
            await reconcile(again, Answers(checkpoints=(shown,)), quiet)
        with pytest.raises(RestoreBehindPublished):
            await close_batch(again)


async def test_a_witness_that_has_cosigned_more_is_believed(
    copy: Home, clock: HandClock
) -> None:
    async with opened(copy, clock) as again:
        with pytest.raises(RestoreBehindPublished, match="witness w has cosigned 11"):
            await reconcile(again, Answers(sizes=(("w", 11),)), quiet)
        found = await reconcile(again, Answers(sizes=(("w", 6),)), quiet)
    assert found.published == 6


async def test_an_anchor_of_a_record_that_is_not_here_is_told(
    copy: Home, clock: HandClock
) -> None:
    where = AnchorReceipt("c", "0xabc", 1, "0x1", 0, clock.moment)
    unknown = AnchorEvent(where, "me", Digest(bytes(32)))
    async with opened(copy, clock) as again:
        with pytest.raises(RestoreBehindPublished, match="transaction 0xabc anchors"):
            await reconcile(again, Answers(events=(unknown,)), quiet)


async def test_a_log_with_another_past_is_no_past_of_this_copy(
    node: Node, copy: Home, clock: HandClock
) -> None:
    meddle(copy, "DELETE FROM checkpoints")
    meddle(copy, "UPDATE entries SET digest = ? WHERE leaf_index = 2", bytes(32))
    async with client_of(node) as client, opened(copy, clock) as again:
        place = place_of(client, node.config.base_url)
        said = Answers(place, (await place.head(node.vkey),))
        with pytest.raises(LogCorrupt, match="differs from leaf 0 on"):
            await reconcile(again, said, quiet)
        assert again.is_restored


async def test_a_log_that_cannot_be_read_in_full_changes_nothing(
    node: Node, copy: Home, clock: HandClock
) -> None:
    meddle(node.home, "DELETE FROM checkpoints WHERE tree_size > 6")
    before = rows_of(copy)
    async with client_of(node) as client, opened(copy, clock) as again:
        place = place_of(client, node.config.base_url)
        said = Answers(place, (await place.head(node.vkey),))
        with pytest.raises(PublishedLogIncomplete, match="no record that is new"):
            await reconcile(again, said, quiet)
    assert rows_of(copy) == before


# What comes back


async def test_revocations_and_suspensions_after_the_backup_stay(
    node: Node, tmp_path: Path, clock: HandClock
) -> None:
    old = str((await issue_document(node, dict(PLAIN), None))["id"])
    held = str((await issue_document(node, dict(PLAIN), None))["id"])
    await close_batch(node)
    raw = await back_up(node)
    clock.advance(60)
    new = str((await issue_document(node, dict(PLAIN), None))["id"])
    await revoke(node, old, "stolen")
    await suspend(node, held, "in doubt")
    await revoke(node, new, "a mistake")
    await close_batch(node)
    lists = dict(query(node.home, "SELECT url, document FROM status_lists"))
    copy = await restore(raw, tmp_path / "copy", clock)
    async with client_of(node) as client, opened(copy, clock) as again:
        place = place_of(client, node.config.base_url)
        found = await reconcile(
            again, Answers(place, (await place.head(node.vkey),)), quiet
        )
        assert (found.lost, found.lists) == (1, 2)
        assert dict(query(copy, "SELECT url, document FROM status_lists")) == lists
        states = query(copy, "SELECT action FROM status_events ORDER BY seq")
        assert sorted(row[0] for row in states) == ["revoke", "suspend"]
        # The suspension can be lifted; the stranger's revocation outlives all versions.
        clock.advance(60)
        await reinstate(again, held, "settled")
        marks = query(copy, "SELECT count(*) FROM inherited_marks")
        assert marks == [(2,)]  # its bit, and the twin
        await close_batch(again)
        report = await check_node(again, None, quiet)
        assert {p.code for p in report.problems} == {"document-missing"}


async def test_what_was_queued_keeps_the_place_that_it_got(
    node: Node, tmp_path: Path, clock: HandClock
) -> None:
    """Signed before the backup, logged after it: one leaf, not two."""
    chain = MemoryAnchor()
    uuids = (await issue(node, 3)).issued
    raw = await back_up(node)
    await anchor(node, chain)
    copy = await restore(raw, tmp_path / "copy", clock)
    async with client_of(node) as client, opened(copy, clock) as again:
        place = place_of(client, node.config.base_url)
        said = Answers(place, (await place.head(node.vkey),), events=events_of(chain))
        found = await reconcile(again, said, quiet)
        assert (found.before, found.published, found.lost) == (0, 5, 0)
        assert await close_batch(again) is None
        await settle(again, chain)
        for uuid in uuids:
            await document_of(again, uuid)
        report = await check_node(again, None, quiet)
        assert report.problems == []
