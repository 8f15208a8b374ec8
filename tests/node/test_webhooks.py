"""Webhooks: what is told, to whom, how it is signed, and that none of it is lost."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anchoring.memory import MemoryAnchor
from node.home import Home
from node.node import Node, NodeSealed
from node.status import revoke
from node.webhook_job import (
    FIRST_WAIT_SECONDS,
    LONGEST_WAIT_SECONDS,
    WebhookJob,
    wait_seconds,
)
from node.webhook_settings import add_webhook, webhook_client
from node.webhooks import Event, sign
from tests.support.api import answer_of, problem_of
from tests.support.nodes import (
    Client,
    HandClock,
    anchor,
    issue,
    make_home_here,
    opened,
    query,
)

EVENTS = [str(event) for event in Event]


@dataclass
class Receiver:
    """A program that is told; it refuses as often as it is told to."""

    url: str = ""
    refusals: int = 0
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    hold: asyncio.Event | None = None
    """Until it is set, nothing is answered."""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.received.append((dict(request.headers), body))
        self.arrived.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=500)
        return web.Response(status=204)

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/hook", found.take)
    server = TestServer(app, host="localhost")
    await server.start_server()
    found.url = f"http://localhost:{server.port}/hook"
    yield found
    await server.close()


@asynccontextmanager
async def job_of(node: Node) -> AsyncIterator[WebhookJob]:
    client = webhook_client(node.config)
    async with client:
        yield WebhookJob(node, client)


async def added(
    client: Client, admin: dict[str, str], url: str, *events: str
) -> dict[str, Any]:
    body = {"url": url, "events": list(events or EVENTS)}
    told = await client.post("/webhooks", json=body, headers=admin)
    assert told.headers["Cache-Control"] == "no-store"
    return await answer_of(told, 201, "/webhooks")


async def shown(client: Client, admin: dict[str, str], name: str) -> dict[str, Any]:
    told = await client.get(f"/webhooks/{name}", headers=admin)
    return await answer_of(told, 200, "/webhooks/{webhook}")


def expected_signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """Work the signature out as a receiver does, without the node's code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


# What is told


async def test_what_happens_is_told_signed_and_without_personal_data(
    node: Node, client: Client, admin: dict[str, str], receiver: Receiver
) -> None:
    made = await added(client, admin, receiver.url)
    (uuid,) = (await issue(node, 1)).issued
    await anchor(node, MemoryAnchor())
    await revoke(node, uuid, "an entry that must not leave")
    async with job_of(node) as job:
        assert await job.tick() == 3
        assert await job.tick() == 0
    told = {one["type"]: one["data"] for one in receiver.told()}
    assert told.keys() == {"credential.issued", "log.anchored", "credential.revoked"}
    ((document,),) = query(node.home, "SELECT document FROM credentials")
    digest = hashlib.sha256(document.encode()).hexdigest()
    assert told["credential.issued"] == {"uuid": uuid, "digest": digest}
    assert told["credential.revoked"]["uuid"] == uuid
    assert told["log.anchored"]["treeSize"] == 3
    assert "must not leave" not in str(receiver.received)
    name = json.loads(document)["credentialSubject"]["identifier"][0]["identityHash"]
    assert name not in str(receiver.received)
    for headers, body in receiver.received:
        lower = {key.lower(): value for key, value in headers.items()}
        wanted = expected_signature(made["secret"], lower, body)
        assert lower["webhook-signature"] == wanted
        assert lower["webhook-timestamp"] == str(int(node.instant().timestamp()))
    counted = await shown(client, admin, made["webhook"]["id"])
    assert (counted["delivered"], counted["waiting"]) == (3, 0)


def test_the_signature_is_that_of_the_published_example() -> None:
    """The example of the Standard Webhooks libraries."""
    secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    event, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}'
    signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(secret, event, 1614265330, body) == signature


async def test_only_what_a_webhook_asks_for_is_told(
    node: Node, client: Client, admin: dict[str, str], receiver: Receiver
) -> None:
    await added(client, admin, receiver.url, "credential.revoked")
    first, _ = (await issue(node, 2)).issued
    await revoke(node, first, "why")
    async with job_of(node) as job:
        await job.tick()
    assert [one["type"] for one in receiver.told()] == ["credential.revoked"]


async def test_an_anchor_that_is_looked_at_twice_is_told_once(
    node: Node, client: Client, admin: dict[str, str], home: Home, receiver: Receiver
) -> None:
    await added(client, admin, receiver.url, "log.anchored")
    await issue(node, 1)
    backend = MemoryAnchor()
    await anchor(node, backend)
    await anchor(node, backend)
    assert query(home, "SELECT count(*) FROM webhook_deliveries") == [(1,)]


