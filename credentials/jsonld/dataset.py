"""RDF quads, kept as the lines that canonical N-Quads is made of."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import TypeAlias

Quad: TypeAlias = tuple[str, str, str, str]
"""Subject, predicate, object and graph as N-Quads spells them; "" is the default graph."""


class Dataset(AbstractSet[Quad]):
    """A set of quads, filled by one walk; a repeated quad counts once.

    Most quads need no other name than their subject's, so they are kept as text.
    """

    __slots__ = ("links", "plain")

    def __init__(self) -> None:
        self.plain: dict[str, list[str]] = {}
        """By subject, the rest of each line: ` predicate object`. Of the default graph
        alone, and without a blank node as object."""

        self.links: list[Quad] = []
        """All other quads."""

    @classmethod
    def of(cls, quads: Iterable[Quad]) -> "Dataset":
        """Return the set of these quads."""
        made = cls()
        for quad in quads:
            made.add(quad)
        return made

    def add(self, quad: Quad) -> None:
        """Add one quad."""
        subject, predicate, value, graph = quad
        if graph or value[0] == "_":
            self.links.append(quad)
        else:
            self.plain.setdefault(subject, []).append(f" {predicate} {value}")

    def _distinct(self) -> set[Quad]:
        found = set(self.links)
        for subject, tails in self.plain.items():
            for tail in tails:
                _, predicate, value = tail.split(" ", 2)
                found.add((subject, predicate, value, ""))
        return found

    def __contains__(self, quad: object) -> bool:
        return quad in self._distinct()

    def __iter__(self) -> Iterator[Quad]:
        return iter(self._distinct())

    def __len__(self) -> int:
        return len(self._distinct())
