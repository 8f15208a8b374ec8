"""The console in a real browser: a day at the office, in both languages."""

import re
import zipfile

import pytest
from playwright.async_api import Browser, FilePayload

from node.access import create_token
from node.permissions import Role
from tests.browser.conftest import Site
from tests.browser.test_check import hand_over
from tests.support.browser import DESK, PHONE, VIEWS, WIDTHS, Reader, reader
from tests.support.nodes import LEARNERS_FILE, TEMPLATE_FILE

PAGES = ("", "/credentials", "/batches", "/templates", "/issuers", "/anchors", "/audit-log")


async def sign_in(found: Reader, site: Site, *roles: Role) -> None:
    _, secret = await create_token(site.node, "Registrar", roles or tuple(Role))
    await found.open("/console")
    await found.page.fill("#token", secret)
    await found.page.click("main button[type=submit]")
    assert re.search(r"/console$", found.page.url)


async def test_every_page_is_fit_for_a_phone_and_a_desk(
    browser: Browser, site: Site
) -> None:
    for width, language in VIEWS:
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
            await r.open("/console/keys/main.credential")
            await r.look("key")


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


def learners_file(bad: int) -> bytes:
    """Return the first 40 of the example's rows, some of which nobody can issue."""
    header, *rows = LEARNERS_FILE.read_bytes().splitlines(keepends=True)[:41]
    columns = header.decode().strip().split(",")
    for number in range(bad):
        cells = rows[number].decode().rstrip("\r\n").split(",")
        cells[columns.index("started_on")] = "31/31/2026"
        rows[number] = (",".join(cells) + "\n").encode()
    return header + b"".join(rows)


@pytest.mark.parametrize("width", WIDTHS)
async def test_a_batch_from_the_template_to_the_checked_credential(
    browser: Browser, site: Site, width: int
) -> None:
    async with reader(browser, site.url, f"batch-{width}", width=width) as r:
        await sign_in(r, site)
        await r.page.click("nav >> text=Templates")
        await r.page.set_input_files("#file", TEMPLATE_FILE)
        await r.page.click("main button[type=submit]")
        await r.page.click("text=Issue to a list of learners")
        await r.look("form")
        file = FilePayload(
            name="learners.csv", mimeType="text/csv", buffer=learners_file(bad=2)
        )
        await r.page.set_input_files("#file", file)
        await r.page.click("main button[type=submit]")
        text = await r.text()
        # Three of the forty are there already.
        assert "Ready to start?" in text
        assert "2 rows are left out; see below." in text
        assert "Row 2" in text
        await r.look("checked")
        await r.page.click('main button:has-text("Start")')
        await r.page.wait_for_selector(".word.tone-good", timeout=15_000)
        await r.look("done")
        async with r.page.expect_download() as started:
            await r.page.click("text=Download the credentials (ZIP)")
        with zipfile.ZipFile(await (await started.value).path()) as archive:
            names = archive.namelist()
            one = archive.read(names[0])
        assert f"{len(names)} / {len(names)}" in await r.text()
        uuid = names[0].removesuffix(".json")
        await r.open(f"/console/credentials/{uuid}")
        await r.page.fill("#revoke-reason", "wrong learner")
        await r.page.click("main button.danger")
        assert "It is taken back." in await r.text()
        await r.open("/")
        await hand_over(r, one)
        assert await r.page.inner_text("h1") == "Taken back: do not accept this"
        await r.open("/console/batches")
        await r.look("list")


async def test_what_an_office_does_besides_batches(browser: Browser, site: Site) -> None:
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
        await r.open("/console/issuers")
        await r.page.fill("#name", "Northern School of Fisheries")
        await r.page.fill("#slug", "north")
        await r.page.click("main button[type=submit]")
        assert "The issuer is there now: north." in await r.text()
        await r.look("added")
        await r.page.click("text=north.credential")
        await r.page.check("input[name=confirmed]")
        await r.page.click("text=Replace the key")
        assert "The key was replaced." in await r.text()
        await r.look("replaced")
        await r.open("/console/credentials")
        await r.page.fill("#q", "penaflor")
        await r.page.click("main button[type=submit]")
        assert "Josefina Peñaflor Catacutan" in await r.text()
        assert r.page.url == f"{site.url}/console/credentials"
        await r.look("found")
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
