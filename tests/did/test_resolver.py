from datetime import UTC, datetime

import pytest

from did.key import DidKey, did_key_document
from did.resolver import (
    ChainResolver,
    DidKeyResolver,
    DidNotFound,
    DidUnreachable,
    MethodResolver,
    PinnedResolver,
    Resolution,
    Resolver,
)
from primitives.ed25519 import SoftwareSigner
from primitives.errors import Malformed, Undetermined

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
THEN = datetime(2026, 1, 1, tzinfo=UTC)
DID_KEY = DidKey(SoftwareSigner(b"\x01" * 32).public_key)
DID_WEB = "did:web:example.edu"
PINNED = PinnedResolver({DID_WEB: {"id": DID_WEB}}, source="own-node", obtained_at=THEN)
EMPTY = PinnedResolver({}, source="own-node", obtained_at=THEN)


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class DeadNetwork:
    """Every question goes unanswered."""

    async def resolve(self, did: str) -> Resolution:
        raise DidUnreachable(f"{did}: no route")


async def test_a_did_key_resolves_by_itself() -> None:
    found = await DidKeyResolver(FixedClock()).resolve(str(DID_KEY))
    assert found == Resolution(did_key_document(DID_KEY), "did:key", NOW)


async def test_a_pinned_document_says_where_and_when_it_is_from() -> None:
    assert await PINNED.resolve(DID_WEB) == Resolution({"id": DID_WEB}, "own-node", THEN)


async def test_a_document_that_is_not_pinned_is_undetermined() -> None:
    with pytest.raises(Undetermined, match="own-node holds no document") as caught:
        await EMPTY.resolve(DID_WEB)
    assert caught.value.code == "did-not-found"
    assert caught.value.hint


async def test_each_method_has_its_resolver() -> None:
    resolver = MethodResolver({"key": DidKeyResolver(FixedClock()), "web": PINNED})
    assert (await resolver.resolve(str(DID_KEY))).source == "did:key"
    assert (await resolver.resolve(DID_WEB)).source == "own-node"


@pytest.mark.parametrize("did", ["did:ethr:0x00", "did:ion:abc", "did:example:123"])
async def test_another_method_is_unsupported_and_not_invalid(did: str) -> None:
    with pytest.raises(Undetermined, match="want one of web") as caught:
        await MethodResolver({"web": PINNED}).resolve(did)
    assert caught.value.code == "did-method-unsupported"
    assert caught.value.hint


async def test_what_is_no_did_is_malformed() -> None:
    with pytest.raises(Malformed) as caught:
        await MethodResolver({"web": PINNED}).resolve("https://example.edu")
    assert caught.value.code == "did-malformed"


@pytest.mark.parametrize("first", [EMPTY, DeadNetwork()])
async def test_a_chain_goes_on_where_one_has_nothing(first: Resolver) -> None:
    assert (await ChainResolver([first, PINNED]).resolve(DID_WEB)).source == "own-node"


async def test_a_chain_stops_at_the_first_document() -> None:
    assert (
        await ChainResolver([PINNED, DeadNetwork()]).resolve(DID_WEB)
    ).source == "own-node"


async def test_a_chain_without_the_document_says_what_its_last_resolver_said() -> None:
    with pytest.raises(DidUnreachable, match="no route"):
        await ChainResolver([EMPTY, DeadNetwork()]).resolve(DID_WEB)
    with pytest.raises(DidNotFound):
        await ChainResolver([DeadNetwork(), EMPTY]).resolve(DID_WEB)


def test_a_chain_of_none_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ChainResolver([])
