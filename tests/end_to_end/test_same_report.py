"""One evidence, one report: gathered from the web and judged, or read from a file."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anchoring.memory import MEMORY_CONTRACT, MemoryAnchor
from anchoring.record import record_digest
from credentials.bundle import encode_bundle, make_bundle, parse_bundle
from credentials.evidence import Evidence, Lookup, Missing, Obtained, Origin
from credentials.judge import judge
from credentials.policy import Policy
from did.fetch import FetchFailed
from did.resolver import DidKeyResolver, MethodResolver, Resolution
from did.web import DidWeb
from node.gather import Gatherer
from node.logbook import build_receipt
from node.node import Node
from node.status import revoke
from primitives.canonical_json import JsonObject, canonicalize
from tests.support.nodes import (
    Client,
    HandClock,
    anchor,
    client_of,
    document_of,
    issue,
    make_home_here,
    opened,
)

WAYS = ("as it was issued", "revoked", "changed", "asked about a day", "list withheld")


class Site:
    """The node's own web, read as a stranger does."""

    def __init__(self, client: Client, clock: HandClock, *, withheld: str) -> None:
        self.client, self.clock, self.withheld = client, clock, withheld

    async def fetch(self, url: str, limit: int) -> bytes:
        path = url.partition("//")[2].partition("/")[2]
        if self.withheld and self.withheld in path:
            raise FetchFailed(f"no answer from {url}")
        async with self.client.get(f"/{path}") as response:
            assert response.status == 200, url
            body = await response.read()
            assert len(body) <= limit
            return body


@pytest.mark.parametrize("way", WAYS)
async def test_what_was_gathered_and_what_was_filed_give_the_same_report(
    way: str, tmp_path: Path
) -> None:
    clock, chain = HandClock(), MemoryAnchor()
    home = await make_home_here(tmp_path / "node", clock)
    async with opened(home, clock) as node, client_of(node) as client:
        (uuid,) = (await issue(node, 1)).issued
        await anchor(node, chain)
        document = await document_of(node, uuid)
        if way == "revoked":
            await revoke(node, uuid, "a test")
        if way == "changed":
            document["name"] = "Another name"
        site = Site(client, clock, withheld="status" if way == "list withheld" else "")
        evidence = await gathered(node, site, document, uuid, chain)
        asked = clock.now().replace(hour=9) if way == "asked about a day" else clock.now()
        policy = believing(node)
        online = judge(document, evidence, policy, asked, clock=clock.now()).to_json()

        # All of it into a file and out again, and the provider is gone.
        raw = encode_bundle(make_bundle(document, evidence))
    bundle = parse_bundle(raw)
    assert bundle.credential == document
    filed = looked_up(bundle.evidence, evidence)
    offline = judge(bundle.credential, filed, policy, asked, clock=clock.now()).to_json()
    assert canonicalize(offline) == canonicalize(online)
    assert json.dumps(offline) == json.dumps(online)
    wanted = {"as it was issued": "valid", "revoked": "rejected", "changed": "rejected"}
    assert online["outcome"] == wanted.get(way, online["outcome"])


def believing(node: Node) -> Policy:
    did = str(DidWeb.for_host(node.config.domain))
    return Policy(issuers={did: "The school"}, contracts=frozenset({MEMORY_CONTRACT}))


async def gathered(
    node: Node, site: Site, document: JsonObject, uuid: str, chain: MemoryAnchor
) -> Evidence:
    class Web:
        async def resolve(self, did: str) -> Resolution:
            assert did == str(DidWeb.for_host(node.config.domain))
            url = "http://localhost:8460/.well-known/did.json"
            raw = json.loads(await site.fetch(url, 1 << 20))
            return Resolution(raw, url, site.clock.now())

    resolver = MethodResolver({"key": DidKeyResolver(site.clock), "web": Web()})
    gatherer = Gatherer(clock=site.clock, resolver=resolver, fetch=site.fetch)
    receipt = await build_receipt(node, uuid)
    seen: dict[str, Lookup[Any]] = {
        one.transaction: Obtained(
            await chain.check(one, record_digest(receipt.record)), "chain", site.clock.now()
        )
        for one in receipt.anchors
    }
    found = await gatherer.gather(
        document, receipt=Obtained(receipt, "receipt.json", site.clock.now())
    )
    return replace(found, sightings=seen)


def looked_up(filed: Evidence, gathered: Evidence) -> Evidence:
    """Return what was filed, as the verifier's own: the same that was gathered.

    Sightings are no part of a bundle, and neither is what could not be had.
    """

    def own(found: dict[str, Any], whole: Any) -> dict[str, Any]:
        missing = {name: one for name, one in whole.items() if isinstance(one, Missing)}
        return missing | {
            name: replace(one, origin=Origin.LOOKED_UP) for name, one in found.items()
        }

    assert isinstance(filed.receipt, Obtained)
    return replace(
        filed,
        did_documents=own(dict(filed.did_documents), gathered.did_documents),
        status_lists=own(dict(filed.status_lists), gathered.status_lists),
        histories=own(dict(filed.histories), gathered.histories),
        receipt=replace(filed.receipt, origin=Origin.LOOKED_UP),
        sightings=gathered.sightings,
    )
