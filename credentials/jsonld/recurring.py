"""Verifying documents of strangers, most of which are of a few templates.

An issuer's credentials, and those of one issuing program, differ in their texts. What one
of them has shown about its shape need not be worked out for the next: see `batch`. What
is remembered are shapes and no verdicts: each document's own bytes are what is hashed.
"""

from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from typing import Final

from credentials.jsonld.batch import MAX_TEMPLATES, Template
from credentials.jsonld.look_alikes import TakesLonger, hurried
from credentials.jsonld.quads import Digester, Engine
from primitives.canonical_json import Json, canonicalize_plain
from primitives.errors import PatunayError

MAX_KINDS: Final = 32
"""Combinations of members and types of which templates are kept."""

MAX_LEARNT_CHARACTERS: Final = 16 * 1024
"""Longest document that becomes a template: takes ten times as much memory, and there
are at most `MAX_KINDS * MAX_TEMPLATES` of them."""

LEARNS_EVERY: Final = 32
"""Of so many documents of a kind that fit no template, one becomes one: that takes twice as
long as a document does, and strangers may send no two of one shape."""

FEW_STEPS: Final = 500
"""For blank nodes that look alike. Some steps depend on the order of members: with more of
them it is for the engine to say whether they are too many, and for any document alike."""

_FIRST_LEARNT: Final = 2
"""The second of a kind, since most kinds are seen but once."""


class _Kind:
    """The templates of one kind, the one that was made last first."""

    __slots__ = ("misses", "templates")

    def __init__(self) -> None:
        self.templates: tuple[Template, ...] = ()
        self.misses = 0


class RecurringEngine(Engine):
    """An engine that gets faster by what it has seen; threads may share it.

    Tests hold it equal to the engine beneath: in what it returns, and in what it refuses.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.contexts, engine.first)
        self._engine = engine
        self._kinds: dict[Hashable, _Kind] = {}

    def canonicalize(self, document: Mapping[str, Json]) -> str:
        """Return the canonical N-Quads of `document`; see `Engine.canonicalize`."""
        key = _key("N-Quads", document)
        kind = self._kinds.get(key) if key is not None else None
        for template in kind.templates if kind is not None else ():
            text = _filled(template, document)
            if text is not None:
                return text
        text = self._engine.canonicalize(document)
        self._learn(key, document, lambda made: _filled(made, document) is not None)
        return text

    def checked_json(self, document: Mapping[str, Json]) -> bytes:
        """Return the RFC 8785 bytes of `document`; see `Engine.checked_json`."""
        key = _key("JSON", document)
        kind = self._kinds.get(key) if key is not None else None
        for template in kind.templates if kind is not None else ():
            if template.fits(document):
                return canonicalize_plain(document)
        body = self._engine.checked_json(document)
        self._learn(key, document, lambda made: made.is_plain)
        return body

    def digest_recurring(self, digest: Digester, document: Mapping[str, Json]) -> bytes:
        """Return what the engine beneath remembers."""
        return self._engine.digest_recurring(digest, document)

    def _learn(
        self,
        key: Hashable,
        document: Mapping[str, Json],
        is_fit: Callable[[Template], bool],
    ) -> None:
        """Make a template of `document`, which the engine took, if it is worth that."""
        if key is None:
            return
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= MAX_KINDS:
                self._kinds.clear()  # at once, since threads share it
            kind = self._kinds[key] = _Kind()
        kind.misses += 1
        if kind.misses % LEARNS_EVERY != _FIRST_LEARNT:
            return
        if len(repr(document)) > MAX_LEARNT_CHARACTERS:
            return
        with suppress(PatunayError):  # what the engine took need not make a template
            made = Template(document, self._engine)
            if is_fit(made):
                kind.templates = (made, *kind.templates[: MAX_TEMPLATES - 1])


def _filled(template: Template, document: Mapping[str, Json]) -> str | None:
    """Return the canonical N-Quads if the template tells them, and soon."""
    try:
        with hurried(FEW_STEPS):
            return template.filled(document)
    except TakesLonger:
        return None


def _key(use: str, document: Mapping[str, Json]) -> Hashable:
    """Return what documents of one template have in common; None where it has no name."""
    types = document.get("type", [])
    names = types if isinstance(types, list) else [types]
    if not all(isinstance(name, str) for name in names):
        return None
    return use, *names, None, *document
