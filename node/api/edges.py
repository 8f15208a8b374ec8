"""What every answer has in common: CORS, OPTIONS, entity tags, caching, compression."""

import hashlib
from http import HTTPStatus
from typing import Final

from aiohttp import ETag, web

from node.api.problems import Handler
from node.config import Config
from node.hosts import OwnHosts

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_MIN_PACKED_BYTES: Final = 1024
"""Below this a compressed answer saves no packet."""

_PACKED_KINDS: Final = frozenset(
    {"application/json", "application/did+json", "application/vc+json", "text/plain"}
)
"""Never pages: one that holds a secret beside what a stranger chose would, by its
compressed length, tell of the secret (BREACH)."""

_ALLOWED_HEADERS: Final = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID"
)
_EXPOSED_HEADERS: Final = "ETag, Link, Location, Retry-After, X-Request-Id"
_PREFLIGHT_SECONDS: Final = 600

_BY_DEFAULT: Final = "no-cache"
_GUARDED: Final = "private, no-cache"


def listening_port(request: web.Request) -> int:
    """Return the port at which a request came in."""
    address = request.transport.get_extra_info("sockname") if request.transport else None
    return int(address[1]) if address else 0


def check_origin(request: web.Request, own: OwnHosts, others: frozenset[str]) -> None:
    """Return if no page of another site sends what changes something.

    Args:
        request: Its `Origin` is set by browsers, and by no page.
        own: The node's own names.
        others: Origins that are allowed besides.

    Raises:
        OriginRefused: One does.
    """
    if request.method in _SAFE:
        return
    for origin in request.headers.getall("Origin", []):
        own.check_origin(origin, port=listening_port(request), others=others)


def share(request: web.Request, response: web.StreamResponse, config: Config) -> None:
    """Let pages of the origins that are configured read an answer; nobody else's."""
    if not config.origins:
        return
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin", "")
    if origin not in config.origins:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
    if request.method == "OPTIONS" and "Allow" in response.headers:
        response.headers["Access-Control-Allow-Methods"] = response.headers["Allow"]
        response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)


@web.middleware
async def options(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer OPTIONS of every route with the methods that it has."""
    refusal = request.match_info.http_exception
    if request.method != "OPTIONS" or not isinstance(refusal, web.HTTPMethodNotAllowed):
        return await handler(request)
    allowed = ", ".join(sorted({*refusal.allowed_methods, "OPTIONS"}))
    return web.Response(status=HTTPStatus.NO_CONTENT, headers={"Allow": allowed})


@web.middleware
async def caching(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tag what was read, answer 304 where the reader has it, and compress text."""
    response = await handler(request)
    if request.method not in ("GET", "HEAD") or not isinstance(response, web.Response):
        return response
    guarded = "Authorization" in request.headers or "Cookie" in request.headers
    response.headers.setdefault("Cache-Control", _GUARDED if guarded else _BY_DEFAULT)
    body = response.body
    if response.status != HTTPStatus.OK or not isinstance(body, bytes):
        return response
    if "ETag" not in response.headers:
        # Weak: the same bytes may go out compressed or not.
        response.etag = ETag(hashlib.sha256(body).hexdigest()[:32], is_weak=True)
    if _has_it(request, response):
        kept = {"etag", "cache-control", "vary", "link"}
        headers = {k: v for k, v in response.headers.items() if k.lower() in kept}
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    if response.content_type in _PACKED_KINDS and len(body) >= _MIN_PACKED_BYTES:
        response.headers.add("Vary", "Accept-Encoding")
        if _takes_gzip(request):
            response.enable_compression(web.ContentCoding.gzip)
    return response


def _has_it(request: web.Request, response: web.Response) -> bool:
    asked = request.if_none_match
    own = response.etag
    return bool(asked and own) and any(
        tag.value in ("*", own.value if own else None) for tag in asked or ()
    )


def _takes_gzip(request: web.Request) -> bool:
    """Whether the reader names gzip, and does not forbid it by a weight of 0."""
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.strip().removeprefix("q=").strip("0.") != "" or not weight.strip()
    return False
