"""No host that leads inside is connected to: as strace sees it, not as the code says.

At each of the three stages: as a literal in a DID or a URL, as a DNS answer, and as the
target of a redirect.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.connections import Peer, parse_trace, watch
from tests.support.denied_hosts import ADDRESS, DENIED, DeniedHost

PROGRAM = ("-m", "tests.support.denied_fetches")

DNS = (
    "dns",
    "dns, the first of two",
    "dns, the second of two",
    "dns, changed between judging and use",
)


@dataclass(frozen=True)
class Watched:
    port: int
    """Of the server that redirects: the one place that may be asked."""

    rows: list[dict[str, str]]
    peers: list[Peer]

    def row(self, host: DeniedHost) -> dict[str, str]:
        return self.rows[DENIED.index(host)]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    trace = tmp_path_factory.mktemp("strace") / "trace"
    printed, peers = watch(*PROGRAM, trace=trace)
    found = json.loads(printed)
    return Watched(found["port"], found["rows"], peers)


def each_host() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("host", DENIED, ids=lambda row: ascii(row.host))


def test_the_table_is_long_enough_and_says_nothing_twice() -> None:
    assert len(DENIED) >= 120
    assert len({row.host for row in DENIED}) == len(DENIED)


@each_host()
def test_a_literal_is_refused_by_its_spelling(host: DeniedHost, watched: Watched) -> None:
    found = watched.row(host)
    assert (found["did"], found["url"]) == (host.did_code, host.url_code)


@each_host()
def test_a_dns_answer_is_refused_whole(host: DeniedHost, watched: Watched) -> None:
    found = watched.row(host)
    assert {stage: found[stage] for stage in DNS} == dict.fromkeys(DNS, ADDRESS)
    if "dns, first question" in found:
        assert found["dns, first question"] == "fetched"
        assert found["dns, second question"] == ADDRESS


@each_host()
def test_a_redirect_is_not_followed(host: DeniedHost, watched: Watched) -> None:
    assert watched.row(host)["redirect"] == "fetch-redirect-refused"


def test_nobody_was_connected_to_but_the_server_that_redirects(watched: Watched) -> None:
    # One connection for each redirect, one for each name that is asked a second time.
    rebound = sum("dns, first question" in row for row in watched.rows)
    assert rebound > 50
    assert Counter(watched.peers) == {
        Peer("127.0.0.1", watched.port): len(DENIED) + rebound
    }


def test_the_witness_sees_what_a_fetcher_without_guard_does(tmp_path: Path) -> None:
    printed, peers = watch(*PROGRAM, "--unguarded", trace=tmp_path / "trace")
    port = json.loads(printed)["port"]
    # Answered once, refused once; and once over IPv6.
    assert peers == [*[Peer("127.0.0.1", port)] * 2, Peer("::1", port)]


def test_a_call_that_the_witness_cannot_read_does_not_go_unseen() -> None:
    line = "7 connect(6, {sa_family=AF_INET, sin_port=htons(80), ...}, 16 <unfinished ...>"
    with pytest.raises(ValueError, match="cannot read the address"):
        parse_trace(line)
