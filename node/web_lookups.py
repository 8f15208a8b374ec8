"""Looking things up over the network: the one way that the daemon and the demonstration do.

Apart from `node.gather`, which offline verification imports and which loads no aiohttp.
"""

from did.fetch import DidWebResolver, PublicFetcher
from did.resolver import DidKeyResolver, MethodResolver
from node.gather import Gatherer
from node.own_node import OwnNode
from primitives.clock import Clock

_STATUS_LIST_TYPES = "application/vc+json, application/json"


def web_resolver(fetcher: PublicFetcher, clock: Clock) -> MethodResolver:
    """Return a resolver of did:key and, through `fetcher`, of did:web."""
    return MethodResolver(
        {"key": DidKeyResolver(clock), "web": DidWebResolver(fetcher, clock)}
    )


def web_gatherer(
    fetcher: PublicFetcher, clock: Clock, own: OwnNode | None = None
) -> Gatherer:
    """Return a gatherer that asks the own node first, if there is one, then the network."""

    async def fetch(url: str, max_bytes: int) -> bytes:
        fetched = await fetcher.get(url, max_bytes=max_bytes, accept=_STATUS_LIST_TYPES)
        return fetched.body

    return Gatherer(clock, own, web_resolver(fetcher, clock), fetch)
