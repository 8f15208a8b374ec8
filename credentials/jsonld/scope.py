"""Active contexts worked out for the walk: what each property's quads begin and end with.

Contexts, types and terms come from whoever wrote the document, so all that is remembered
has a bound: a scope's properties are bounded by its terms, and the scopes of one engine
by `MAX_REMEMBERED`, the longest unused leaving first.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Generic, TypeVar

from credentials.jsonld.active_context import (
    KEYWORDS,
    ActiveContext,
    JsonldUnsupported,
    Term,
    is_absolute_iri,
)
from credentials.jsonld.context_processing import process
from credentials.jsonld.literals import RDF, JsonldMalformed, literal
from credentials.jsonld.loader import Contexts
from primitives.canonical_json import Json
from primitives.errors import Rejected

MAX_REMEMBERED: Final = 1_024
"""Scopes kept by one engine, of some 20 KB each; a document of each known type has 60."""

MAX_REMEMBERED_CONTEXTS: Final = 64
"""Values of `@context` whose scope is kept; the costly ones of those above."""

MAX_REMEMBERED_CHARACTERS: Final = 16_384
"""Longest `@context` that is kept, and what grows from it; ten times the longest seen."""

_MAX_REMEMBERED_IRIS = 4_096
_MAX_REMEMBERED_IRI = 200
"""Characters. Issuers, types and frameworks come back all the time."""

T = TypeVar("T")

_TYPE: Final = f" <{RDF}type> "
_NO_TERM: Final = Term(iri=None)
_no_texts: tuple[str, ...] = ()


class UnsignedTerm(Rejected):
    """A part of the document that no context defines, so no signature covers it."""

    code = "unsigned-term"
    hint = "add a context that defines the term, or leave the term out"


class Property:
    """A member of a node as one active context reads it. Not changed once made."""

    __slots__ = ("closing", "holds_nodes", "is_simple", "lead", "name", "opening", "term")

    def __init__(self, name: str, iri: str, term: Term, language: str | None) -> None:
        self.name = name
        self.term = term
        self.lead = f" <{iri}> "
        """What stands before the object."""

        self.opening = f'{self.lead}"'
        self.closing = _closing(term, language)
        """What a text ends with that is a literal as it stands; else None."""

        self.is_simple = term.is_simple
        self.holds_nodes = term.container <= {"@set"} and term.coercion != "@json"
        """Whether an object is its value as it stands, unless keywords say otherwise."""


def _closing(term: Term, language: str | None) -> str | None:
    if not term.is_simple or term.coercion in ("@id", "@vocab"):
        return None
    if term.coercion not in (None, "@none"):
        return literal("", term.coercion)[1:]
    try:
        return literal("", language=term.language if term.has_language else language)[1:]
    except JsonldMalformed:
        return None  # the walk refuses it when it meets a text


KEYWORD: Final = Property("", "", Term(None, coercion="@id"), None)
"""Stands for `id`, `type` and `@context`, which are no properties."""


class Written(Generic[T]):
    """A JSON value as the key of a table: told from others by all of its text."""

    __slots__ = ("text", "value")

    def __init__(self, value: T) -> None:
        self.text = repr(value)
        """Tells True from 1, as equality of the values would not."""

        self.value = value

    def __eq__(self, other: object) -> bool:
        """Compare the texts."""
        return isinstance(other, Written) and self.text == other.text

    def __hash__(self) -> int:
        """Hash the text."""
        return hash(self.text)


class Shape:
    """What the members and the types of a node say about it, in one scope."""

    __slots__ = ("has_id", "inner", "others", "tails", "texts")

    def __init__(
        self, inner: "Scope", tails: list[str], names: tuple[str, ...], *, has_id: bool
    ) -> None:
        self.inner = inner
        """What is in force inside the node."""

        self.tails = tails
        """The lines of its types but for their subject."""

        self.has_id = has_id
        of = [(name, inner.property(name)) for name in names]
        self.texts = [
            (name, found.opening, found.closing, found)
            for name, found in of
            if found.closing is not None
        ]
        """Members that are a literal as they stand, if they are text; see `Property`."""

        self.others = [
            (name, found)
            for name, found in of
            if found.closing is None and found is not KEYWORD
        ]


class Scope:
    """One active context, its properties, and the scopes that grow from it."""

    __slots__ = ("_memory", "active", "previous", "properties")

    def __init__(
        self, active: ActiveContext, memory: "_Memory", previous: "Scope | None" = None
    ) -> None:
        self.active = active
        self.previous = previous
        self.properties: dict[str, Property] = {}
        """Those that were asked for and are terms: bounded by the context."""

        self._memory = memory

    def property(self, name: str) -> Property:
        """Return what a member of a node is.

        Raises:
            UnsignedTerm: No context defines it.
            JsonldUnsupported: Another spelling of a keyword, or of a word.
        """
        known = self.properties.get(name)
        if known is not None:
            return known
        active = self.active
        iri = active.expand_word(name)
        if iri in KEYWORDS:
            # One spelling of each: a reader that looks for `id` overlooks `@id`.
            if name not in ("id", "type", "@context"):
                raise JsonldUnsupported(f"found {name[:64]!r} in a node, want id or type")
            found = KEYWORD
        elif iri is None or not is_absolute_iri(iri):
            raise UnsignedTerm(f"the term {name[:64]!r} is defined by no context")
        else:
            term = active.terms.get(name, _NO_TERM)
            found = Property(name, iri, term, active.language)
        if name in active.terms:  # bounded by the context, not by the document
            self.properties[name] = found
        return found

    def term(self, name: str) -> Term:
        """Return the definition of `name`, an empty one where there is none."""
        return self.active.terms.get(name, _NO_TERM)

    def shape(self, node: Mapping[str, Json]) -> Shape:
        """Return what the members and the types of a node say about it.

        Raises:
            JsonldMalformed: A type that is no text.
            UnsignedTerm: No context defines a type or a member.
            PatunayError: Of a member, see `property`, or of a context that a type brings,
                see `process`.
        """
        written = node.get("type", ())
        types = tuple(written) if isinstance(written, list) else written
        key = (self, types, *node)
        try:
            known = self._memory.shapes.get(key)
        except TypeError:  # a type that is no text, and cannot be looked up
            known = None
        return known or self._new_shape(node, key)

    def _new_shape(self, node: Mapping[str, Json], key: tuple[object, ...]) -> Shape:
        inner, types = self, _no_texts
        terms = self.active.terms
        # 5.1.2 step 11.
        typed = "type" in node and self.active.expand_word("type") == "@type"
        if typed:
            types = _texts(node["type"])
            scoped = {name for name in types if terms.get(name, _NO_TERM).has_scoped}
            inner = self.typed(tuple(sorted(scoped))) if scoped else self
        tails = [_TYPE + defined_type(self.active.expand_word(n), n) for n in types]
        has_id = "id" in node and inner.active.expand_word("id") == "@id"
        made = Shape(inner, tails, tuple(node), has_id=has_id)
        # Remembered are combinations of terms, never what a document makes up.
        known = inner.active.terms.keys() >= node.keys() - {"@context"}
        if known and terms.keys() >= {*types} and typed is ("type" in node):
            self._memory.remember(key, made)
        return made

    def typed(self, names: tuple[str, ...]) -> "Scope":
        """Return what is in force in a node of the types `names`, each scoped, in order.

        Raises:
            PatunayError: Of a context that a type brings; see `process`.
        """
        return self._memory.typed(self, names)

    def inside(self, name: str, term: Term, *, as_node: bool) -> "Scope":
        """Return what is in force in the values of a property, 5.1.2 steps 7 and 8.

        Args:
            name: The property as the document spells it; it need not be a term.
            term: Its definition.
            as_node: Whether the value is a node object: those forget a type-scoped
                context, values and plain references do not.
        """
        if term.has_scoped:
            return self._memory.inside(self, name, as_node)
        return self.previous if as_node and self.previous is not None else self

    def local(self, context: Json) -> "Scope":
        """Return what is in force after a `@context` of the document itself.

        Raises:
            PatunayError: Of the context; see `process`.
        """
        written = Written(context)
        if len(written.text) > MAX_REMEMBERED_CHARACTERS:
            return _local(Scope(self.active, _Memory(), self.previous), written)
        return self._memory.local(self, written)

    def identifier(self, written: str) -> str | None:
        """Return `<written>` if it is an absolute IRI that nothing abbreviates.

        None says that one has to look closer, with `expand_id`.
        """
        if len(written) > _MAX_REMEMBERED_IRI:
            return None
        scheme = _scheme(written)
        terms = self.active.terms
        if not scheme or scheme in terms or written in terms:
            return None
        return f"<{written}>"

    def grown(self, active: ActiveContext) -> "Scope":
        """Return the scope of a context that was worked out from this one."""
        previous = active.previous
        if previous is None:
            outer = None
        elif previous is self.active:
            outer = self
        elif self.previous is not None and previous is self.previous.active:
            outer = self.previous
        else:  # between two type-scoped contexts, the second of which began with null
            outer = Scope(previous, self._memory, self.previous)
        return Scope(active, self._memory, outer)


class _Memory:
    """The scopes that one engine keeps. Each table is one that threads may share."""

    def __init__(self) -> None:
        self.shapes: dict[tuple[object, ...], Shape] = {}
        """By scope, types and names of members."""

        self.typed = lru_cache(MAX_REMEMBERED)(_typed)
        self.inside = lru_cache(MAX_REMEMBERED)(_inside)
        self.local = lru_cache(MAX_REMEMBERED_CONTEXTS)(_local)

    def remember(self, key: tuple[object, ...], shape: Shape) -> None:
        """Keep one more shape."""
        if len(self.shapes) >= MAX_REMEMBERED:
            self.shapes.clear()  # at once, since threads share it
        self.shapes[key] = shape


def first_scope(contexts: Contexts) -> Scope:
    """Return what is in force before any `@context` was read."""
    return Scope(ActiveContext(contexts), _Memory())


def defined_type(iri: str | None, name: str) -> str:
    """Return the IRI of a type as N-Quads spells it.

    Raises:
        UnsignedTerm: It is none.
    """
    if iri is None or not is_absolute_iri(iri):
        raise UnsignedTerm(f"the type {name[:64]!r} is defined by no context")
    return f"<{iri}>"


@lru_cache(_MAX_REMEMBERED_IRIS)
def _scheme(written: str) -> str:
    """Return the scheme of an absolute IRI, "" of anything else."""
    return written.partition(":")[0] if is_absolute_iri(written) else ""


def _texts(types: Json) -> tuple[str, ...]:
    names = types if isinstance(types, list) else [types]
    for name in names:
        if not isinstance(name, str):
            raise JsonldMalformed(f"a type must be text, found {type(name).__name__}")
    return tuple(names)


def _typed(scope: Scope, names: tuple[str, ...]) -> Scope:
    grown = scope.active
    for name in names:
        grown = process(grown, scope.active.terms[name].scoped, propagate=False)
    return scope.grown(grown)


def _inside(scope: Scope, name: str, as_node: bool) -> Scope:
    outer = scope.previous if as_node and scope.previous is not None else scope
    scoped = scope.active.terms[name].scoped
    return outer.grown(process(outer.active, scoped, override_protected=True))


def _local(scope: Scope, written: Written[Json]) -> Scope:
    return scope.grown(process(scope.active, written.value, inline=True))
