"""Verifying documents of strangers, most of which are of a few templates.

An issuer's credentials, and those of one issuing program, differ in their texts. What one
of them has shown about its shape need not be worked out for the next: see `batch`. What
is remembered are shapes and no verdicts: each document's own bytes are what is hashed.
"""

from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from credentials.jsonld.look_alikes import TakesLonger, hurried
from credentials.jsonld.quads import Digester, Engine
from primitives.canonical_json import Json, canonicalize_plain
from primitives.errors import PatunayError

if TYPE_CHECKING:  # whoever verifies a single document makes no template
    from credentials.jsonld.batch import Template

MAX_OUTLINES: Final = 64
"""Outlines that are known at a time, each with `MAX_TEMPLATES` at most."""

MAX_LEARNT_CHARACTERS: Final = 12 * 1024
"""Longest document that becomes a template: takes ten times as much memory."""

LEARNS_EVERY: Final = 32
"""Of so many documents of an outline that fit no template, one becomes one: that takes
twice as long as a document does, and strangers may send no two of one shape."""

FEW_STEPS: Final = 500
"""For blank nodes that look alike. Some steps depend on the order of members: with more of
them it is for the engine to say whether they are too many, and for any document alike."""

_FIRST_LEARNT: Final = 2
"""The second of an outline, since most are seen but once."""

_MAX_NAMES: Final = 512
_OUTLINE_LEVELS: Final = 3
"""As deep as what is awarded lies, whose lists have other lengths for each award."""

T = TypeVar("T")


class _Outline:
    """What is known of documents with the same members."""

    __slots__ = ("misses", "templates")

    def __init__(self) -> None:
        self.templates: "tuple[Template, ...]" = ()
        self.misses = 0


class _Memory:
    """Templates for one use. Threads may share it: what is lost is only time."""

    def __init__(self) -> None:
        self.outlines: dict[Hashable, _Outline] = {}
        self.last: "Template | None" = None
        """The one that fitted last; mostly the one that fits next."""

    def find(
        self, document: Mapping[str, Json], use: "Callable[[Template], T | None]"
    ) -> T | None:
        """Return what `use` makes of a template, if one is known that it can use."""
        last = self.last
        found = use(last) if last is not None else None
        if found is not None:
            return found
        known = self.outlines.get(_outline(document))
        for template in known.templates if known is not None else ():
            found = use(template) if template is not last else None
            if found is not None:
                self.last = template
                return found
        return None

    def learn(
        self,
        document: Mapping[str, Json],
        engine: Engine,
        is_fit: "Callable[[Template], bool]",
    ) -> None:
        """Make a template of `document`, which the engine took, if it is worth that."""
        outline = _outline(document)
        if outline is None:
            return
        known = self.outlines.get(outline)
        if known is None:
            if len(self.outlines) >= MAX_OUTLINES:
                self.outlines.clear()  # at once, since threads share it
            known = self.outlines[outline] = _Outline()
        known.misses += 1
        if known.misses % LEARNS_EVERY != _FIRST_LEARNT:
            return
        if len(repr(document)) > MAX_LEARNT_CHARACTERS:
            return
        from credentials.jsonld.batch import MAX_TEMPLATES, Template  # noqa: PLC0415

        with suppress(PatunayError):  # what the engine took need not make a template
            made = Template(document, engine)
            if is_fit(made):
                known.templates = (made, *known.templates[: MAX_TEMPLATES - 1])


class RecurringEngine(Engine):
    """An engine that gets faster by what it has seen; threads may share it.

    Tests hold it equal to the engine beneath: in what it returns, and in what it refuses.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.contexts, engine.first)
        self._engine = engine
        self._quads = _Memory()
        self._json = _Memory()

    def canonicalize(self, document: Mapping[str, Json]) -> str:
        """Return the canonical N-Quads of `document`; see `Engine.canonicalize`."""
        found = self._quads.find(document, lambda known: _filled(known, document))
        if found is not None:
            return found
        text = self._engine.canonicalize(document)
        self._quads.learn(
            document, self._engine, lambda made: _filled(made, document) is not None
        )
        return text

    def checked_json(self, document: Mapping[str, Json]) -> bytes:
        """Return the RFC 8785 bytes of `document`; see `Engine.checked_json`."""
        found = self._json.find(document, lambda known: _spelled(known, document))
        if found is not None:
            return found
        body = self._engine.checked_json(document)
        self._json.learn(document, self._engine, lambda made: made.is_plain)
        return body

    def digest_recurring(self, digest: Digester, document: Mapping[str, Json]) -> bytes:
        """Return what the engine beneath remembers."""
        return self._engine.digest_recurring(digest, document)


def _filled(template: "Template", document: Mapping[str, Json]) -> str | None:
    """Return the canonical N-Quads if the template tells them, and soon."""
    try:
        with hurried(FEW_STEPS):
            return template.filled(document)
    except TakesLonger:
        return None


def _spelled(template: "Template", document: Mapping[str, Json]) -> bytes | None:
    """Return the RFC 8785 bytes if the template, which is plain, fits."""
    return canonicalize_plain(document) if template.fits(document) else None


def _outline(document: Mapping[str, Json]) -> Hashable:
    """Return what documents of one template have in common; None if it is too long.

    Names of members and lengths of lists, which a template never changes. That documents
    with one outline are of one template is for the template to say.
    """
    found: list[str | int] = []
    _add_outline(document, found, _OUTLINE_LEVELS)
    return tuple(found) if len(found) <= _MAX_NAMES else None


def _add_outline(node: Mapping[str, Json], found: list[str | int], levels: int) -> None:
    found += node
    for value in node.values():
        if isinstance(value, list):
            found.append(len(value))
        elif isinstance(value, dict) and levels > 1:
            _add_outline(value, found, levels - 1)
