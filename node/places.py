"""Places in status lists that are drawn before the transaction that takes them.

A place stands in what is signed, so it has to be drawn first. What a process knows of the
places that are taken tells it which to try; whether one is free is looked up once more by
whoever stores the credential, in that very transaction. A place that was drawn and not
stored is nobody's: nothing that names it has left the process.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.status_list import twin
from node.node import Node
from node.status_lists import (
    USABLE_ENTRIES,
    Place,
    begin_list,
    list_url,
    random_indexes,
)
from node.storage import statuses
from node.storage.registry import Issuer
from node.storage.restorations import first_sequence
from node.storage.store import Reader
from node.taken_places import Room, Taken


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of one issuer and one name."""

    issuer: Issuer
    name: str
    sequence: int
    """The first in which places are given out."""

    urls: dict[tuple[str, int], str]
    """By purpose and sequence."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A place that may be free."""

    place: Place
    room: Room


async def look_up_lists(c: Reader, issuer: Issuer, name: str) -> Lists:
    """Return an issuer's lists of a name, as the store has them now."""
    urls = await statuses.lists_named(c, issuer.slug, name)
    newest = max((sequence for _, sequence in urls), default=1)
    return Lists(issuer, name, max(newest, await first_sequence(c)), urls)


async def draw_place(node: Node, lists: Lists, purposes: Sequence[str]) -> Drawn:
    """Return a random place of these lists; they may not exist yet."""
    issuer, name = lists.issuer.slug, lists.name
    room, taken = await _find_room(node, Room(issuer, name, lists.sequence))
    (index,) = random_indexes(taken, 1)
    taken.add(index)
    urls = tuple(
        (
            purpose,
            lists.urls.get((purpose, room.sequence))
            or list_url(node, issuer, name, room.sequence, purpose),
        )
        for purpose in purposes
    )
    return Drawn(Place(urls, index), room)


async def _find_room(node: Node, room: Room) -> tuple[Room, Taken]:
    """Return the first room from this one on that is not full."""
    while True:
        taken = node.places.taken.get(room)
        if taken is None:
            async with node.reading() as c:
                used = await statuses.used_indexes(c, room.issuer, room.name, room.sequence)
            # Another task may have looked meanwhile, and drawn.
            taken = node.places.taken.setdefault(room, Taken(used))
        if taken.count < USABLE_ENTRIES:
            return room, taken
        room = Room(room.issuer, room.name, room.sequence + 1)


async def take_places(
    node: Node, c: AsyncConnection, wanted: Sequence[tuple[Issuer, Drawn]]
) -> list[bool]:
    """Return which places are free, of each pair of twins one; begin the lists of these.

    The caller MUST store the credentials of these, in the same transaction.
    """
    lists: dict[tuple[str, str], Lists] = {}
    for issuer, drawn in wanted:
        if drawn.room.of not in lists:
            lists[drawn.room.of] = await look_up_lists(c, issuer, drawn.room.name)
    taken = await _taken_of(c, [drawn for _, drawn in wanted], lists.values())
    answers = []
    for _, drawn in wanted:
        is_free = _fits(drawn, lists[drawn.room.of], taken)
        answers.append(is_free)
        if is_free:
            taken.add((drawn.room, drawn.place.index))
            await _begin_missing(node, c, drawn, lists[drawn.room.of])
    return answers


def _fits(drawn: Drawn, lists: Lists, taken: set[tuple[Room, int]]) -> bool:
    room, index = drawn.room, drawn.place.index
    if room.sequence < lists.sequence or taken & {(room, index), (room, twin(index))}:
        return False
    # Another process may have begun the list, under another public address.
    return all(
        lists.urls.get((purpose, room.sequence), url) == url
        for purpose, url in drawn.place.lists
    )


async def _taken_of(
    c: AsyncConnection, wanted: Sequence[Drawn], lists: Iterable[Lists]
) -> set[tuple[Room, int]]:
    """Return what is taken of the places that are wanted, and of their twins."""
    rooms = {drawn.room for drawn in wanted}
    of_url = {
        url: room
        for each in lists
        for (_, sequence), url in each.urls.items()
        if (room := Room(each.issuer.slug, each.name, sequence)) in rooms
    }
    indexes = {drawn.place.index for drawn in wanted}
    asked = indexes | {twin(index) for index in indexes}
    used = await statuses.used_places(c, sorted(of_url), sorted(asked))
    return {(of_url[url], index) for url, index in used}


async def _begin_missing(
    node: Node, c: AsyncConnection, drawn: Drawn, lists: Lists
) -> None:
    sequence = drawn.room.sequence
    for purpose, _ in drawn.place.lists:
        if (purpose, sequence) not in lists.urls:
            lists.urls[purpose, sequence] = await begin_list(
                node, c, lists.issuer, lists.name, sequence, purpose
            )
