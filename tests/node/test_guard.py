"""Every role at every route, with what each route needs written down by hand."""

import re

import pytest
from aiohttp import web

from node.access import create_token, revoke_token
from node.api.app import build_app
from node.api.guard import needed
from node.node import Node
from node.permissions import Action, Actor, Role, RoleRefused, check_permission
from node.setup import add_issuer
from node.web.console import is_console
from tests.support.api import problem_of
from tests.support.nodes import Client, HandClock

GUARDED = {
    "GET /audit-log": Action.AUDIT_READ,
    "POST /credentials/issue": Action.CREDENTIAL_ISSUE,
    "POST /issuers/{slug}/credentials/issue": Action.CREDENTIAL_ISSUE,
    "GET /credentials": Action.CREDENTIAL_READ,
    "GET /credentials/{id}": Action.CREDENTIAL_READ,
    "GET /credentials/{id}/bundle": Action.CREDENTIAL_READ,
    "POST /credentials/search": Action.CREDENTIAL_READ,
    "POST /links/verify": Action.CREDENTIAL_READ,
    "POST /credentials/{id}/revoke": Action.CREDENTIAL_REVOKE,
    "POST /credentials/{id}/suspend": Action.CREDENTIAL_SUSPEND,
    "POST /credentials/{id}/reinstate": Action.CREDENTIAL_REINSTATE,
    "POST /issuers": Action.ISSUER_ADD,
    "POST /issuers/{slug}/rotate": Action.KEY_CHANGE,
    "POST /keys/compromised": Action.KEY_CHANGE,
    "GET /batches": Action.BATCH_READ,
    "POST /batches": Action.BATCH_DRAFT,
    "GET /batches/{batch}": Action.BATCH_READ,
    "GET /batches/{batch}/findings": Action.BATCH_READ,
    "GET /batches/{batch}/events": Action.BATCH_READ,
    "GET /batches/{batch}/credentials.zip": Action.CREDENTIAL_READ,
    "POST /batches/{batch}/start": Action.BATCH_DRAFT,
    "POST /batches/{batch}/cancel": Action.BATCH_DRAFT,
    "GET /webhooks": Action.SETTINGS,
    "POST /webhooks": Action.SETTINGS,
    "GET /webhooks/{webhook}": Action.SETTINGS,
    "DELETE /webhooks/{webhook}": Action.SETTINGS,
    "GET /webhooks/{webhook}/deliveries": Action.SETTINGS,
    "POST /webhooks/{webhook}/deliveries/{delivery}/retry": Action.SETTINGS,
    "GET /status-lists": Action.CREDENTIAL_READ,
    "POST /anchors": Action.ANCHOR_RUN,
    "GET /templates": Action.BATCH_READ,
    "GET /templates/{template}": Action.BATCH_READ,
    "GET /templates/{template}/versions/{version}": Action.BATCH_READ,
    "POST /templates": Action.TEMPLATE_WRITE,
    "POST /templates/{template}/retire": Action.TEMPLATE_WRITE,
}
"""The routes that need a token. All others are for strangers: see `PUBLIC`."""

PUBLIC = {
    "GET /",
    "POST /",
    "GET /.well-known/did-history.json",
    "GET /.well-known/did.json",
    "POST /challenges",
    "GET /credentials/{id}/receipt",
    "POST /credentials/verify",
    "POST /files/verify",
    "GET /c/{id}/{key}",
    "GET /c/{id}/{key}/bundle.json",
    "GET /c/{id}/{key}/credential.json",
    "GET /c/{id}/{key}/receipt.json",
    "GET /healthz",
    "GET /readyz",
    "GET /identifiers/",
    "GET /identifiers/{did}",
    "GET /ipfs/{cid}",
    "GET /anchors",
    "GET /anchors/{size}",
    "GET /issuers",
    "GET /log",
    "GET /issuers/{slug}",
    "GET /issuers/{slug}/did-history.json",
    "GET /issuers/{slug}/did.json",
    "GET /log/checkpoint",
    "GET /log/records/{name}",
    "GET /log/{path}",
    "GET /openapi.json",
    "POST /presentations/verify",
    "GET /status/{slug}/{name}",
    "GET /assets/{name}",
    "GET /transparency",
    "GET /console/sign-in",
    "POST /console/sign-in",
    "POST /witness/add-checkpoint",
}

ROUTES = sorted(GUARDED)


def routes(node: Node) -> dict[str, web.AbstractRoute]:
    found = {}
    for route in build_app(node).router.routes():
        assert route.resource is not None
        if route.method != "HEAD":
            found[f"{route.method} {route.resource.canonical}"] = route
    return found


