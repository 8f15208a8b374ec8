"""Registrars' files that were uploaded and checked."""

from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.approvals import Approval
from node.storage.schema import batches, uploads


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, and what checking it found."""

    batch: str
    """Id of the batch that it is, or becomes."""

    file: bytes | None
    """As uploaded; None once it is drafted or cancelled."""

    file_sha256: str
    encoding: str
    sheet: str | None
    """Name of a workbook's sheet; None for the first that is shown."""

    cryptosuite: str | None
    rows: int
    issuable: int
    """Rows that can be issued and were not before."""

    held: int
    earlier: int
    """Rows that were issued before."""

    findings: str
    """JSON, a list."""

    uploaded_at: str


async def save_upload(c: AsyncConnection, upload: Upload) -> None:
    """Add an upload; its batch is there already."""
    values = {field: getattr(upload, field) for field in Upload.__dataclass_fields__}
    await c.execute(insert(uploads).values(values))


async def find_upload(c: AsyncConnection, batch_id: str) -> Upload | None:
    """Return the upload of a batch; None of one that was drafted on the machine itself."""
    row = (await c.execute(select(uploads).where(uploads.c.batch == batch_id))).first()
    return None if row is None else Upload(**row._mapping)  # noqa: SLF001


async def forget_file(c: AsyncConnection, batch_id: str) -> None:
    """Delete what was uploaded; what checking it found stays."""
    await c.execute(update(uploads).where(uploads.c.batch == batch_id).values(file=None))


async def settle_counts(
    c: AsyncConnection, batch_id: str, *, issuable: int, held: int, earlier: int
) -> None:
    """Keep how many rows were drafted after all."""
    await c.execute(
        update(uploads)
        .where(uploads.c.batch == batch_id)
        .values(issuable=issuable, held=held, earlier=earlier)
    )


async def forget_stale(c: AsyncConnection, before: str) -> None:
    """Cancel what was uploaded before that moment and never drafted."""
    stale = select(batches.c.id).where(
        batches.c.approval == str(Approval.CHECKED), batches.c.drafted_at < before
    )
    names = list(await c.scalars(stale))
    if names:
        await c.execute(
            update(uploads)
            .where(uploads.c.batch.in_(names))
            .values(file=None, findings="[]")
        )
        await c.execute(
            update(batches)
            .where(batches.c.id.in_(names))
            .values(approval=str(Approval.CANCELLED))
        )
