"""A JSON-LD document as RDF quads, in safe mode.

JSON-LD processors drop what no context defines, so `"honours": "summa cum laude"` can be
added to a signed credential and its signature still holds. Here every property, type and
`@id` has to expand to an absolute IRI, or the document is refused; what is an `@json`
literal is signed as it stands. Expansion (5.1.2 of the algorithms) and deserialization to
RDF (8.1) happen in one walk.

Not signed, and therefore not to be relied upon: the order of array items outside `@list`,
and the base direction of a text.
"""

from collections.abc import Mapping
from itertools import count
from typing import Final

from credentials.jsonld.active_context import JsonldUnsupported, Term, is_absolute_iri
from credentials.jsonld.dataset import Dataset
from credentials.jsonld.literals import (
    RDF,
    JsonldMalformed,
    escape,
    json_literal,
    language_map,
    literal,
    number_or_boolean,
    typed_value,
)
from credentials.jsonld.scope import (
    Property,
    Scope,
    UnsignedTerm,
    defined_type,
)
from primitives.canonical_json import Json

_FIRST: Final = f"<{RDF}first>"
_REST: Final = f"<{RDF}rest>"
_NIL: Final = f"<{RDF}nil>"

MAX_SCOPES: Final = 256
"""Combinations of contexts and types in one document. Each costs some 0.3 ms when it is
new; a document of each known type has 60."""


class Place:
    """Where quads go: a subject, in one graph."""

    __slots__ = ("graph", "subject", "tails")

    def __init__(self, subject: str, graph: str, tails: list[str]) -> None:
        self.subject = subject
        self.graph = graph
        self.tails = tails


