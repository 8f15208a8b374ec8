"""Listening on a port, alone or with other processes of the node."""

import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from ssl import SSLContext
from typing import Final

from aiohttp import web

from primitives.errors import Misconfigured

GRACE_SECONDS: Final = 10.0
"""How long requests in hand may take when the process stops."""

IDLE_SECONDS: Final = 30.0
"""How long a connection may wait for the headers of a request, its first one too."""

BACKLOG: Final = 1024
"""Connections that wait to be taken; more are refused by the operating system."""

ONE_AT_A_TIME: Final = 1
"""Connections that one process takes before another has its turn: a process takes as
many as it is told that may wait, and would leave none to the others."""


class PortBusy(Misconfigured):
    """Something else listens there."""

    code = "port-busy"
    hint = "stop the other program, or choose another port with --port"


@asynccontextmanager
async def listening(
    runner: web.AppRunner,
    place: tuple[str, int] | socket.socket,
    tls: SSLContext | None = None,
) -> AsyncIterator[int]:
    """Serve while inside; gives the port, which is a free one where 0 was asked for.

    Args:
        runner: Not set up yet.
        place: Host and port; or a socket that other processes listen on too.
        tls: Speaks HTTPS.

    Raises:
        PortBusy: The port is taken, or may not be listened on.
    """
    await runner.setup()
    site: web.BaseSite
    try:
        if isinstance(place, socket.socket):
            site = web.SockSite(runner, place, ssl_context=tls, backlog=ONE_AT_A_TIME)
            await site.start()
            place.listen(BACKLOG)
        else:
            site = web.TCPSite(runner, *place, ssl_context=tls, backlog=BACKLOG)
            with _told(*place):
                await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@contextmanager
def shared_listener(host: str, port: int) -> Iterator[socket.socket]:
    """Give a socket that several processes can listen on.

    Raises:
        PortBusy: The port is taken, or may not be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with _told(host, port):
        opened = socket.create_server((host, port), family=family, backlog=BACKLOG)
    with opened:
        opened.setblocking(False)  # the socket's own interface
        yield opened


@contextmanager
def _told(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        if e.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortBusy(f"cannot listen on {host}:{port}: {e.strerror}") from e
        raise
