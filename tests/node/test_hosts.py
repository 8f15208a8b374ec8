"""Under which names a node answers: a page of another site must not reach it by its own."""

import asyncio

import pytest

from node.hosts import Authority, HostRefused, OwnHosts
from node.node import Node
from tests.support.nodes import Client, client_of, plan

PORT = 8460
SCHOOL = OwnHosts("school.example", "https://www.school.example/node", "127.0.0.1")


@pytest.mark.parametrize(
    "host",
    [
        "school.example",
        "School.Example",
        "school.example:443",
        "school.example:8460",
        "www.school.example",
        "localhost:8460",
        "127.0.0.1:8460",
        "127.9.9.9:8460",
        "[::1]:8460",
    ],
)
def test_a_node_answers_to_its_own_names(host: str) -> None:
    SCHOOL.check([host], port=PORT)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8460",
        "school.example.evil.example",
        "school.example.",
        "xschool.example",
        "localhost.evil.example:8460",
        "127.0.0.1.evil.example:8460",
        # Something else on this machine.
        "localhost",
        "localhost:8461",
        "127.0.0.1:80",
        "[::1]",
        "192.168.1.5:8460",
        "0.0.0.0:8460",
        "2130706433:8460",
        "localhost:8460:8460",
        "user@localhost:8460",
        "localhost:+8460",
        "localhost:8460/",
        "localhost:8460 ",
        " localhost:8460",
        "localhost:٨٤٦٠",
        "\u017fchool.example",  # lower case of it would be the node's own
        "localhost:",
        ":8460",
        "",
    ],
)
def test_any_other_name_is_refused(host: str) -> None:
    with pytest.raises(HostRefused) as told:
        SCHOOL.check([host], port=PORT)
    assert told.value.code == "host-refused"


def test_one_host_is_wanted() -> None:
    for values in ([], ["localhost:8460", "localhost:8460"], ["localhost:8460", "x"]):
        with pytest.raises(HostRefused, match="want one host name"):
            SCHOOL.check(values, port=PORT)


def test_without_a_port_that_of_the_scheme_is_meant() -> None:
    SCHOOL.check(["localhost"], port=443, scheme="https")
    SCHOOL.check(["localhost"], port=80, scheme="http")
    with pytest.raises(HostRefused):
        SCHOOL.check(["localhost"], port=80, scheme="https")


def test_more_names_can_be_listed() -> None:
    more = OwnHosts("school.example", "", "127.0.0.1", ("node", "b.local:8460"))
    for host in ("node", "node:9000", "b.local:8460"):
        more.check([host], port=PORT)
    for host in ("b.local", "b.local:1", "nodes", "c.local:8460"):
        with pytest.raises(HostRefused):
            more.check([host], port=PORT)


@pytest.mark.parametrize(
    ("listening", "host"), [("192.168.1.5", "192.168.1.5"), ("fd00::1", "[fd00::1]")]
)
def test_the_address_listened_on_is_one_of_the_names(listening: str, host: str) -> None:
    own = OwnHosts("school.example", "", listening)
    own.check([f"{host}:8460"], port=PORT)
    with pytest.raises(HostRefused):
        own.check([f"{host}:8461"], port=PORT)


def test_a_loopback_domain_stands_for_its_own_port_alone() -> None:
    own = plan(port=9000, listen_port=8460).own_hosts
    own.check(["localhost:9000"], port=PORT)
    with pytest.raises(HostRefused):
        own.check(["localhost:9001"], port=PORT)


def test_an_authority_is_read_as_it_is_written() -> None:
    assert Authority.parse("Node:1") == Authority("node", 1)
    assert Authority.parse("[::1]") == Authority("[::1]", None)
    assert Authority.parse("https://node") is None


async def _status(port: int, *headers: str, target: str = "/healthz") -> int:
    """Ask without a client that would write a `Host` of its own."""
    reader, writer = await asyncio.open_connection("localhost", port)
    lines = [f"GET {target} HTTP/1.1", *headers, "Connection: close", "", ""]
    writer.write("\r\n".join(lines).encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1])


async def test_the_api_answers_421_to_a_foreign_name(client: Client) -> None:
    assert client.port is not None
    here = client.port
    assert await _status(here, f"Host: localhost:{here}") == 200
    assert await _status(here, f"Host: 127.0.0.1:{here}") == 200
    assert await _status(here, "Host: localhost:8460") == 200
    for path in ("/healthz", "/", "/log/checkpoint", "/nothing", "/openapi.json"):
        assert await _status(here, f"Host: evil.example:{here}", target=path) == 421
    assert await _status(here, f"Host: localhost:{here + 1}") == 421
    response = await client.get("/", headers={"Host": "evil.example"})
    assert (await response.json())["code"] == "host-refused"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_a_proxy_adds_decides_nothing(client: Client) -> None:
    assert client.port is not None
    here, own = client.port, f"localhost:{client.port}"
    for name in ("X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host"):
        value = f"host={own}" if name == "Forwarded" else own
        assert await _status(here, "Host: evil.example", f"{name}: {value}") == 421
        other = "host=evil.example" if name == "Forwarded" else "evil.example"
        assert await _status(here, f"Host: {own}", f"{name}: {other}") == 200


async def test_the_listed_names_reach_the_api(node: Node) -> None:
    node.config = plan(allowed_hosts="node school.local:80")
    async with client_of(node) as client:
        assert client.port is not None
        assert await _status(client.port, "Host: node") == 200
        assert await _status(client.port, "Host: school.local:80") == 200
        assert await _status(client.port, "Host: school.local:81") == 421
