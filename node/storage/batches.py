"""Batches, the drafts in them, and which drafts may be signed."""

from collections.abc import Collection
from dataclasses import fields
from typing import Final

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.approvals import SIGNABLE, Approval, Batch, Person
from node.storage.ledger import Unsigned
from node.storage.schema import batches, credentials
from primitives.errors import Rejected


class BatchUnknown(Rejected):
    """This node has no such batch."""

    code = "batch-unknown"
    hint = "`patunay batch list` names them"


_TO_SIGN: Final = credentials.c.signed_at.is_(None) & (
    credentials.c.batch.is_(None)
    | credentials.c.batch.in_(
        select(batches.c.id).where(batches.c.approval.in_([str(a) for a in SIGNABLE]))
    )
)
"""Drafts that may be signed."""


async def save_batch(c: AsyncConnection, batch: Batch) -> None:
    """Add a batch."""
    await c.execute(
        insert(batches).values(
            id=batch.id,
            issuer=batch.issuer,
            template=batch.template,
            template_version=batch.template_version,
            size=batch.size,
            digest=batch.digest,
            drafted_at=batch.drafted_at,
            drafted_by_name=batch.drafted_by.name,
            drafted_by_token=batch.drafted_by.token,
            approval=str(batch.approval),
        )
    )


async def replace_batch(c: AsyncConnection, batch: Batch) -> None:
    """Let what was uploaded under a batch's id be what is drafted now."""
    await c.execute(
        update(batches)
        .where(batches.c.id == batch.id)
        .values(
            size=batch.size,
            digest=batch.digest,
            drafted_at=batch.drafted_at,
            drafted_by_name=batch.drafted_by.name,
            drafted_by_token=batch.drafted_by.token,
            approval=str(batch.approval),
        )
    )


async def require_batch(c: AsyncConnection, batch_id: str) -> Batch:
    """Return the batch of that id.

    Raises:
        BatchUnknown: There is none.
    """
    rows = await c.execute(select(batches).where(batches.c.id == batch_id))
    row = rows.mappings().first()
    if row is None:
        raise BatchUnknown(f"found no batch {batch_id[:64]!r}")
    return _batch(row)


async def recent_batches(
    c: AsyncConnection, issuers: Collection[str], before: tuple[str, str] | None, limit: int
) -> list[Batch]:
    """Return up to `limit` batches, newest first.

    Args:
        c: For reading.
        issuers: Slugs; empty for those of all.
        before: Time and id of the last one of the page before.
        limit: Most that are returned.
    """
    at, name = batches.c.drafted_at, batches.c.id
    query = select(batches).order_by(at.desc(), name.desc()).limit(limit)
    if issuers:
        query = query.where(batches.c.issuer.in_(issuers))
    if before is not None:
        time, last = before
        query = query.where((at < time) | ((at == time) & (name < last)))
    return [_batch(row) for row in (await c.execute(query)).mappings()]


async def list_batches(
    c: AsyncConnection, approval: Approval | None = None, *, after: str = "", limit: int
) -> list[Batch]:
    """Return up to `limit` batches in the order of drafting, those that follow `after`.

    `after` is a batch's id; batches of one second stand in the order of their ids.
    """
    query = select(batches).order_by(batches.c.drafted_at, batches.c.id).limit(limit)
    if approval is not None:
        query = query.where(batches.c.approval == str(approval))
    if after:
        last = await require_batch(c, after)
        query = query.where(
            (batches.c.drafted_at > last.drafted_at)
            | ((batches.c.drafted_at == last.drafted_at) & (batches.c.id > last.id))
        )
    return [_batch(row) for row in (await c.execute(query)).mappings()]


async def save_decision(c: AsyncConnection, batch: Batch) -> None:
    """Keep how a batch was decided."""
    by = batch.decided_by
    await c.execute(
        update(batches)
        .where(batches.c.id == batch.id)
        .values(
            approval=str(batch.approval),
            decided_at=batch.decided_at,
            decided_by_name=by.name if by is not None else None,
            decided_by_token=by.token if by is not None else None,
            reason=batch.reason,
        )
    )


async def withdraw_drafts(c: AsyncConnection, batch_id: str) -> None:
    """Forget the drafts; their places in the lists stay taken, their rows are free."""
    await c.execute(
        update(credentials)
        .where(credentials.c.batch == batch_id, credentials.c.signed_at.is_(None))
        .values(draft=None, row_key=None)
    )


async def batch_drafts(c: AsyncConnection, batch_id: str) -> list[tuple[str, str | None]]:
    """Return UUID and unsigned document of each draft; None once it is signed."""
    rows = await c.execute(
        select(credentials.c.uuid, credentials.c.draft)
        .where(credentials.c.batch == batch_id)
        .order_by(credentials.c.uuid)
    )
    return [(row.uuid, row.draft) for row in rows]


async def signed_documents(
    c: AsyncConnection, batch_id: str, after: str, limit: int
) -> list[tuple[str, str]]:
    """Return UUID and signed JSON of up to `limit` credentials beyond `after`, by UUID."""
    rows = await c.execute(
        select(credentials.c.uuid, credentials.c.document)
        .where(
            credentials.c.batch == batch_id,
            credentials.c.signed_at.is_not(None),
            credentials.c.uuid > after,
        )
        .order_by(credentials.c.uuid)
        .limit(limit)
    )
    return [(row.uuid, row.document) for row in rows]


async def count_signed(c: AsyncConnection, batch_id: str) -> int:
    """Return how many credentials of a batch are signed."""
    found = await c.scalar(
        select(func.count())
        .select_from(credentials)
        .where(credentials.c.batch == batch_id, credentials.c.signed_at.is_not(None))
    )
    return found or 0


async def unsigned_drafts(c: AsyncConnection, limit: int) -> list[Unsigned]:
    """Return up to `limit` drafts that wait for their signature, oldest first.

    Not those that wait for approval, nor those that were rejected.
    """
    rows = await c.execute(
        select(*(credentials.c[field.name] for field in fields(Unsigned)))
        .where(_TO_SIGN)
        .order_by(credentials.c.created_at, credentials.c.uuid)
        .limit(limit)
    )
    return [Unsigned(*row) for row in rows]


async def count_unsigned(c: AsyncConnection) -> int:
    """Return how many drafts wait for their signature."""
    query = select(func.count()).select_from(credentials).where(_TO_SIGN)
    return await c.scalar(query) or 0


async def find_unsigned(c: AsyncConnection, uuids: set[str]) -> dict[str, str | None]:
    """Return which of these credentials are not signed yet, and the batch of each."""
    rows = await c.execute(
        select(credentials.c.uuid, credentials.c.batch).where(
            credentials.c.signed_at.is_(None)
        )
    )
    return {row.uuid: row.batch for row in rows if row.uuid in uuids}


def _batch(row: RowMapping) -> Batch:
    decided_by = row["decided_by_name"]
    return Batch(
        row["id"],
        row["issuer"],
        row["template"],
        row["template_version"],
        row["size"],
        row["digest"],
        row["drafted_at"],
        Person(row["drafted_by_name"], row["drafted_by_token"]),
        Approval(row["approval"]),
        row["decided_at"],
        Person(decided_by, row["decided_by_token"]) if decided_by is not None else None,
        row["reason"],
    )
