"""Headless Chromium, driven through its own protocol: pages as a reader gets them.

Every request that leaves the node under test is refused and remembered. Screenshots go to
`.ci/artefacts/screenshots`, which git ignores.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    Route,
    async_playwright,
)

from tests.support.components import ROOT, require

SHOTS = ROOT / ".ci" / "artefacts" / "screenshots"
PHONE, DESK = 360, 1280

_EVERY_VIEW = os.environ.get("EVERY_VIEW") == "1"

VIEWS = (
    [(width, language) for width in (PHONE, DESK) for language in ("en", "fil")]
    if _EVERY_VIEW
    else [(PHONE, "fil"), (DESK, "en")]
)
"""Widths and languages in which each page is looked at: `make pages` takes all four."""

WIDTHS = [PHONE, DESK] if _EVERY_VIEW else [PHONE]
"""Widths at which a whole story is gone through."""

_WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start Chromium; skips the test that asks where there is none."""
    program = require("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(program),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Reader:
    """Somebody with one window, a width and a language."""

    page: Page
    site: str
    name: str
    """Begins the names of the screenshots."""

    foreign: list[str] = field(default_factory=list)
    """Addresses elsewhere that a page asked for."""

    errors: list[str] = field(default_factory=list)
    """What the browser wrote to its console: refused by the policy, or failed."""

    async def guard(self, route: Route) -> None:
        address = route.request.url
        if urlsplit(address).netloc == urlsplit(self.site).netloc:
            await route.continue_()
        else:
            self.foreign.append(address)
            await route.abort()

    def note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    async def open(self, path: str) -> None:
        await self.page.goto(self.site + path)

    async def look(self, name: str) -> None:
        """Take a screenshot, and require that axe-core finds nothing in what is shown."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        file = SHOTS / f"{self.name}-{name}.png"
        await self.page.screenshot(path=file, full_page=True)
        found = await violations(self.page)
        assert not found, found
        assert await self.page.evaluate(
            "document.documentElement.scrollWidth <= window.innerWidth"
        ), "the page is wider than the screen"
        assert not self.foreign, self.foreign
        assert not self.errors, self.errors

    async def print(self, name: str) -> Path:
        """Write the page as it is printed."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        file = SHOTS / f"{self.name}-{name}.pdf"
        await self.page.pdf(path=file, format="A4", prefer_css_page_size=True)
        return file

    async def text(self) -> str:
        return await self.page.inner_text("main")


@asynccontextmanager
async def reader(
    browser: Browser,
    site: str,
    name: str,
    *,
    width: int = DESK,
    accept: str = "en-PH",
    **options: Any,
) -> AsyncIterator[Reader]:
    """Open a window of its own, with no cookies and no memory."""
    context = await browser.new_context(
        viewport={"width": width, "height": 780},
        locale=accept,
        # axe-core is put into the page from here, which the policy would refuse.
        bypass_csp=False,
        **options,
    )
    try:
        page = await context.new_page()
        found = Reader(page, site, name)
        await context.route("**/*", found.guard)
        page.on("console", found.note)
        page.on("pageerror", lambda e: found.errors.append(str(e)))
        yield found
    finally:
        await context.close()


async def violations(page: Page) -> list[str]:
    """Return what axe-core finds: the rule and where, a line each."""
    axe = require("axe-core") / "axe.min.js"
    await page.evaluate(axe.read_text(encoding="utf-8"))
    result = await page.evaluate("tags => axe.run(document, {runOnly: tags})", list(_WCAG))
    return [
        f"{found['id']}: {node['target']} {node['failureSummary']}"
        for found in result["violations"]
        for node in found["nodes"]
    ]
