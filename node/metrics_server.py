"""Prometheus' `/metrics`, on a port of its own that the public never reaches."""

import hmac
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from node.disk import StorageFailed
from node.hosts import Authority
from node.listening import listening
from node.metrics import MEDIA_TYPE, Metrics
from node.node import Node
from node.present_state import present_state
from primitives.errors import Misconfigured

logger = logging.getLogger(__name__)

MIN_TOKEN_CHARACTERS: Final = 16
MAX_TOKEN_BYTES: Final = 1_024

_OTHERS: Final = 0o007


class MetricsTokenUnusable(Misconfigured):
    """The file of the token for `/metrics` cannot be used."""

    code = "metrics-token-unusable"
    hint = "give the file one line of at least 16 characters, and mode 0600"


def read_metrics_token(path: Path) -> str:
    """Return the token in a file.

    Raises:
        MetricsTokenUnusable: See the class.
    """
    try:
        if path.stat().st_mode & _OTHERS:
            raise MetricsTokenUnusable(f"{path.name} can be read by everybody")
        with path.open("rb") as opened:
            token = opened.read(MAX_TOKEN_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as e:
        raise MetricsTokenUnusable(f"cannot read {path.name}: {e}") from e
    if len(token) < MIN_TOKEN_CHARACTERS or not token.isprintable():
        raise MetricsTokenUnusable(
            f"found {len(token)} characters, want at least {MIN_TOKEN_CHARACTERS}"
        )
    return token


@asynccontextmanager
async def serving_metrics(node: Node, metrics: Metrics) -> AsyncIterator[int | None]:
    """Answer `/metrics` where the configuration says; gives the port, or None for nowhere.

    Raises:
        PortBusy: The port is taken.
        MetricsTokenUnusable: There is no usable token where one is named.
    """
    config = node.config.metrics
    if not config.listen:
        yield None
        return
    token = None
    if config.token_file:
        token = read_metrics_token(node.home.root / config.token_file)
    runner = web.AppRunner(metrics_app(node, metrics, token), access_log=None)
    async with listening(runner, config.address) as bound:
        yield bound


def metrics_app(node: Node, metrics: Metrics, token: str | None) -> web.Application:
    """Return the application that answers `/metrics`; with `token`, to its bearer alone."""

    async def answer(request: web.Request) -> web.Response:
        found = Authority.parse(request.headers.get("Host", ""))
        if token is None and not (found and found.is_loopback):
            # A page on the web can let its own name lead to this machine.
            raise web.HTTPMisdirectedRequest
        given = request.headers.get("Authorization", "").encode(errors="replace")
        if token is not None and not hmac.compare_digest(given, f"Bearer {token}".encode()):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        try:
            now = await present_state(node)
        except StorageFailed as e:
            # What was counted is still to be had, and a gauge that is missing tells.
            logger.warning("no state for /metrics: %s (%s)", e, e.code)
            now = {}
        return web.Response(
            body=metrics.exposition(now), headers={"Content-Type": MEDIA_TYPE}
        )

    app = web.Application()
    app.router.add_get("/metrics", answer)
    return app
