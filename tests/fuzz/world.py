"""One node that serves on loopback, and a web in memory for it to look things up in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from credentials.judge import judge
from credentials.policy import Policy
from did.fetch import FetchNotFound, FetchTooLarge
from did.resolver import DidKeyResolver, MethodResolver, PinnedResolver
from node.access import create_token
from node.api.verify import VERIFIER, Verifier
from node.gather import Gatherer
from node.node import Node
from node.own_node import OwnNode
from node.permissions import Role
from primitives.canonical_json import JsonObject, canonicalize
from tests.fuzz.oracle import Honest
from tests.fuzz.samples import (
    DOCUMENTS,
    LISTS,
    Sample,
    checked,
    credentials,
    examples,
    of_node,
    presentations,
    requests,
)
from tests.support.credentials_support import NOW
from tests.support.nodes import Client, HandClock, client_of, make_home_here, opened


@dataclass(frozen=True)
class World:
    """All that an input meets."""

    node: Node
    client: Client
    verifier: Verifier
    offline: Gatherer
    token: str
    samples: tuple[Sample, ...]
    honest: Honest

    def policy(self) -> Policy:
        """Return what the node demands where a request names nothing."""
        return self.verifier.gatherer.policy(self.verifier.policy)


@asynccontextmanager
async def world_in(folder: Path) -> AsyncIterator[World]:
    """Create the node and the samples, each of which is checked as it is."""
    clock = HandClock(NOW)
    home = await make_home_here(folder / "node", clock)
    async with opened(home, clock) as node:
        own = await of_node(node)
        members = [*credentials(), *examples(), *own]
        async with client_of(node) as client:
            assert client.server is not None
            verifier = client.server.app[VERIFIER]  # type: ignore[attr-defined]
            loaded = OwnNode.load(home, clock)
            offline = Gatherer(clock, loaded)
            verifier.gatherer = replace(
                offline, resolver=_resolver(clock), fetch=_fetch(LISTS)
            )
            _, token = await create_token(node, "fuzz", list(Role))
            world = World(node, client, verifier, offline, token, (), Honest())
            yield replace(world, samples=tuple(await _judged(world, members)))


def _resolver(clock: HandClock) -> MethodResolver:
    pinned = PinnedResolver(DOCUMENTS, source="memory", obtained_at=clock.now())
    return MethodResolver({"key": DidKeyResolver(clock), "web": pinned})


class _Web:
    """Files in memory, by URL."""

    def __init__(self, files: Mapping[str, JsonObject]) -> None:
        self._files = {url: canonicalize(document) for url, document in files.items()}

    async def __call__(self, url: str, max_bytes: int) -> bytes:
        body = self._files.get(url)
        if body is None:
            raise FetchNotFound(f"found nothing at {url[:200]}")
        if len(body) > max_bytes:
            raise FetchTooLarge(f"found {len(body)} bytes, want at most {max_bytes}")
        return body


_fetch = _Web


async def _judged(world: World, members: list[Sample]) -> list[Sample]:
    """Return all samples; each verifies, or does not, as it says."""
    for sample in members:
        evidence = await world.verifier.evidence(sample.document)
        report = judge(sample.document, evidence, world.policy(), NOW)
        checked(sample, outcome=report.outcome.value)
        world.honest.note(sample.document, is_valid=sample.is_valid)
    valid = [each for each in members if each.is_valid]
    shown = list(presentations(valid))
    for sample in shown:
        world.honest.note(sample.document, is_valid=True)
    return [*members, *shown, *requests(members)]
