"""SQLite, in a file of the data directory: one machine, any number of processes.

WAL mode with `synchronous=FULL`: of the settings tried under power cuts, the fastest that
never lost a commit it had acknowledged.
"""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Executable, event
from sqlalchemy import create_engine as create_direct_engine
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from node.disk import Disk, DiskFailed, StorageFailed
from node.storage.store import DatabaseMissing, Lookups, Reader
from primitives.errors import PatunayError

BUSY_SECONDS: Final = 30
"""How long a command waits while another process writes."""

LOOK_UP_SECONDS: Final = 0.1
"""How long a look-up waits for the file; in WAL mode nobody who writes is waited for."""

_READING: Final = "patunay_reading"
"""Execution option of a connection that only reads."""

_FAILURES: Final = (
    "disk I/O",
    "is full",
    "readonly",
    "locked",
    "malformed",
    "unable to open",
    "not a database",
)
"""Words by which a failing disk is told from a bug (a broken constraint, wrong SQL)."""

_LOST_WRITES: Final = frozenset(
    {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC, sqlite3.SQLITE_IOERR_WRITE}
)
"""Extended codes of a disk that did not take what was written; a full one has others."""


def create_sqlite_engine(path: Path) -> AsyncEngine:
    """Return an engine on the SQLite file at `path`, which must exist.

    Raises:
        DatabaseMissing: It does not.
    """
    if not path.is_file():
        raise DatabaseMissing(f"found no database at {path}")
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}", pool_size=4, hide_parameters=True
    )
    event.listen(engine.sync_engine, "first_connect", _settle)
    event.listen(engine.sync_engine, "connect", _on_connect)
    event.listen(engine.sync_engine, "begin", _on_begin)
    return engine


class Sqlite:
    """What is SQLite's own."""

    is_shared = False

    def read_options(self) -> Mapping[str, Any]:
        """Return what makes `BEGIN` one that takes no lock."""
        return {_READING: True}

    def watch(self, engine: AsyncEngine, disk: Disk) -> None:
        """Write nothing more to a disk that has failed."""

        def begin(connection: Connection) -> None:
            if not connection.get_execution_options().get(_READING):
                disk.require_sound()

        def fail(context: ExceptionContext) -> None:
            named = self.named(context.original_exception)
            if isinstance(named, DiskFailed):
                disk.fail(named)

        event.listen(engine.sync_engine, "begin", begin, insert=True)
        event.listen(engine.sync_engine, "handle_error", fail)

    def direct_lookups(self, engine: AsyncEngine) -> Lookups | None:
        """Return a reader in the thread of the event loop."""
        return DirectLookups(Path(str(engine.url.database)))

    def named(self, error: BaseException) -> PatunayError | None:
        """Return `StorageFailed`, or `DiskFailed`, for what the disk does wrong."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        # While a connection is being opened, the driver's own errors come through.
        if not isinstance(cause, sqlite3.Error):
            return None
        if getattr(cause, "sqlite_errorcode", None) in _LOST_WRITES:
            return DiskFailed(f"{cause.sqlite_errorname}: {cause}")
        if any(w in str(cause) for w in _FAILURES):
            return StorageFailed(f"{type(cause).__name__}: {cause}")
        return None

    def is_outcome_unknown(self, error: DBAPIError) -> bool:
        """Return False: what commits is this process itself."""
        del error
        return False


class _Direct:
    """A connection whose statements run where they are awaited."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)


class DirectLookups:
    """Reads a few rows by their index, in the thread of the event loop itself.

    That takes some ten microseconds; handing each statement to a thread and back takes a
    hundred times as long.
    """

    def __init__(self, path: Path) -> None:
        self._engine = create_direct_engine(
            f"sqlite:///{path}", pool_size=1, max_overflow=-1, hide_parameters=True
        )
        event.listen(self._engine, "connect", _on_direct_connect)
        event.listen(self._engine, "begin", _on_begin)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """Give a reader that sees one state of the database.

        Raises:
            StorageFailed: The file cannot be read.
        """
        try:
            with self._engine.connect() as connection:
                yield _Direct(connection.execution_options(**{_READING: True}))
        except (DBAPIError, sqlite3.Error) as e:
            named = Sqlite().named(e)
            if named is None:
                raise
            raise named from e

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


def _settle(connection: Any, _record: object) -> None:
    """Copy what earlier processes left in the WAL into the database, and sync that.

    SQLite takes up a transaction whose sync had failed, if it can read it. What is read may
    be in memory and nowhere else, and all that is appended to it would be lost with it.
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
    cursor.close()


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
