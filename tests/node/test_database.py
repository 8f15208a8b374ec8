import asyncio
import subprocess
import sys
import time
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, insert, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from node.disk import StorageFailed
from node.home import Home
from node.node import Node
from node.storage.database import (
    SchemaNewer,
    create_engine,
    migrate,
    reading,
    transaction,
)
from node.storage.ledger import save_request
from node.storage.registry import list_issuers
from node.storage.schema import metadata, requests
from node.storage.store import DatabaseMissing
from tests.support.nodes import meddle, opened, query


def _empty(path: Path) -> AsyncEngine:
    path.touch()
    return create_engine(path)


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_migrations_make_the_schema_and_take_it_back(tmp_path: Path) -> None:
    engine = _empty(tmp_path / "a.db")
    await migrate(engine)
    async with reading(engine) as c:
        assert await c.run_sync(_differences) == []
        assert await c.run_sync(_tables) == {*metadata.tables, "alembic_version"}
    await migrate(engine, "base")
    async with reading(engine) as c:
        assert await c.run_sync(_tables) == {"alembic_version"}
    await migrate(engine)
    async with reading(engine) as c:
        assert await c.run_sync(_tables) == {*metadata.tables, "alembic_version"}
    await engine.dispose()


async def test_issuers_of_an_older_database_sign_as_they_did(home: Home) -> None:
    engine = create_engine(home.root / "patunay.db")
    await migrate(engine, "base")
    await migrate(engine, "0002")
    await engine.dispose()
    meddle(home, "INSERT INTO issuers VALUES ('main', 'did:web:x.example', 'X', '{}', '')")
    async with opened(home) as node, node.reading() as c:
        (issuer,) = await list_issuers(c)
    assert issuer.cryptosuite == "eddsa-rdfc-2022"


async def test_migrating_again_changes_nothing(home: Home) -> None:
    before = query(home, "SELECT sql FROM sqlite_master ORDER BY name")
    async with opened(home):
        assert query(home, "SELECT sql FROM sqlite_master ORDER BY name") == before


async def test_two_processes_may_migrate_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    first, second = _empty(path), create_engine(path)
    await asyncio.gather(migrate(first), migrate(second))
    async with reading(first) as c:
        assert await c.run_sync(_differences) == []
    await first.dispose()
    await second.dispose()


async def test_the_database_of_a_newer_release_is_refused(home: Home) -> None:
    meddle(home, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaNewer, match="found revision 9999, want at most") as caught:
        async with opened(home):
            pass
    assert caught.value.code == "storage-schema-newer"


async def test_a_missing_database_is_never_made_up(home: Home) -> None:
    (home.root / "patunay.db").unlink()
    with pytest.raises(DatabaseMissing) as caught:
        async with opened(home):
            pass
    assert caught.value.code == "database-missing"
    assert not (home.root / "patunay.db").exists()


@pytest.mark.parametrize("kind", ["reading", "writing"])
async def test_settings_that_make_a_commit_durable_are_in_force(
    node: Node, kind: str
) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    for _ in range(2):  # of a connection that is new, and of one that was used before
        async with node.reading() if kind == "reading" else node.writing() as c:
            for name, value in wanted.items():
                found = (await c.exec_driver_sql(f"PRAGMA {name}")).scalar()
                assert (name, found) == (name, value)


async def test_a_reader_waits_for_no_writer_and_sees_one_state(node: Node) -> None:
    ask = "SELECT count(*) FROM requests"
    began = time.perf_counter()
    async with node.reading() as reader:
        assert (await reader.exec_driver_sql(ask)).scalar() == 0
        async with node.writing() as writer:
            await writer.exec_driver_sql("INSERT INTO requests VALUES ('a', 'now')")
            async with node.reading() as other:
                assert (await other.exec_driver_sql(ask)).scalar() == 0
        # Committed; this reader goes on seeing what it saw first.
        assert (await reader.exec_driver_sql(ask)).scalar() == 0
    async with node.reading() as reader:
        assert (await reader.exec_driver_sql(ask)).scalar() == 1
    assert time.perf_counter() - began < 5  # waiting for a lock would take 30


