"""The public page about the log."""

from aiohttp import web

from node.api.context import NODE
from node.transparency import read_transparency
from node.web.serving import for_people, page

routes = web.RouteTableDef()


@routes.get("/transparency")
@for_people
async def transparency(request: web.Request) -> web.Response:
    """Show how far the log goes, where it is anchored, and how to audit it."""
    node = request.app[NODE]
    found = await read_transparency(node)
    base = node.config.public_url
    return page(request, "transparency", found=found, base=base, width="middle")
