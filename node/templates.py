"""Templates: what credentials are made from. Pages, HTTP and commands use these functions.

A version that was added never changes. The newest version of a template is the one that is
issued from; a template whose newest version is retired is issued from no more.
"""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.template import CredentialTemplate, parse_template
from node.audit_log import record
from node.node import Node
from node.permissions import Action
from node.storage import registry
from node.storage.registry import StoredTemplate, TemplateUnknown
from primitives.canonical_json import JsonObject, canonicalize
from primitives.errors import Rejected
from primitives.strict_json import parse_json_object


class TemplateRetired(Rejected):
    """The template is not issued from any more."""

    code = "template-retired"
    hint = "add a new version of it, or choose another template"


@dataclass(frozen=True, slots=True)
class AddedTemplate:
    """A version of a template that is there now."""

    stored: StoredTemplate
    is_new: bool


async def add_template(
    node: Node, c: AsyncConnection, document: JsonObject
) -> AddedTemplate:
    """Add a version of a template; one that is there already stays as it is.

    Raises:
        TemplateMalformed: See `credentials.template`.
        TemplateExists: That version is there with another content.
    """
    parsed = parse_template(document)
    body = canonicalize(document).decode()
    is_new = await registry.save_template(
        c, parsed.template_id, parsed.version, body, node.now()
    )
    if is_new:
        facts = {"change": "add", "version": parsed.version}
        what = f"template:{parsed.template_id}"
        await record(c, node, Action.TEMPLATE_WRITE, what, facts=facts)
    stored = await require_version(c, parsed.template_id, parsed.version)
    return AddedTemplate(stored, is_new)


async def require_version(
    c: AsyncConnection, template_id: str, version: str | None = None
) -> StoredTemplate:
    """Return a version of a template, retired or not; the newest if none is named.

    Raises:
        TemplateUnknown: There is none.
    """
    versions = await registry.template_versions(c, template_id)
    found = [v for v in versions if version in (None, v.version)]
    if not found:
        named = f"{template_id[:80]!r}" + (f" version {version[:80]!r}" if version else "")
        raise TemplateUnknown(f"found no template {named}")
    return found[-1]


async def require_current(c: AsyncConnection, template_id: str) -> CredentialTemplate:
    """Return the template to issue from.

    Raises:
        TemplateUnknown: There is none of that id.
        TemplateRetired: Its newest version is retired.
    """
    stored = await require_version(c, template_id)
    if stored.retired_at is not None:
        raise TemplateRetired(f"{template_id} was retired at {stored.retired_at}")
    return read_template(stored)


def read_template(stored: StoredTemplate) -> CredentialTemplate:
    """Return a stored version as it is used."""
    return parse_template(parse_json_object(stored.body.encode()))


async def retire_template(
    node: Node, c: AsyncConnection, template_id: str
) -> StoredTemplate:
    """Let nothing more be issued from the versions of a template that are there now.

    What was issued stays as it is. Retiring twice is retiring once.

    Raises:
        TemplateUnknown: There is none of that id.
    """
    await require_version(c, template_id)
    await registry.retire_template(c, template_id, node.now())
    what, facts = f"template:{template_id}", {"change": "retire"}
    await record(c, node, Action.TEMPLATE_WRITE, what, facts=facts)
    return await require_version(c, template_id)
