"""Idempotency keys: an effect once, whatever the network and the clients do."""

import asyncio
from typing import Any

import pytest

from node.access import create_token
from node.home import Home
from node.idempotency import KEPT_FOR
from node.node import Node
from node.permissions import Role
from tests.node.test_api_issue import UNSIGNED
from tests.support.api import problem_of
from tests.support.nodes import Client, HandClock, client_of, opened, query

ON_BOTH_STORES = True

URL = "/credentials/issue"
BODY: dict[str, Any] = {"credential": UNSIGNED}


def keyed(headers: dict[str, str], key: str = "a-key") -> dict[str, str]:
    return {**headers, "Idempotency-Key": key}


def count(home: Home, table: str) -> int:
    return int(query(home, f"SELECT count(*) FROM {table}")[0][0])


async def test_of_twenty_equal_requests_at_once_one_issues_and_all_get_its_answer(
    client: Client, home: Home, headers: dict[str, str]
) -> None:
    sent = [client.post(URL, json=BODY, headers=keyed(headers)) for _ in range(20)]
    answers = await asyncio.gather(*sent)
    assert {answer.status for answer in answers} == {201}
    assert len({await answer.read() for answer in answers}) == 1
    assert count(home, "credentials") == 1


async def test_without_a_key_two_requests_are_two(
    client: Client, home: Home, headers: dict[str, str]
) -> None:
    for _ in range(2):
        assert (await client.post(URL, json=BODY, headers=headers)).status == 201
    assert count(home, "credentials") == 2


async def test_a_key_used_for_another_request_is_a_conflict(
    client: Client, home: Home, headers: dict[str, str]
) -> None:
    await client.post(URL, json=BODY, headers=keyed(headers))
    other = {"credential": {**UNSIGNED, "name": "Another"}}
    told = await client.post(URL, json=other, headers=keyed(headers))
    assert (await problem_of(told, 409))["code"] == "idempotency-conflict"
    assert "Retry-After" not in told.headers
    elsewhere = "/issuers/main/credentials/issue"
    told = await client.post(elsewhere, json=BODY, headers=keyed(headers))
    assert (await problem_of(told, 409))["code"] == "idempotency-conflict"
    assert count(home, "credentials") == 1


async def test_of_two_requests_at_once_under_one_key_one_is_a_conflict(
    client: Client, home: Home, headers: dict[str, str]
) -> None:
    bodies = [{"credential": {**UNSIGNED, "name": name}} for name in ("One", "Two")]
    sent = [client.post(URL, json=body, headers=keyed(headers)) for body in bodies]
    assert sorted([answer.status for answer in await asyncio.gather(*sent)]) == [201, 409]
    assert count(home, "credentials") == 1


async def test_keys_of_two_tokens_have_nothing_to_do_with_each_other(
    node: Node, client: Client, home: Home, headers: dict[str, str]
) -> None:
    _, secret = await create_token(node, "another", [Role.SIGNER])
    other = {"Authorization": f"Bearer {secret}"}
    first = await client.post(URL, json=BODY, headers=keyed(headers))
    second = await client.post(URL, json=BODY, headers=keyed(other))
    assert await first.read() != await second.read()
    assert count(home, "credentials") == 2


async def test_an_answer_survives_a_restart(
    home: Home, clock: HandClock, headers: dict[str, str], client: Client
) -> None:
    first = await client.post(URL, json=BODY, headers=keyed(headers, '"quoted"'))
    async with opened(home, clock) as again, client_of(again) as later:
        second = await later.post(URL, json=BODY, headers=keyed(headers, "quoted"))
        assert (second.status, await second.read()) == (201, await first.read())
    assert count(home, "credentials") == 1


async def test_what_was_refused_may_be_tried_again_under_its_key(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    keys, node.unlocked = node.unlocked, None
    told = await client.post(URL, json=BODY, headers=keyed(headers))
    assert (await problem_of(told, 503))["code"] == "node-sealed"
    node.unlocked = keys
    assert (await client.post(URL, json=BODY, headers=keyed(headers))).status == 201


async def test_an_answer_is_forgotten_after_the_documented_time(
    client: Client, home: Home, clock: HandClock, headers: dict[str, str]
) -> None:
    await client.post(URL, json=BODY, headers=keyed(headers))
    clock.advance(KEPT_FOR.total_seconds())
    await client.post(URL, json=BODY, headers=keyed(headers))
    assert count(home, "credentials") == 1
    clock.advance(1)
    await client.post(URL, json=BODY, headers=keyed(headers))
    assert count(home, "credentials") == 2
    assert count(home, "idempotency_keys") == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "ü", '"', "a" * 129, "a,b"])
async def test_a_key_that_is_none_is_refused(
    client: Client, home: Home, headers: dict[str, str], key: str
) -> None:
    told = await client.post(URL, json=BODY, headers=keyed(headers, key))
    assert (await problem_of(told, 400))["code"] == "idempotency-key-malformed"
    assert count(home, "credentials") == 0


async def test_two_keys_are_refused(client: Client, headers: dict[str, str]) -> None:
    both = [*headers.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    told = await client.post(URL, json=BODY, headers=both)
    assert (await problem_of(told, 400))["code"] == "idempotency-key-malformed"
