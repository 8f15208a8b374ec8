"""A JSON-LD document as RDF quads, in safe mode.

JSON-LD processors drop what no context defines, so `"honours": "summa cum laude"` can be
added to a signed credential and its signature still holds. Here every property, type and
`@id` has to expand to an absolute IRI, or the document is refused; what is an `@json`
literal is signed as it stands. Expansion (5.1.2 of the algorithms) and deserialization to
RDF (8.1) happen in one walk.

Not signed, and therefore not to be relied upon: the order of array items outside `@list`,
and the base direction of a text.
"""

import math
import re
from collections.abc import Mapping
from itertools import count
from typing import Final, TypeAlias

from credentials.jsonld.active_context import (
    KEYWORDS,
    ActiveContext,
    JsonldUnsupported,
    Term,
    initial_context,
    is_absolute_iri,
    process,
)
from credentials.jsonld.loader import KNOWN, Contexts
from primitives.canonical_json import Json, canonicalize
from primitives.errors import Malformed, Rejected

Quad: TypeAlias = tuple[str, str, str, str]
"""Subject, predicate, object and graph as N-Quads spells them; "" is the default graph."""

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_TYPE: Final = f"<{_RDF}type>"
_FIRST: Final = f"<{_RDF}first>"
_REST: Final = f"<{_RDF}rest>"
_NIL: Final = f"<{_RDF}nil>"

_LANGUAGE_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_TOO_LARGE_FOR_INTEGER = 1e21
_NO_TERM: Final = Term(iri=None)


class UnsignedTerm(Rejected):
    """A part of the document that no context defines, so no signature covers it."""

    code = "unsigned-term"
    hint = "add a context that defines the term, or leave the term out"


class JsonldMalformed(Malformed):
    """The document is not one that JSON-LD 1.1 allows."""

    code = "jsonld-malformed"


class Engine:
    """Turns documents into quads, remembering the contexts it has worked out."""

    MAX_REMEMBERED = 64
    """Lists of context URLs whose active context is kept."""

    def __init__(self, contexts: Contexts = KNOWN) -> None:
        self._contexts = contexts
        self._active: dict[tuple[str, ...], ActiveContext] = {}

    def quads(self, document: Mapping[str, Json]) -> set[Quad]:
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
        walk = _Walk()
        walk.document(document, self._active_context(document.get("@context")))
        return walk.quads

    def _active_context(self, local: Json) -> ActiveContext:
        start = initial_context(self._contexts)
        if local is None:
            return start
        urls = local if isinstance(local, list) else [local]
        if not all(isinstance(url, str) for url in urls):
            return process(start, local, inline=True)
        key = tuple(str(url) for url in urls)
        found = self._active.get(key)
        if found is None:
            found = process(start, local, inline=True)
            if len(self._active) < self.MAX_REMEMBERED:
                self._active[key] = found
        return found


