"""Credentials, the queue, and the log's entries.

    draft -> signed, with its place in the queue -> leaf

Each arrow is one transaction of the database, so a crash leaves either side of it. What
follows a leaf is in `node.storage.anchor_store`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.entry import EntryKind
from node.storage.schema import (
    credentials,
    documents,
    entries,
    requests,
    status_lists,
)
from node.storage.store import Reader, is_storable
from primitives.hashing import Digest

_BY_UUID: Final = select(credentials).where(credentials.c.uuid == bindparam("uuid"))
_BY_ID: Final = select(credentials).where(credentials.c.id == bindparam("id"))


@dataclass(frozen=True, slots=True)
class Draft:
    """A credential that is decided on and not yet signed."""

    uuid: str
    id: str
    issuer: str
    """Slug."""

    cryptosuite: str
    draft: str
    """The unsigned document, JSON."""

    draft_sha256: str
    status_list: str | None
    status_index: int | None
    template: str | None = None
    row_key: str | None = None
    batch: str | None = None
    """Id; None for what was issued by itself."""


@dataclass(frozen=True, slots=True)
class Unsigned:
    """What is known of a draft without reading its document."""

    uuid: str
    issuer: str
    """Slug."""

    cryptosuite: str


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """A credential as the node keeps it."""

    uuid: str
    id: str
    issuer: str
    document: str | None
    """The signed document, JSON; None while it is a draft."""

    draft_sha256: str


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry of the log, or of the queue."""

    seq: int
    leaf_index: int | None
    kind: EntryKind
    digest: Digest
    subject: str
    queued_at: str


# Drafts and credentials


async def find_row_keys(c: AsyncConnection, issuer: str, template: str) -> dict[str, str]:
    """Return what of a template was drafted or issued before: row key to UUID."""
    rows = await c.execute(
        select(credentials.c.row_key, credentials.c.uuid).where(
            credentials.c.issuer == issuer, credentials.c.template == template
        )
    )
    return {row.row_key: row.uuid for row in rows}


async def save_drafts(c: AsyncConnection, drafts: Sequence[Draft], created_at: str) -> None:
    """Add drafts."""
    if drafts:
        await c.execute(insert(credentials), [_row(d, created_at) for d in drafts])


async def save_issued(
    c: AsyncConnection, issued: Sequence[tuple[Draft, str]], at: str
) -> None:
    """Add credentials that were never stored as drafts, each with its signed JSON."""
    if issued:
        await c.execute(
            insert(credentials),
            [
                {**_row(d, at), "draft": None, "document": document, "signed_at": at}
                for d, document in issued
            ],
        )


def _row(d: Draft, created_at: str) -> dict[str, object]:
    return {
        "uuid": d.uuid,
        "id": d.id,
        "issuer": d.issuer,
        "cryptosuite": d.cryptosuite,
        "template": d.template,
        "row_key": d.row_key,
        "batch": d.batch,
        "draft": d.draft,
        "draft_sha256": d.draft_sha256,
        "status_list": d.status_list,
        "status_index": d.status_index,
        "created_at": created_at,
    }


async def draft_bodies(c: AsyncConnection, uuids: Sequence[str]) -> dict[str, str]:
    """Return the unsigned documents, JSON, of those of `uuids` that are drafts."""
    if not uuids:
        return {}
    rows = await c.execute(
        select(credentials.c.uuid, credentials.c.draft).where(
            credentials.c.uuid.in_(uuids), credentials.c.signed_at.is_(None)
        )
    )
    return {row.uuid: row.draft for row in rows}


async def save_signed(
    c: AsyncConnection, signed: Sequence[tuple[str, str]], signed_at: str
) -> None:
    """Replace drafts by their signed documents: UUID and JSON.

    Runs in the write transaction in which the drafts were read, so no other process can
    sign the same ones.
    """
    await c.execute(
        update(credentials)
        .where(credentials.c.uuid == bindparam("of_uuid"))
        .values(document=bindparam("of_document"), draft=None, signed_at=signed_at),
        [{"of_uuid": uuid, "of_document": document} for uuid, document in signed],
    )


