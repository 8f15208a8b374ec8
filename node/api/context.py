"""What every handler finds in its application and its request."""

import asyncio
import time
from http import HTTPStatus
from typing import Final

from aiohttp import web

from node.acting import current_actor, handling, request_id
from node.api.problems import PROBLEM, Handler
from node.logs import log_access
from node.node import Node

NODE: Final = web.AppKey("NODE", Node)
REQUEST_ID: Final = web.RequestKey("REQUEST_ID", str)
_HEADER: Final = "X-Request-Id"
_GONE_AWAY: Final = 499
"""Logged where whoever asked did not wait for the answer; never sent."""


@web.middleware
async def context_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give each request its id, and let it act as nobody until it has shown a token."""
    request[REQUEST_ID] = request_id(request.headers.get(_HEADER))
    if not request.app[NODE].config.log.requests:
        with handling(request[REQUEST_ID]):
            return await handler(request)
    started = time.perf_counter()
    status, more = HTTPStatus.INTERNAL_SERVER_ERROR.value, {}
    with handling(request[REQUEST_ID]):
        try:
            response = await handler(request)
            status = response.status
            more = {"code": response[PROBLEM]} if PROBLEM in response else {}
        except web.HTTPException as e:
            status = e.status
            raise
        except asyncio.CancelledError:
            status = _GONE_AWAY
            raise
        finally:
            token = current_actor().token
            more |= {"token": token} if token else {}
            seconds = time.perf_counter() - started
            log_access(request.method, route_of(request), status, seconds, more)
    return response


def route_of(request: web.Request) -> str:
    """Return the pattern of the request's route, which holds no data of anybody."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


async def name_request(request: web.Request, response: web.StreamResponse) -> None:
    """Write the request's id into every answer, those of files and streams too."""
    if REQUEST_ID in request:
        response.headers[_HEADER] = request[REQUEST_ID]
