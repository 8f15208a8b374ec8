"""Which places in status lists a process takes for somebody's; see `node.places`."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from credentials.status_list import MIN_ENTRIES


class Taken:
    """Indexes that belong to somebody, or are about to."""

    def __init__(self, indexes: Iterable[int]) -> None:
        self._bits = bytearray(MIN_ENTRIES // 8)
        self.count = 0
        for index in indexes:
            self.add(index)

    def __contains__(self, index: object) -> bool:
        """Tell whether an index is taken."""
        return isinstance(index, int) and bool(self._bits[index >> 3] >> (index & 7) & 1)

    def add(self, index: int) -> None:
        """Take a free index."""
        self._bits[index >> 3] |= 1 << (index & 7)
        self.count += 1

    def release(self, index: int) -> None:
        """Give back an index that was taken and is nobody's."""
        self._bits[index >> 3] &= ~(1 << (index & 7))
        self.count -= 1


@dataclass(frozen=True, slots=True)
class Room:
    """The lists in which a place is taken at once: one for each purpose."""

    issuer: str
    """Slug."""

    name: str
    sequence: int

    @property
    def of(self) -> tuple[str, str]:
        """Issuer and name: what the rooms that follow one another have in common."""
        return self.issuer, self.name


@dataclass(frozen=True, slots=True)
class TakenPlaces:
    """What a process knows of the rooms in which it draws."""

    taken: dict[Room, Taken] = field(default_factory=dict)

    def release(self, room: Room, index: int) -> None:
        """Give back a place under which nothing was stored."""
        taken = self.taken.get(room)
        if taken is not None and index in taken:
            taken.release(index)

    def forget(self, room: Room) -> None:
        """Look up what is taken in a room before the next draw."""
        self.taken.pop(room, None)