# That nothing is lost


async def test_an_event_is_stored_with_what_happened_or_not_at_all(
    node: Node, client: Client, admin: dict[str, str], home: Home, receiver: Receiver
) -> None:
    await added(client, admin, receiver.url)
    (uuid,) = (await issue(node, 1)).issued
    before = query(home, "SELECT count(*) FROM webhook_deliveries")
    node.unlocked = None
    with pytest.raises(NodeSealed, match="sealed"):
        await revoke(node, uuid, "why")
    assert query(home, "SELECT count(*) FROM webhook_deliveries") == before == [(1,)]


async def test_what_is_not_taken_is_sent_again_later_under_the_same_id(
    node: Node,
    client: Client,
    admin: dict[str, str],
    clock: HandClock,
    receiver: Receiver,
) -> None:
    made = await added(client, admin, receiver.url)
    receiver.refusals = 2
    await issue(node, 1)
    async with job_of(node) as job:
        for _ in range(3):
            assert await job.tick() == 1
            assert await job.tick() == 0
            clock.advance(LONGEST_WAIT_SECONDS)
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    assert len({body for _, body in receiver.received}) == 1
    assert len(receiver.received) == 3
    path = f"/webhooks/{made['webhook']['id']}/deliveries"
    told = await client.get(path, headers=admin)
    page = await answer_of(told, 200, "/webhooks/{webhook}/deliveries")
    (one,) = page["deliveries"]
    assert (one["state"], one["attempts"], one["problem"]) == ("delivered", 3, None)


async def test_a_restart_sends_what_was_not_sent(
    node: Node, client: Client, admin: dict[str, str], home: Home, receiver: Receiver
) -> None:
    await added(client, admin, receiver.url)
    await issue(node, 2)
    async with opened(home, HandClock()) as again, job_of(again) as job:
        assert await job.tick() == 2
    assert len(receiver.received) == 2


async def test_who_ended_during_an_attempt_leaves_it_to_be_made_again(
    node: Node,
    client: Client,
    admin: dict[str, str],
    clock: HandClock,
    receiver: Receiver,
) -> None:
    await added(client, admin, receiver.url)
    await issue(node, 1)
    receiver.hold = asyncio.Event()
    async with job_of(node) as job:
        attempt = asyncio.create_task(job.tick())
        await asyncio.wait_for(receiver.arrived.wait(), 10)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        receiver.hold.set()
        assert await job.tick() == 0
        clock.advance(FIRST_WAIT_SECONDS)
        assert await job.tick() == 1
    first, second = (headers["webhook-id"] for headers, _ in receiver.received)
    assert first == second


async def test_two_processes_send_an_event_once(
    node: Node, client: Client, admin: dict[str, str], home: Home, receiver: Receiver
) -> None:
    await added(client, admin, receiver.url)
    await issue(node, 8)
    async with opened(home, HandClock()) as again, job_of(node) as a, job_of(again) as b:
        await asyncio.gather(a.tick(), b.tick(), a.tick(), b.tick())
    assert len(receiver.received) == 8


async def test_what_nobody_takes_is_given_up_visibly_and_can_be_tried_again(
    node: Node,
    client: Client,
    admin: dict[str, str],
    clock: HandClock,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = await added(client, admin, receiver.url)
    receiver.refusals = 1_000
    await issue(node, 1)
    async with job_of(node) as job:
        while (await shown(client, admin, made["webhook"]["id"]))["waiting"]:
            await job.tick()
            clock.advance(LONGEST_WAIT_SECONDS)
        assert 12 <= len(receiver.received) <= 14
        assert "is given up after" in caplog.text
        path = f"/webhooks/{made['webhook']['id']}/deliveries"
        page = await (await client.get(path, headers=admin)).json()
        (one,) = page["deliveries"]
        assert (one["state"], one["problem"]) == (
            "given-up",
            "found status 500, want 2xx",
        )
        receiver.refusals = 0
        told = await client.post(f"{path}/{one['number']}/retry", headers=admin)
        await answer_of(told, 202, "/webhooks/{webhook}/deliveries/{delivery}/retry")
        assert await job.tick() == 1
    assert (await shown(client, admin, made["webhook"]["id"]))["delivered"] == 1
    told = await client.post(f"{path}/{one['number']}/retry", headers=admin)
    assert (await problem_of(told, 404))["code"] == "delivery-unknown"


async def test_a_removed_webhook_is_told_nothing(
    node: Node, client: Client, admin: dict[str, str], home: Home, receiver: Receiver
) -> None:
    made = await added(client, admin, receiver.url)
    await issue(node, 1)
    path = f"/webhooks/{made['webhook']['id']}"
    told = await client.delete(path, headers=admin)
    assert (await answer_of(told, 200, "/webhooks/{webhook}"))["givenUp"] == 1
    await issue(node, 2)
    async with job_of(node) as job:
        assert await job.tick() == 0
    assert receiver.received == []
    assert query(home, "SELECT secret FROM webhooks") == [("",)]
    assert (await problem_of(await client.get(path, headers=admin), 404))["code"] == (
        "webhook-unknown"
    )


@pytest.mark.parametrize("attempts", [0, 1, 5, 11, 12, 100])
def test_each_wait_is_twice_as_long_up_to_six_hours(attempts: int) -> None:
    longest = min(FIRST_WAIT_SECONDS * 2**attempts, LONGEST_WAIT_SECONDS)
    found = [wait_seconds(attempts) for _ in range(500)]
    assert longest / 2 - 1 <= min(found) <= max(found) <= longest
    assert len(set(found)) > 2


# Where nothing is sent


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.example/hook",
        "https://10.0.0.7/hook",
        "https://169.254.169.254/latest",
        "https://user@portal.example/hook",
        "https://portal.example:25/hook",
        "https://portal.example/hook#x",
        "file:///etc/passwd",
        "x",
    ],
)
async def test_an_address_that_is_not_public_is_not_taken(
    client: Client, admin: dict[str, str], home: Home, url: str
) -> None:
    body = {"url": url, "events": ["log.anchored"]}
    told = await client.post("/webhooks", json=body, headers=admin)
    assert (await problem_of(told, 422))["code"] == "fetch-url-refused"
    assert query(home, "SELECT count(*) FROM webhooks") == [(0,)]


