"""The console in a real browser: a day at the office, in both languages."""

import re

import pytest
from playwright.async_api import Browser

from node.access import create_token
from node.permissions import Role
from tests.browser.conftest import Site
from tests.browser.test_check import hand_over
from tests.support.browser import DESK, PHONE, WIDTHS, Reader, reader
from tests.support.nodes import TEMPLATE_FILE

PAGES = ("", "/credentials", "/templates", "/issuers", "/anchors", "/audit-log")


async def sign_in(found: Reader, site: Site, *roles: Role) -> None:
    _, secret = await create_token(site.node, "Registrar", roles or tuple(Role))
    await found.open("/console")
    await found.page.fill("#token", secret)
    await found.page.click("main button[type=submit]")
    assert re.search(r"/console$", found.page.url)


@pytest.mark.parametrize("language", ["en", "fil"])
async def test_every_page_is_fit_for_a_phone_and_a_desk(
    browser: Browser, site: Site, language: str
) -> None:
    for width in WIDTHS:
        name = f"console-{width}-{language}"
        async with reader(browser, site.url, name, width=width, accept=language) as r:
            await r.open("/console")
            await r.look("sign-in")
            await sign_in(r, site)
            for path in PAGES:
                await r.open(f"/console{path}")
                await r.look(path.strip("/") or "overview")
            await r.open(f"/console/credentials/{site.uuids[1]}")
            await r.look("credential")


async def test_a_wrong_token_is_told_and_opens_nothing(
    browser: Browser, site: Site
) -> None:
    async with reader(browser, site.url, "console-wrong", width=PHONE) as r:
        await r.open("/console")
        await r.page.fill("#token", "ptn_wrong")
        await r.page.click("main button[type=submit]")
        assert "That token is not in force." in await r.text()
        # The browser itself notes the status 401 in its console.
        r.errors.clear()
        await r.look("form")


async def test_a_template_is_added_and_a_credential_taken_back_and_checked(
    browser: Browser, site: Site
) -> None:
    async with reader(browser, site.url, "story", width=DESK) as r:
        await sign_in(r, site)
        await r.page.click("nav >> text=Templates")
        await r.page.set_input_files("#file", TEMPLATE_FILE)
        await r.page.click("main button[type=submit]")
        assert "The template is there now." in await r.text()
        await r.look("template")
        await r.open(f"/console/credentials/{site.uuids[0]}")
        await r.page.fill("#revoke-reason", "wrong learner")
        await r.page.click("main button.danger")
        assert "It is taken back." in await r.text()
        await r.look("taken-back")
        await r.open("/")
        await hand_over(r, site.files["valid"])
        assert await r.page.inner_text("h1") == "Taken back: do not accept this"
        await r.open("/console")
        await r.page.click("text=Sign out")
        await r.open("/console")
        assert await r.page.inner_text("h1") == "Sign in"


async def test_without_a_script_all_of_it_works_as_well(
    browser: Browser, site: Site
) -> None:
    async with reader(browser, site.url, "plain", java_script_enabled=False) as r:
        await sign_in(r, site)
        await r.page.click("nav >> text=Anchors")
        await r.page.click("main button[type=submit]")
        assert "An anchor was asked for." in await r.text()
