"""Finding credentials among many, in pages."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.entry import EntryKind
from node.storage.schema import credentials, entries, status_events
from node.storage.statuses import REVOKE, SUSPEND


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which credentials are looked for; what is None or empty does not matter."""

    name: str | None = None
    """The `id`, or the UUID."""

    digest: bytes | None = None
    """SHA-256 of the signed document's JCS bytes."""

    uuids: Collection[str] | None = None
    """Any of these, of which there are few."""

    issuers: Collection[str] = ()
    """Slugs; empty for those of all."""

    template: str | None = None
    state: str | None = None
    """`issued`, `suspended` or `revoked`."""


@dataclass(frozen=True, slots=True)
class FoundCredential:
    """A credential without its content."""

    uuid: str
    id: str
    issuer: str
    """Slug."""

    template: str | None
    created_at: str
    signed_at: str | None
    last_action: str | None
    """What was last done to it, as `node.storage.statuses` names it."""

    digest: bytes | None
    """SHA-256 of the signed document's JCS bytes; None while it is a draft."""

    leaf_index: int | None
    """Its place in the log, once it has one."""


async def search_credentials(
    c: AsyncConnection, wanted: Wanted, before: tuple[str, str] | None, limit: int
) -> list[FoundCredential]:
    """Return up to `limit` credentials that are wanted, newest first.

    Args:
        c: For reading.
        wanted: All of it has to fit.
        before: Time and UUID of the last one of the page before; None for the first page.
        limit: Most that are returned.
    """
    made, name = credentials.c.created_at, credentials.c.uuid
    query = _selected().order_by(made.desc(), name.desc()).limit(limit)
    for condition in _conditions(wanted):
        query = query.where(condition)
    if before is not None:
        at, last = before
        query = query.where(or_(made < at, and_(made == at, name < last)))
    rows = await c.execute(query)
    return [FoundCredential(**row._mapping) for row in rows]  # noqa: SLF001


def _selected() -> Select[Any]:
    leaf = and_(
        entries.c.subject == credentials.c.uuid,
        entries.c.kind == int(EntryKind.CREDENTIAL),
    )
    return select(
        credentials.c.uuid,
        credentials.c.id,
        credentials.c.issuer,
        credentials.c.template,
        credentials.c.created_at,
        credentials.c.signed_at,
        _last_action().label("last_action"),
        entries.c.digest,
        entries.c.leaf_index,
    ).select_from(credentials.outerjoin(entries, leaf))


def _last_action() -> ScalarSelect[str]:
    events = status_events.c
    return (
        select(events.action)
        .where(events.credential == credentials.c.uuid)
        .order_by(events.seq.desc())
        .limit(1)
        .scalar_subquery()
    )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.name is not None:
        uuid = wanted.name.removeprefix("urn:uuid:").lower()
        found.append(or_(credentials.c.id == wanted.name, credentials.c.uuid == uuid))
    if wanted.digest is not None:
        found.append(entries.c.digest == wanted.digest)
    if wanted.uuids is not None:
        found.append(credentials.c.uuid.in_(wanted.uuids))
    if wanted.issuers:
        found.append(credentials.c.issuer.in_(wanted.issuers))
    if wanted.template is not None:
        found.append(credentials.c.template == wanted.template)
    if wanted.state is not None:
        last = _last_action()
        # Nothing follows a revocation, and what was reinstated is as it was issued.
        found.append(
            {
                "revoked": last == REVOKE,
                "suspended": last == SUSPEND,
                "issued": or_(last.is_(None), last.not_in((REVOKE, SUSPEND))),
            }[wanted.state]
        )
    return found
