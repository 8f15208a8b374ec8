"""Who is refused before any page: a browser gets words, a program a problem document."""

import pytest

from node.api.admission import ADMISSION
from node.api.limits import LIMITS
from node.limits import RateLimit
from tests.support.api import problem_of
from tests.support.nodes import Client

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("headers", "status", "code", "english", "filipino"),
    [
        (
            {"Host": "evil.example"},
            421,
            "host-refused",
            "This site does not go by that name",
            "Hindi iyon ang pangalan ng site na ito",
        ),
        (
            {"Origin": "https://evil.example"},
            403,
            "origin-refused",
            "Nothing was done",
            "Walang ginawa",
        ),
    ],
)
async def test_a_browser_is_told_in_words_and_a_program_in_json(
    client: Client,
    headers: dict[str, str],
    status: int,
    code: str,
    english: str,
    filipino: str,
) -> None:
    for accept in ({}, {"Accept": "*/*"}, {"Accept": "application/json, text/html;q=0.1"}):
        told = await client.post("/", headers={**headers, **accept})
        assert (await problem_of(told, status))["code"] == code
        assert "Accept" in told.headers["Vary"]
    for language, words in (("en", english), ("fil", filipino)):
        sent = {**headers, **BROWSER, "Accept-Language": language}
        told = await client.post("/", headers=sent)
        assert (told.status, told.content_type) == (status, "text/html")
        page = await told.text()
        assert f"<h1>{words}</h1>" in page
        assert "evil.example" not in page
        assert "'unsafe" not in told.headers["Content-Security-Policy"]


async def test_a_browser_is_told_when_to_come_back(client: Client) -> None:
    assert client.server is not None
    app = client.server.app  # type: ignore[attr-defined]
    app[LIMITS].addresses, app[LIMITS].behind_proxy = RateLimit(6, lambda: 0.0), True
    stranger = {**BROWSER, "Accept-Language": "en", "X-Forwarded-For": "203.0.113.7"}
    assert (await client.get("/", headers=stranger)).status == 200
    told = await client.get("/", headers=stranger)
    assert (told.status, told.content_type) == (429, "text/html")
    assert told.headers["Retry-After"] == "10"
    assert "Too many requests came from your network" in await told.text()
    app[ADMISSION].limit = 0
    told = await client.get("/", headers={**BROWSER, "Accept-Language": "en"})
    assert (told.status, told.content_type) == (503, "text/html")
    assert "This site is busy just now" in await told.text()


async def test_an_address_of_nothing_is_a_page_too(client: Client) -> None:
    told = await client.get("/nothing", headers={**BROWSER, "Accept-Language": "en"})
    assert (told.status, told.content_type) == (404, "text/html")
    assert "There is nothing at this address" in await told.text()
    assert (await client.get("/nothing")).content_type == "application/problem+json"
