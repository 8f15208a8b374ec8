"""A JSON-LD document as RDF quads, in safe mode; see `credentials.jsonld.walk`."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from credentials.jsonld.canon import canonicalize_quads
from credentials.jsonld.checking import CheckingWalk
from credentials.jsonld.dataset import Dataset
from credentials.jsonld.loader import KNOWN, Contexts
from credentials.jsonld.scope import (
    MAX_REMEMBERED_CHARACTERS,
    Scope,
    Written,
    first_scope,
)
from credentials.jsonld.walk import Walk
from primitives.canonical_json import Json, canonicalize


class Engine:
    """Turns documents into quads, remembering the contexts it has worked out."""

    MAX_RECURRING = 256
    """Documents whose digest is kept by `digest_recurring`."""

    def __init__(self, contexts: Contexts = KNOWN, first: Scope | None = None) -> None:
        self.contexts = contexts
        self.first = first_scope(contexts) if first is None else first
        """What is in force before any `@context` was read."""

        self._recurring = lru_cache(self.MAX_RECURRING)(self._digest_written)

    def __reduce__(self) -> "tuple[type[Engine], tuple[Contexts]]":
        """Travel to another process without what is remembered."""
        return Engine, (self.contexts,)

    def quads(self, document: Mapping[str, Json]) -> Dataset:
        """Return the quads of `document`.

        Raises:
            UnsignedTerm: A property, type or `@id` does not expand to an absolute IRI.
            ContextUnknown: A context that is not held here.
            ContextRedefinition: A context changes a term that an earlier one protects.
            ContextForbidden: An inline context does more than add terms.
            JsonldUnsupported: A feature outside the subset.
            ContextMalformed: A context breaks JSON-LD's own rules.
            JsonldMalformed: The document does.
        """
        walk = Walk()
        walk.document(document, self.scope(document))
        return walk.dataset

    def canonicalize(self, document: Mapping[str, Json]) -> str:
        """Return the canonical N-Quads of `document`.

        Raises:
            CanonicalizationLimit: See `canonicalize_quads`.
            PatunayError: As `quads` does.
        """
        return canonicalize_quads(self.quads(document))

    def digest_recurring(self, digest: "Digester", document: Mapping[str, Json]) -> bytes:
        """Return what `digest` gives for this engine and `document`, and remember it.

        For proof options: those of one batch differ in the second, if at all.

        Raises:
            PatunayError: As `digest` does; that is not remembered.
        """
        written = Written(document)
        if len(written.text) > MAX_REMEMBERED_CHARACTERS:
            return digest(self, document)
        return self._recurring(digest, written)

    def _digest_written(
        self, digest: "Digester", written: Written[Mapping[str, Json]]
    ) -> bytes:
        return digest(self, written.value)

    def check(self, document: Mapping[str, Json]) -> None:
        """Return if all of `document` is signed under its contexts.

        Raises:
            PatunayError: As `quads` does.
        """
        CheckingWalk().document(document, self.scope(document))

    def checked_json(self, document: Mapping[str, Json]) -> bytes:
        """Return the RFC 8785 bytes of `document`, if all of it is signed.

        Raises:
            NotCanonicalizable: See `canonicalize`.
            PatunayError: As `quads` does.
        """
        self.check(document)
        return canonicalize(document)

    def scope(self, document: Mapping[str, Json]) -> Scope:
        """Return what is in force at the top of `document`."""
        context = document.get("@context")
        return self.first if context is None else self.first.local(context)


Digester: TypeAlias = Callable[[Engine, Mapping[str, Json]], bytes]
"""Worked out anew, it would give the same for the same document."""
