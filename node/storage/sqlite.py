"""SQLite, in a file of the data directory: one machine, any number of processes.

WAL mode with `synchronous=FULL`: of the settings tried under power cuts, the fastest that
never lost a commit it had acknowledged.
"""

import sqlite3
from collections.abc import AsyncIterator, Hashable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Connection,
    Executable,
    Integer,
    LargeBinary,
    Result,
    Select,
    String,
    event,
)
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import ExceptionContext, IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from node.disk import Disk, DiskFailed, StorageFailed
from node.storage.store import DatabaseMissing, LookupReader, Lookups
from primitives.errors import PatunayError

BUSY_SECONDS: Final = 30
"""How long a command waits while another process writes."""

LOOK_UP_SECONDS: Final = 0.1
"""How long a look-up waits for the file; in WAL mode nobody who writes is waited for."""

_READING: Final = "patunay_reading"
"""Execution option of a connection that only reads."""

_BEGIN_READING: Final = "BEGIN DEFERRED"

MAX_PREPARED: Final = 64
"""Statements of look-ups that are kept as the driver takes them; there are ten or so."""

_DIALECT: Final = SQLiteDialect(paramstyle="named")

_AS_THE_DRIVER: Final = (Integer, String, LargeBinary)
"""Types whose values the driver gives as they are in Python."""

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


class _Prepared(NamedTuple):
    """A statement as the driver takes it."""

    text: str
    parameters: Mapping[str, Any]
    """Those that the statement has of its own."""

    columns: SimpleResultMetaData


class _Direct:
    """A connection whose statements run where they are awaited."""

    def __init__(self, connection: sqlite3.Connection, number: int) -> None:
        self.connection = connection
        self._number = number

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Result[Any]:
        text, own, columns = _prepare(statement)
        found = self.connection.execute(text, {**own, **(parameters or {})})
        return IteratorResult(columns, iter(found.fetchall()))

    async def version(self) -> Hashable:
        # It counts what others have committed; each connection counts for itself.
        (commits,) = self.connection.execute("PRAGMA data_version").fetchone()
        return self._number, commits


@lru_cache(maxsize=MAX_PREPARED)
def _prepare(statement: Executable) -> _Prepared:
    """Return what the driver is given, once for each statement object."""
    if not isinstance(statement, Select):
        raise TypeError(f"found {type(statement).__name__}, want a look-up that only reads")
    for column in statement.selected_columns:
        if not isinstance(column.type, _AS_THE_DRIVER):
            raise TypeError(f"a look-up reads no {column.type!r}")
    made = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return _Prepared(
        made.string, made.params, SimpleResultMetaData(statement.selected_columns.keys())
    )


class DirectLookups:
    """Reads a few rows by their index, in the thread of the event loop itself.

    That takes some ten microseconds; handing each statement to a thread and back takes a
    hundred times as long, and SQLAlchemy's own way to run it ten times.
    """

    def __init__(self, path: Path) -> None:
        self._uri = f"{path.absolute().as_uri()}?mode=rw"
        self._idle: list[_Direct] = []
        self._opened = 0

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[LookupReader]:
        """Give a reader that sees one state of the database.

        Raises:
            StorageFailed: The file cannot be read.
        """
        try:
            reader = self._idle.pop() if self._idle else self._open()
            reader.connection.execute(_BEGIN_READING)
            try:
                yield reader
            finally:
                reader.connection.rollback()
                self._idle.append(reader)
        except sqlite3.Error as e:
            named = Sqlite().named(e)
            if named is None:
                raise
            raise named from e

    def close(self) -> None:
        """Let go of the file."""
        while self._idle:
            self._idle.pop().connection.close()

    def _open(self) -> _Direct:
        opened = sqlite3.connect(self._uri, uri=True, check_same_thread=False)
        _on_connect(opened, None)
        opened.execute(f"PRAGMA busy_timeout={LOOK_UP_SECONDS * 1000:.0f}")
        opened.execute("PRAGMA query_only=ON")
        self._opened += 1
        return _Direct(opened, self._opened)


def _settle(connection: Any, _record: object) -> None:
    """Copy what earlier processes left in the WAL into the database, and sync that.

    SQLite takes up a transaction whose sync had failed, if it can read it. What is read may
    be in memory and nowhere else, and all that is appended to it would be lost with it.
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
    cursor.close()


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
        connection.exec_driver_sql(_BEGIN_READING)
    else:
        # IMMEDIATE: two writers queue up here, instead of failing at their first write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
