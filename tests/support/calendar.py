"""A calendar that speaks the protocol over loopback, written out by hand; it can lie.

It writes timestamps byte by byte, without the library that the code under test reads with.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from primitives.hashing import Digest, sha256

NONCE = bytes(range(16))
HEIGHT = 850_000
TIME = 1_719_000_000
_PENDING = bytes.fromhex("83dfe30d2ef90c8e")
_BITCOIN = bytes.fromhex("0588960d73d71901")


def number(value: int) -> bytes:
    """LEB128."""
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def counted(raw: bytes) -> bytes:
    return number(len(raw)) + raw


def append(raw: bytes) -> bytes:
    return b"\xf0" + counted(raw)


def prepend(raw: bytes) -> bytes:
    return b"\xf1" + counted(raw)


SHA256 = b"\x08"


def pending(url: str) -> bytes:
    return b"\x00" + _PENDING + counted(counted(url.encode()))


def bitcoin(height: int) -> bytes:
    return b"\x00" + _BITCOIN + counted(number(height))


def promise(url: str) -> bytes:
    return append(NONCE) + SHA256 + pending(url)


def commitment_of(digest: bytes) -> bytes:
    return hashlib.sha256(digest + NONCE).digest()


def to_block(height: int = HEIGHT) -> bytes:
    return prepend(b"left") + SHA256 + SHA256 + bitcoin(height)


def root_of(commitment: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(b"left" + commitment).digest()).digest()


def header(root: bytes, time: int = TIME) -> bytes:
    """Version, previous block, root, time, target, nonce."""
    return bytes(4) + bytes(32) + root + time.to_bytes(4, "little") + bytes(8)


@dataclass
class Calendar:
    url: str = ""
    mined: bool = False
    lie: str = ""
    """`wrong-digest`, `endless`, `half`, `down`, `elsewhere`, `silent`; empty is honest."""

    digests: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def digest(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        assert len(raw) == 32
        self.digests.append(raw)
        return await self._give(request, promise("https://calendar.example"))

    async def timestamp(self, request: web.Request) -> web.StreamResponse:
        wanted = request.match_info["hex"]
        self.asked.append(wanted)
        self.was_asked.set()
        known = {commitment_of(raw).hex() for raw in self.digests}
        if wanted not in known or not self.mined:
            raise web.HTTPNotFound(text="Pending confirmation in Bitcoin blockchain")
        return await self._give(request, to_block())

    def header_of(self, digest: Digest) -> bytes:
        """The header of the block that commits to what was submitted."""
        root = root_of(commitment_of(digest))
        return header(root)

    async def _give(self, request: web.Request, whole: bytes) -> web.StreamResponse:
        if self.lie == "down":
            raise web.HTTPServiceUnavailable
        if self.lie == "elsewhere":
            raise web.HTTPFound(f"{self.url}/trap")
        if self.lie == "silent":
            return web.Response(body=b"")
        if self.lie == "half":
            return web.Response(body=whole[: len(whole) // 2])
        if self.lie == "wrong-digest":
            other = append(b"of something else") + SHA256
            return web.Response(body=other + whole)
        response = web.StreamResponse()
        await response.prepare(request)
        if self.lie == "endless":
            while True:
                await response.write(bytes(1024))
        # In two parts: an answer need not come at once.
        await response.write(whole[:5])
        await asyncio.sleep(0.05)
        await response.write(whole[5:])
        return response

    async def trap(self, request: web.Request) -> web.Response:
        self.asked.append(f"trap {request.path}")
        return web.Response(body=promise("https://trap.example"))


@asynccontextmanager
async def running_calendar() -> AsyncIterator[Calendar]:
    calendar = Calendar()
    app = web.Application()
    app.router.add_post("/digest", calendar.digest)
    app.router.add_get("/timestamp/{hex}", calendar.timestamp)
    app.router.add_route("*", "/trap", calendar.trap)
    async with TestServer(app, host="localhost") as server:
        calendar.url = f"http://localhost:{server.port}"
        yield calendar


def stamp_file(digest: bytes, rest: bytes) -> bytes:
    """A detached timestamp file over a SHA-256."""
    magic = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94"
    return magic + b"\x01" + SHA256 + digest + rest


DIGEST = sha256(b"a checkpoint")
