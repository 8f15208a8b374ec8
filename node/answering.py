"""Answering HTTP for a node that is open: what the daemon and each of its workers do."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from node.api.app import build_app
from node.listening import GRACE_SECONDS, IDLE_SECONDS, listening
from node.metrics import Metrics
from node.node import Node
from node.tls import server_context


@asynccontextmanager
async def answering(
    node: Node, metrics: Metrics, place: tuple[str, int] | socket.socket
) -> AsyncIterator[int]:
    """Answer requests while inside; gives the port.

    Args:
        node: Open, with its tree loaded.
        metrics: Of the process.
        place: Host and port, or a socket that other processes answer at too.

    Raises:
        PortBusy: The port is taken.
        Misconfigured: As `server_context`.
    """
    tls = server_context(node.home, node.config)
    runner = web.AppRunner(
        build_app(node, metrics=metrics),
        access_log=None,
        shutdown_timeout=GRACE_SECONDS,
        keepalive_timeout=IDLE_SECONDS,
        auto_decompress=False,  # nothing packed is read, so nothing is to be unpacked
    )
    async with listening(runner, place, tls) as bound:
        yield bound
