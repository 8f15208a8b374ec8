"""Templates in the console: which there are, and adding one."""

from aiohttp import web

from node.api.context import NODE
from node.permissions import Action
from node.storage.registry import list_issuers, page_templates
from node.templates import add_template, read_template, require_version
from node.web.console import FORM, console, console_page, redirect
from node.web.submission import NothingHandedOver
from primitives.strict_json import parse_json_object

_MOST = 200
"""Templates in the list: an office has a few dozen."""

routes = web.RouteTableDef()


@routes.get("/console/templates")
@console(Action.BATCH_READ)
async def templates(request: web.Request) -> web.Response:
    """Show the newest version of each template, and the form that adds one."""
    async with request.app[NODE].reading() as c:
        found = await page_templates(c, "", _MOST)
    return console_page(
        request,
        "templates",
        here="templates",
        templates=[(stored, read_template(stored)) for stored in found],
        added=request.query.get("added", "")[:128],
    )


@routes.post("/console/templates")
@console(Action.TEMPLATE_WRITE)
async def add(request: web.Request) -> web.Response:
    """Add a template, or a new version of one, from a file or a text."""
    form, node = request[FORM], request.app[NODE]
    body = form.get("file", b"") or form.get("text", b"").strip()
    if not body:
        raise NothingHandedOver("found neither a file nor a text")
    document = parse_json_object(body)
    async with node.writing() as c:
        added = await add_template(node, c, document)
    return redirect(f"/console/templates/{added.stored.id}?added")


@routes.get("/console/templates/{template}")
@console(Action.BATCH_READ)
async def show(request: web.Request) -> web.Response:
    """Show the newest version of one template."""
    async with request.app[NODE].reading() as c:
        stored = await require_version(c, request.match_info["template"])
        issuers = await list_issuers(c)
    return console_page(
        request,
        "template",
        here="templates",
        stored=stored,
        read=read_template(stored),
        issuers=issuers,
        is_new="added" in request.query,
    )
