"""JSON objects of a standard to and from frozen dataclasses, which say all there is to say.

A field is the member of the same name in camelCase; `context` is `@context`. A field
without default is required, and so are `context` and `type`, whose defaults are what is
written. None and an empty tuple are written as no member at all. A class with the field
`extra` keeps there what it has no field for; a class without one refuses it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache, partial
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NoReturn,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from primitives.canonical_json import Json, JsonObject
from primitives.errors import Rejected

_SHOWN = 80
"""Characters of a found text or name that a message repeats."""

_ALWAYS_WRITTEN = ("context", "type")
_JSON_NAMES = {"Json": object, "Mapping": Mapping, "Sequence": Sequence}
"""For `get_type_hints`: the alias `Json` speaks of itself, and is not looked into here."""

Shape = TypeVar("Shape")


class ShapeRefused(Rejected):
    """A document that is no such thing; each kind of document has its own code."""

    def __init__(self, path: str, found: str, want: str) -> None:
        super().__init__(f"{path}: found {found}, want {want}")
        self.path = path
        self.found = found
        self.want = want


@dataclass(frozen=True, slots=True)
class Place:
    """One value of a document, and the way to it."""

    value: Json
    refusal: type[ShapeRefused]
    """Raised for whatever is wrong here or below."""

    path: str = "$"
    """As in `$.credentialSubject.result[0].value`."""

    def fail(self, found: str, want: str) -> NoReturn:
        """Refuse the document because of this value."""
        raise self.refusal(self.path, found, want)

    def member(self, name: str, value: Json) -> "Place":
        """Return a value inside this object."""
        # A hostile name may be as long as the document, and stands in every path below it.
        plain = len(name) <= _SHOWN and name.isprintable()
        step = name if plain else f"{name[:_SHOWN]!r}"
        return Place(value, self.refusal, f"{self.path}.{step}")

    def item(self, index: int, value: Json) -> "Place":
        """Return a value inside this array."""
        return Place(value, self.refusal, f"{self.path}[{index}]")

    def mapping(self) -> Mapping[str, Json]:
        """Return the members of an object."""
        if not isinstance(self.value, Mapping):
            self.fail(show(self.value), "an object")
        return self.value

    def items(self) -> tuple["Place", ...]:
        """Return the items of an array that has some."""
        if not isinstance(self.value, Sequence) or isinstance(self.value, str):
            self.fail(show(self.value), "an array")
        if not self.value:
            self.fail("an empty array", "at least one item")
        return tuple(self.item(i, item) for i, item in enumerate(self.value))

    def text(self) -> str:
        """Return text, which may be empty."""
        if not isinstance(self.value, str):
            self.fail(show(self.value), "text")
        return self.value

    def boolean(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            self.fail(show(self.value), "true or false")
        return self.value

    def number(self) -> int | float:
        """Return a number as it is written: 12 stays whole, 12.0 does not become so."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            self.fail(show(self.value), "a number")
        return self.value

    def json_object(self) -> JsonObject:
        """Return an object as it stands."""
        if not isinstance(self.value, dict):
            self.fail(show(self.value), "an object")
        return self.value


Reader = Callable[[Place], object]
"""Returns a value, or fails at its place. In `Annotated`, it stands for the whole type."""


