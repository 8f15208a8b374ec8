"""The page that checks, in a real browser: both languages, a phone and a desk."""

import pytest
from playwright.async_api import Browser, FilePayload

from tests.browser.conftest import Site
from tests.support.browser import DESK, PHONE, VIEWS, WIDTHS, Reader, reader

HEADLINES = {
    "valid": ("Genuine and in force", "Tunay at may bisa"),
    "tampered": (
        "Do not accept this: the signature does not hold",
        "Huwag itong tanggapin: hindi tama ang lagda",
    ),
    "revoked": ("Taken back: do not accept this", "Binawi na: huwag itong tanggapin"),
    "gone": ("It could not be checked", "Hindi ito nasuri"),
    "presentation": (
        "Not every credential in it is to be accepted",
        "Hindi lahat ng kredensiyal dito ay dapat tanggapin",
    ),
    "no-chain": (
        "Signed and unchanged, but find out who signed it",
        "May lagda at walang binago, pero alamin kung sino ang lumagda",
    ),
}
LANGUAGES = {"en": 0, "fil": 1}


async def hand_over(found: Reader, body: bytes) -> None:
    file = FilePayload(name="diploma.json", mimeType="application/json", buffer=body)
    await found.page.set_input_files("#file", file)
    await found.page.click("form.check button[type=submit]")


async def test_tells_each_credential_in_both_languages_and_at_both_widths(
    browser: Browser, site: Site
) -> None:
    for width, language in VIEWS:
        name = f"check-{width}-{language}"
        async with reader(browser, site.url, name, width=width, accept=language) as r:
            await r.open("/")
            assert await r.page.get_attribute("html", "lang") == language
            await r.look("form")
            for case, headlines in HEADLINES.items():
                await r.open("/")
                await hand_over(r, site.files[case])
                assert await r.page.inner_text("h1") == headlines[LANGUAGES[language]]
                await r.look(case)


async def test_a_chain_out_of_reach_leaves_one_question_open_and_no_other(
    browser: Browser, site: Site
) -> None:
    async with reader(browser, site.url, "no-chain") as r:
        await r.open("/")
        await hand_over(r, site.files["no-chain"])
        rows = await r.page.locator(".line").all_inner_texts()
        age = next(row for row in rows if row.startswith("Since when"))
        assert "Not known" in age
        assert "It can still be genuine." in age
        status = next(row for row in rows if row.startswith("Was it taken back?"))
        assert "No, as of" in status


@pytest.mark.parametrize("width", WIDTHS)
async def test_works_without_a_script_and_with_the_keyboard_alone(
    browser: Browser, site: Site, width: int
) -> None:
    async with reader(
        browser, site.url, "plain", width=width, java_script_enabled=False
    ) as r:
        await r.open("/")
        await r.page.locator("summary").first.focus()
        await r.page.keyboard.press("Enter")
        await r.page.keyboard.press("Tab")
        await r.page.keyboard.insert_text(site.files["valid"].decode())
        await r.page.locator("form.check button[type=submit]").focus()
        async with r.page.expect_navigation():
            await r.page.keyboard.press("Enter")
        assert await r.page.inner_text("h1") == "Genuine and in force"
        # The same answer in the other language, still without a script.
        async with r.page.expect_navigation():
            await r.page.click("text=Filipino")
        assert await r.page.inner_text("h1") == "Tunay at may bisa"
        assert (r.foreign, r.errors) == ([], [])


async def test_a_dropped_file_is_checked(browser: Browser, site: Site) -> None:
    async with reader(browser, site.url, "drop", width=DESK) as r:
        await r.open("/")
        async with r.page.expect_navigation():
            await r.page.evaluate(
                """text => {
                    const moved = new DataTransfer();
                    moved.items.add(new File([text], "a.json"));
                    document.querySelector("[data-drop]").dispatchEvent(
                        new DragEvent("drop", {dataTransfer: moved, cancelable: true}));
                }""",
                site.files["tampered"].decode(),
            )
        assert "Do not accept this" in await r.page.inner_text("h1")


async def test_a_link_is_opened_when_its_reader_says_so(
    browser: Browser, site: Site
) -> None:
    async with reader(browser, site.url, "link", width=PHONE) as r:
        await r.open("/")
        await r.page.click("text=Or paste its text")
        await r.page.fill("#credential", f"{site.url}/nothing-here.json")
        await r.page.click("form.check button[type=submit]")
        assert await r.page.inner_text("h1") == "You pasted a link"
        await r.look("pasted")
        await r.page.click("form.check button[type=submit]")
        assert await r.page.inner_text("h1") == "The link could not be opened"
        # The browser itself notes the status 422 in its console.
        r.errors.clear()
        await r.look("not-opened")
        await r.open("/nothing-here")
        assert await r.page.inner_text("h1") == "There is nothing at this address"
        r.errors.clear()
        await r.look("nothing")
        await r.open("/?lang=fil")
        file = FilePayload(name="a.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7")
        await r.page.set_input_files("#file", file)
        await r.page.click("form.check button[type=submit]")
        assert "Ito ay isang PDF file." in await r.text()
        r.errors.clear()
        await r.look("other-kind")


async def test_the_answer_prints_without_what_is_of_no_use_on_paper(
    browser: Browser, site: Site
) -> None:
    async with reader(browser, site.url, "paper") as r:
        await r.open("/")
        await hand_over(r, site.files["valid"])
        await r.page.emulate_media(media="print")
        assert await r.page.locator("form.check").is_hidden()
        assert await r.page.locator("nav").is_hidden()
        assert await r.page.locator(".answer").is_visible()
        await r.print("answer")
