"""What the two stores have to tell of themselves, and the errors that both raise.

`node.storage.sqlite` and `node.storage.postgres` are the stores; all other code speaks to
either through `node.storage.database`.
"""

from collections.abc import Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

from sqlalchemy import Executable, Result
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from node.disk import Disk, StorageFailed
from primitives.errors import Misconfigured, PatunayError

ASIDE: Final = "patunay_aside"
"""Execution option of a connection that writes one statement and waits for no turn."""


class DatabaseMissing(Misconfigured):
    """There is no database, or no node in it, where the configuration says."""

    code = "database-missing"
    hint = "a node's database is made by `patunay init` alone; restore it from a backup"


class CommitUnknown(StorageFailed):
    """The connection broke after COMMIT was sent and before its answer came.

    The change is kept whole, or not at all; which of the two is not known here.
    """

    code = "commit-unknown"
    hint = "ask what is stored, or repeat the request with the same id or idempotency key"


def is_storable(text: str) -> bool:
    """Tell whether a text may be in a database: PostgreSQL keeps none with NUL in it."""
    return "\x00" not in text


class Reader(Protocol):
    """What a query needs of a connection; an `AsyncConnection` is one."""

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Result[Any]:
        """Return what a query gives.

        One that is a constant of its module is made into text once, and not each time.
        """
        ...


class LookupReader(Reader, Protocol):
    """What a look-up reads with."""

    async def version(self) -> Hashable | None:
        """Return what is equal in two readers of one node if both see the same state.

        None where the store cannot tell.
        """
        ...


class Lookups(Protocol):
    """Reads a few rows by their index. Nothing else is awaited while a reader is held."""

    def reading(self) -> AbstractAsyncContextManager[LookupReader]:
        """Give a reader that sees one state of the database.

        Raises:
            StorageFailed: It cannot be read.
        """
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


class Store(Protocol):
    """One kind of database."""

    is_shared: bool
    """Whether processes on several machines may use it at once."""

    def read_options(self) -> Mapping[str, Any]:
        """Return the execution options of a connection that reads one state."""
        ...

    def watch(self, engine: AsyncEngine, disk: Disk) -> None:
        """Tell `disk` when it fails under the database, and write nothing more to it."""
        ...

    def direct_lookups(self, engine: AsyncEngine) -> Lookups | None:
        """Return what looks up faster than `engine` does, if there is something."""
        ...

    def named(self, error: BaseException) -> PatunayError | None:
        """Return what an error of the driver is called; None for a bug of ours."""
        ...

    def is_outcome_unknown(self, error: DBAPIError) -> bool:
        """Tell whether a COMMIT that ended in `error` may have been done."""
        ...
