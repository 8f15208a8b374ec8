"""All rows of all tables, out of one store and into another, a few at a time.

A value is written as JSON has it; bytes as `["bytes", base64]`, and what is too large for a
JSON number as `["integer", digits]`.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from sqlalchemy import (
    Connection,
    MetaData,
    String,
    Table,
    column,
    delete,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy import table as table_named
from sqlalchemy.ext.asyncio import AsyncConnection

from primitives.canonical_json import Json
from primitives.encodings import decode_base64, encode_base64
from primitives.strict_json import MAX_SAFE_INTEGER

_VERSION: Final = table_named("alembic_version")

_ROWS: Final = 100
"""Taken from the store at once."""

_BYTES: Final = 1 << 20
"""About how much goes into one message."""


async def reflected(c: AsyncConnection) -> list[Table]:
    """Return the tables as they are, those that others refer to first."""

    def reflect(connection: Connection) -> list[Table]:
        found = MetaData()
        found.reflect(connection)
        return [t for t in found.sorted_tables if t.name != _VERSION.name]

    return await c.run_sync(reflect)


async def revision_of(c: AsyncConnection) -> str:
    """Return which migration the tables have come to."""
    asked = select(column("version_num", String)).select_from(_VERSION)
    found: str = (await c.execute(asked)).scalar_one()
    return found


async def count_rows(c: AsyncConnection, table: Table) -> int:
    """Return how many rows a table has."""
    found: int | None = await c.scalar(select(func.count()).select_from(table))
    return found or 0


async def read_rows(c: AsyncConnection, table: Table) -> AsyncIterator[list[Json]]:
    """Yield the rows in the order of their keys, some at a time."""
    query = select(table).order_by(*table.primary_key.columns)
    rows: list[Json] = []
    size = 0
    async with c.stream(query) as found:
        async for part in found.partitions(_ROWS):
            for row in part:
                values = [_written(value) for value in row]
                rows.append(values)
                size += sum(len(v) for v in values if isinstance(v, str)) + 64
                if size > _BYTES:
                    yield rows
                    rows, size = [], 0
    if rows:
        yield rows


async def clear(c: AsyncConnection, tables: Sequence[Table]) -> None:
    """Remove what a migration has put there."""
    for table in reversed(tables):
        await c.execute(delete(table))


async def write_rows(
    c: AsyncConnection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Json]]
) -> None:
    """Add rows.

    Raises:
        ValueError: A row or a value is not as `read_rows` writes it.
    """
    values = [
        dict(zip(columns, (_read(value) for value in row), strict=True)) for row in rows
    ]
    if values:
        await c.execute(table.insert(), values)


async def number_on(c: AsyncConnection, tables: Sequence[Table]) -> None:
    """Let the store's own numbers go on after those that were added."""
    if c.dialect.name != "postgresql":
        return  # SQLite takes the number after the highest
    for table in tables:
        for name in await c.run_sync(_numbered, table):
            await c.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', '{name}'),"  # noqa: S608 - names of our own tables
                    f" coalesce(max({name}), 0) + 1, false) FROM {table.name}"
                )
            )


def _numbered(connection: Connection, table: Table) -> list[str]:
    columns = inspect(connection).get_columns(table.name)
    return [c["name"] for c in columns if "nextval" in str(c.get("default"))]


def _written(value: Any) -> Json:
    if isinstance(value, bytes | memoryview):
        return ["bytes", encode_base64(bytes(value))]
    if isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER:
        return ["integer", str(value)]
    if value is None or isinstance(value, str | int | bool):
        return value
    raise TypeError(f"found {type(value).__name__} in a table")


def _read(value: Json) -> str | int | bytes | None:
    match value:
        case ["bytes", str(text_)]:
            return decode_base64(text_)
        case ["integer", str(digits)] if digits.removeprefix("-").isdecimal():
            return int(digits)
        case None | str() | int():
            return value
        case _:
            raise ValueError("found a value of another form")
