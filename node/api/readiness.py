"""GET /readyz: whether requests may be sent here."""

from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from node.api.context import NODE
from node.api.operation import Answer, Operation, described
from node.api.problems import problem_response
from node.api.schema import body_of, to_json
from node.readiness import NotReady, ReadinessCheck, require_ready

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Ready:
    """That the node can do its work."""

    status: Literal["ready"]
    checks: tuple[ReadinessCheck, ...]
    """What was looked at."""


@routes.get("/readyz")
@described(
    Operation(
        "Whether requests may be sent here",
        {200: Answer("It is ready.", Ready)},
        errors=(NotReady,),
        description="503 has `checks` as well, which say what keeps it from it.",
    )
)
async def ready(request: web.Request) -> web.Response:
    """Say whether the node can do its work: 200, or 503 with what keeps it from it.

    A chain that is out of reach, and a credential that cannot be determined, are no
    reasons: other nodes would find the same.
    """
    try:
        checks = await require_ready(request.app[NODE])
    except NotReady as e:
        return problem_response(e, {"checks": to_json(e.checks)})
    return web.json_response(body_of(Ready("ready", checks)))
