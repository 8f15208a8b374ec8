"""The holder's page and the page about the log, in a real browser."""

from playwright.async_api import Browser

from node.holder import find_page
from tests.browser.conftest import Site
from tests.support.browser import PHONE, VIEWS, reader


async def test_a_holder_sees_a_certificate_and_takes_its_files_away(
    browser: Browser, site: Site
) -> None:
    path = (await find_page(site.node, site.uuids[0])).path
    headlines = {"en": "Genuine and in force", "fil": "Tunay at may bisa"}
    for width, language in VIEWS:
        name = f"holder-{width}-{language}"
        async with reader(browser, site.url, name, width=width, accept=language) as r:
            await r.open(path)
            assert await r.page.inner_text(".as-heading") == headlines[language]
            assert await r.page.inner_text("h1") == "Life Skills: Communication"
            await r.look("certificate")
    async with reader(browser, site.url, "holder") as r:
        await r.open(path)
        await r.print("certificate")
        for index, kind in enumerate(("credential", "bundle", "receipt")):
            async with r.page.expect_download() as started:
                await r.page.locator(".cards a").nth(index).click()
            download = await started.value
            assert f"/{kind}.json" in download.url
            if kind == "credential":
                body = (await download.path()).read_bytes()
                assert body == (await find_page(site.node, site.uuids[0])).body


async def test_a_certificate_that_was_taken_back_says_so_first(
    browser: Browser, site: Site
) -> None:
    path = (await find_page(site.node, site.uuids[1])).path
    async with reader(browser, site.url, "holder-revoked", width=PHONE) as r:
        await r.open(path)
        headline = await r.page.inner_text(".as-heading")
        assert headline == "Taken back: do not accept this"
        await r.look("certificate")
        await r.print("certificate")


async def test_the_log_is_open_to_everybody(browser: Browser, site: Site) -> None:
    for width, language in VIEWS:
        name = f"log-{width}-{language}"
        async with reader(browser, site.url, name, width=width, accept=language) as r:
            await r.open("/transparency")
            await r.look("page")
            await r.page.locator(".states a").first.click()
            assert "/log/records/" in r.page.url
