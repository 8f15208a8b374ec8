"""Leases: which process does what one alone may do, until when, and in which term.

Each new term has a higher number, the fence. Who writes as the holder shows its number in
the same transaction, so a holder of before writes nothing any more, however long it slept.
"""

from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.database_clock import DatabaseMilliseconds
from node.storage.schema import leases
from primitives.errors import Undetermined


class LeaseLost(Undetermined):
    """Another process has taken over what this one was doing."""

    code = "lease-lost"
    hint = "nothing to do: the other process goes on from what is stored"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds it."""

    holder: str
    """Machine and process."""

    fence: int
    """Number of the term: 1, and one more with each."""

    is_over: bool
    """Whether anybody may take it."""


async def find_lease(c: AsyncConnection, name: str) -> Lease | None:
    """Return who holds a lease; None before the first term."""
    row = (
        await c.execute(
            select(
                leases, (leases.c.expires <= DatabaseMilliseconds()).label("is_over")
            ).where(leases.c.name == name)
        )
    ).first()
    return None if row is None else Lease(row.holder, row.fence, bool(row.is_over))


async def begin_term(
    c: AsyncConnection, name: str, holder: str, milliseconds: int, *, seize: bool = False
) -> int | None:
    """Take a lease that is over; return the fence, or None if another one holds it.

    Runs in a write transaction in its turn, so that of several one succeeds. `seize` takes
    it from whoever holds it: only where it is known that nobody can.
    """
    before = await find_lease(c, name)
    if before is not None and not before.is_over and not seize:
        return None
    fence = 1 if before is None else before.fence + 1
    values = {
        "holder": holder,
        "fence": fence,
        "expires": DatabaseMilliseconds() + milliseconds,
    }
    if before is None:
        await c.execute(insert(leases).values(name=name, **values))
    else:
        await c.execute(update(leases).where(leases.c.name == name).values(**values))
    return fence


async def prolong(c: AsyncConnection, name: str, fence: int, milliseconds: int) -> None:
    """Let the term last that long from now.

    One statement, which needs no turn.

    Raises:
        LeaseLost: Another term has begun.
    """
    done = await c.execute(
        update(leases)
        .where(leases.c.name == name, leases.c.fence == fence)
        .values(expires=DatabaseMilliseconds() + milliseconds)
    )
    if done.rowcount != 1:
        raise LeaseLost(f"found that term {fence} of {name} is over")


async def require_term(c: AsyncConnection, name: str, fence: int) -> None:
    """Return if no other term has begun. In a write transaction none can, to its end.

    Raises:
        LeaseLost: One has.
    """
    found: int | None = await c.scalar(select(leases.c.fence).where(leases.c.name == name))
    if found != fence:
        raise LeaseLost(f"found term {found} of {name}, want {fence}")
