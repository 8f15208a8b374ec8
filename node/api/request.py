"""Reading request bodies: the size first, then strict JSON, then an object."""

import asyncio
import re
from typing import Final

from aiohttp import web

from node.api.problems import BodyTooSlow, MediaTypeUnsupported
from primitives.canonical_json import JsonObject
from primitives.errors import Malformed
from primitives.strict_json import MAX_DOCUMENT_BYTES, JsonTooLarge, parse_json_object

MAX_BODY_BYTES: Final = MAX_DOCUMENT_BYTES + 1024
"""A credential of the largest size, and what VC-API wraps around it."""


BODY_SECONDS: Final = 30.0
"""How long a body may take: at 10 kB a second the largest would be here."""

_ADDRESS: Final = re.compile(
    r"(?i)(?:(?:verifiable_?)?(?:credential|presentation)|key|did|context|status_?list)?_?"
    r"(?:ur[li]|href|link)"
)
"""Names under which other programs take an address. No term of a credential is one."""


class BodyBroken(Malformed):
    """The request's body could not be received as a whole."""

    code = "body-broken"


class UrlNotAccepted(Malformed):
    """The request names an address to be read instead of bringing what is there."""

    code = "url-not-accepted"
    hint = "send the document itself"


def refuse_addresses(body: JsonObject) -> None:
    """Return if a request names no address where a document or a key should be read.

    Whoever could name one would choose what this node asks, and what it believes.

    Raises:
        UrlNotAccepted: It does.
    """
    for name in body:
        if _ADDRESS.fullmatch(name):
            raise UrlNotAccepted(f"found {name}, want the document itself")


async def read_json_object(request: web.Request) -> JsonObject:
    """Return the request's body; see `read_json_bytes` for what is refused.

    Raises:
        JsonMalformed: Not one strict JSON object.
    """
    return parse_json_object(await read_json_bytes(request), MAX_BODY_BYTES)


async def read_json_bytes(request: web.Request) -> bytes:
    """Return a body that is sent as JSON, not parsed.

    Raises:
        MediaTypeUnsupported: Not sent as JSON, as a page of another site could not.
        JsonTooLarge: Over `MAX_BODY_BYTES`; reading stops there.
    """
    packed = request.headers.get("Content-Encoding", "identity")
    if packed != "identity":
        raise MediaTypeUnsupported(f"found Content-Encoding {packed[:32]}, want none")
    kind = request.content_type
    if kind != "application/json" and not kind.endswith("+json"):
        raise MediaTypeUnsupported(f"found {kind[:64]}, want application/json")
    return await read_body(request, MAX_BODY_BYTES)


async def read_body(request: web.Request, max_bytes: int) -> bytes:
    """Return the request's body, of whatever kind.

    Raises:
        JsonTooLarge: Over `max_bytes`; reading stops there.
        BodyTooSlow: It took over `BODY_SECONDS`.
        BodyBroken: It ended before its end, or is not framed as its headers say.
    """
    if request.content.is_eof() and request.content.exception() is None:
        # A short body has come with its head: there is nothing to wait for.
        whole = request.content.read_nowait()
        if len(whole) > max_bytes:
            raise JsonTooLarge(f"found over {max_bytes} bytes, want at most that")
        return whole
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_chunked(64 * 1024):
                raw += chunk
                if len(raw) > max_bytes:
                    raise JsonTooLarge(f"found over {max_bytes} bytes, want at most that")
    except TimeoutError as e:
        raise BodyTooSlow(
            f"found {len(raw)} bytes after {BODY_SECONDS:g} seconds, want all of them"
        ) from e
    except (web.RequestPayloadError, ConnectionError) as e:
        raise BodyBroken(f"found {len(raw)} bytes and then no more") from e
    return bytes(raw)