class _Walk:
    """One document's walk: the quads so far, and the labels that it gave out."""

    def __init__(self) -> None:
        self.quads: set[Quad] = set()
        self._labels = count()
        self._given: dict[str, str] = {}
        self._lists: dict[Quad, str] = {}

    def document(self, document: Mapping[str, Json], active: ActiveContext) -> None:
        self._node(document, active, graph="", top=True)

    def _fresh(self) -> str:
        return f"_:b{next(self._labels)}"

    # Nodes

    def _node(
        self,
        node: Mapping[str, Json],
        active: ActiveContext,
        graph: str,
        *,
        top: bool = False,
    ) -> str:
        if "@context" in node and not top:
            active = process(active, node["@context"], inline=True)
        names = _types(node, active)
        inner = active.inside_types(names) if names else active
        subject = self._subject(node, inner)
        for name in names:
            self.quads.add((subject, _TYPE, _type_iri(name, active), graph))
        predicates = inner.predicates
        for key, value in node.items():
            predicate = predicates.get(key)
            if predicate is None:
                predicate = _predicate(key, inner)
            if predicate:
                self._property(subject, (key, predicate), value, inner, graph)
        return subject

    def _subject(self, node: Mapping[str, Json], active: ActiveContext) -> str:
        if "id" not in node or active.expand_word("id") != "@id":
            return self._fresh()
        name = node["id"]
        if not isinstance(name, str):
            raise JsonldMalformed("the id of a node must be one text")
        return self._identifier(name, active)

    def _identifier(self, written: str, active: ActiveContext) -> str:
        iri = active.expand_id(written)
        if iri is not None and iri != written:
            raise JsonldUnsupported(f"found {written[:64]!r}, want the whole IRI: {iri}")
        return self._reference(iri, written)

    def _reference(self, iri: str | None, written: str) -> str:
        """Spell what an `@id` or a coerced value refers to."""
        if iri is not None and iri.startswith("_:"):
            return self._given.setdefault(iri, self._fresh())
        if iri is None or not is_absolute_iri(iri):
            raise UnsignedTerm(f"found {written[:64]!r}, want an absolute IRI")
        return f"<{iri}>"

    # Properties and their values

    def _property(
        self,
        subject: str,
        spelled: tuple[str, str],
        value: Json,
        active: ActiveContext,
        graph: str,
    ) -> None:
        name, predicate = spelled
        term = active.terms.get(name, _NO_TERM)
        if isinstance(value, str) and term.is_simple:  # most values, without detours
            self.quads.add((subject, predicate, self._scalar(term, value, active), graph))
        elif term.coercion == "@json":  # before null, which is a JSON value like others
            self.quads.add((subject, predicate, _json_literal(value), graph))
        elif value is None:
            return
        elif "@language" in term.container and isinstance(value, Mapping):
            for literal in _language_map(value):
                self.quads.add((subject, predicate, literal, graph))
        elif "@list" in term.container:
            self._list((subject, predicate, name, graph), _list_items(value), active)
        else:
            self._set((subject, predicate, name, graph), value, active)

    def _set(
        self, place: tuple[str, str, str, str], value: Json, active: ActiveContext
    ) -> None:
        subject, predicate, name, graph = place
        term = active.terms.get(name, _NO_TERM)
        for item in _flattened(value):
            if isinstance(item, dict) and "@list" in item:
                self._list(place, _list_items(item), active)
                continue
            found = self._value(name, term, item, active, graph)
            if found is not None:
                self.quads.add((subject, predicate, found, graph))

    def _value(
        self, name: str, term: Term, item: Json, active: ActiveContext, graph: str
    ) -> str | None:
        if item is None:
            return None
        if not isinstance(item, dict):
            if "@graph" in term.container:
                raise JsonldUnsupported(
                    f"a {type(item).__name__} in the graph {name[:64]!r}"
                )
            # 5.1.2 step 4: a scalar, too, is read inside its property's own context.
            if term.has_scoped:
                active = active.inside_property(name, as_node=False)
                term = active.terms.get(name, _NO_TERM)
            return self._scalar(term, item, active)
        # Like `id` and `type`, `@value` has one spelling; see `_predicate`.
        is_value = "@value" in item
        is_reference = len(item) == 1 and active.expand_word(next(iter(item))) == "@id"
        inner = active.inside_property(name, as_node=not is_value and not is_reference)
        if is_value:
            return _value_object(item, inner)
        if "@graph" in term.container:
            name_of_graph = self._fresh()
            self._node(item, inner, name_of_graph)
            return name_of_graph
        return self._node(item, inner, graph)

    def _scalar(self, term: Term, item: Json, active: ActiveContext) -> str:
        """Value expansion, 5.3.2, then object to RDF, 8.2.2."""
        if isinstance(item, str):
            if term.coercion == "@id":
                return self._identifier(item, active)
            if term.coercion == "@vocab":
                return self._reference(active.expand_word(item), item)
            if term.coercion in (None, "@none"):
                language = term.language if term.has_language else active.language
                return _literal(item, language=language)
            return _literal(item, term.coercion)
        datatype = None if term.coercion in ("@id", "@vocab", "@none") else term.coercion
        return _number_or_boolean(item, datatype)

    def _list(
        self, place: tuple[str, str, str, str], value: Json, active: ActiveContext
    ) -> None:
        subject, predicate, name, graph = place
        term = active.terms.get(name, _NO_TERM)
        items: list[str] = []
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, list):
                raise JsonldUnsupported(f"a list of lists in {name[:64]!r}")
            found = self._value(name, term, item, active, graph)
            if found is not None:
                items.append(found)
        # Two mentions of one node may repeat a list: a node map keeps equal lists once.
        same = (subject, predicate, graph, "\n".join(items))
        if same in self._lists:
            return
        head = _NIL
        for found in reversed(items):
            cell = self._fresh()
            self.quads.add((cell, _FIRST, found, graph))
            self.quads.add((cell, _REST, head, graph))
            head = cell
        self._lists[same] = head
        self.quads.add((subject, predicate, head, graph))


def _predicate(key: str, active: ActiveContext) -> str:
    """Return the predicate of a property, or "" where `key` is a keyword."""
    iri = active.expand_word(key)
    if iri in KEYWORDS:
        # One spelling of each: a reader that looks for `id` overlooks `@id`.
        if key not in ("id", "type", "@context"):
            raise JsonldUnsupported(f"found {key[:64]!r} in a node, want id or type")
        predicate = ""
    elif iri is None or not is_absolute_iri(iri):
        raise UnsignedTerm(f"the term {key[:64]!r} is defined by no context")
    else:
        predicate = f"<{iri}>"
    if key in active.terms:  # bounded by the context, not by the document
        active.predicates[key] = predicate
    return predicate


def _types(node: Mapping[str, Json], active: ActiveContext) -> tuple[str, ...]:
    if "type" not in node or active.expand_word("type") != "@type":
        return ()
    found = node["type"]
    names: list[str] = []
    for name in found if isinstance(found, list) else [found]:
        if not isinstance(name, str):
            raise JsonldMalformed(f"a type must be text, found {type(name).__name__}")
        names.append(name)
    return tuple(names)


