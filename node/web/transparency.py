"""The public page about the log."""

from aiohttp import web

from node.api.context import NODE
from node.api.operation import HTML, Answer, Operation, described
from node.transparency import read_transparency
from node.web.serving import for_people, page

routes = web.RouteTableDef()


@routes.get("/transparency")
@described(
    Operation(
        "The page about the public log",
        {200: Answer("The page.", None, (HTML,))},
        is_page=True,
    )
)
@for_people
async def transparency(request: web.Request) -> web.Response:
    """Show how far the log goes, where it is anchored, and how to audit it."""
    node = request.app[NODE]
    found = await read_transparency(node)
    base = node.config.public_url
    return page(request, "transparency", found=found, base=base, width="middle")
