"""Answers that go on for a while: the progress of a batch, and what came of it."""

import asyncio
import io
import json
import zipfile
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from node.api.problems import Overloaded
from node.batches import ENDED
from node.node import Node
from node.storage.batches import signed_documents
from primitives.canonical_json import JsonObject

MEDIA_ZIP: Final = "application/zip"

LOOK_SECONDS: Final = 0.5
"""Between two looks at the database."""

QUIET_LOOKS: Final = 30
"""Looks without a change after which a comment keeps the connection open."""

MAX_LOOKS: Final = 1_200
"""After ten minutes the stream ends, and the reader comes back by itself."""

MAX_STREAMS: Final = 50
"""At once; whoever comes later asks for the batch itself."""

_PAGE: Final = 100
"""Credentials that are in memory at once."""

STREAMS: Final = web.AppKey("STREAMS", set[object])


async def stream_progress(
    request: web.Request, look: Callable[[], Awaitable[JsonObject]]
) -> web.StreamResponse:
    """Send what `look` gives whenever it has changed, until the batch has ended.

    An event's id says what it told, so a reader who comes back with `Last-Event-ID` is told
    nothing twice, and misses nothing that still holds.

    Raises:
        Overloaded: `MAX_STREAMS` are open.
    """
    told = request.headers.get("Last-Event-ID", "")
    shown = await look()  # before anything is sent: it may be refused
    streams, own = request.app[STREAMS], object()
    if len(streams) >= MAX_STREAMS:
        raise Overloaded(f"found {len(streams)} streams of progress open")
    streams.add(own)
    try:
        return await _stream(request, look, shown, told)
    finally:
        streams.discard(own)


async def _stream(
    request: web.Request,
    look: Callable[[], Awaitable[JsonObject]],
    shown: JsonObject,
    told: str,
) -> web.StreamResponse:
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    quiet = 0
    for _ in range(MAX_LOOKS):
        name = f"{shown['state']}-{shown['signed']}-{shown['size']}"
        quiet = 0 if name != told else quiet + 1
        if name != told:
            data = json.dumps(shown)
            event = f"id: {name}\nevent: progress\ndata: {data}\n\n"
            await response.write(event.encode())
            told = name
        elif quiet % QUIET_LOOKS == 0:
            await response.write(b": still here\n\n")
        if shown["state"] in ENDED:
            break
        await asyncio.sleep(LOOK_SECONDS)
        shown = await look()
    await response.write_eof()
    return response


class _Sink(io.RawIOBase):
    """Takes what the archive writes, until it is sent."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        raw = bytes(data)  # type: ignore[call-overload]
        self._waiting += raw
        return len(raw)

    def take(self) -> bytes:
        """Return what was written since."""
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


async def stream_zip(request: web.Request, node: Node, batch_id: str) -> web.StreamResponse:
    """Send what is signed of a batch as an archive, however large it is."""
    response = web.StreamResponse(
        headers={
            "Content-Type": MEDIA_ZIP,
            "Content-Disposition": 'attachment; filename="credentials.zip"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    sink, after = _Sink(), ""
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        while True:
            async with node.reading() as c:
                page = await signed_documents(c, batch_id, after, _PAGE)
            if not page:
                break
            await asyncio.to_thread(_add, archive, page)
            await response.write(sink.take())
            after = page[-1][0]
    await response.write(sink.take())
    await response.write_eof()
    return response


def _add(archive: zipfile.ZipFile, page: list[tuple[str, str]]) -> None:
    for uuid, document in page:
        # A fixed day: the same batch gives the same archive.
        entry = zipfile.ZipInfo(f"{uuid}.json")
        archive.writestr(entry, document, zipfile.ZIP_DEFLATED)
