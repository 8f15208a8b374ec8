import aiohttp
import pytest

from node.access import create_token
from node.api.limits import LIMITS
from node.limits import MAX_BUCKETS, RateLimit, RateLimited, asking_address
from node.node import Node
from node.permissions import Role
from tests.support.api import problem_of
from tests.support.nodes import Client


class Hand:
    """A monotonic clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def refused(limit: RateLimit, name: str) -> int:
    with pytest.raises(RateLimited) as caught:
        limit.check(name)
    return caught.value.wait_seconds


def test_what_fills_in_ten_seconds_may_be_asked_at_once_and_then_it_fills_steadily() -> (
    None
):
    hand = Hand()
    limit = RateLimit(60, hand)
    for _ in range(10):
        limit.check("a")
    assert refused(limit, "a") == 1
    hand.now += 0.99
    assert refused(limit, "a") == 1
    hand.now += 0.01 + 1e-9
    limit.check("a")
    hand.now += 3600
    for _ in range(10):
        limit.check("a")
    refused(limit, "a")


def test_one_is_counted_apart_from_another() -> None:
    limit = RateLimit(6, Hand())
    limit.check("a")
    limit.check("b")
    assert refused(limit, "a") == 10


def test_a_refusal_costs_nothing() -> None:
    hand = Hand()
    limit = RateLimit(6, hand)
    limit.check("a")
    for _ in range(100):
        refused(limit, "a")
    hand.now += 10 + 1e-9
    limit.check("a")


def test_without_a_limit_nothing_is_counted() -> None:
    limit = RateLimit(0, Hand())
    for _ in range(10_000):
        limit.check("a")


def test_only_so_many_are_remembered() -> None:
    limit = RateLimit(6, Hand())
    for number in range(MAX_BUCKETS + 1):
        limit.check(str(number))
    refused(limit, "1")
    limit.check("0")  # it was forgotten first


@pytest.mark.parametrize(
    ("peer", "forwarded", "behind_proxy", "name"),
    [
        ("203.0.113.7", "", False, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", False, "203.0.113.7"),
        ("127.0.0.1", "", False, ""),
        ("::1", "198.51.100.1", False, ""),
        ("::ffff:127.0.0.1", "", False, ""),
        ("127.0.0.1", "10.9.9.9, 198.51.100.1", True, "198.51.100.1"),
        ("127.0.0.1", "", True, ""),
        ("127.0.0.1", "nonsense", True, ""),
        ("203.0.113.7", "nonsense", True, "203.0.113.7"),
        ("::ffff:203.0.113.7", "", False, "203.0.113.7"),
        ("", "", False, ""),
    ],
)
def test_who_asks_is_named_by_the_connection_or_by_the_proxy(
    peer: str, forwarded: str, behind_proxy: bool, name: str
) -> None:
    assert asking_address(peer, forwarded, behind_proxy=behind_proxy) == name


def test_addresses_of_one_ipv6_network_are_one() -> None:
    def named(peer: str) -> str:
        return asking_address(peer, "", behind_proxy=False)

    assert named("2001:db8::1") == named("2001:db8::ffff:1") != named("2001:db8:0:1::1")
    assert named("fe80::1%eth0") == named("fe80::2")


async def test_an_address_over_its_limit_is_told_when_to_come_back(client: Client) -> None:
    assert client.server is not None
    limits = client.server.app[LIMITS]  # type: ignore[attr-defined]
    limits.addresses, limits.behind_proxy = RateLimit(6, Hand()), True
    stranger = {"X-Forwarded-For": "203.0.113.7"}
    first = await client.get("/openapi.json", headers=stranger)
    assert first.status == 200
    second = await client.get("/openapi.json", headers=stranger)
    told = await problem_of(second, 429)
    assert (told["code"], second.headers["Retry-After"]) == ("http-rate-limited", "10")
    other = {"X-Forwarded-For": "203.0.113.8"}
    assert (await client.get("/openapi.json", headers=other)).status == 200
    assert (await client.get("/healthz", headers=stranger)).status == 200


async def test_a_token_over_its_limit_is_told_when_to_come_back(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    assert client.server is not None
    client.server.app[LIMITS].tokens = RateLimit(6, Hand())  # type: ignore[attr-defined]

    async def issue(header: dict[str, str]) -> aiohttp.ClientResponse:
        return await client.post("/credentials/issue", json={}, headers=header)

    assert (await issue(headers)).status == 400
    second = await issue(headers)
    assert (await problem_of(second, 429))["code"] == "http-rate-limited"
    _, secret = await create_token(node, "other", [Role.SIGNER])
    assert (await issue({"Authorization": f"Bearer {secret}"})).status == 400
