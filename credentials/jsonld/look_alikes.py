"""Blank nodes that look alike: Hash N-Degree Quads of RDFC-1.0, with counted steps.

Where first-degree hashes are equal, permutations decide, which a hostile document can
drive past any time limit. The comments name the sections of
<https://www.w3.org/TR/rdf-canon/>.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256

from credentials.jsonld.dataset import Quad
from primitives.errors import Malformed

MAX_STEPS = 50_000
"""Related nodes hashed and path elements tried for one dataset. Each takes microseconds,
so the worst graphs are refused in under a second. The W3C tests that are meant to be
canonicalized stay under 7,000, and 4,000 pairs of nodes alike under 20,000."""

MAX_DEPTH = 100
"""N-degree hashes inside one another, which Python's own stack follows: those tests
reach 4, and a ring of 1,000 blank nodes would end in a `RecursionError`."""


class CanonicalizationLimit(Malformed):
    """So many look-alike blank nodes that canonicalizing them is an attack on time."""

    code = "canonicalization-limit"
    hint = "give the repeated parts of the document an id each"


class TakesLonger(Exception):
    """What was to be `hurried` needs more steps. No verdict: ask again, and wait for it."""


_HURRIED: ContextVar[int | None] = ContextVar("patunay_hurried", default=None)


@contextmanager
def hurried(steps: int) -> Iterator[None]:
    """Let what runs inside raise `TakesLonger` after so many steps for one dataset.

    For who must not be kept waiting. It is no `PatunayError`, so that no check of a report
    takes it for an answer.
    """
    outer = _HURRIED.get()
    token = _HURRIED.set(steps if outer is None else min(steps, outer))
    try:
        yield
    finally:
        _HURRIED.reset(token)


def label_look_alikes(
    first_degree: Mapping[str, str],
    tails: Mapping[str, Sequence[str]],
    links: Sequence[Quad],
) -> dict[str, str]:
    """Return the canonical label of each blank node, 4.4.3 steps 3 to 5.

    Args:
        first_degree: The hash of each blank node, 4.6.
        tails: By subject, its lines that name no other blank node.
        links: All other quads, each once.

    Raises:
        CanonicalizationLimit: More than `MAX_STEPS` steps would be needed.
        TakesLonger: More than it is `hurried` to.
    """
    return _Settlement(first_degree, tails, links).labels()


class _Issuer:
    """Gives out identifiers in order of first request, 4.5."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.issued: dict[str, str] = {}

    def issue(self, label: str) -> str:
        return self.issued.setdefault(label, f"_:{self.prefix}{len(self.issued)}")

    def copy(self) -> "_Issuer":
        twin = _Issuer(self.prefix)
        twin.issued = dict(self.issued)
        return twin


