"""The console over HTTP: who gets in, what he may do there, and what a stranger cannot."""

import re
from collections.abc import Iterable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from anchoring.memory import MemoryAnchor
from node.access import create_token, revoke_token
from node.api.app import build_app
from node.audit_log import record
from node.node import Node
from node.permissions import Action, Role
from node.setup import add_issuer
from node.status import find_state
from node.storage.registry import require_issuer
from node.web.chart import bars_of
from node.web.console import COOKIE, is_console
from node.web.running import coins
from tests.support.nodes import TEMPLATE_FILE, TODAY, Client, anchor, issue

ENGLISH = {"Accept-Language": "en"}
GET = ("", "/credentials", "/templates", "/issuers", "/anchors", "/audit-log")


async def enter(
    client: Client, node: Node, roles: Iterable[Role] = tuple(Role), **bound: Any
) -> str:
    """Sign in, and return the token's id."""
    token, secret = await create_token(node, "clerk", roles, **bound)
    form = fields(token=secret, next="/console")
    response = await client.post("/console/sign-in", data=form, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/console")
    cookie = response.cookies[COOKIE]
    client.session.cookie_jar.update_cookies({COOKIE: cookie.value})
    return token.id


def fields(**values: str) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in values.items():
        form.add_field(name, value)
    return form


async def form_key(client: Client, path: str = "/console") -> str:
    page = await (await client.get(path, headers=ENGLISH)).text()
    found = re.search(r'name="form_key" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


async def send(client: Client, path: str, **values: str) -> tuple[int, str]:
    form = fields(form_key=await form_key(client), **values)
    response = await client.post(path, data=form, headers=ENGLISH, allow_redirects=False)
    return response.status, response.headers.get("Location", await response.text())


@pytest.fixture
async def inside(client: Client, node: Node) -> Client:
    await enter(client, node)
    return client


# Who gets in


def test_every_page_of_the_console_but_the_form_needs_a_session(node: Node) -> None:
    found = {
        f"{route.method} {route.resource.canonical}"
        for route in build_app(node).router.routes()
        if route.resource is not None
        and route.resource.canonical.startswith("/console")
        and not is_console(route.handler)
        and isinstance(route, web.AbstractRoute)
    }
    forms = {"GET /console/sign-in", "POST /console/sign-in"}
    assert found - {"HEAD /console/sign-in"} == forms


@pytest.mark.parametrize("path", GET)
async def test_without_a_session_every_page_leads_to_the_form(
    client: Client, path: str
) -> None:
    for headers in ({}, {"Cookie": f"{COOKIE}=unknown"}):
        response = await client.get(
            f"/console{path}", headers=headers, allow_redirects=False
        )
        assert response.status == 303
        where = f"/console{path}".replace("/", "%2F")
        assert response.headers["Location"] == f"/console/sign-in?next={where}"


async def test_a_session_is_in_a_cookie_that_no_script_and_no_other_site_gets(
    client: Client, node: Node
) -> None:
    _, secret = await create_token(node, "clerk", [Role.ADMIN])
    response = await client.post(
        "/console/sign-in", data=fields(token=secret), allow_redirects=False
    )
    cookie = response.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert (cookie["path"], cookie["max-age"]) == ("/console", "28800")
    assert not cookie["secure"]  # this node's public_url is http
    assert secret not in str(response.headers)


async def test_a_token_that_is_not_in_force_gets_the_form_again(client: Client) -> None:
    for token in ("", "ptn_unknown", "<script>"):
        response = await client.post(
            "/console/sign-in", data=fields(token=token), headers=ENGLISH
        )
        assert response.status == 401
        text = await response.text()
        assert "That token is not in force." in text
        assert "<script>" not in text
        assert not response.cookies


@pytest.mark.parametrize(
    "where",
    ["https://evil.example/", "//evil.example", "/", "/console\\evil", "/console/\n", "x"],
)
async def test_signing_in_leads_to_the_console_and_nowhere_else(
    client: Client, node: Node, where: str
) -> None:
    _, secret = await create_token(node, "clerk", [Role.ADMIN])
    form = fields(token=secret, next=where)
    response = await client.post("/console/sign-in", data=form, allow_redirects=False)
    assert response.headers["Location"] == "/console"


async def test_signing_out_ends_it(inside: Client) -> None:
    status, where = await send(inside, "/console/sign-out")
    assert (status, where) == (303, "/console/sign-in")
    inside.session.cookie_jar.clear()
    response = await inside.get("/console", allow_redirects=False)
    assert response.status == 303


async def test_a_revoked_token_is_out_at_once(client: Client, node: Node) -> None:
    token = await enter(client, node)
    assert (await client.get("/console", allow_redirects=False)).status == 200
    await revoke_token(node, token)
    assert (await client.get("/console", allow_redirects=False)).status == 303


# What a page of another site cannot do


async def test_a_form_without_the_key_of_its_session_does_nothing(
    inside: Client, node: Node, credential: dict[str, Any]
) -> None:
    path = f"/console/credentials/{credential['id']}/revoke"
    for key in ({}, {"form_key": ""}, {"form_key": "0" * 64}):
        form = fields(reason="x", **key)
        response = await inside.post(path, data=form, headers=ENGLISH)
        assert response.status == 403
        assert "form-foreign" in await response.text()
    async with node.reading() as c:
        assert (await find_state(c, credential["id"])).state == "issued"


async def test_a_form_from_another_site_is_refused_by_its_origin(inside: Client) -> None:
    form = fields(form_key=await form_key(inside))
    for origin in ("https://evil.example", "null"):
        response = await inside.post(
            "/console/anchors", data=form, headers={"Origin": origin}
        )
        assert response.status == 403
        form = fields(form_key=await form_key(inside))


async def test_pages_of_the_console_are_fenced_in_and_kept_by_nobody(
    inside: Client,
) -> None:
    for path in GET:
        response = await inside.get(f"/console{path}", headers=ENGLISH)
        assert response.status == 200, path
        assert response.headers["Cache-Control"] == "no-store"
        assert "'unsafe" not in response.headers["Content-Security-Policy"]
        page = await response.text()
        assert "style=" not in page
        assert "<script>" not in page
        assert "ptn_" not in page


# Roles


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (Role.DRAFTER, "/console/audit-log", 403),
        (Role.AUDITOR, "/console/audit-log", 200),
        (Role.APPROVER, "/console/credentials", 200),
        (Role.DRAFTER, "/console", 200),
    ],
)
async def test_a_role_sees_what_it_may(
    client: Client, node: Node, role: Role, path: str, status: int
) -> None:
    await enter(client, node, [role])
    response = await client.get(path, headers=ENGLISH)
    assert response.status == status
    assert ("role-refused" in await response.text()) is (status == 403)