@pytest.mark.parametrize(("hosts", "received"), [("", 0), ("localhost", 1)])
async def test_a_private_host_is_told_if_the_operator_names_it(
    tmp_path: Any, clock: HandClock, receiver: Receiver, hosts: str, received: int
) -> None:
    home = await make_home_here(
        tmp_path / "node", clock, allow_loopback_http=True, webhook_private_hosts=hosts
    )
    async with opened(home, clock) as node, node.writing() as c:
        await add_webhook(node, c, receiver.url, [Event.ISSUED])
    settings = home.root / "patunay.toml"
    text = settings.read_text()
    settings.write_text(text.replace("allow_loopback_http = true", ""))
    async with opened(home, clock) as node:
        assert not node.config.allow_loopback_http
        await issue(node, 1)
        async with job_of(node) as job:
            await job.tick()
    assert len(receiver.received) == received
    found = query(home, "SELECT problem FROM webhook_deliveries")[0][0]
    assert (found is None) is bool(received)


async def test_a_redirect_is_not_followed(
    node: Node, client: Client, admin: dict[str, str], home: Home, receiver: Receiver
) -> None:
    async def away(_request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(receiver.url)

    app = web.Application()
    app.router.add_post("/away", away)
    server = TestServer(app, host="localhost")
    await server.start_server()
    await added(client, admin, f"http://localhost:{server.port}/away")
    await issue(node, 1)
    async with job_of(node) as job:
        await job.tick()
    await server.close()
    assert receiver.received == []
    assert query(home, "SELECT problem FROM webhook_deliveries") == [
        ("found status 307, want 2xx",)
    ]


# Who may


async def test_a_signer_adds_no_webhook(client: Client, headers: dict[str, str]) -> None:
    body = {"url": "https://portal.example/", "events": ["log.anchored"]}
    told = await client.post("/webhooks", json=body, headers=headers)
    assert (await problem_of(told, 403))["code"] == "role-refused"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "https://a.example/"},
        {"url": "https://a.example/", "events": []},
        {"url": "https://a.example/", "events": ["everything"]},
        {"url": "https://a.example/", "events": "log.anchored"},
        {"url": 5, "events": ["log.anchored"]},
        {"url": "https://a.example/", "events": ["log.anchored"], "secret": "mine"},
    ],
)
async def test_what_is_no_webhook_is_refused(
    client: Client, admin: dict[str, str], body: dict[str, Any]
) -> None:
    told = await client.post("/webhooks", json=body, headers=admin)
    assert (await problem_of(told, 400))["code"] == "request-malformed"


async def test_there_are_at_most_twenty(client: Client, admin: dict[str, str]) -> None:
    for _ in range(20):
        await added(client, admin, "https://portal.example/hook")
    body = {"url": "https://portal.example/hook", "events": ["log.anchored"]}
    told = await client.post("/webhooks", json=body, headers=admin)
    assert (await problem_of(told, 409))["code"] == "too-many-webhooks"
    listed = await answer_of(await client.get("/webhooks", headers=admin), 200, "/webhooks")
    assert len(listed["webhooks"]) == 20
    assert "secret" not in str(listed)