class _Settlement:
    def __init__(
        self,
        first_degree: Mapping[str, str],
        tails: Mapping[str, Sequence[str]],
        links: Sequence[Quad],
    ) -> None:
        self.first_degree = first_degree
        self.tails = tails
        self.links_of: dict[str, list[Quad]] = {}
        for quad in links:
            for label in {quad[0], quad[2], quad[3]}:
                if label[:1] == "_":
                    self.links_of.setdefault(label, []).append(quad)
        self.canonical = _Issuer("c14n")
        self.steps = 0
        self.hurried = _HURRIED.get() or MAX_STEPS
        self.depth = 0

    def labels(self) -> dict[str, str]:
        # 4.4.3, steps 4 and 5.
        by_hash: dict[str, list[str]] = {}
        for label, digest in self.first_degree.items():
            by_hash.setdefault(digest, []).append(label)
        tied = []
        for digest in sorted(by_hash):
            labels = by_hash[digest]
            if len(labels) > 1:
                tied.append(labels)
            else:
                self.canonical.issue(labels[0])
        for labels in tied:
            self._settle(labels)
        return self.canonical.issued

    def _settle(self, labels: list[str]) -> None:
        # 5.
        paths = []
        for label in labels:
            if label not in self.canonical.issued:
                issuer = _Issuer("b")
                issuer.issue(label)
                paths.append(self._hash_n_degree(label, issuer))
        for _, issuer in sorted(paths, key=lambda path: path[0]):
            for label in issuer.issued:
                self.canonical.issue(label)

    def _hash_related(
        self, related: str, predicate: str, issuer: _Issuer, position: str
    ) -> str:
        # 4.7.
        identifier = (
            self.canonical.issued.get(related)
            or issuer.issued.get(related)
            or self.first_degree[related]
        )
        return _sha256(position + ("" if position == "g" else predicate) + identifier)

    def _hash_n_degree(self, label: str, issuer: _Issuer) -> tuple[str, _Issuer]:
        # 4.8.3, steps 1 to 3.
        links = self.links_of.get(label, ())
        self._enter(len(links) + len(self.tails.get(label, ())))
        alike: dict[str, list[str]] = {}
        for s, p, o, g in links:
            for related, position in ((s, "s"), (o, "o"), (g, "g")):
                if related[:1] == "_" and related != label:
                    digest = self._hash_related(related, p, issuer, position)
                    alike.setdefault(digest, []).append(related)
        # 4, 5.
        to_hash = []
        for digest in sorted(alike):
            path, issuer = self._shortest_path(alike[digest], issuer)
            to_hash += [digest, path]
        self.depth -= 1
        return _sha256("".join(to_hash)), issuer

    def _shortest_path(self, labels: list[str], issuer: _Issuer) -> tuple[str, _Issuer]:
        # 5.4.
        if len(labels) == 1:  # one order, so nothing of it is ever taken back
            self._count(1)
            path = self._path(labels, issuer, None)
            if path is not None:
                return path
        chosen: tuple[str, _Issuer] | None = None
        for order in _permutations(labels):
            self._count(len(labels))
            found = self._path(order, issuer.copy(), chosen[0] if chosen else None)
            if found is not None and (chosen is None or found[0] < chosen[0]):
                chosen = found
        if chosen is None:
            raise AssertionError("a permutation is always chosen")
        return chosen

    def _path(
        self, order: Iterable[str], issuer: _Issuer, shortest: str | None
    ) -> tuple[str, _Issuer] | None:
        """Return one permutation's path, or None once it is past `shortest`."""
        path = ""
        to_visit = []
        for related in order:
            known = self.canonical.issued.get(related)
            if known is None:
                if related not in issuer.issued:
                    to_visit.append(related)
                known = issuer.issue(related)
            path += known
            if _is_past(path, shortest):
                return None
        for related in to_visit:
            digest, grown = self._hash_n_degree(related, issuer)
            path += f"{issuer.issue(related)}<{digest}>"
            issuer = grown
            if _is_past(path, shortest):
                return None
        return path, issuer

    def _enter(self, related: int) -> None:
        self._count(related)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise CanonicalizationLimit(f"found blank nodes alike over {MAX_DEPTH} deep")

    def _count(self, steps: int) -> None:
        self.steps += steps
        if self.steps > self.hurried < MAX_STEPS:
            raise TakesLonger
        if self.steps > MAX_STEPS:
            raise CanonicalizationLimit(
                f"found over {MAX_STEPS} steps for {len(self.first_degree)} blank nodes"
            )


def _permutations(labels: list[str]) -> Iterator[list[str]]:
    """Yield each distinct order once, smallest first.

    A node that is related by ten quads stands in `labels` ten times: that is one order,
    and not 10! of them.
    """
    order = sorted(labels)
    while True:
        yield order
        last = len(order) - 1
        pivot = last - 1
        while pivot >= 0 and order[pivot] >= order[pivot + 1]:
            pivot -= 1
        if pivot < 0:
            return
        other = last
        while order[other] <= order[pivot]:
            other -= 1
        order[pivot], order[other] = order[other], order[pivot]
        order[pivot + 1 :] = order[:pivot:-1]


def _is_past(path: str, shortest: str | None) -> bool:
    return shortest is not None and len(path) >= len(shortest) and path > shortest


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
