"""Templates over HTTP: list, show, add a version, retire."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.template_fields import TemplateMalformed
from node.api.context import NODE
from node.api.creating import Made, answer_once
from node.api.guard import needs
from node.api.listing import Listing, Span
from node.api.operation import Answer, Body, Operation, described
from node.api.request import MAX_BODY_BYTES, read_json_bytes
from node.api.schema import Instant, body_of
from node.permissions import Action
from node.storage.registry import (
    StoredTemplate,
    TemplateExists,
    TemplateUnknown,
    page_templates,
    template_versions,
)
from node.templates import add_template, require_version, retire_template
from primitives.canonical_json import JsonObject
from primitives.strict_json import parse_json_object

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class TemplateListed:
    """The newest version of a template."""

    id: str
    version: str
    name: str
    """Of the achievement."""

    added_at: Instant
    retired_at: Instant | None
    """Since when nothing is issued from it."""

    @classmethod
    def of(cls, stored: StoredTemplate) -> "TemplateListed":
        """Return what a list shows of a version."""
        achievement = parse_json_object(stored.body.encode()).get("achievement")
        name = achievement.get("name") if isinstance(achievement, dict) else ""
        return cls(stored.id, stored.version, str(name), stored.added_at, stored.retired_at)


@dataclass(frozen=True, slots=True)
class TemplatePage:
    """Templates, by id."""

    templates: tuple[TemplateListed, ...]
    next: str | None
    """Cursor of the next page; null on the last."""


@dataclass(frozen=True, slots=True)
class TemplateShown:
    """One version of a template."""

    id: str
    version: str
    versions: tuple[str, ...]
    """All that were added, oldest first."""

    added_at: Instant
    retired_at: Instant | None
    """Since when nothing is issued from this version."""

    template: JsonObject
    """The document, as examples/README.md describes it."""


_UNKNOWN: Final = (TemplateUnknown,)
_TEMPLATES: Final = Listing(
    "The newest version of each template", TemplatePage, by={"id": str}
)


@routes.get("/templates")
@described(_TEMPLATES.operation)
@needs(Action.BATCH_READ)
async def list_them(request: web.Request) -> web.Response:
    """List the templates."""

    async def look(c: AsyncConnection, span: Span) -> list[TemplateListed]:
        (after,) = span.place or ("",)
        found = await page_templates(c, after, span.limit)
        return [TemplateListed.of(one) for one in found]

    return await _TEMPLATES.answer(request, look)


@routes.post("/templates")
@described(
    Operation(
        "Add a template, or a new version of one",
        {
            200: Answer("That version was there, the same.", TemplateShown),
            201: Answer("The version was added.", TemplateShown),
        },
        errors=(TemplateMalformed, TemplateExists),
        body=Body({"type": "object"}),
        creates=True,
    )
)
@needs(Action.TEMPLATE_WRITE)
async def add(request: web.Request) -> web.Response:
    """Add a version of a template; the body is the template itself."""
    node = request.app[NODE]
    raw = await read_json_bytes(request)
    document = parse_json_object(raw, MAX_BODY_BYTES)

    async def effect(c: AsyncConnection) -> Made:
        added = await add_template(node, c, document)
        body = body_of(await _shown(c, added.stored))
        return Made(201 if added.is_new else 200, body, f"/templates/{added.stored.id}")

    return await answer_once(node, request, raw, effect)


@routes.get("/templates/{template}")
@routes.get("/templates/{template}/versions/{version}")
@described(
    Operation(
        "A version of a template: the newest, or the one that is named",
        {200: Answer("The version.", TemplateShown)},
        errors=_UNKNOWN,
    )
)
@needs(Action.BATCH_READ)
async def show(request: web.Request) -> web.Response:
    """Show a version of a template: the newest if none is named."""
    node = request.app[NODE]
    named = request.match_info
    async with node.reading() as c:
        stored = await require_version(c, named["template"], named.get("version"))
        return web.json_response(body_of(await _shown(c, stored)))


@routes.post("/templates/{template}/retire")
@described(
    Operation(
        "Issue nothing more from a template",
        {200: Answer("It is retired.", TemplateShown)},
        errors=_UNKNOWN,
        creates=True,
    )
)
@needs(Action.TEMPLATE_WRITE)
async def retire(request: web.Request) -> web.Response:
    """Retire every version of a template; what was issued stays as it is."""
    node = request.app[NODE]

    async def effect(c: AsyncConnection) -> Made:
        stored = await retire_template(node, c, request.match_info["template"])
        return Made(200, body_of(await _shown(c, stored)))

    return await answer_once(node, request, b"", effect)


async def _shown(c: AsyncConnection, stored: StoredTemplate) -> TemplateShown:
    versions = await template_versions(c, stored.id)
    return TemplateShown(
        id=stored.id,
        version=stored.version,
        versions=tuple(v.version for v in versions),
        added_at=stored.added_at,
        retired_at=stored.retired_at,
        template=parse_json_object(stored.body.encode()),
    )
