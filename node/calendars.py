"""OpenTimestamps calendars over HTTP: `POST /digest`, `GET /timestamp/<hex>`.

A calendar is believed in nothing. Only the configured URLs are asked, never one that an
answer names.
"""

from typing import Final

import aiohttp

from anchoring.ots import MAX_ANSWER_BYTES
from primitives.errors import Undetermined
from primitives.hashing import Digest

_DEADLINE_SECONDS: Final = 10.0
_OK: Final = 200
_NOT_FOUND: Final = 404
_HEADERS: Final = {"Accept": "application/vnd.opentimestamps.v1"}


class CalendarUnreachable(Undetermined):
    """The calendar gave no usable answer."""

    code = "calendar-unreachable"
    hint = "nothing is lost: the node asks again"


def new_session() -> aiohttp.ClientSession:
    """Return what asks calendars, each time within a deadline; it uses no proxy."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=_DEADLINE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        headers=_HEADERS,
    )


async def submit_digest(
    session: aiohttp.ClientSession, calendar: str, digest: Digest
) -> bytes:
    """Return the calendar's answer to a digest.

    Raises:
        CalendarUnreachable: None, or one over `MAX_ANSWER_BYTES`.
    """
    answer = await _ask(session, "POST", f"{calendar}/digest", digest)
    if answer is None:
        raise CalendarUnreachable(f"{calendar}/digest: status 404, want 200")
    return answer


async def ask_commitment(
    session: aiohttp.ClientSession, calendar: str, commitment: bytes
) -> bytes | None:
    """Return what the calendar says of a commitment; None while it is in no block.

    Raises:
        CalendarUnreachable: None, or one over `MAX_ANSWER_BYTES`.
    """
    return await _ask(session, "GET", f"{calendar}/timestamp/{commitment.hex()}", None)


async def _ask(
    session: aiohttp.ClientSession, method: str, url: str, body: bytes | None
) -> bytes | None:
    try:
        async with session.request(
            method, url, data=body, allow_redirects=False
        ) as response:
            if response.status == _NOT_FOUND and body is None:
                return None
            if response.status != _OK:
                raise CalendarUnreachable(f"{url}: status {response.status}, want 200")
            return await _read(response, url)
    except (aiohttp.ClientError, TimeoutError, ValueError) as e:
        raise CalendarUnreachable(f"{url}: {type(e).__name__} {str(e)[:120]}") from e


async def _read(response: aiohttp.ClientResponse, url: str) -> bytes:
    """Return the body; one part of it at a time, so that one without end is cut off."""
    found = bytearray()
    async for part in response.content.iter_any():
        found += part
        if len(found) > MAX_ANSWER_BYTES:
            raise CalendarUnreachable(
                f"{url}: found over {MAX_ANSWER_BYTES} bytes, want fewer"
            )
    return bytes(found)
