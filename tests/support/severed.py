"""A line to a PostgreSQL server that can be cut, also right at a COMMIT."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit, urlunsplit

_COMMIT = b"COMMIT;"
_BYTES = 1 << 16


class Line:
    """Everything that goes through one port to one server."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._trap: str | None = None
        self.cuts = 0
        """How often a trap was sprung."""

    def cut(self) -> None:
        """Break every connection that is open now."""
        for pair in self._pairs:
            for writer in pair:
                writer.transport.abort()
        self._pairs.clear()

    def cut_at_commit(self, when: str) -> None:
        """Break the connection `before` the next COMMIT arrives, or `after` it is done."""
        self._trap = when

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry one connection."""
        there_reader, there = await asyncio.open_unix_connection(self._socket)
        self._pairs.append((writer, there))
        done = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._to_server(reader, there, done))
                group.create_task(self._to_client(there_reader, writer, done))
        except* OSError:
            pass  # cut, or closed by one side
        finally:
            for each in (writer, there):
                each.close()

    async def _to_server(
        self, reader: asyncio.StreamReader, there: asyncio.StreamWriter, done: asyncio.Event
    ) -> None:
        while data := await reader.read(_BYTES):
            if _COMMIT in data and self._trap is not None:
                trap, self._trap = self._trap, None
                self.cuts += 1
                if trap == "before":
                    self.cut()
                    return
                done.set()
            there.write(data)
            await there.drain()
        there.close()

    async def _to_client(
        self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, done: asyncio.Event
    ) -> None:
        while data := await there.read(_BYTES):
            if done.is_set():
                # The answer to COMMIT: the server has done it, and nobody hears of it.
                self.cut()
                return
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def severing(url: str) -> AsyncIterator[tuple[Line, str]]:
    """Give a line to the server of `url`, and the address of the database through it."""
    parts = urlsplit(url)
    line = Line(f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432")
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    through = parts._replace(netloc=f"postgres@127.0.0.1:{port}", query="sslmode=disable")
    try:
        yield line, urlunsplit(through)
    finally:
        line.cut()
        server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await server.wait_closed()
