"""Whole documents: what holds for them beyond the shape of each object."""

from collections.abc import Iterator, Mapping
from typing import Final

from credentials.open_badges.shape import (
    Place,
    Shape,
    ShapeRefused,
    read_object,
    write_object,
)
from primitives.canonical_json import Json, JsonObject

UNSIGNABLE: Final = ("endorsementJwt", "jti")
"""Two published files are both called Open Badges context 3.0.3, and only one of them
defines these: a signature over them would hold for one reader and fail for the next."""


def read_document(shape: type[Shape], place: Place) -> Shape:
    """Return a credential, or a part of one, as a `shape`, without its proof."""
    _refuse_unsignable(place)
    unsigned = {name: value for name, value in place.mapping().items() if name != "proof"}
    return read_object(shape, Place(unsigned, place.refusal, place.path))


def write_document(value: object, refusal: type[ShapeRefused]) -> JsonObject:
    """Return `value` as JSON that `read_document` reads back as the same value."""
    document = write_object(value)
    if read_document(type(value), Place(document, refusal)) != value:
        raise ValueError("extra holds a member that has a field, or a proof")
    return document


def _refuse_unsignable(place: Place) -> None:
    """Refuse terms and lists that not every verifier reads alike.

    Lists of objects are sound JSON-LD, but a verifier in wide use gives up on five objects
    without id in one.
    """
    lists = {"@list", *_list_terms(place.mapping().get("@context"))}
    pending = [place]
    while pending:
        here = pending.pop()
        if isinstance(here.value, list):
            pending += [here.item(i, item) for i, item in enumerate(here.value)]
        elif isinstance(here.value, Mapping):
            _refuse_members(here, here.value, lists)
            inner = here.value.items()
            pending += [here.member(k, item) for k, item in inner if k != "@context"]


def _refuse_members(place: Place, members: Mapping[str, Json], lists: set[str]) -> None:
    for name in UNSIGNABLE:
        if name in members:
            found = place.member(name, members[name])
            found.fail("a term that only some contexts define", "none")
    for name in sorted(lists & members.keys()):
        if _holds_object(members[name]):
            found = place.member(name, members[name])
            found.fail("a list of objects", "a set with a key member, or texts")


def _holds_object(value: Json) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)


def _list_terms(contexts: Json) -> Iterator[str]:
    for context in contexts if isinstance(contexts, list) else ():
        for name, term in context.items() if isinstance(context, Mapping) else ():
            container = term.get("@container") if isinstance(term, Mapping) else None
            if container in ("@list", ["@list"]):
                yield name
