"""The routes of all pages, and what they need before the first of them is asked for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from node.web import (
    batch_pages,
    check,
    credential_pages,
    holding,
    issuer_pages,
    running,
    signing_in,
    template_pages,
    transparency,
)
from node.web.rendering import warm_up

ROUTES: Final = (
    batch_pages.routes,
    check.routes,
    credential_pages.routes,
    holding.routes,
    issuer_pages.routes,
    running.routes,
    signing_in.routes,
    template_pages.routes,
    transparency.routes,
)


async def warmed_up(_app: web.Application) -> AsyncIterator[None]:
    """Read texts and templates beside the event loop, before anybody is served."""
    await asyncio.to_thread(warm_up)
    yield
