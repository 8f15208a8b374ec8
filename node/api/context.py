"""What every handler finds in its application and its request."""

from typing import Final

from aiohttp import web

from node.acting import handling, request_id
from node.api.problems import Handler
from node.node import Node

NODE: Final = web.AppKey("NODE", Node)
REQUEST_ID: Final = web.RequestKey("REQUEST_ID", str)
_HEADER: Final = "X-Request-Id"


@web.middleware
async def context_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give each request its id, and let it act as nobody until it has shown a token."""
    request[REQUEST_ID] = request_id(request.headers.get(_HEADER))
    with handling(request[REQUEST_ID]):
        return await handler(request)


async def name_request(request: web.Request, response: web.StreamResponse) -> None:
    """Write the request's id into every answer, those of files and streams too."""
    if REQUEST_ID in request:
        response.headers[_HEADER] = request[REQUEST_ID]