async def test_a_role_does_what_it_may(
    client: Client, node: Node, credential: dict[str, Any]
) -> None:
    await enter(client, node, [Role.AUDITOR])
    page = f"/console/credentials/{credential['id']}"
    assert "Take it back" not in await (await client.get(page, headers=ENGLISH)).text()
    for path in (f"{page}/revoke", "/console/anchors", "/console/templates"):
        status, text = await send(client, path, reason="x", text="{}")
        assert (status, "role-refused" in text) == (403, True), path


async def test_a_token_of_one_issuer_is_kept_from_the_credentials_of_others(
    client: Client, node: Node, credential: dict[str, Any]
) -> None:
    await add_issuer(node, "north", "North")
    await enter(client, node, issuers=["north"])
    page = f"/console/credentials/{credential['id']}"
    assert (await client.get(page)).status == 403
    status, text = await send(client, f"{page}/revoke", reason="x")
    assert (status, "issuer-refused" in text) == (403, True)
    listed = await (await client.get("/console/credentials", headers=ENGLISH)).text()
    assert "There is none of these." in listed


# What is done there


async def test_takes_a_credential_back_with_a_reason(
    inside: Client, node: Node, credential: dict[str, Any]
) -> None:
    page = f"/console/credentials/{credential['id']}"
    status, where = await send(inside, f"{page}/revoke", reason="typing error")
    assert (status, where) == (303, f"{page}?done=revoke")
    shown = await (await inside.get(where, headers=ENGLISH)).text()
    assert "It is taken back." in shown
    assert "typing error" in shown
    assert 'action="/console/credentials' not in shown
    async with node.reading() as c:
        assert (await find_state(c, credential["id"])).state == "revoked"
    status, text = await send(inside, f"{page}/revoke", reason="again")
    assert (status, "already-revoked" in text) == (409, True)
    acts = await (await inside.get("/console/audit-log", headers=ENGLISH)).text()
    assert "credential.revoke" in acts
    assert "typing error" not in acts


async def test_a_reason_is_needed(inside: Client, credential: dict[str, Any]) -> None:
    page = f"/console/credentials/{credential['id']}"
    status, text = await send(inside, f"{page}/revoke", reason=" ")
    assert (status, "reason-malformed" in text) == (400, True)


