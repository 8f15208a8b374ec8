"""The node's database, whichever store it is in: SQLite by default, or PostgreSQL.

Writers take turns, from the first statement of a transaction to its end; what is read in a
transaction that writes is therefore still so when it is kept. Readers wait for nobody, and
each sees one state.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from alembic.command import downgrade, upgrade
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Executable, Result, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncTransaction

from node.config import Config
from node.disk import Disk, StorageFailed
from node.storage.postgres import Postgres, PostgresPlace, create_postgres_engine
from node.storage.sqlite import Sqlite, create_sqlite_engine
from node.storage.store import (
    ASIDE,
    CommitUnknown,
    DatabaseMissing,
    LookupReader,
    Lookups,
    Store,
)
from node.tracing import span
from primitives.errors import Misconfigured

DatabasePlace = Path | PostgresPlace
"""An SQLite file, or a database of a PostgreSQL server."""

_STORES: Final[Mapping[str, Store]] = {"sqlite": Sqlite(), "postgresql": Postgres()}


URL_VARIABLE: Final = "DATABASE_URL"


class DatabaseUrlRefused(Misconfigured):
    """The environment names a database of a kind that no node is kept in."""

    code = "database-url-refused"
    hint = f"let {URL_VARIABLE} begin with postgresql://, or unset it to use SQLite"


class DatabaseInUse(Misconfigured):
    """A new node was to be made in a database that holds tables."""

    code = "database-in-use"
    hint = "name an empty database; a node that is there already is not made again"


class SchemaNewer(Misconfigured):
    """A newer release has written this database."""

    code = "storage-schema-newer"
    hint = "run the newer release"


def locate(root: Path, config: Config) -> DatabasePlace:
    """Return where the database of the node in `root` is.

    A URL in the configuration comes first, then one in the environment, then the file.
    """
    settings = config.database
    url = settings.url or os.environ.get(URL_VARIABLE, "")
    if not url:
        return root / config.database_file
    if not url.startswith(("postgresql://", "postgres://")):
        raise DatabaseUrlRefused(f"{URL_VARIABLE}: found another scheme")
    file = root / settings.password_file if settings.password_file else None
    return PostgresPlace(url, file)


def create_engine(place: DatabasePlace) -> AsyncEngine:
    """Return an engine on a database, which must exist.

    Raises:
        DatabaseMissing: The file does not.
        PasswordUnusable: That of the PostgreSQL server cannot be read.
    """
    if isinstance(place, PostgresPlace):
        return create_postgres_engine(place)
    return create_sqlite_engine(place)


def watch_disk(engine: AsyncEngine, disk: Disk) -> None:
    """Let no transaction begin to write once the disk under the database has failed."""
    _store(engine).watch(engine, disk)


def is_shared(engine: AsyncEngine) -> bool:
    """Tell whether processes on several machines may use the database at once."""
    return _store(engine).is_shared


@asynccontextmanager
async def transaction(
    engine: AsyncEngine, *, in_turn: bool = True
) -> AsyncIterator[AsyncConnection]:
    """Give a connection whose writes are all kept, or none.

    Not `in_turn`, for a single statement that is right whoever writes beside it, it waits
    for no other writer where the store can do that.

    Raises:
        StorageFailed: The disk is full, the store does not answer, or others kept it busy
            for too long. Nothing is kept.
        DiskFailed: The disk did not take it, now or before; see `node.disk`.
        CommitUnknown: The connection broke while they were being kept.
        NotStorable: A text is too long, or holds what cannot be stored.
    """
    with span("store", {"kind": "write"}):
        async with _written(engine, in_turn=in_turn) as connection:
            yield connection


@asynccontextmanager
async def _written(engine: AsyncEngine, *, in_turn: bool) -> AsyncIterator[AsyncConnection]:
    async with _connection(engine) as opened:
        connection = await opened.execution_options(**{ASIDE: not in_turn})
        begun = await connection.begin()
        try:
            yield connection
        except BaseException:
            # What went wrong first is what is told, also where the store is gone.
            with suppress(DBAPIError):
                await begun.rollback()
            raise
        await _commit(engine, begun)


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection that sees one state of the database, and waits for no writer.

    Raises:
        StorageFailed: It cannot be read.
    """
    with span("store", {"kind": "read"}):
        async with _connection(engine) as connection:
            yield await connection.execution_options(**_store(engine).read_options())


