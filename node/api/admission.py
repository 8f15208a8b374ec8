"""The door of the API: lets so many in at once, and measures each."""

import time
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.api.problems import PROBLEM, Handler, Overloaded, problem_response
from node.metrics import Metrics
from node.tracing import span

ALWAYS: Final = frozenset({"/healthz", "/readyz"})
"""Answered by a full node too: whoever asks wants to know just that."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_UNKNOWN: Final = "unknown"


@dataclass(slots=True)
class Admission:
    """Counts the requests in hand."""

    limit: int
    metrics: Metrics
    in_hand: int = 0

    def refuse_if_full(self, path: str) -> None:
        """Return if one more request may be taken.

        Raises:
            Overloaded: `limit` are in hand; nothing of the new one's body was read.
        """
        if self.in_hand >= self.limit and path not in ALWAYS:
            raise Overloaded(f"found {self.in_hand} requests in hand")


ADMISSION = web.AppKey("ADMISSION", Admission)


@web.middleware
async def admission_middleware(
    request: web.Request, handler: Handler
) -> web.StreamResponse:
    """Answer 503 at once where too many are in hand; measure what is answered."""
    admission = request.app[ADMISSION]
    started = time.perf_counter()
    try:
        admission.refuse_if_full(request.path)
    except Overloaded as e:
        refused = problem_response(e)
        _count(request, refused, started, admission.metrics)
        return refused
    admission.in_hand += 1
    admission.metrics.in_flight.inc()
    try:
        with span("request", {"http.request.method": _method(request)}) as traced:
            response = await handler(request)
            if traced is not None:
                traced.set_attribute("http.route", _route(request))
                traced.set_attribute("http.response.status_code", response.status)
    except web.HTTPException as e:
        _count(request, e, started, admission.metrics)
        raise
    finally:
        admission.in_hand -= 1
        admission.metrics.in_flight.dec()
    _count(request, response, started, admission.metrics)
    return response


def _method(request: web.Request) -> str:
    return request.method if request.method in _METHODS else _UNKNOWN


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else _UNKNOWN


def _count(
    request: web.Request, response: web.StreamResponse, started: float, metrics: Metrics
) -> None:
    route = _route(request)
    metrics.request(_method(request), route, response.status).inc()
    metrics.request_time(route).observe(time.perf_counter() - started)
    code = response.get(PROBLEM)
    if code is not None:
        metrics.refusals.labels(code).inc()
