"""Canonical N-Quads of many documents that were made of one template.

Such documents differ in a few texts. The first is walked as any other, and it is written
down where the lines of each node went; of the next, only the lines of what differs are
spelled again, and only the blank nodes that they touch are hashed again. Whatever else
differs (a member more, an array longer, a number, a type, a context) goes to the engine.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from credentials.jsonld.canon import (
    Masked,
    Tails,
    canonical_labels,
    distinct_links,
    first_degree_hash,
    first_degree_hashes,
    masked_links,
    nquads,
    sorted_tails,
)
from credentials.jsonld.dataset import Dataset, Quad
from credentials.jsonld.literals import escape
from credentials.jsonld.quads import Digester, Engine
from credentials.jsonld.scope import KEYWORD, Property, Scope
from credentials.jsonld.walk import Place, Walk
from primitives.canonical_json import (
    Json,
    JsonObject,
    canonicalize,
    canonicalize_plain,
    is_plain,
)

MAX_TEMPLATES = 4
"""Shapes kept at a time; rows of one file that leave cells empty have different ones."""

MAX_LINES = 256
"""Lines of one node that are looked for among each other; five times the most seen."""


class BatchEngine(Engine):
    """An engine for one batch: not to be shared by threads, and dropped afterwards."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.contexts, engine.first)
        self._engine = engine
        self._templates: list[Template] = []

    def canonicalize(self, document: Mapping[str, Json]) -> str:
        """Return the canonical N-Quads of `document`; see `Engine.canonicalize`."""
        for template in self._templates:
            changes = template.changes(document)
            if changes is not None:
                return template.fill(changes)
        return self._learn(document).text

    def digest_recurring(self, digest: Digester, document: Mapping[str, Json]) -> bytes:
        """Return what the engine beneath remembers, which is there after the batch."""
        return self._engine.digest_recurring(digest, document)

    def check(self, document: Mapping[str, Json]) -> None:
        """Return if all of `document` is signed; see `Engine.check`."""
        self._fitting(document)

    def checked_json(self, document: Mapping[str, Json]) -> bytes:
        """Return the RFC 8785 bytes of `document`; see `Engine.checked_json`."""
        if self._fitting(document).is_plain:
            return canonicalize_plain(document)
        return canonicalize(document)

    def _fitting(self, document: Mapping[str, Json]) -> "Template":
        for template in self._templates:
            if template.fits(document):
                return template
        return self._learn(document)

    def _learn(self, document: Mapping[str, Json]) -> "Template":
        template = Template(document, self)
        self._templates = [template, *self._templates[: MAX_TEMPLATES - 1]]
        return template


class _OtherShapeError(Exception):
    """The document is not one of the template."""


@dataclass(slots=True)
class _Changes:
    """What one document has instead of the template's lines and subjects."""

    tails: dict[str, list[str]] = field(default_factory=dict)
    """By the template's subject, all of its lines as `Dataset.plain` has them."""

    subjects: dict[str, str] = field(default_factory=dict)
    """From the template's subject to the one instead of it; IRIs, both."""

    def tails_of(self, place: Place) -> list[str]:
        """Return the lines of a place, to be changed."""
        tails = self.tails.get(place.subject)
        if tails is None:
            if len(place.tails) > MAX_LINES:
                raise _OtherShapeError
            tails = self.tails[place.subject] = place.tails.copy()
        return tails

    def replace(self, place: Place, before: str, after: str) -> None:
        """Put one line in the place of another."""
        tails = self.tails_of(place)
        try:
            tails[tails.index(before)] = after
        except ValueError:
            raise _OtherShapeError from None


class _Known:
    """A node of a template: what is in force inside it, and where its lines are."""

    __slots__ = ("lines", "place", "scope")

    def __init__(self, node: Mapping[str, Json], scope: Scope, place: Place) -> None:
        self.scope = scope
        self.place = place
        self.lines: dict[str, int] = {}
        """By member, the index of a text's one line in `place.tails`, where it is sure."""

        if len(place.tails) > MAX_LINES:
            return
        for name, value in node.items():
            of = scope.property(name)
            if isinstance(value, str) and of.closing is not None:
                line = f"{of.opening}{escape(value)}{of.closing}"
                if place.tails.count(line) == 1:
                    self.lines[name] = place.tails.index(line)