async def test_finds_credentials_by_id_and_by_state(inside: Client, node: Node) -> None:
    uuids = (await issue(node, 30)).issued
    first = await (await inside.get("/console/credentials", headers=ENGLISH)).text()
    older = re.search(r'href="([^"]*cursor=[^"]*)"', first)
    assert older is not None
    second = await (
        await inside.get(older[1].replace("&amp;", "&"), headers=ENGLISH)
    ).text()
    listed = {u for u in uuids if u in first}, {u for u in uuids if u in second}
    assert (len(listed[0]), len(listed[1])) == (25, 5)
    assert listed[0] | listed[1] == set(uuids)
    _, one = await send(inside, "/console/credentials", q=uuids[3])
    assert uuids[3] in one
    assert uuids[4] not in one
    status, where = await send(inside, "/console/credentials", q=" ", state="issued")
    assert (status, where) == (303, "/console/credentials?state=issued")
    none = await inside.get("/console/credentials?state=revoked", headers=ENGLISH)
    assert "There is none of these." in await none.text()
    broken = await inside.get("/console/credentials?cursor=x", headers=ENGLISH)
    assert (broken.status, "cursor-malformed" in await broken.text()) == (400, True)


async def test_finds_credentials_by_name_and_puts_no_name_into_an_address(
    inside: Client, node: Node, credential: dict[str, Any]
) -> None:
    del credential
    status, page = await send(inside, "/console/credentials", q="penaflor JOSEFINA")
    assert (status, page.count("/console/credentials/")) == (200, 1)
    assert "Josefina Peñaflor Catacutan" in page
    assert "Life Skills: Communication" in page
    assert not re.search(r'(href|action)="[^"]*[Pp]e.aflor', page)
    asked = {"q": "penaflor", "state": "revoked"}
    _, page = await send(inside, "/console/credentials", **asked)
    assert "There is none of these." in page
    status, page = await send(inside, "/console/credentials", q="x")
    assert (status, "search-words-malformed" in page) == (400, True)
    ignored = await inside.get("/console/credentials?q=penaflor", headers=ENGLISH)
    assert 'value="penaflor"' not in await ignored.text()
    assert node.config.log.requests


async def test_adds_an_issuer(inside: Client, node: Node) -> None:
    given = {"slug": "north", "name": "North <School>"}
    status, where = await send(inside, "/console/issuers", **given)
    assert (status, where) == (303, "/console/issuers?added=north")
    page = await (await inside.get(where, headers=ENGLISH)).text()
    assert "North &lt;School&gt;" in page
    assert "The issuer is there now: north." in page
    assert "/console/keys/north.credential" in page
    status, page = await send(inside, "/console/issuers", **given)
    assert (status, "issuer-exists" in page) == (409, True)
    async with node.reading() as c:
        assert (await require_issuer(c, "north")).cryptosuite == "eddsa-rdfc-2022"


async def test_replaces_a_key_that_signs_once_it_is_confirmed(
    inside: Client, node: Node
) -> None:
    path = "/console/keys/main.credential"
    assert "I want a new key" in await (await inside.get(path, headers=ENGLISH)).text()
    status, page = await send(inside, f"{path}/rotate")
    assert (status, "not-confirmed" in page) == (400, True)
    status, where = await send(inside, f"{path}/rotate", confirmed="1")
    assert (status, where) == (303, "/console/keys/main.credential-2?done=rotate")
    page = await (await inside.get(where, headers=ENGLISH)).text()
    assert "The key was replaced." in page
    # Whoever presses the button twice replaces one key, and not the new one as well.
    status, page = await send(inside, f"{path}/rotate", confirmed="1")
    assert (status, "key-not-current" in page) == (409, True)
    assert "I want a new key" not in await (await inside.get(path, headers=ENGLISH)).text()
    assert "main.credential-3" not in {
        entry.label.key_id for entry in node.home.keystore().entries
    }
    acts = await (await inside.get("/console/audit-log", headers=ENGLISH)).text()
    assert "key.change" in acts