async def find_credential(c: Reader, uuid: str) -> StoredCredential | None:
    """Return the credential with that UUID, or None if there certainly is none."""
    if not is_storable(uuid):
        return None
    return _credential((await c.execute(_BY_UUID, {"uuid": uuid})).first())


async def find_credential_by_id(c: Reader, cid: str) -> StoredCredential | None:
    """Return the credential with that `id`, or None if there certainly is none."""
    if not is_storable(cid):
        return None
    return _credential((await c.execute(_BY_ID, {"id": cid})).first())


async def known_ids(c: AsyncConnection, ids: Collection[str]) -> set[str]:
    """Return which of these `id`s a credential has already."""
    asked = [cid for cid in ids if is_storable(cid)]
    if not asked:
        return set()
    rows = await c.scalars(select(credentials.c.id).where(credentials.c.id.in_(asked)))
    return set(rows)


def _credential(row: Row[Any] | None) -> StoredCredential | None:
    if row is None:
        return None
    return StoredCredential(row.uuid, row.id, row.issuer, row.document, row.draft_sha256)


async def all_documents(
    c: AsyncConnection, after_uuid: str, limit: int
) -> list[tuple[str, str]]:
    """Return up to `limit` signed credentials, UUID and JSON, in the order of UUIDs."""
    rows = await c.execute(
        select(credentials.c.uuid, credentials.c.document)
        .where(credentials.c.uuid > after_uuid, credentials.c.signed_at.is_not(None))
        .order_by(credentials.c.uuid)
        .limit(limit)
    )
    return [(row.uuid, row.document) for row in rows]


async def count_credentials(c: AsyncConnection) -> int:
    """Return how many credentials were signed."""
    return await _count(
        c,
        select(func.count())
        .select_from(credentials)
        .where(credentials.c.signed_at.is_not(None)),
    )


# Status lists


async def find_status_lists(
    c: AsyncConnection, issuer: str, name: str, purpose: str
) -> list[tuple[str, int]]:
    """Return URL and sequence of the lists of that name, newest first."""
    rows = await c.execute(
        select(status_lists.c.url, status_lists.c.sequence)
        .where(
            status_lists.c.issuer == issuer,
            status_lists.c.name == name,
            status_lists.c.purpose == purpose,
        )
        .order_by(status_lists.c.sequence.desc())
    )
    return [(row.url, row.sequence) for row in rows]


async def save_status_list(c: AsyncConnection, values: dict[str, object]) -> None:
    """Add a status list."""
    await c.execute(insert(status_lists).values(**values))


async def all_status_lists(
    c: AsyncConnection, purpose: str | None = None
) -> list[tuple[str, str]]:
    """Return URL and signed document of every status list, or of those of one purpose."""
    query = select(status_lists.c.url, status_lists.c.document)
    if purpose is not None:
        query = query.where(status_lists.c.purpose == purpose)
    rows = await c.execute(query.order_by(status_lists.c.url))
    return [(row.url, row.document) for row in rows]


# The log


async def save_document(
    c: AsyncConnection, digest: Digest, kind: EntryKind, body: str, created_at: str
) -> None:
    """Keep a published document that is no credential, for as long as its leaf."""
    known = await c.scalar(
        select(documents.c.sha256).where(documents.c.sha256 == digest.hex())
    )
    if known is None:
        await c.execute(
            insert(documents).values(
                sha256=digest.hex(), kind=int(kind), body=body, created_at=created_at
            )
        )


async def find_document(c: AsyncConnection, digest: Digest) -> str | None:
    """Return the published document with that digest, or None if it is not kept."""
    body: str | None = await c.scalar(
        select(documents.c.body).where(documents.c.sha256 == digest.hex())
    )
    return body


async def find_published(c: AsyncConnection, digest: Digest) -> tuple[int, str] | None:
    """Return kind and body of the published document with that digest, if it is kept."""
    row = (
        await c.execute(
            select(documents.c.kind, documents.c.body).where(
                documents.c.sha256 == digest.hex()
            )
        )
    ).first()
    return (row.kind, row.body) if row is not None else None