def open_lookups(engine: AsyncEngine) -> Lookups:
    """Return what reads a few rows, beside `engine` and as cheaply as the store can."""
    return _store(engine).direct_lookups(engine) or _PooledLookups(engine)


class _Pooled:
    """A connection that reads for a look-up."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Result[Any]:
        return await self._connection.execute(statement, parameters)

    async def version(self) -> None:
        return None


class _PooledLookups:
    """Reads as every other reader does."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[LookupReader]:
        async with reading(self._engine) as connection:
            yield _Pooled(connection)

    def close(self) -> None:
        """Do nothing: the connections are the engine's."""


def _store(engine: AsyncEngine) -> Store:
    return _STORES[engine.dialect.name]


@asynccontextmanager
async def _connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Connect, and give what the store does wrong a name of ours, and nothing else."""
    store = _store(engine)
    pending = engine.connect()
    try:
        connection = await pending
    except PoolTimeout as e:
        raise StorageFailed("found every connection to the database in use") from e
    except Exception as e:  # the drivers' own, which are not SQLAlchemy's yet
        named = store.named(e)
        if named is None:
            raise
        raise named from e
    try:
        yield connection
    except DBAPIError as e:
        named = store.named(e)
        if named is None:
            raise
        raise named from e
    except TimeoutError as e:
        raise StorageFailed("found no answer of the database in time") from e
    finally:
        await connection.close()


async def _commit(engine: AsyncEngine, begun: AsyncTransaction) -> None:
    try:
        await begun.commit()
    except DBAPIError as e:
        if not _store(engine).is_outcome_unknown(e):
            raise
        raise CommitUnknown(f"{type(e.orig).__name__}: {e.orig}") from e
    except (OSError, TimeoutError) as e:
        raise CommitUnknown(f"{type(e).__name__}: {e}") from e


def _alembic() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def revisions() -> list[str]:
    """Return every revision of the tables, the first one first."""
    script = ScriptDirectory.from_config(_alembic())
    return [r.revision for r in script.walk_revisions()][::-1]


async def prepare(engine: AsyncEngine) -> None:
    """Make the tables of a new node.

    Raises:
        DatabaseInUse: There are tables already.
    """
    await require_empty(engine)
    await migrate(engine)


async def require_empty(engine: AsyncEngine) -> None:
    """Return if a database has no table.

    Raises:
        DatabaseInUse: It has.
    """
    async with reading(engine) as connection:
        found = await connection.run_sync(_table_names)
    if found:
        raise DatabaseInUse(f"found {len(found)} tables, such as {found[0]}, want none")


async def require_node(engine: AsyncEngine) -> None:
    """Return if the database holds a node: a mistyped name must not start an empty log.

    Raises:
        DatabaseMissing: It does not.
    """
    async with reading(engine) as connection:
        if "issuers" not in await connection.run_sync(_table_names):
            raise DatabaseMissing("found a database without the tables of a node")


def _table_names(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    """Bring the tables to `revision`, in one transaction.

    Raises:
        SchemaNewer: The database is of a newer release than this one.
    """
    async with transaction(engine) as connection:
        await connection.run_sync(migrate_within, revision)


def migrate_within(connection: Connection, revision: str) -> None:
    """Do what `migrate` does, in the caller's write transaction."""
    current = MigrationContext.configure(connection).get_current_revision()
    order = revisions()
    if current is not None and current not in order:
        raise SchemaNewer(f"found revision {current}, want at most {order[-1]}")
    config = _alembic()
    config.attributes["connection"] = connection
    wanted = order[-1] if revision == "head" else revision
    if revision == "base" or (current in order and wanted < str(current)):
        downgrade(config, revision)
    elif current != wanted:
        upgrade(config, wanted)
