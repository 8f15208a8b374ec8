"""PostgreSQL: several processes, on several machines, on one database.

Writers take turns, as in SQLite: the first statement of a write transaction waits for one
lock of the database, which the transaction holds to its end. At READ COMMITTED every later
statement sees what the writer before has committed, so whatever is read and then written
(places in status lists, leaves, checkpoints, nonces) was read after the last change to it.
A reader has one snapshot and waits for nobody.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from node.disk import Disk, StorageFailed
from node.storage.store import ASIDE, DatabaseMissing, Lookups
from primitives.errors import Malformed, Misconfigured, PatunayError

POOL_SIZE: Final = 4
"""Connections that a process keeps open."""

OVERFLOW: Final = 10
"""How many more it opens while many requests are in hand; then who asks waits."""

CONNECT_SECONDS: Final = 10
"""How long the server may take to let the node in."""

ANSWER_SECONDS: Final = 120
"""How long a statement may take, or a host that is gone would be waited for without end."""

BUSY_SECONDS: Final = 30
"""How long a writer waits while another one writes."""

IDLE_SECONDS: Final = 60
"""How long a writer may hold the lock without a statement: it signs, or it is gone."""

MAX_PASSWORD_BYTES: Final = 1_024
"""More than anybody chooses."""

_OTHERS: Final = 0o077

_WRITE_LOCK: Final = int.from_bytes(b"patunay", "big")
"""Of the advisory lock that every writer takes; any number that no other program uses."""

# A server may be told to acknowledge what is not on the disk. Stronger settings stay.
_BEGIN_WRITING: Final = (
    f"SELECT pg_advisory_xact_lock({_WRITE_LOCK}), CASE"
    " WHEN current_setting('synchronous_commit') = 'off'"
    " THEN set_config('synchronous_commit', 'on', true) END"
)

_READ_OPTIONS: Final = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

_FAILURES: Final = ("08", "25", "40", "53", "55", "57", "58", "F0", "XX")
"""Classes of SQLSTATE that are the server's trouble, or the way's to it; not a bug."""

_GONE: Final = ("08", "57P")
"""Those with which a connection ends, so that a COMMIT may or may not have been done."""

_REFUSED: Final = ("28", "42501")
"""Not let in, or not allowed to."""

_UNFIT: Final = ("22001", "22021", "22P05", "54000")
"""A text that is too long for its column, or holds what no text can hold there."""


class DatabaseRefused(Misconfigured):
    """The server does not let the node in, or not do what it has to."""

    code = "database-refused"
    hint = "check user, password and rights; docs/storage.md has the commands"


class PasswordUnusable(Misconfigured):
    """The file of the database's password cannot be used."""

    code = "database-password-unusable"
    hint = "give the file one line, and mode 0600"


class NotStorable(Malformed):
    """A text is too long for its column, or holds a character that cannot be stored."""

    code = "not-storable"
    hint = "shorten ids and names to 2,000 characters, and leave out control characters"


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """Where a database is, and how to be let in."""

    url: str = field(repr=False)
    """`postgresql://user@host:port/name?sslmode=…`, as libpq reads it."""

    password_file: Path | None = None
    """Has the password, if the URL has none."""

    @property
    def shown(self) -> str:
        """The URL without what may be secret in it: password and parameters."""
        parts = urlsplit(self.url)
        user, _, host = parts.netloc.rpartition("@")
        name = user.partition(":")[0]
        shown = f"{name}@{host}" if user else host
        return urlunsplit((parts.scheme, shown, parts.path, "", ""))

    def password(self) -> str | None:
        """Return the password in the file; None where none is named.

        Raises:
            PasswordUnusable: The file is not there, is open to others, or is no line.
        """
        if self.password_file is None:
            return None
        name = self.password_file.name
        try:
            if self.password_file.stat().st_mode & _OTHERS:
                raise PasswordUnusable(f"{name} can be read by others, want mode 0600")
            with self.password_file.open("rb") as opened:
                raw = opened.read(MAX_PASSWORD_BYTES + 2)
            found = raw.removesuffix(b"\n").removesuffix(b"\r").decode()
        except (OSError, UnicodeDecodeError) as e:
            raise PasswordUnusable(f"cannot read {name}: {e}") from e
        if not 0 < len(found.encode()) <= MAX_PASSWORD_BYTES or "\n" in found:
            raise PasswordUnusable(f"found no single line of a password in {name}")
        return found


def create_postgres_engine(place: PostgresPlace) -> AsyncEngine:
    """Return an engine on the database; nothing is connected yet.

    Raises:
        PasswordUnusable: See the class.
    """
    import asyncpg  # noqa: PLC0415 - of no use to a node in SQLite

    password = place.password()

    async def connect(**_: object) -> object:
        return await asyncpg.connect(
            place.url,
            password=password,
            timeout=CONNECT_SECONDS,
            command_timeout=ANSWER_SECONDS,
            server_settings=_settings(),
        )

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=POOL_SIZE,
        max_overflow=OVERFLOW,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "begin", _on_begin)
    return engine


def _settings() -> dict[str, str]:
    return {
        "application_name": f"patunay {os.getpid()}",
        "lock_timeout": f"{BUSY_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        # A host that lost its power holds the lock until the server notices.
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
    }


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not (options.get("postgresql_readonly") or options.get(ASIDE)):
        connection.exec_driver_sql(_BEGIN_WRITING)


class Postgres:
    """What is PostgreSQL's own."""

    is_shared = True

    def read_options(self) -> Mapping[str, Any]:
        """Return what gives one snapshot, and no right to write."""
        return _READ_OPTIONS

    def watch(self, engine: AsyncEngine, disk: Disk) -> None:
        """Do nothing: the server stands on a disk of its own, and stops itself."""
        del engine, disk

    def direct_lookups(self, engine: AsyncEngine) -> Lookups | None:
        """Return None: nothing is faster than the engine's own connections."""
        del engine
        return None

    def named(self, error: BaseException) -> PatunayError | None:
        """Return what an error is called, by its SQLSTATE where it has one."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        state = str(getattr(cause, "sqlstate", None) or "")
        words = f"{cause}".partition(": ")[2] or f"{cause}"
        if state.startswith(_REFUSED):
            return DatabaseRefused(words)
        if state == "3D000":
            return DatabaseMissing(words)
        if state.startswith(_UNFIT):
            return NotStorable(words)
        if state.startswith(_FAILURES) or (not state and _is_lost(error, cause)):
            return StorageFailed(f"{type(cause).__name__}: {cause}")
        return None

    def is_outcome_unknown(self, error: DBAPIError) -> bool:
        """Tell whether the connection ended, rather than the server saying no."""
        state = str(getattr(error.orig, "sqlstate", None) or "")
        return state.startswith(_GONE) or (not state and _is_lost(error, error.orig))


def _is_lost(error: BaseException, cause: BaseException | None) -> bool:
    """Tell a connection that broke, or could not be made, from a bug."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or "closed" in f"{cause}"
    import asyncpg  # noqa: PLC0415 - imported by then

    return isinstance(cause, OSError | asyncpg.InterfaceError)