class Walk:
    """One document's walk: the quads so far, and the labels that it gave out."""

    def __init__(self) -> None:
        self.dataset = Dataset()
        self.nodes: list[tuple[Mapping[str, Json], Scope, Place]] | None = None
        """Each node that was met, what is in force inside it, and where its quads went;
        kept for those who set it to a list."""

        self._labels = count()
        self._given: dict[str, str] = {}
        self._scopes: set[Scope] = set()

    def document(self, document: Mapping[str, Json], scope: Scope) -> None:
        """Add the quads of a whole document."""
        self._node(document, scope, graph="", top=True)

    def _fresh(self) -> str:
        return f"_:b{next(self._labels)}"

    def _entered(self, scope: Scope) -> Scope:
        if scope not in self._scopes:
            self._scopes.add(scope)
            if len(self._scopes) > MAX_SCOPES:
                raise JsonldUnsupported(
                    f"found over {MAX_SCOPES} combinations of contexts and types"
                )
        return scope

    # Nodes

    def _node(
        self, node: Mapping[str, Json], scope: Scope, graph: str, *, top: bool = False
    ) -> str:
        if "@context" in node and not top:
            scope = scope.local(node["@context"])
        shape = scope.shape(node)
        inner = self._entered(shape.inner)
        subject = self._subject(node["id"], inner) if shape.has_id else self._fresh()
        tails = [] if graph else self.dataset.plain.setdefault(subject, [])
        tails += shape.tails
        place = Place(subject, graph, tails)
        if self.nodes is not None:
            self.nodes.append((node, inner, place))
        for name, opening, closing, found in shape.texts:  # most of what is signed
            value = node[name]
            if type(value) is str:
                if not value.isprintable() or '"' in value or "\\" in value:
                    value = escape(value)
                tails.append(f"{opening}{value}{closing}")
            else:
                self._property(place, found, value, inner)
        for name, found in shape.others:
            self._property(place, found, node[name], inner)
        if graph:
            self._move_into_graph(place)
        return subject

    def _move_into_graph(self, place: Place) -> None:
        for tail in place.tails:
            _, predicate, value = tail.split(" ", 2)
            self.dataset.links.append((place.subject, predicate, value, place.graph))

    def _subject(self, name: Json, scope: Scope) -> str:
        if not isinstance(name, str):
            raise JsonldMalformed("the id of a node must be one text")
        return scope.identifier(name) or self._identifier(name, scope)

    def _identifier(self, written: str, scope: Scope) -> str:
        iri = scope.active.expand_id(written)
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

    def _add(self, place: Place, lead: str, found: str) -> None:
        if found[0] == "_":
            self.dataset.links.append((place.subject, lead[1:-1], found, place.graph))
        else:
            place.tails.append(lead + found)

    # Properties and their values

    def _property(self, place: Place, name: Property, value: Json, scope: Scope) -> None:
        if name.holds_nodes:
            for item in value if isinstance(value, list) else (value,):
                self._item(place, name, item, scope)
            return
        term = name.term
        if term.coercion == "@json":  # before null, which is a JSON value like others
            self._add(place, name.lead, json_literal(value))
        elif value is None:
            return
        elif "@language" in term.container and isinstance(value, Mapping):
            for text in language_map(value):
                self._add(place, name.lead, text)
        elif "@list" in term.container:
            if not self._is_null(place, name, value, scope):
                self._list(place, name, _list_items(value), scope)
        else:
            self._set(place, name, value, scope)

    def _item(self, place: Place, name: Property, item: Json, scope: Scope) -> None:
        """Add what is, or stands in an array that is, the value of a plain property."""
        if type(item) is dict and _is_node(item):
            inner = scope.inside(name.name, name.term, as_node=True)
            self._add(place, name.lead, self._node(item, inner, place.graph))
        elif type(item) is str and name.is_simple:
            self._add(place, name.lead, self._scalar(name.term, item, scope))
        elif item is not None:
            self._set(place, name, item, scope)

    def _is_null(self, place: Place, name: Property, value: Json, scope: Scope) -> bool:
        """Tell whether `value` expands to null, which is no list, 5.1.2 step 13.10."""
        is_value = isinstance(value, dict) and "@value" in value
        return is_value and self._value(place, name, value, scope) is None

    def _set(self, place: Place, name: Property, value: Json, scope: Scope) -> None:
        for item in _flattened(value):
            if isinstance(item, dict) and "@list" in item:
                self._list(place, name, _list_items(item), scope)
                continue
            found = self._value(place, name, item, scope)
            if found is not None:
                self._add(place, name.lead, found)

    def _value(self, place: Place, name: Property, item: Json, scope: Scope) -> str | None:
        if item is None:
            return None
        term = name.term
        if not isinstance(item, dict):
            if "@graph" in term.container:
                raise JsonldUnsupported(
                    f"a {type(item).__name__} in the graph {name.name[:64]!r}"
                )
            # 5.1.2 step 4: a scalar, too, is read inside its property's own context.
            if term.has_scoped:
                scope = scope.inside(name.name, term, as_node=False)
                term = scope.term(name.name)
            return self._scalar(term, item, scope)
        # Like `id` and `type`, `@value` has one spelling; see `Scope.property`.
        is_value = "@value" in item
        is_reference = (
            len(item) == 1 and scope.active.expand_word(next(iter(item))) == "@id"
        )
        is_node = not is_value and not is_reference
        inner = self._entered(scope.inside(name.name, term, as_node=is_node))
        if is_value:
            return _value_object(item, inner)
        if "@graph" in term.container:
            graph = self._fresh()
            self._node(item, inner, graph)
            return graph
        return self._node(item, inner, place.graph)

    def _scalar(self, term: Term, item: Json, scope: Scope) -> str:
        """Value expansion, 5.3.2, then object to RDF, 8.2.2."""
        if isinstance(item, str):
            if term.coercion == "@id":
                return scope.identifier(item) or self._identifier(item, scope)
            if term.coercion == "@vocab":
                return self._reference(scope.active.expand_word(item), item)
            if term.coercion in (None, "@none"):
                outer = scope.active.language
                language = term.language if term.has_language else outer
                return literal(item, language=language)
            return literal(item, term.coercion)
        datatype = None if term.coercion in ("@id", "@vocab", "@none") else term.coercion
        return number_or_boolean(item, datatype)

    def _list(self, place: Place, name: Property, value: Json, scope: Scope) -> None:
        items: list[str] = []
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, list):
                raise JsonldUnsupported(f"a list of lists in {name.name[:64]!r}")
            found = self._value(place, name, item, scope)
            if found is not None:
                items.append(found)
        # Two mentions of one node may repeat a list: a node map keeps each of them.
        head = _NIL
        for found in reversed(items):
            head = self._cell(found, head, place.graph)
        self._add(place, name.lead, head)

    def _cell(self, first: str, rest: str, graph: str) -> str:
        cell = self._fresh()
        self.dataset.add((cell, _FIRST, first, graph))
        self.dataset.add((cell, _REST, rest, graph))
        return cell


def _is_node(item: Mapping[str, Json]) -> bool:
    """Tell whether `item` is a node for sure: no value, set, list or plain reference."""
    return (
        len(item) > 1
        and "@value" not in item
        and "@list" not in item
        and "@set" not in item
    )


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


def _value_object(item: Mapping[str, Json], scope: Scope) -> str | None:
    members: dict[str, Json] = {}
    for key, value in item.items():
        keyword = scope.active.expand_vocab(key)
        if keyword not in ("@value", "@type", "@language", "@direction"):
            raise JsonldMalformed(f"{key[:64]!r} beside @value")
        members[keyword] = value
    value, datatype = members["@value"], members.get("@type")
    if datatype == "@json":
        return json_literal(value)
    if value is None:
        return None
    if datatype is not None:
        if not isinstance(datatype, str) or "@language" in members:
            raise JsonldMalformed("@type beside @value must be text, without @language")
        datatype = defined_type(scope.active.expand_vocab(datatype), datatype)[1:-1]
        return typed_value(value, datatype)
    language = members.get("@language")
    if language is None:
        return typed_value(value, None)
    if not isinstance(language, str) or not isinstance(value, str):
        raise JsonldMalformed("@language and the text it speaks of must be text")
    return literal(value, language=language)
