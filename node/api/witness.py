"""POST /witness/add-checkpoint: C2SP tlog-witness, for the logs that the node watches."""

from aiohttp import web

from anchoring.witness import MAX_REQUEST_BYTES, WitnessConflict
from node.api.context import NODE
from node.api.request import read_body
from node.witnessing import cosign_checkpoint

routes = web.RouteTableDef()


@routes.post("/witness/add-checkpoint")
async def add_checkpoint(request: web.Request) -> web.Response:
    """Cosign a log's checkpoint: 200 with a signature line. Needs no token.

    409 with the size that was cosigned last, as `text/x.tlog.size`, where the request
    begins at another one.
    """
    raw = await read_body(request, MAX_REQUEST_BYTES)
    try:
        line = await cosign_checkpoint(request.app[NODE], raw)
    except WitnessConflict as e:
        body = f"{e.size}\n".encode()
        return web.Response(status=409, body=body, content_type="text/x.tlog.size")
    return web.Response(text=f"{line}\n")
