"""Reading request bodies: the size first, then strict JSON, then an object."""

from typing import Final

from aiohttp import web

from node.api.problems import MediaTypeUnsupported
from primitives.canonical_json import JsonObject
from primitives.strict_json import MAX_DOCUMENT_BYTES, JsonTooLarge, parse_json_object

MAX_BODY_BYTES: Final = MAX_DOCUMENT_BYTES + 1024
"""A credential of the largest size, and what VC-API wraps around it."""


async def read_json_object(request: web.Request) -> JsonObject:
    """Return the request's body.

    Raises:
        MediaTypeUnsupported: Not sent as JSON, as a page of another site could not.
        JsonTooLarge: Over `MAX_BODY_BYTES`; reading stops there.
        JsonMalformed: Not one strict JSON object.
    """
    kind = request.content_type
    if kind != "application/json" and not kind.endswith("+json"):
        raise MediaTypeUnsupported(f"found {kind[:64]}, want application/json")
    return parse_json_object(await read_body(request, MAX_BODY_BYTES), MAX_BODY_BYTES)


async def read_body(request: web.Request, max_bytes: int) -> bytes:
    """Return the request's body, of whatever kind.

    Raises:
        JsonTooLarge: Over `max_bytes`; reading stops there.
    """
    raw = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        raw += chunk
        if len(raw) > max_bytes:
            raise JsonTooLarge(f"found over {max_bytes} bytes, want at most that")
    return bytes(raw)
