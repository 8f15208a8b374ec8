"""The database's own clock: several machines that share a database agree on it alone."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement


class DatabaseMilliseconds(FunctionElement[int]):
    """The time, in milliseconds since 1970, when the statement runs."""

    type = BigInteger()  # type: ignore[mutable-override]  # as SQLAlchemy's manual has it
    inherit_cache = True  # type: ignore[mutable-override]


@compiles(DatabaseMilliseconds, "sqlite")
def _in_sqlite(_element: object, _compiler: object, **_: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(DatabaseMilliseconds, "postgresql")
def _in_postgres(_element: object, _compiler: object, **_: Any) -> str:
    # Not now(), which stands still in a transaction that has waited for its turn.
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