async def enqueue(
    c: AsyncConnection,
    queued: Iterable[tuple[EntryKind, Digest, str]],
    queued_at: str,
) -> None:
    """Put entries at the end of the queue: kind, digest of the document, subject."""
    values = [
        {"kind": int(kind), "digest": digest, "subject": subject, "queued_at": queued_at}
        for kind, digest, subject in queued
    ]
    if values:
        await c.execute(insert(entries), values)


async def queue_state(c: AsyncConnection) -> tuple[int, str | None]:
    """Return how many entries wait, and since when the oldest does."""
    row = (
        await c.execute(
            select(func.count(), func.min(entries.c.queued_at)).where(
                entries.c.leaf_index.is_(None)
            )
        )
    ).one()
    return row[0], row[1]


async def assign_leaves(c: AsyncConnection) -> int:
    """Give every waiting entry its place in the log; return the log's new length.

    The order is that of the queue. Runs inside one write transaction, so two processes
    cannot give one place twice.
    """
    size = await log_length(c)
    place = func.row_number().over(order_by=entries.c.seq) + (size - 1)
    waiting = (
        select(entries.c.seq, place.label("place"))
        .where(entries.c.leaf_index.is_(None))
        .subquery()
    )
    await c.execute(
        update(entries)
        .where(entries.c.seq == waiting.c.seq)
        .values(leaf_index=waiting.c.place)
    )
    return await log_length(c)


async def log_length(c: AsyncConnection) -> int:
    """Return the log's length: one more than the last place that was given.

    Not the number of leaves: where a row is missing, its place stays taken.
    """
    last: int | None = await c.scalar(select(func.max(entries.c.leaf_index)))
    return 0 if last is None else last + 1


async def leaves(
    c: AsyncConnection, start: int, stop: int
) -> list[tuple[EntryKind, Digest, str]]:
    """Return kind, document digest and subject of the leaves `start` to `stop` - 1."""
    rows = await c.execute(
        select(entries.c.leaf_index, entries.c.kind, entries.c.digest, entries.c.subject)
        .where(entries.c.leaf_index >= start, entries.c.leaf_index < stop)
        .order_by(entries.c.leaf_index)
    )
    return [(EntryKind(row.kind), Digest(row.digest), row.subject) for row in rows]


async def unlogged_credentials(c: AsyncConnection, limit: int) -> list[str]:
    """Return UUIDs of signed credentials that are neither in the log nor queued for it."""
    has_entry = (
        select(entries.c.seq)
        .where(
            entries.c.subject == credentials.c.uuid,
            entries.c.kind == int(EntryKind.CREDENTIAL),
        )
        .exists()
    )
    rows = await c.scalars(
        select(credentials.c.uuid)
        .where(credentials.c.signed_at.is_not(None), ~has_entry)
        .order_by(credentials.c.uuid)
        .limit(limit)
    )
    return list(rows)


async def find_leaf(
    c: AsyncConnection, subject: str, kind: EntryKind
) -> tuple[int | None, bool]:
    """Return the newest leaf index of a subject, and whether it is known at all.

    The index is None while the entry waits in the queue.
    """
    row = (
        await c.execute(
            select(entries.c.leaf_index)
            .where(entries.c.subject == subject, entries.c.kind == int(kind))
            .order_by(entries.c.seq.desc())
            .limit(1)
        )
    ).first()
    return (None, False) if row is None else (row.leaf_index, True)


# Requests from one process to another


async def save_request(c: AsyncConnection, name: str, requested_at: str) -> None:
    """Ask the daemon for something; asking twice is asking once."""
    if not await has_request(c, name):
        await c.execute(insert(requests).values(name=name, requested_at=requested_at))


async def has_request(c: AsyncConnection, name: str) -> bool:
    """Return whether somebody asked."""
    known = await c.scalar(select(requests.c.name).where(requests.c.name == name))
    return known is not None


async def take_request(c: AsyncConnection, name: str) -> bool:
    """Return whether somebody asked, and forget it."""
    done = await c.execute(requests.delete().where(requests.c.name == name))
    return done.rowcount > 0


async def _count(c: AsyncConnection, query: object) -> int:
    found: int | None = await c.scalar(query)  # type: ignore[call-overload]
    return found or 0
