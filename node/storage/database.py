"""Opening the database: settings that make a commit durable, migrations, errors.

SQLite runs in WAL mode with `synchronous=FULL`: of the settings tried under power cuts,
the fastest that never lost a commit it had acknowledged.
"""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from alembic.command import downgrade, upgrade
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, CursorResult, Executable, event
from sqlalchemy import create_engine as create_direct_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from node.home import StorageFailed
from primitives.errors import Misconfigured

BUSY_SECONDS: Final = 30
"""How long a command waits while another process writes."""


LOOK_UP_SECONDS: Final = 0.1
"""How long a look-up waits for the file; in WAL mode nobody who writes is waited for."""

_READING: Final = "patunay_reading"
"""Execution option of a connection that only reads."""


class DatabaseMissing(Misconfigured):
    """The database file is not where the configuration says."""

    code = "database-missing"
    hint = "a node's database is created by `patunay init` alone; restore it from a backup"


class SchemaNewer(Misconfigured):
    """A newer release has written this database."""

    code = "storage-schema-newer"
    hint = "run the newer release"


def create_engine(path: Path) -> AsyncEngine:
    """Return an engine on the SQLite file at `path`, which must exist.

    Raises:
        DatabaseMissing: It does not.
    """
    if not path.is_file():
        raise DatabaseMissing(f"found no database at {path}")
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=4)
    event.listen(engine.sync_engine, "connect", _on_connect)
    event.listen(engine.sync_engine, "begin", _on_begin)
    return engine


class Reader(Protocol):
    """What a query needs of a connection; an `AsyncConnection` is one."""

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> CursorResult[Any]:
        """Return what a statement gives."""
        ...


class _Direct:
    """A connection whose statements run where they are awaited."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)


class Lookups:
    """Reads a few rows by their index, in the thread of the event loop itself.

    That takes some ten microseconds; handing each statement to a thread and back takes a
    hundred times as long. Nothing else may be awaited while such a reader is held.
    """

    def __init__(self, path: Path) -> None:
        self._engine = create_direct_engine(
            f"sqlite:///{path}", pool_size=1, max_overflow=-1
        )
        event.listen(self._engine, "connect", _on_direct_connect)
        event.listen(self._engine, "begin", _on_begin)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """Give a reader that sees one state of the database.

        Raises:
            StorageFailed: The file cannot be read.
        """
        async with _failures():
            with self._engine.connect() as connection:
                yield _Direct(connection.execution_options(**{_READING: True}))

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


def _on_direct_connect(connection: Any, record: object) -> None:
    _on_connect(connection, record)
    connection.execute(f"PRAGMA busy_timeout={LOOK_UP_SECONDS * 1000:.0f}")
    connection.execute("PRAGMA query_only=ON")


def _on_connect(connection: Any, _record: object) -> None:
    # The driver's own transactions begin too late, and never for a SELECT.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_SECONDS * 1000}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    if connection.get_execution_options().get(_READING):
        # One snapshot for all that is read, beside whoever writes meanwhile.
        connection.exec_driver_sql("BEGIN DEFERRED")
    else:
        # IMMEDIATE: two writers queue up here, instead of failing at their first write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection whose writes are all kept, or none.

    Raises:
        StorageFailed: The disk is full, the file is read-only, or another process kept it
            busy for `BUSY_SECONDS`.
    """
    async with _failures(), engine.begin() as connection:
        yield connection


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection that sees one state of the database, and waits for no writer.

    Raises:
        StorageFailed: The file cannot be read.
    """
    async with _failures(), engine.connect() as connection:
        yield await connection.execution_options(**{_READING: True})


@asynccontextmanager
async def _failures() -> AsyncIterator[None]:
    """Give what the disk does wrong the name `StorageFailed`, and nothing else."""
    try:
        yield
    except DBAPIError as e:
        if not _is_failure(e.orig):
            raise
        raise StorageFailed(f"{type(e.orig).__name__}: {e.orig}") from e
    except sqlite3.Error as e:
        # While a connection is being opened, the driver's own errors come through.
        if not _is_failure(e):
            raise
        raise StorageFailed(f"{type(e).__name__}: {e}") from e
    except PoolTimeout as e:
        raise StorageFailed("found every connection to the database in use") from e


def _is_failure(error: BaseException | None) -> bool:
    """Tell a failing disk from a bug (a broken constraint, wrong SQL)."""
    words = str(error)
    return any(
        word in words
        for word in (
            "disk I/O",
            "is full",
            "readonly",
            "locked",
            "malformed",
            "unable to open",
            "not a database",
        )
    )


def _alembic() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    """Bring the tables to `revision`, in one transaction.

    Raises:
        SchemaNewer: The database is of a newer release than this one.
    """
    async with transaction(engine) as connection:
        await connection.run_sync(_migrate, revision)


def _migrate(connection: Connection, revision: str) -> None:
    script = ScriptDirectory.from_config(_alembic())
    current = MigrationContext.configure(connection).get_current_revision()
    known = {r.revision for r in script.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaNewer(
            f"found revision {current}, want at most {script.get_current_head()}"
        )
    config = _alembic()
    config.attributes["connection"] = connection
    if revision == "base":
        downgrade(config, revision)
    elif current != script.get_current_head() or revision != "head":
        upgrade(config, revision)