async def ask(client: Client, route: str, secret: str | None) -> int:
    """Return the status of an empty request; the code says what the guard said."""
    method, path = route.split()
    path = re.sub(r"\{slug\}", "main", path)
    path = re.sub(r"\{[a-z]+\}", "0" * 8, path)
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    async with client.request(method, path, headers=headers) as response:
        return response.status


def test_every_route_is_guarded_or_for_strangers_as_written_here(node: Node) -> None:
    found = routes(node).items()
    # Those of the console have a guard of their own: tests/node/test_web_console.py.
    guards = {
        name: needed(route.handler)
        for name, route in found
        if not is_console(route.handler)
    }
    assert {name: action for name, action in guards.items() if action} == GUARDED
    assert {name for name, action in guards.items() if action is None} == PUBLIC


@pytest.fixture
async def secrets(node: Node) -> dict[Role, str]:
    return {role: (await create_token(node, role, [role]))[1] for role in Role}


@pytest.mark.parametrize("route", ROUTES)
async def test_a_role_reaches_what_it_may_and_nothing_else(
    client: Client, secrets: dict[Role, str], route: str
) -> None:
    for role, secret in secrets.items():
        status = await ask(client, route, secret)
        try:
            check_permission(Actor("x", frozenset({role})), GUARDED[route])
        except RoleRefused:
            assert status == 403, role
        else:
            assert status not in (401, 403), role


@pytest.mark.parametrize("route", ROUTES)
async def test_without_a_token_in_force_a_guarded_route_answers_401(
    node: Node, client: Client, clock: HandClock, route: str
) -> None:
    assert await ask(client, route, None) == 401
    assert await ask(client, route, "ptn_unknown") == 401
    token, secret = await create_token(node, "x", list(Role))
    assert await ask(client, route, secret) not in (401, 403)
    await revoke_token(node, token.id)
    assert await ask(client, route, secret) == 401
    _, secret = await create_token(node, "x", list(Role), days=1)
    clock.advance(86_400)
    assert await ask(client, route, secret) == 401


@pytest.mark.parametrize("route", [r for r in ROUTES if "{slug}" in r])
async def test_a_bound_token_is_kept_from_other_issuers_addresses(
    node: Node, client: Client, route: str
) -> None:
    await add_issuer(node, "north", "North")
    _, secret = await create_token(node, "x", list(Role), issuers=["north"])
    assert await ask(client, route, secret) == 403
    assert await ask(client, route.replace("{slug}", "north"), secret) not in (401, 403)


@pytest.fixture
async def auditor(node: Node) -> dict[str, str]:
    _, secret = await create_token(node, "reader", [Role.AUDITOR], days=1)
    return {"Authorization": f"Bearer {secret}"}


async def test_h11_each_refusal_has_its_status_its_code_and_its_challenge(
    client: Client, clock: HandClock, auditor: dict[str, str]
) -> None:
    missing = await client.post("/credentials/issue")
    assert (await problem_of(missing, 401))["code"] == "token-missing"
    assert missing.headers["WWW-Authenticate"] == "Bearer"
    unknown = await client.post(
        "/credentials/issue", headers={"Authorization": "Bearer ptn_unknown"}
    )
    assert (await problem_of(unknown, 401))["code"] == "token-refused"
    assert unknown.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    reader = await client.post("/credentials/issue", headers=auditor)
    told = await problem_of(reader, 403)
    assert told["code"] == "role-refused"
    assert told["detail"] == "credential.issue: found role auditor, want signer"
    assert reader.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
    clock.advance(86_400)
    expired = await client.post("/credentials/issue", headers=auditor)
    assert (await problem_of(expired, 401))["code"] == "token-expired"
    assert expired.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("offered", ["a1b2c3d4", "trace-1.2_x" + "y" * 50])
async def test_a_well_formed_request_id_is_kept(client: Client, offered: str) -> None:
    async with client.get("/healthz", headers={"X-Request-Id": offered}) as response:
        assert response.headers["X-Request-Id"] == offered


@pytest.mark.parametrize(
    "offered", ["", "short", "x" * 65, "-abcdefgh", "a b c d e", "ñ" * 9]
)
async def test_another_request_id_is_replaced(client: Client, offered: str) -> None:
    async with client.get("/nothing", headers={"X-Request-Id": offered}) as response:
        made = (await problem_of(response, 404))["requestId"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)


async def test_an_answer_that_is_a_file_names_its_request(client: Client) -> None:
    async with client.get("/.well-known/did.json") as response:
        assert response.status == 200
        assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-Id"])