class Template:
    """One document, and where its lines came from."""

    def __init__(self, document: Mapping[str, Json], engine: Engine) -> None:
        # A copy: what is compared with later must not change meanwhile.
        self._document: JsonObject = deepcopy(dict(document))
        walk = Walk()
        nodes: list[tuple[Mapping[str, Json], Scope, Place]] = []
        walk.nodes = nodes
        walk.document(self._document, engine.scope(document))
        self._nodes: dict[int, _Known] = {}
        self._mentions = Counter(place.subject for _, _, place in nodes)
        objects = Counter(id(node) for node, _, _ in nodes)
        for node, scope, place in nodes:
            # The lines of a node in a graph are no tails, and one object in two places
            # cannot be told apart.
            if not place.graph and objects[id(node)] == 1:
                self._nodes[id(node)] = _Known(node, scope, place)
        self._numbers = list(_numbers(self._document, ()))
        self._dataset = walk.dataset
        self.is_plain = is_plain(self._document)
        """Then so is every document of the template: it differs in texts alone."""

    @cached_property
    def _lines(self) -> "_Lines":
        return _Lines(self._dataset)

    @property
    def text(self) -> str:
        """The canonical N-Quads of the document itself."""
        return self._lines.text

    def fits(self, document: Mapping[str, Json]) -> bool:
        """Tell whether `document` is of this shape; then all of it is signed."""
        try:
            self._fit_node(self._document, document)
        except _OtherShapeError:
            return False
        return self._has_same_numbers(document)

    def _has_same_numbers(self, document: Mapping[str, Json]) -> bool:
        # Numbers and booleans that Python calls equal may be spelled unlike: 1 and true.
        return all(repr(_at(document, path)) == spelled for path, spelled in self._numbers)

    def _fit_node(self, node: Mapping[str, Json], other: Mapping[str, Json]) -> None:
        known = self._nodes.get(id(node))
        if known is None or node.keys() != other.keys():
            raise _OtherShapeError
        scope = known.scope
        for name, value in node.items():
            instead = other[name]
            if value == instead:
                continue
            if (of := scope.property(name)) is not KEYWORD:
                self._fit_value(scope, of, value, instead)
            elif name == "id":
                _subject(scope, instead)
            else:
                raise _OtherShapeError

    def _fit_value(self, scope: Scope, of: Property, value: Json, instead: Json) -> None:
        if isinstance(value, str) and isinstance(instead, str):
            if of.closing is None:
                _tail(scope, of, instead)
        elif isinstance(value, dict) and isinstance(instead, dict):
            self._fit_node(value, instead)
        elif isinstance(value, list) and isinstance(instead, list):
            for one, other in _pairs(value, instead):
                if one != other:
                    self._fit_value(scope, of, one, other)
        else:
            raise _OtherShapeError

    def changes(self, document: Mapping[str, Json]) -> _Changes | None:
        """Return what `document` changes, or None if it is of another shape."""
        found = _Changes()
        try:
            self._compare_nodes(self._document, document, found)
        except _OtherShapeError:
            return None
        if not self._has_same_numbers(document):
            return None
        new = found.subjects.values()
        if len(set(new)) < len(new) or not self._mentions.keys().isdisjoint(new):
            return None  # two nodes would be one
        return found

    def fill(self, changes: _Changes) -> str:
        """Return the canonical N-Quads of the document that has these changes."""
        return self._lines.fill(changes)

    def filled(self, document: Mapping[str, Json]) -> str | None:
        """Return the canonical N-Quads of `document`, or None if it is of another shape."""
        changes = self.changes(document)
        return None if changes is None else self.fill(changes)

    def _compare_nodes(
        self, node: Mapping[str, Json], other: Mapping[str, Json], found: _Changes
    ) -> str:
        """Add what differs in two nodes; return the subject of the first."""
        known = self._nodes.get(id(node))
        if known is None or node.keys() != other.keys():
            raise _OtherShapeError
        scope, place = known.scope, known.place
        for name, value in node.items():
            instead = other[name]
            if value == instead:
                continue
            line = known.lines.get(name)
            if line is not None and type(instead) is str:
                of = scope.property(name)
                after = f"{of.opening}{escape(instead)}{of.closing}"
                found.tails_of(place)[line] = after
            elif (of := scope.property(name)) is not KEYWORD:
                self._compare_values(known, of, (value, instead), found)
            elif name == "id" and scope.identifier(str(value)) == place.subject:
                found.subjects[place.subject] = _subject(scope, instead)
            else:
                raise _OtherShapeError
        if place.subject in found.subjects and self._mentions[place.subject] > 1:
            raise _OtherShapeError
        return place.subject

    def _compare_values(
        self,
        known: _Known,
        of: Property,
        pair: tuple[Json, Json],
        found: _Changes,
    ) -> None:
        value, instead = pair
        scope, place = known.scope, known.place
        if isinstance(value, str) and isinstance(instead, str):
            found.replace(place, _tail(scope, of, value), _tail(scope, of, instead))
        elif isinstance(value, dict) and isinstance(instead, dict):
            subject = self._compare_nodes(value, instead, found)
            if (new := found.subjects.get(subject)) is not None:
                found.replace(place, of.lead + subject, of.lead + new)
        elif isinstance(value, list) and isinstance(instead, list):
            for each in _pairs(value, instead):
                if each[0] != each[1]:
                    self._compare_values(known, of, each, found)
        else:
            raise _OtherShapeError


