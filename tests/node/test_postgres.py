"""What only PostgreSQL does, and how it goes wrong."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from node.access import create_token
from node.config import Config
from node.config_checks import ConfigInvalid
from node.config_tables import DatabaseConfig
from node.disk import StorageFailed
from node.doctor.stores import examine_database
from node.home import Home
from node.issuance import issue_document
from node.permissions import Role
from node.storage.database import (
    DatabaseInUse,
    DatabaseUrlRefused,
    create_engine,
    locate,
    migrate,
    prepare,
    reading,
    revisions,
    transaction,
)
from node.storage.postgres import (
    OVERFLOW,
    POOL_SIZE,
    DatabaseRefused,
    NotStorable,
    PasswordUnusable,
    PostgresPlace,
)
from node.storage.schema import metadata, requests
from node.storage.store import CommitUnknown, DatabaseMissing
from tests.restore_drill.drill import back_up, restore
from tests.support.nodes import (
    HandClock,
    client_of,
    copy_home,
    environment,
    issue,
    make_home_here,
    opened,
    plan,
    query,
)
from tests.support.postgres import Cluster, drop, execute, running_cluster
from tests.support.severed import severing


@pytest.fixture
def url(postgres: Cluster) -> Iterator[str]:
    made = postgres.create()
    yield made
    drop(made)


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(PostgresPlace(url))
    yield engine
    await engine.dispose()


@pytest.fixture
def home(made_postgres_home: Home, tmp_path: Path) -> Iterator[Home]:
    copied = copy_home(made_postgres_home, tmp_path / "node")
    url = copied.config().database.url
    yield copied
    drop(url)


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_migrations_make_the_schema_and_take_it_back(engine: AsyncEngine) -> None:
    await migrate(engine)
    async with reading(engine) as c:
        assert await c.run_sync(_differences) == []
        assert await c.run_sync(_tables) == {*metadata.tables, "alembic_version"}
    await migrate(engine, "base")
    async with reading(engine) as c:
        assert await c.run_sync(_tables) == {"alembic_version"}
    await migrate(engine)
    async with reading(engine) as c:
        assert await c.run_sync(_differences) == []


async def test_each_migration_goes_up_and_down(engine: AsyncEngine) -> None:
    """One by one, as a node that is upgraded release by release."""
    for revision in revisions():
        await migrate(engine, revision)
    async with reading(engine) as c:
        assert await c.run_sync(_differences) == []
    for revision in [*reversed(revisions()[:-1]), "base"]:
        await migrate(engine, revision)
    async with reading(engine) as c:
        assert await c.run_sync(_tables) == {"alembic_version"}


async def test_two_processes_may_migrate_at_once(url: str, engine: AsyncEngine) -> None:
    second = create_engine(PostgresPlace(url))
    await asyncio.gather(migrate(engine), migrate(second))
    async with reading(engine) as c:
        assert await c.run_sync(_differences) == []
    await second.dispose()


async def test_the_environment_names_the_database_of_a_new_node(
    url: str, tmp_path: Path
) -> None:
    with environment(DATABASE_URL=url):
        home = await make_home_here(tmp_path / "node")
        async with opened(home) as node:
            assert len((await issue(node, 3)).issued) == 3
    assert execute(url, "SELECT count(*) FROM credentials") == [(3,)]
    assert not list(home.root.glob("*.db"))
    # Without it, nothing is made up in its place.
    with pytest.raises(DatabaseMissing, match=r"patunay\.db"):
        async with opened(home):
            pass


async def test_a_database_in_use_is_given_to_no_second_node(
    home: Home, tmp_path: Path
) -> None:
    with pytest.raises(DatabaseInUse, match="want none") as caught:
        await make_home_here(tmp_path / "second", database=home.config().database)
    assert caught.value.code == "database-in-use"


async def test_an_empty_database_is_no_node(url: str, home: Home) -> None:
    config = plan(database=DatabaseConfig(url=url))
    home.config_file.write_text(config.to_toml(), encoding="utf-8")
    with pytest.raises(DatabaseMissing, match="without the tables of a node"):
        async with opened(home):
            pass
    assert execute(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [
        (0,)
    ]


async def test_a_database_that_is_not_there_is_told(postgres: Cluster) -> None:
    engine = create_engine(PostgresPlace(postgres.url("nothing")))
    with pytest.raises(DatabaseMissing, match='"nothing" does not exist'):
        await prepare(engine)


async def test_a_server_that_is_not_there_is_a_storage_failure(tmp_path: Path) -> None:
    engine = create_engine(PostgresPlace(f"postgresql://x@/x?host={tmp_path}"))
    with pytest.raises(StorageFailed) as caught:
        await prepare(engine)
    assert caught.value.code == "storage-failed"


async def test_who_may_not_is_told(url: str) -> None:
    execute(url, "DROP ROLE IF EXISTS stranger")
    execute(url, "CREATE ROLE stranger LOGIN")
    engine = create_engine(PostgresPlace(url.replace("postgres@", "stranger@")))
    with pytest.raises(DatabaseRefused, match="permission denied") as caught:
        await prepare(engine)
    assert caught.value.code == "database-refused"
    await engine.dispose()


async def test_the_password_comes_from_a_file_and_is_shown_nowhere(
    tmp_path: Path,
) -> None:
    file = tmp_path / "secret"
    file.write_text("mabuhay\n")
    file.chmod(0o600)
    place = PostgresPlace("postgresql://office@db.example/node?sslmode=require", file)
    assert place.password() == "mabuhay"
    assert place.shown == "postgresql://office@db.example/node"
    assert "mabuhay" not in repr(place)
    other = PostgresPlace("postgresql://office:mabuhay@db.example/node")
    assert "mabuhay" not in repr(other) + other.shown + repr(create_engine(other))
    config = plan(database=DatabaseConfig(url=place.url, password_file="secret"))
    assert locate(tmp_path, config) == place
    with environment(DATABASE_URL=other.url):
        assert locate(tmp_path, plan()) == other
        assert locate(tmp_path, config) == place


@pytest.mark.parametrize("variable", ["DATABASE_URL", "PATUNAY_DATABASE_URL"])
async def test_a_variable_chooses_where_a_node_is_made_and_restored(
    postgres: Cluster, tmp_path: Path, variable: str
) -> None:
    first, second = postgres.create(), postgres.create()
    try:
        with environment(**{variable: first}):
            home = await make_home_here(tmp_path / "node")
            async with opened(home) as node:
                await issue(node, 2)
                raw = await back_up(node)
        with environment(**{variable: second}):
            copy = await restore(raw, tmp_path / "copy", HandClock())
            async with opened(copy) as again:
                assert again.is_restored
        counted = "SELECT count(*) FROM credentials"
        assert execute(first, counted) == execute(second, counted) == [(2,)]
        assert not [*home.root.glob("*.db"), *copy.root.glob("*.db")]
    finally:
        drop(first)
        drop(second)


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"", 0o600, "no single line"),
        (b"a\nb\n", 0o600, "no single line"),
        (b"x" * 1_025, 0o600, "no single line"),
        (b"\xff", 0o600, "cannot read"),
        (b"mabuhay\n", 0o640, "want mode 0600"),
        (None, 0o600, "cannot read"),
    ],
)
def test_a_password_file_that_is_no_secret_line_is_refused(
    tmp_path: Path, content: bytes | None, mode: int, words: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    with pytest.raises(PasswordUnusable, match=words) as caught:
        create_engine(PostgresPlace("postgresql://x@/x", file))
    assert caught.value.code == "database-password-unusable"
    assert "mabuhay" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://x@/x", "another scheme"),
        ("postgresql://office:mabuhay@/x", "found a password"),
        ("postgresql://office@/x?password=mabuhay", "found a password"),
        ("postgresql://[/x", "database.url"),
    ],
)
def test_a_url_with_a_password_or_of_another_kind_is_refused(url: str, words: str) -> None:
    with pytest.raises(ConfigInvalid, match=words) as caught:
        DatabaseConfig(url=url)
    assert "mabuhay" not in str(caught.value)


def test_a_kind_of_database_that_no_node_is_kept_in_is_refused(tmp_path: Path) -> None:
    with (
        environment(DATABASE_URL="mysql://office:mabuhay@db/x"),
        pytest.raises(DatabaseUrlRefused) as caught,
    ):
        locate(tmp_path, Config("example.edu.ph"))
    assert caught.value.code == "database-url-refused"
    assert "mabuhay" not in str(caught.value)


# Transactions


async def _count(engine: AsyncEngine) -> int:
    async with reading(engine) as c:
        return len((await c.execute(select(requests.c.name))).all())


async def test_writers_take_turns_and_each_sees_what_the_one_before_kept(
    url: str, engine: AsyncEngine
) -> None:
    await migrate(engine)
    second = create_engine(PostgresPlace(url))
    order: list[str] = []

    async def write(engine: AsyncEngine, name: str) -> None:
        async with transaction(engine) as c:
            order.append(f"{name} begins")
            found = len((await c.execute(select(requests.c.name))).all())
            await asyncio.sleep(0.05)
            await c.execute(insert(requests).values(name=f"{found}", requested_at="now"))
            order.append(f"{name} ends")

    writers = zip([engine, second] * 3, "abcdef", strict=True)
    await asyncio.gather(*(write(one, name) for one, name in writers))
    assert [line.partition(" ")[2] for line in order] == ["begins", "ends"] * 6
    names = execute(url, "SELECT name FROM requests ORDER BY name")
    assert names == [(f"{n}",) for n in range(6)]
    await second.dispose()


async def test_a_reader_waits_for_no_writer_and_sees_one_state(engine: AsyncEngine) -> None:
    await migrate(engine)
    began = time.perf_counter()
    added = insert(requests).values(name="a", requested_at="now")
    async with reading(engine) as reader:
        assert (await reader.execute(select(requests))).all() == []
        async with transaction(engine) as writer:
            await writer.execute(added)
            assert await _count(engine) == 0
        assert await _count(engine) == 1
        # Committed; this reader goes on seeing what it saw first.
        assert (await reader.execute(select(requests))).all() == []
    assert time.perf_counter() - began < 5  # waiting for the lock would take 30


async def test_a_reader_writes_nothing(engine: AsyncEngine) -> None:
    await migrate(engine)
    with pytest.raises(StorageFailed, match="read-only transaction"):
        async with reading(engine) as c:
            await c.execute(insert(requests).values(name="a", requested_at="now"))
    # The next one on that connection may.
    async with transaction(engine) as c:
        await c.execute(insert(requests).values(name="a", requested_at="now"))
    assert await _count(engine) == 1


async def test_a_commit_is_on_the_disk_whatever_the_server_was_told(
    url: str, engine: AsyncEngine
) -> None:
    asked = "SELECT current_setting('synchronous_commit')"
    for told, wanted in (("off", "on"), ("remote_write", "remote_write")):
        execute(url, f"ALTER ROLE postgres SET synchronous_commit = {told}")
        try:
            await engine.dispose()
            async with transaction(engine) as c:
                assert (await c.exec_driver_sql(asked)).scalar() == wanted
        finally:
            execute(url, "ALTER ROLE postgres RESET synchronous_commit")


async def test_a_writer_that_waits_too_long_is_told(
    url: str, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.storage.postgres.BUSY_SECONDS", 0.1)
    async with transaction(engine):
        impatient = create_engine(PostgresPlace(url))
        with pytest.raises(StorageFailed, match="lock timeout"):
            async with transaction(impatient):
                raise AssertionError
        await impatient.dispose()


async def test_a_broken_constraint_is_a_bug_and_keeps_its_name(engine: AsyncEngine) -> None:
    await migrate(engine)
    with pytest.raises(IntegrityError):
        async with transaction(engine) as c:
            await c.execute(insert(requests).values(name="a", requested_at=None))


@pytest.mark.parametrize("name", ["x" * 40, "a\x00b"])
async def test_what_no_column_holds_is_told(engine: AsyncEngine, name: str) -> None:
    await migrate(engine)
    with pytest.raises(NotStorable) as caught:
        async with transaction(engine) as c:
            await c.execute(insert(requests).values(name=name, requested_at="now"))
    assert caught.value.code == "not-storable"


async def test_an_id_that_is_too_long_is_refused_and_leaves_no_trace(home: Home) -> None:
    async with opened(home) as node:
        before = query(home, "SELECT count(*) FROM entries")
        with pytest.raises(NotStorable):
            await issue_document(
                node,
                {
                    "@context": ["https://www.w3.org/ns/credentials/v2"],
                    "type": ["VerifiableCredential"],
                    "id": "urn:x:" + "y" * 3000,
                    "credentialSubject": {"id": "did:example:learner"},
                },
                None,
            )
        assert query(home, "SELECT count(*) FROM entries") == before


# When the server or the way to it fails


async def test_a_server_that_is_killed_loses_nothing_it_had_acknowledged(
    tmp_path: Path,
) -> None:
    """`pg_ctl -m immediate` is what a crash is; the next start recovers."""
    with running_cluster() as cluster:
        database = DatabaseConfig(url=cluster.create())
        home = await make_home_here(tmp_path / "node", database=database)
        async with opened(home) as node:
            acknowledged = (await issue(node, 4)).issued
            cluster.stop("immediate")
            with pytest.raises(StorageFailed) as caught:
                await issue(node, 8)
            assert caught.value.code == "storage-failed"
            with pytest.raises(StorageFailed):
                async with node.looking_up() as c:
                    await c.execute(select(requests))
            cluster.start()
            # The connections of before are dead: at most one attempt finds that out.
            try:
                report = await issue(node, 8)
            except StorageFailed:
                report = await issue(node, 8)
            assert sorted(report.earlier) == sorted(acknowledged)
            assert len(report.issued) == 4
        rows = query(home, "SELECT count(*), count(DISTINCT status_index) FROM credentials")
        assert rows == [(8, 8)]


async def test_a_process_opens_no_more_connections_than_are_counted(home: Home) -> None:
    asked = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :own")
    own = {"own": f"patunay {os.getpid()}"}
    async with opened(home) as node:

        async def look(_: int) -> int:
            async with node.reading() as c:
                found: int = (await c.execute(asked, own)).scalar_one()
                await asyncio.sleep(0.1)
            return found

        seen = await asyncio.gather(*map(look, range(4 * (POOL_SIZE + OVERFLOW))))
    assert max(seen) == POOL_SIZE + OVERFLOW


async def test_the_doctor_compares_what_the_server_lets_in(home: Home) -> None:
    engine = create_engine(locate(home.root, home.config()))
    now = HandClock().now()
    few = [f async for f in examine_database(engine, now, processes=20)]
    enough = [f async for f in examine_database(engine, now, processes=2)]
    await engine.dispose()
    assert [f.code for f in few if f.code] == ["database-connections-few"]
    assert "want 294 for this machine" in few[-1].detail
    assert [f.code for f in enough if f.code] == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_connection_cut_around_a_commit_is_an_outcome_unknown(
    home: Home, when: str
) -> None:
    """The same file again settles it: each row is issued once, whatever had happened."""
    url = home.config().database.url
    async with severing(url) as (line, cut_url):
        config = plan(database=DatabaseConfig(url=cut_url))
        home.config_file.write_text(config.to_toml(), encoding="utf-8")
        async with opened(home, HandClock()) as node:
            line.cut_at_commit(when)
            with pytest.raises(CommitUnknown) as caught:
                await issue(node, 5)
            assert caught.value.code == "commit-unknown"
            kept = execute(url, "SELECT count(*) FROM credentials")[0][0]
            assert kept == (5 if when == "after" else 0)
            report = await issue(node, 5)
            assert len(report.issued) + len(report.earlier) == 5
    rows = execute(
        url,
        "SELECT count(*), count(DISTINCT row_key), count(DISTINCT status_index),"
        " count(signed_at) FROM credentials",
    )
    assert rows == [(5, 5, 5, 5)]
    assert execute(url, "SELECT count(*) FROM entries WHERE kind = 1") == [(5,)]


async def test_a_connection_cut_before_the_commit_keeps_nothing(home: Home) -> None:
    url = home.config().database.url
    async with severing(url) as (line, cut_url):
        engine = create_engine(PostgresPlace(cut_url))

        async def write() -> None:
            async with transaction(engine) as c:
                await c.execute(insert(requests).values(name="a", requested_at="now"))
                line.cut()
                await c.execute(insert(requests).values(name="b", requested_at="now"))

        with pytest.raises(StorageFailed) as caught:
            await write()
        assert caught.value.code == "storage-failed"
        async with transaction(engine) as c:
            assert (await c.execute(select(requests))).all() == []
        await engine.dispose()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_request_whose_commit_is_unknown_is_settled_by_its_key(
    home: Home, when: str
) -> None:
    """Over HTTP: a typed 503, and the same key again gives one credential, whatever was."""
    url = home.config().database.url
    async with severing(url) as (line, cut_url):
        config = plan(database=DatabaseConfig(url=cut_url))
        home.config_file.write_text(config.to_toml(), encoding="utf-8")
        async with opened(home, HandClock()) as node, client_of(node) as client:
            _, secret = await create_token(node, "test", [Role.SIGNER])
            headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "k-0000001"}
            body = {
                "credential": {
                    "@context": ["https://www.w3.org/ns/credentials/v2"],
                    "type": ["VerifiableCredential"],
                    "issuer": "did:web:localhost%3A8460",
                    "credentialSubject": {"id": "did:example:learner"},
                }
            }
            ask = partial(client.post, "/credentials/issue", json=body, headers=headers)
            line.cut_at_commit(when)
            answer = await ask()
            problem = await answer.json()
            assert (answer.status, problem["code"]) == (503, "commit-unknown")
            assert answer.headers["Retry-After"]
            answers = [await ask() for _ in range(2)]
            assert [answer.status for answer in answers] == [201, 201]
            first, second = [await answer.json() for answer in answers]
            assert first == second
    assert line.cuts == 1
    kept = execute(url, "SELECT count(*), count(DISTINCT status_index) FROM credentials")
    assert kept == [(1, 1)]
    assert execute(url, "SELECT count(*) FROM entries WHERE kind = 1") == [(1,)]
