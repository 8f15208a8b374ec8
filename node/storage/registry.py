"""Issuers and templates: what an operator sets up."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.data_integrity import DEFAULT_SUITE
from node.storage.schema import issuers, templates
from node.storage.store import Reader, is_storable
from primitives.canonical_json import JsonObject
from primitives.errors import Misconfigured
from primitives.strict_json import parse_json_object

OWN_SLUG: Final = "main"
"""Slug of the node's own issuer."""


class IssuerUnknown(Misconfigured):
    """No issuer of this node goes by that slug or DID."""

    code = "issuer-unknown"
    hint = "`patunay issuer list` names them"


class IssuerExists(Misconfigured):
    """An issuer goes by that slug already."""

    code = "issuer-exists"


class TemplateUnknown(Misconfigured):
    """No template was added under that id."""

    code = "template-unknown"
    hint = "`patunay template list` names them; `patunay template add FILE` adds one"


class TemplateExists(Misconfigured):
    """A published version of a template never changes."""

    code = "template-version-exists"
    hint = "give the changed template a new version"


@dataclass(frozen=True, slots=True)
class Issuer:
    """One identity that this node signs for."""

    slug: str
    """`main` for the node itself; others have their own did:web path."""

    did: str
    name: str
    document: str
    """The DID document as published, JSON."""

    created_at: str

    cryptosuite: str = DEFAULT_SUITE
    """What it signs with where a request names none."""

    def parsed(self) -> JsonObject:
        """Return the DID document."""
        return parse_json_object(self.document.encode())


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """One version of a template."""

    seq: int
    """Rises with each version of any template."""

    id: str
    version: str
    body: str
    """JSON, in JCS."""

    added_at: str
    retired_at: str | None


async def save_issuer(c: AsyncConnection, issuer: Issuer) -> None:
    """Add an issuer.

    Raises:
        IssuerExists: The slug is taken.
    """
    if await find_issuer(c, issuer.slug) is not None:
        raise IssuerExists(f"the slug {issuer.slug!r} is taken")
    await c.execute(
        insert(issuers).values(
            slug=issuer.slug,
            did=issuer.did,
            name=issuer.name,
            document=issuer.document,
            created_at=issuer.created_at,
            cryptosuite=issuer.cryptosuite,
        )
    )


async def update_document(c: AsyncConnection, slug: str, document: str) -> None:
    """Replace an issuer's DID document by a newer version."""
    await c.execute(update(issuers).where(issuers.c.slug == slug).values(document=document))


async def list_issuers(c: AsyncConnection) -> list[Issuer]:
    """Return every issuer, the node itself first."""
    rows = await c.execute(
        select(issuers).order_by(
            issuers.c.slug != OWN_SLUG, issuers.c.created_at, issuers.c.slug
        )
    )
    return [Issuer(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's own name


async def page_issuers(c: AsyncConnection, after: str, limit: int) -> list[Issuer]:
    """Return up to `limit` issuers with slugs beyond `after`, by slug."""
    rows = await c.execute(
        select(issuers).where(issuers.c.slug > after).order_by(issuers.c.slug).limit(limit)
    )
    return [Issuer(**row._mapping) for row in rows]  # noqa: SLF001


# Made once: spelling a statement takes longer than looking up its row.
_BY_SLUG: Final = select(issuers).where(issuers.c.slug == bindparam("of_slug"))
_BY_DID: Final = select(issuers).where(issuers.c.did == bindparam("of_did"))


async def find_issuer(c: Reader, slug: str) -> Issuer | None:
    """Return the issuer with that slug, or None if there certainly is none."""
    row = (await c.execute(_BY_SLUG, {"of_slug": slug})).first()
    return Issuer(**row._mapping) if row is not None else None  # noqa: SLF001


async def find_issuer_by_did(c: Reader, did: str) -> Issuer | None:
    """Return the issuer with that DID, or None if there certainly is none."""
    if not is_storable(did):
        return None
    row = (await c.execute(_BY_DID, {"of_did": did})).first()
    return Issuer(**row._mapping) if row is not None else None  # noqa: SLF001


async def documents_of(c: Reader, slugs: Collection[str]) -> dict[str, str]:
    """Return the DID documents, JSON, of issuers by slug."""
    if not slugs:
        return {}
    rows = await c.execute(
        select(issuers.c.slug, issuers.c.document).where(issuers.c.slug.in_(sorted(slugs)))
    )
    return {row.slug: row.document for row in rows}


async def require_issuer(c: Reader, slug: str) -> Issuer:
    """Return the issuer with that slug.

    Raises:
        IssuerUnknown: There is none.
    """
    issuer = await find_issuer(c, slug)
    if issuer is None:
        raise IssuerUnknown(f"found no issuer {slug!r}")
    return issuer


async def save_template(
    c: AsyncConnection, template_id: str, version: str, body: str, added_at: str
) -> bool:
    """Add a version of a template; return whether it is new.

    Raises:
        TemplateExists: That version is there with another content.
    """
    found = await c.scalar(
        select(templates.c.body).where(
            templates.c.id == template_id, templates.c.version == version
        )
    )
    if found == body:
        return False
    if found is not None:
        raise TemplateExists(f"version {version} of {template_id} is there already")
    await c.execute(
        insert(templates).values(
            id=template_id, version=version, body=body, added_at=added_at
        )
    )
    return True


async def list_templates(c: AsyncConnection) -> list[tuple[str, str, str]]:
    """Return id, version and time added of every template, oldest first."""
    rows = await c.execute(
        select(templates.c.id, templates.c.version, templates.c.added_at).order_by(
            templates.c.seq
        )
    )
    return [(row.id, row.version, row.added_at) for row in rows]


async def template_versions(c: AsyncConnection, template_id: str) -> list[StoredTemplate]:
    """Return the versions of a template, oldest first; empty where there is none."""
    rows = await c.execute(
        select(templates).where(templates.c.id == template_id).order_by(templates.c.seq)
    )
    return [StoredTemplate(**row._mapping) for row in rows]  # noqa: SLF001


async def page_templates(
    c: AsyncConnection, after: str, limit: int
) -> list[StoredTemplate]:
    """Return the newest version of up to `limit` templates with ids beyond `after`."""
    newest = select(func.max(templates.c.seq)).group_by(templates.c.id)
    rows = await c.execute(
        select(templates)
        .where(templates.c.seq.in_(newest), templates.c.id > after)
        .order_by(templates.c.id)
        .limit(limit)
    )
    return [StoredTemplate(**row._mapping) for row in rows]  # noqa: SLF001


async def retire_template(c: AsyncConnection, template_id: str, retired_at: str) -> None:
    """Mark every version of a template that is not retired yet."""
    await c.execute(
        update(templates)
        .where(templates.c.id == template_id, templates.c.retired_at.is_(None))
        .values(retired_at=retired_at)
    )
