"""The database: whole, of this release, and not from the future."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from node.doctor.finding import Finding, Verdict, fine, of_error
from node.storage.database import reading, revisions
from node.storage.postgres import OVERFLOW, POOL_SIZE
from node.storage.schema import checkpoints, credentials, entries, tokens
from primitives.errors import PatunayError
from primitives.instants import parse_instant

_SLACK_SECONDS: Final = 60
"""Two looks at one clock, and a step of NTP."""

_TIMES: Final = (
    credentials.c.created_at,
    checkpoints.c.created_at,
    entries.c.queued_at,
    tokens.c.created_at,
)


_ROOM: Final = """
SELECT current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int
     - (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND datname <> current_database())
"""
"""Connections to this database that the server would let in, those of now included."""


async def examine_database(
    engine: AsyncEngine, now: datetime, processes: int
) -> AsyncIterator[Finding]:
    """Yield what is to say of the database behind `engine`; migrates nothing.

    Args:
        engine: Of the node's database.
        now: By this machine's clock.
        processes: That answer requests on this machine.
    """
    try:
        async with reading(engine) as c:
            yield await _integrity(c, engine.dialect.name)
            found = await c.run_sync(_revision)
            yield found
            if found.verdict is Verdict.OK:
                yield await _newest(c, now)
            if engine.dialect.name == "postgresql":
                yield await _connections(c, processes)
    except PatunayError as e:
        yield of_error("database", e)


async def _connections(c: AsyncConnection, processes: int) -> Finding:
    """Compare what the processes of this machine may open with what the server lets in."""
    room: int = (await c.execute(text(_ROOM))).scalar_one()
    want = (processes + 1) * (POOL_SIZE + OVERFLOW)  # and a command beside them
    if room < want:
        detail = f"found room for {room} connections, want {want} for this machine"
        hint = "raise max_connections of the server; docs/scaling.md counts them"
        return Finding(
            "connections", Verdict.WARN, "database-connections-few", detail, hint
        )
    return fine("connections", f"room for {room}, and this machine opens at most {want}")


async def _integrity(c: AsyncConnection, dialect: str) -> Finding:
    if dialect != "sqlite":
        await c.execute(text("SELECT 1"))
        return fine("database", "PostgreSQL answers; it checks its own pages")
    said = (await c.execute(text("PRAGMA quick_check(1)"))).scalar_one()
    if said != "ok":
        hint = "stop the node, keep a copy of the file, and restore a backup"
        return Finding("database", Verdict.FAIL, "database-damaged", str(said)[:200], hint)
    return fine("database", "SQLite finds no damage")


def _revision(connection: Connection) -> Finding:
    found = MigrationContext.configure(connection).get_current_revision()
    order = revisions()
    if found == order[-1]:
        return fine("schema", f"revision {found}, this release's own")
    if found in order:
        hint = "nothing: the next command brings it up to date"
        detail = f"found revision {found}, this release has {order[-1]}"
        return Finding("schema", Verdict.WARN, "storage-schema-older", detail, hint)
    detail = f"found revision {found}, want at most {order[-1]}"
    hint = "run the newer release"
    return Finding("schema", Verdict.FAIL, "storage-schema-newer", detail, hint)


async def _newest(c: AsyncConnection, now: datetime) -> Finding:
    """Compare the clock with the newest thing that this node has stored (T02)."""
    times = [await c.scalar(select(func.max(column))) for column in _TIMES]
    stored = max((time for time in times if time is not None), default=None)
    if stored is None:
        return fine("clock", "nothing is stored to compare it with")
    ahead = (parse_instant(stored) - now).total_seconds()
    if ahead > _SLACK_SECONDS:
        detail = f"it is {ahead:.0f} seconds before what was stored last, at {stored}"
        hint = "set the clock right before anything is signed: dates would be false"
        return Finding("clock", Verdict.FAIL, "time-went-backwards", detail, hint)
    return fine("clock", f"after what was stored last, at {stored}")
