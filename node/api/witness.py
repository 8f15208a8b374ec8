"""POST /witness/add-checkpoint: C2SP tlog-witness, for the logs that the node watches."""

from aiohttp import web

from anchoring.witness import (
    MAX_REQUEST_BYTES,
    WitnessConflict,
    WitnessLogUnknown,
    WitnessProofInvalid,
    WitnessRequestMalformed,
    WitnessSignatureRefused,
)
from node.api.context import NODE
from node.api.operation import Answer, Body, Operation, described
from node.api.request import read_body
from node.node import NodeSealed
from node.witnessing import cosign_checkpoint

routes = web.RouteTableDef()


@routes.post("/witness/add-checkpoint")
@described(
    Operation(
        "Cosign the checkpoint of a log that is watched, C2SP tlog-witness",
        {
            200: Answer("A signature line, cosignature/v1.", None, ("text/plain",)),
            409: Answer("The size that was cosigned last.", None, ("text/x.tlog.size",)),
        },
        errors=(
            WitnessRequestMalformed,
            WitnessSignatureRefused,
            WitnessLogUnknown,
            WitnessProofInvalid,
            NodeSealed,
        ),
        body=Body({"type": "string"}, ("text/plain",)),
    )
)
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