async def test_reports_a_key_stolen_once_its_name_is_written(
    inside: Client, node: Node
) -> None:
    path = "/console/keys/main.status"
    given = {"since": "2026-03-01T08:00", "confirmed": "main.status"}
    for changes, code in (
        ({"confirmed": "main"}, "not-confirmed"),
        ({"since": ""}, "instant-malformed"),
        ({"since": "2026-04-01T08:00"}, "compromise-in-future"),
    ):
        status, page = await send(inside, f"{path}/compromised", **given | changes)
        assert (status, code in page) == (400, True)
    status, where = await send(inside, f"{path}/compromised", **given)
    assert (status, where) == (303, f"{path}?done=compromised")
    page = await (await inside.get(where, headers=ENGLISH)).text()
    assert "reported stolen" in page
    listed = await (await inside.get("/console/issuers", headers=ENGLISH)).text()
    assert "main.status-2" in listed
    given = {"since": "2026-03-01T08:00:30", "confirmed": "log"}
    status, _ = await send(inside, "/console/keys/log/compromised", **given)
    assert status == 303
    assert node.unlocked is not None


async def test_keys_are_shown_to_those_who_may_change_them(
    client: Client, node: Node
) -> None:
    await add_issuer(node, "north", "North")
    await enter(client, node, [Role.ADMIN], issuers=["north"])
    for name, status in (
        ("north.credential", 200),
        ("main.credential", 403),
        ("log", 403),
        ("nobody", 404),
    ):
        assert (await client.get(f"/console/keys/{name}")).status == status, name
    status, page = await send(client, "/console/issuers", slug="south", name="South")
    assert (status, "issuer-refused" in page) == (403, True)
    client.session.cookie_jar.clear()
    await enter(client, node, [Role.SIGNER])
    assert (await client.get("/console/keys/north.credential")).status == 403
    listed = await (await client.get("/console/issuers", headers=ENGLISH)).text()
    assert "/console/keys/" not in listed
    assert "Add an issuer" not in listed


async def test_adds_a_template(inside: Client) -> None:
    text = TEMPLATE_FILE.read_text(encoding="utf-8")
    status, where = await send(inside, "/console/templates", text=text)
    assert (status, where) == (303, "/console/templates/als-lifeskills-communication?added")
    shown = await (await inside.get(where, headers=ENGLISH)).text()
    assert "The template is there now." in shown
    status, refused = await send(inside, "/console/templates", text='{"templateId": "x"}')
    assert (status, "template-malformed" in refused) == (400, True)
    status, refused = await send(inside, "/console/templates", text=" ")
    assert (status, "nothing-handed-over" in refused) == (400, True)


async def test_asks_for_an_anchor_and_shows_what_it_took(
    inside: Client, node: Node, credential: dict[str, Any]
) -> None:
    status, where = await send(inside, "/console/anchors")
    assert (status, where) == (303, "/console/anchors?asked")
    assert (
        "An anchor was asked for."
        in await (await inside.get(where, headers=ENGLISH)).text()
    )
    await anchor(node, MemoryAnchor())
    shown = await (await inside.get("/console/anchors", headers=ENGLISH)).text()
    assert "Block 1 of memory:test" in shown
    overview = await (await inside.get("/console", headers=ENGLISH)).text()
    assert "The latest anchor took" in overview
    assert credential["id"] not in overview


async def test_shows_the_audit_log_in_pages(inside: Client, node: Node) -> None:
    async with node.writing() as c:
        for n in range(60):
            await record(c, node, Action.ANCHOR_RUN, f"test:{n}")
    first = await (await inside.get("/console/audit-log", headers=ENGLISH)).text()
    assert "test:59" in first
    assert re.search(r"<bdi>command line: \w+</bdi>", first)
    older = re.search(r'href="(/console/audit-log\?before=\d+)"', first)
    assert older is not None
    second = await (await inside.get(older[1], headers=ENGLISH)).text()
    assert "test:59" not in second
    assert "test:9<" in second
    odd = await inside.get("/console/audit-log?before=x")
    assert odd.status == 200


# Figures


def test_bars_are_as_high_as_their_days() -> None:
    chart = bars_of([(TODAY, 0), (TODAY, 5), (TODAY, 10)])
    none, half, full = chart.bars
    assert (none.height, chart.largest, chart.total) == (0, 10, 15)
    assert full.height == 2 * half.height
    assert full.y + full.height == half.y + half.height
    assert full.y > 0
    assert bars_of([(TODAY, 0)]).bars[0].height == 0
    assert bars_of([]).bars == ()


@pytest.mark.parametrize(
    ("wei", "text"),
    [(0, "0"), (10**18, "1"), (34_726_500_000_000, "0.00003473"), (10**20, "100")],
)
def test_writes_an_amount_in_coins(wei: int, text: str) -> None:
    assert coins(wei) == text