async def test_a_transaction_that_fails_leaves_nothing(node: Node) -> None:
    async def fail() -> None:
        async with node.writing() as c:
            await c.exec_driver_sql("INSERT INTO requests VALUES ('a', 'now')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with node.reading() as c:
        found = await c.exec_driver_sql("SELECT count(*) FROM requests")
        assert found.scalar() == 0


async def test_a_broken_constraint_is_a_bug_and_keeps_its_name(node: Node) -> None:
    with pytest.raises(IntegrityError):
        async with node.writing() as c:
            await c.exec_driver_sql("INSERT INTO requests VALUES ('a', NULL)")


async def test_a_file_that_is_no_database_is_a_storage_failure(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"not what was expected" * 500)
    engine = create_engine(path)
    with pytest.raises(StorageFailed, match="file is not a database") as caught:
        await migrate(engine)
    assert caught.value.code == "storage-failed"
    await engine.dispose()


async def test_connections_that_are_all_in_use_are_a_storage_failure(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(home) as node:
        pool = node.engine.pool
        monkeypatch.setattr(pool, "_timeout", 0.05)
        held = [await node.engine.connect() for _ in range(14)]
        with pytest.raises(StorageFailed, match="every connection"):
            async with node.reading() as c:
                await c.exec_driver_sql("SELECT 1")
        for connection in held:
            await connection.close()


async def test_a_look_up_sees_what_others_have_committed(home: Home) -> None:
    async with opened(home) as node:
        for name in ("one", "two"):
            async with node.writing() as c:
                await save_request(c, name, node.now())
            async with node.looking_up() as reader:
                found = await reader.execute(select(requests.c.name))
                assert name in found.scalars().all()


async def test_a_look_up_writes_nothing(home: Home) -> None:
    async with opened(home) as node:
        with pytest.raises(TypeError, match="found Insert, want a look-up that only reads"):
            async with node.looking_up() as reader:
                await reader.execute(insert(requests).values(name="x", requested_at="y"))


async def test_a_look_up_reads_types_that_the_driver_knows_alone(home: Home) -> None:
    """Of others it would give what SQLAlchemy has not turned into Python's yet."""
    async with opened(home) as node:
        with pytest.raises(TypeError, match="reads no DateTime"):
            async with node.looking_up() as reader:
                await reader.execute(select(func.now()))


async def test_a_look_up_that_fails_leaves_nothing_open(home: Home) -> None:
    async with opened(home) as node:
        with suppress(LookupError):
            async with node.looking_up() as reader:
                await reader.execute(select(requests.c.name))
                raise LookupError
        async with node.writing() as c:
            await save_request(c, "later", node.now())
        async with node.looking_up() as reader:
            found = await reader.execute(select(requests.c.name))
            assert found.scalars().all() == ["later"]


async def test_a_look_up_makes_no_database(home: Home) -> None:
    async with opened(home) as node:
        (home.root / "patunay.db").unlink()
        with pytest.raises(StorageFailed, match="unable to open"):
            async with node.looking_up():
                pass


async def test_a_look_up_waits_for_no_writer(home: Home) -> None:
    async with opened(home) as node, node.writing() as c:
        await save_request(c, "waiting", node.now())
        async with node.looking_up() as reader:
            assert (await reader.execute(select(requests.c.name))).all() == []


async def test_a_version_lasts_until_a_commit_and_no_two_connections_share_one(
    home: Home,
) -> None:
    async def version() -> Hashable:
        async with node.looking_up() as reader:
            return await reader.version()

    async with opened(home) as node:
        first = await version()
        async with node.writing() as c:
            await save_request(c, "one", node.now())
            assert await version() == first
        assert await version() != first
        async with node.looking_up() as one, node.looking_up() as other:
            assert await one.version() != await other.version()


_WRITE = """
import asyncio, resource, sys
from pathlib import Path
from node.disk import StorageFailed
from node.storage.database import create_engine, transaction

async def main():
    engine = create_engine(Path(sys.argv[1]))
    try:
        for n in range(200):
            async with transaction(engine) as c:
                await c.exec_driver_sql(
                    "INSERT INTO requests VALUES (?, ?)", (f"{n}", "x" * 50_000)
                )
            print(n, flush=True)
    except StorageFailed as e:
        print(e.code, e)
    await engine.dispose()

limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
asyncio.run(main())
"""


def _write_until_full(database: Path, limit: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _WRITE, str(database), str(limit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def _kept(home: Home) -> int:
    found: int = query(home, "SELECT count(*) FROM requests")[0][0]
    return found


def test_a_limit_of_size_loses_nothing_that_was_committed(home: Home) -> None:
    """A write that fails for want of a right: SQLite tells it as a failing disk."""
    *committed, last = _write_until_full(home.root / "patunay.db", 2 << 20)
    assert last.startswith("storage-io-error SQLITE_IOERR_WRITE: ")
    assert 1 < len(committed) < 200
    assert _kept(home) == len(committed)
    assert query(home, "PRAGMA integrity_check") == [("ok",)]


def test_a_full_file_system_is_told_as_such(home: Home, tmp_path: Path) -> None:
    """On a real one of 2 MiB, where this may be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs root: the limit above stands in")
    try:
        small = Home(place)
        (place / "patunay.db").write_bytes((home.root / "patunay.db").read_bytes())
        *committed, last = _write_until_full(place / "patunay.db", 0)
        assert last.startswith("storage-failed ")
        assert "full" in last
        assert _kept(small) == len(committed)
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        (told,) = _write_until_full(place / "patunay.db", 0)
        assert told.startswith("storage-failed ")
    finally:
        subprocess.run(["umount", str(place)], check=True)


async def test_two_writers_take_turns(home: Home) -> None:
    first, second = (create_engine(home.root / "patunay.db") for _ in range(2))
    order: list[str] = []

    async def write(engine: AsyncEngine, name: str) -> None:
        async with transaction(engine) as c:
            order.append(f"{name} begins")
            count = (await c.exec_driver_sql("SELECT count(*) FROM requests")).scalar()
            await asyncio.sleep(0.05)
            await c.exec_driver_sql("INSERT INTO requests VALUES (?, 'now')", (f"{count}",))
            order.append(f"{name} ends")

    await asyncio.gather(write(first, "a"), write(second, "b"))
    assert [line.partition(" ")[2] for line in order] == ["begins", "ends"] * 2
    assert query(home, "SELECT name FROM requests ORDER BY name") == [("0",), ("1",)]
    await first.dispose()
    await second.dispose()


async def test_writers_of_one_process_get_their_turns_in_the_order_they_came(
    node: Node,
) -> None:
    order: list[int] = []

    async def write(number: int) -> None:
        async with node.writing() as c:
            order.append(number)
            await save_request(c, str(number), "now")
            await asyncio.sleep(0.002)

    await asyncio.gather(*(write(number) for number in range(30)))
    assert order == list(range(30))