def _type_iri(name: str, active: ActiveContext) -> str:
    return _defined_type(active.expand_word(name), name)


def _defined_type(iri: str | None, name: str) -> str:
    if iri is None or iri in KEYWORDS or not is_absolute_iri(iri):
        raise UnsignedTerm(f"the type {name[:64]!r} is defined by no context")
    return f"<{iri}>"


def _flattened(value: Json) -> list[Json]:
    """A set holds no sets: arrays in arrays are one array."""
    flat: list[Json] = []
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += reversed(item)
        elif isinstance(item, dict) and "@set" in item:
            # It says what an array says, and hides its content from other readers.
            raise JsonldUnsupported("found @set in a value, want an array")
        else:
            flat.append(item)
    return flat


def _list_items(value: Json) -> Json:
    """Return what stands in `{"@list": …}`, or the value itself."""
    if not isinstance(value, Mapping) or "@list" not in value:
        return value
    if len(value) > 1:
        raise JsonldMalformed("@list must stand alone in its object")
    return value["@list"]


# Literals


def _value_object(item: Mapping[str, Json], active: ActiveContext) -> str | None:
    members: dict[str, Json] = {}
    for key, value in item.items():
        keyword = active.expand_vocab(key)
        if keyword not in ("@value", "@type", "@language", "@direction"):
            raise JsonldMalformed(f"{key[:64]!r} beside @value")
        members[keyword] = value
    value, datatype = members["@value"], members.get("@type")
    if datatype == "@json":
        return _json_literal(value)
    if value is None:
        return None
    if datatype is not None:
        if not isinstance(datatype, str) or "@language" in members:
            raise JsonldMalformed("@type beside @value must be text, without @language")
        datatype = _defined_type(active.expand_vocab(datatype), datatype)[1:-1]
        return _typed_value(value, datatype)
    language = members.get("@language")
    if language is None:
        return _typed_value(value, None)
    if not isinstance(language, str) or not isinstance(value, str):
        raise JsonldMalformed("@language and the text it speaks of must be text")
    return _literal(value, language=language)


def _typed_value(value: Json, datatype: str | None) -> str:
    if isinstance(value, str):
        return _literal(value, datatype)
    if isinstance(value, Mapping | list):
        raise JsonldMalformed("@value must be text, a number or a boolean")
    return _number_or_boolean(value, datatype)


def _language_map(value: Mapping[str, Json]) -> list[str]:
    literals = []
    for language, texts in value.items():
        for text in texts if isinstance(texts, list) else [texts]:
            if text is None:
                continue
            if not isinstance(text, str):
                raise JsonldMalformed("a language map must hold texts")
            tag = None if language == "@none" else language
            literals.append(_literal(text, language=tag))
    return literals


def _json_literal(value: Json) -> str:
    return _literal(canonicalize(value).decode(), f"{_RDF}JSON")


def _number_or_boolean(value: Json, datatype: str | None) -> str:
    if isinstance(value, bool):
        return _literal("true" if value else "false", datatype or f"{_XSD}boolean")
    if isinstance(value, int) and datatype != f"{_XSD}double":
        return _literal(str(value), datatype or f"{_XSD}integer")
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise JsonldMalformed(f"found a {type(value).__name__}, want text or a number")
    whole = value % 1 == 0 and abs(value) < _TOO_LARGE_FOR_INTEGER
    if whole and datatype != f"{_XSD}double":
        return _literal(str(int(value)), datatype or f"{_XSD}integer")
    mantissa, _, exponent = f"{value:.15E}".partition("E")
    digits = mantissa.rstrip("0")
    digits += "0" if digits.endswith(".") else ""
    return _literal(f"{digits}E{int(exponent)}", datatype or f"{_XSD}double")


def _literal(text: str, datatype: str | None = None, language: str | None = None) -> str:
    quoted = f'"{escape(text)}"'
    if language is not None:
        if not _LANGUAGE_TAG.fullmatch(language):
            raise JsonldMalformed(f"found language tag {language[:32]!r}")
        # Either case is allowed; the implementations that sign today use the lower one.
        return f"{quoted}@{language.lower()}"
    if datatype is None or datatype == f"{_XSD}string":
        return quoted
    return f"{quoted}^^<{datatype}>"


_SHORT_ESCAPES = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}
_TO_ESCAPE = re.compile(r'[\x00-\x1f"\\\x7f]')


def escape(text: str) -> str:
    """Return `text` as canonical N-Quads spells it, RDF 1.2 N-Quads section 3."""
    if _TO_ESCAPE.search(text) is None:
        return text
    return _TO_ESCAPE.sub(lambda m: _SHORT_ESCAPES.get(m[0]) or f"\\u{ord(m[0]):04X}", text)
