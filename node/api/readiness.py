"""GET /readyz: whether requests may be sent here."""

from aiohttp import web

from node.api.context import NODE
from node.api.problems import problem_response
from node.readiness import NotReady, require_ready

routes = web.RouteTableDef()


@routes.get("/readyz")
async def ready(request: web.Request) -> web.Response:
    """Say whether the node can do its work: 200, or 503 with what keeps it from it.

    A chain that is out of reach, and a credential that cannot be determined, are no
    reasons: other nodes would find the same.
    """
    try:
        checks = await require_ready(request.app[NODE])
    except NotReady as e:
        return problem_response(e, {"checks": [check.to_json() for check in e.checks]})
    return web.json_response(
        {"status": "ready", "checks": [check.to_json() for check in checks]}
    )
