"""From a DID to its document, by whatever way there is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from did.identifier import Did
from did.key import DidKey, did_key_document
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import Undetermined


class DidUnreachable(Undetermined):
    """The place that holds the document gave no answer."""

    code = "did-unreachable"
    hint = "try again later, or verify with an evidence bundle or a trust pack"


class DidMethodUnsupported(Undetermined):
    """A DID method that Patunay does not resolve."""

    code = "did-method-unsupported"
    hint = "Patunay resolves did:key and did:web"


class DidNotFound(Undetermined):
    """The place that should hold the document says that it has none.

    Undetermined, because a lost domain or an emptied folder says nothing about what was
    signed while the document was there.
    """

    code = "did-not-found"
    hint = "verify with an evidence bundle or a trust pack that holds the document"


@dataclass(frozen=True, slots=True)
class Resolution:
    """A DID document, and where and when it was obtained."""

    document: JsonObject = field(repr=False)
    """As read. Only that it names the DID in question has been looked at, if that."""

    source: str
    """`did:key`, `own-node`, a URL, or the name of a bundle or pack."""

    obtained_at: datetime
    """Aware and in UTC."""


class Resolver(Protocol):
    """A way from a DID to its document."""

    async def resolve(self, did: str) -> Resolution:
        """Return the document of `did`.

        Raises:
            Undetermined: Not there, out of reach, or not a method of this resolver.
            Malformed: `did` is no DID of its method.
        """
        ...


class DidKeyResolver:
    """Works did:key documents out; asks nobody."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def resolve(self, did: str) -> Resolution:
        """Return the document that `did` implies.

        Raises:
            DidKeyMalformed: Not a did:key for an Ed25519 key.
            KeyTypeUnsupported: A did:key of another type.
        """
        document = did_key_document(DidKey.parse(did))
        return Resolution(document, "did:key", self._clock.now())


class PinnedResolver:
    """Knows the documents it was given, and no others."""

    def __init__(
        self, documents: Mapping[str, JsonObject], *, source: str, obtained_at: datetime
    ) -> None:
        self._documents = dict(documents)
        self._source = source
        self._obtained_at = obtained_at

    async def resolve(self, did: str) -> Resolution:
        """Return the document pinned for `did`.

        Raises:
            DidNotFound: None is.
        """
        document = self._documents.get(did)
        if document is None:
            raise DidNotFound(f"{self._source} holds no document of {did[:80]}")
        return Resolution(document, self._source, self._obtained_at)


class MethodResolver:
    """Hands each DID to the resolver of its method."""

    def __init__(self, methods: Mapping[str, Resolver]) -> None:
        self._methods = dict(methods)

    async def resolve(self, did: str) -> Resolution:
        """Return the document of `did`.

        Raises:
            DidMalformed: Not a DID.
            DidMethodUnsupported: No resolver for its method.
            Undetermined: Whatever that resolver raises.
        """
        method = Did.parse(did).method
        resolver = self._methods.get(method)
        if resolver is None:
            known = ", ".join(sorted(self._methods))
            raise DidMethodUnsupported(f"found did:{method[:32]}, want one of {known}")
        return await resolver.resolve(did)


class ChainResolver:
    """Asks one resolver after another until one has the document."""

    def __init__(self, resolvers: Sequence[Resolver]) -> None:
        if not resolvers:
            raise ValueError("a chain needs at least one resolver")
        *self._first, self._last = resolvers

    async def resolve(self, did: str) -> Resolution:
        """Return the first document found.

        Raises:
            Undetermined: What the last resolver raised, if none had it.
        """
        for resolver in self._first:
            try:
                return await resolver.resolve(did)
            except Undetermined:
                continue
        return await self._last.resolve(did)
