"""Assembles the HTTP application."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from credentials.policy import Policy
from did.fetch import PublicFetcher
from node.api.admission import ADMISSION, Admission, admission_middleware
from node.api.batch_results import STREAMS
from node.api.context import NODE, context_middleware, name_request
from node.api.edges import caching, check_origin, listening_port, options, share
from node.api.identifiers import IDENTIFIERS, Identifiers
from node.api.limits import LIMITS, Limits, limits_middleware
from node.api.openapi import ROUTES
from node.api.problems import Handler, problem_middleware
from node.api.request import MAX_BODY_BYTES
from node.api.verify import VERIFIER, Verifier
from node.hosts import OwnHosts
from node.loop_watch import LoopWatch
from node.metrics import Metrics
from node.node import Node
from node.own_node import OwnNode
from node.web import pages
from node.web.refusing import pages_for_people
from node.web_lookups import web_gatherer, web_resolver

FETCHER = web.AppKey("FETCHER", PublicFetcher)
OWN_HOSTS = web.AppKey("OWN_HOSTS", OwnHosts)


def build_app(
    node: Node, fetcher: PublicFetcher | None = None, metrics: Metrics | None = None
) -> web.Application:
    """Return the application of `node`.

    Args:
        node: Open.
        fetcher: Reads what others publish, instead of one by the node's configuration.
        metrics: Those of the process, instead of ones that nobody reads.
    """
    app = web.Application(
        middlewares=[
            context_middleware,
            caching,
            pages_for_people,
            admission_middleware,
            problem_middleware,
            limits_middleware,
            _own_host,
            options,
        ],
        client_max_size=MAX_BODY_BYTES,
    )
    app[NODE] = node
    app[STREAMS] = set()
    app[OWN_HOSTS] = node.config.own_hosts
    app.on_response_prepare.append(_headers)
    app[ADMISSION] = Admission(node.config.serve.max_requests, metrics or Metrics())
    app[FETCHER] = fetcher or PublicFetcher(
        allow_loopback_http=node.config.allow_loopback_http
    )
    app.on_response_prepare.append(name_request)
    app[LIMITS] = Limits.of(node.config.limits)
    app.cleanup_ctx.append(_verifier)
    app.cleanup_ctx.append(pages.warmed_up)
    app.cleanup_ctx.append(_watching)
    for table in ROUTES:
        app.add_routes(table)
    return app


async def _verifier(app: web.Application) -> AsyncIterator[None]:
    node = app[NODE]
    async with app[FETCHER] as fetcher:
        app[IDENTIFIERS] = Identifiers(node, web_resolver(fetcher, node.clock))
        own = OwnNode.load(node.home, node.clock)
        verifier = Verifier(
            node,
            web_gatherer(fetcher, node.clock, own),
            Policy(),
            metrics=app[ADMISSION].metrics,
        )
        app[VERIFIER] = verifier
        yield
        verifier.judge.close()


async def _watching(app: web.Application) -> AsyncIterator[None]:
    metrics = app[ADMISSION].metrics
    metrics.workers.inc()
    watch = asyncio.create_task(LoopWatch(metrics).run())
    yield
    watch.cancel()
    metrics.workers.dec()


@web.middleware
async def _own_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer to the node's own names, and to no page of another site."""
    request.app[OWN_HOSTS].check(
        request.headers.getall("Host", []),
        port=listening_port(request),
        scheme="https" if request.secure else "http",
    )
    check_origin(request, request.app[OWN_HOSTS], request.app[NODE].config.origins)
    return await handler(request)


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    """Say that no answer is to be guessed at, framed, or to load what is elsewhere."""
    share(request, response, request.app[NODE].config)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
    )
