"""Listening on a port, and being told what keeps one from it."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext

from aiohttp import web

from primitives.errors import Misconfigured


class PortBusy(Misconfigured):
    """Something else listens there."""

    code = "port-busy"
    hint = "stop the other program, or choose another port with --port"


@asynccontextmanager
async def listening(
    runner: web.AppRunner, host: str, port: int, tls: SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve on a port while inside; gives the port, which is a free one where 0 was asked.

    Raises:
        PortBusy: The port is taken, or may not be listened on.
    """
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=tls)
        try:
            await site.start()
        except OSError as e:
            if e.errno in (errno.EADDRINUSE, errno.EACCES):
                raise PortBusy(f"cannot listen on {host}:{port}: {e.strerror}") from e
            raise
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