def show(value: Json) -> str:
    """Return what a message says of a value that it found."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return repr(value[:_SHOWN])
    if isinstance(value, int | float):
        return f"the number {value}"
    return "an object" if isinstance(value, Mapping) else "an array"


@dataclass(frozen=True, slots=True)
class _Member:
    field: str
    name: str
    read: Reader
    required: bool
    is_array: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    members: tuple[_Member, ...]
    keeps_extra: bool


def read_object(shape: type[Shape], place: Place) -> Shape:
    """Return the object at `place` as a `shape`."""
    make: Callable[..., Shape] = shape
    plan, members = _plan(make), place.mapping()
    values: dict[str, object] = {}
    rest = dict(members)
    for member in plan.members:
        if member.name not in members:
            if member.required:
                place.fail("no such member", repr(member.name))
            continue
        if members[member.name] == [] and member.is_array and not member.required:
            continue  # Says nothing. It stays aside, so that it is given back.
        found = place.member(member.name, rest.pop(member.name))
        values[member.field] = member.read(found)
    if plan.keeps_extra:
        values["extra"] = rest
    elif rest:
        name = min(rest)
        known = ", ".join(member.name for member in plan.members)
        place.member(name, rest[name]).fail("an unknown member", f"one of {known}")
    return make(**values)


def write_object(value: object) -> JsonObject:
    """Return the JSON object of a dataclass that `read_object` knows."""
    shape: Any = type(value)
    document: JsonObject = {}
    for member in _plan(shape).members:
        part = getattr(value, member.field)
        if part is not None and part != ():
            document[member.name] = _write(part)
    extra: JsonObject = getattr(value, "extra", {})
    return {**document, **extra}


def _write(value: Any) -> Json:
    if isinstance(value, tuple):
        return [_write(item) for item in value]
    return write_object(value) if is_dataclass(value) else value


@cache
def _plan(shape: Any) -> _Plan:
    hints = get_type_hints(shape, localns=_JSON_NAMES, include_extras=True)
    members = []
    for field in fields(shape):
        if field.name == "extra":
            continue
        no_default = field.default is MISSING and field.default_factory is MISSING
        hint = hints[field.name]
        is_types = field.name == "type" and get_origin(hint) is tuple
        types: Any = field.default
        members.append(
            _Member(
                field=field.name,
                name=_member_name(field.name),
                read=partial(_types, types) if is_types else _reader(hint),
                required=no_default or field.name in _ALWAYS_WRITTEN,
                is_array=get_origin(hint) is tuple,
            )
        )
    return _Plan(tuple(members), keeps_extra="extra" in hints)


def _member_name(field: str) -> str:
    first, *rest = field.split("_")
    return "@context" if field == "context" else first + "".join(map(str.title, rest))


def _reader(hint: Any) -> Reader:
    """Return what reads a value of this type; a bug in a class where there is nothing."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        reader: Reader = arguments[1]
        return reader
    if origin is tuple:
        return partial(_array, _reader(arguments[0]))
    if origin is Literal:
        return partial(_literal, arguments)
    if origin in {Union, UnionType}:
        return _choice(arguments)
    if hint in _PLAIN:
        return _PLAIN[hint]
    return partial(read_object, hint)


_PLAIN: Mapping[type, Reader] = {
    str: Place.text,
    bool: Place.boolean,
    int: Place.number,
    float: Place.number,
}


def _choice(hints: tuple[Any, ...]) -> Reader:
    """Return what reads one of several types, of which at most one is text."""
    rest = [hint for hint in hints if hint not in {NoneType, int}]
    if len(rest) == 1:
        return _reader(rest[0])
    (text,) = (_reader(hint) for hint in rest if not is_dataclass(hint))
    (thing,) = (_reader(hint) for hint in rest if is_dataclass(hint))
    return lambda place: (text if isinstance(place.value, str) else thing)(place)


def _array(read: Reader, place: Place) -> tuple[object, ...]:
    items = tuple(read(item) for item in place.items())
    ids = [id_ for id_ in map(_id_of, items) if id_ is not None]
    if len(set(ids)) != len(ids):
        # RDF makes one thing of the two, with the members of either, so that a signature
        # over it does not say which member belonged to which.
        twice = next(id_ for id_ in ids if ids.count(id_) > 1)
        place.fail(f"two items with the id {show(twice)}", "one")
    return items


def _id_of(item: object) -> str | None:
    found = item.get("id") if isinstance(item, Mapping) else getattr(item, "id", None)
    return found if isinstance(found, str) else None


def _literal(allowed: tuple[str, ...], place: Place) -> str:
    if place.value not in allowed:
        place.fail(show(place.value), " or ".join(map(repr, allowed)))
    return place.text()


def _types(wanted: tuple[str, ...], place: Place) -> tuple[str, ...]:
    names = tuple(item.text() for item in place.items())
    for name in wanted:
        if name not in names:
            place.fail(f"the types {show(', '.join(names))}", f"{name!r} among them")
    return names