class _Lines:
    """The canonical lines of a template, and what of them changes with a text."""

    def __init__(self, dataset: Dataset) -> None:
        self._tails = sorted_tails(dataset)
        self._links = distinct_links(dataset)
        self._masked = masked_links(self._links)
        self.hashes = first_degree_hashes(self._tails, self._links)
        self.text = self._spell(self._tails, self._links, self.hashes)

    def fill(self, changes: _Changes) -> str:
        """Return the canonical N-Quads of the document that has these changes."""
        if not changes.tails and not changes.subjects:
            return self.text
        return self._spell(*self._changed(changes))

    def _changed(self, changes: _Changes) -> tuple[Tails, Sequence[Quad], dict[str, str]]:
        tails = dict(self._tails)
        for subject, lines in changes.tails.items():
            tails[subject] = sorted(set(lines))
        links, masked = self._links, self._masked
        touched = {subject for subject in changes.tails if subject[0] == "_"}
        if changes.subjects:
            links, masked = self._renamed(changes.subjects, touched)
            for subject, new in changes.subjects.items():
                if subject in tails:
                    tails[new] = tails.pop(subject)
        hashes = dict(self.hashes)
        for label in touched:
            hashes[label] = first_degree_hash(label, tails, masked)
        return tails, links, hashes

    @staticmethod
    def _spell(tails: Tails, links: Sequence[Quad], hashes: Mapping[str, str]) -> str:
        return nquads(tails, links, canonical_labels(hashes, tails, links))

    def _renamed(
        self, subjects: Mapping[str, str], touched: set[str]
    ) -> tuple[list[Quad], Masked]:
        """Return links and masked links under new subjects; add to `touched`."""
        own, others = self._masked
        others = dict(others)
        links = []
        for subject, predicate, value, graph in self._links:
            new = subjects.get(subject, subject)
            links.append((new, predicate, value, graph))
            if new != subject:
                touched.add(value)
                before, after = f"{subject} ", f"{new} "
                others[value] = [
                    after + line.removeprefix(before) if line.startswith(before) else line
                    for line in others[value]
                ]
        return links, (own, others)


def _pairs(value: Sequence[Json], instead: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    if len(value) != len(instead):
        raise _OtherShapeError
    return zip(value, instead, strict=True)


def _tail(scope: Scope, of: Property, text: str) -> str:
    """Return the line of a text, but for its subject, as the walk spells it."""
    if of.closing is not None:
        return f"{of.opening}{escape(text)}{of.closing}"
    if of.term.is_simple and of.term.coercion == "@id":
        return of.lead + _subject(scope, text)
    raise _OtherShapeError


def _subject(scope: Scope, name: Json) -> str:
    spelled = scope.identifier(name) if isinstance(name, str) else None
    if spelled is None:
        raise _OtherShapeError
    return spelled


Path: TypeAlias = tuple[str | int, ...]


def _numbers(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the place and the spelling of each number and boolean."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _numbers(item, (*path, name))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _numbers(item, (*path, i))
    elif value is not None and not isinstance(value, str):
        yield path, repr(value)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value
