"""RDF Dataset Canonicalization, RDFC-1.0 with SHA-256, bounded in work.

Nearly every credential is settled by first-degree hashes alone, which are all that is
here; `look_alikes` settles the rest, and counts its steps. The comments name the sections
of <https://www.w3.org/TR/rdf-canon/>.

Lines are sorted without their ` .` and line feed. That changes no order: where one line is
the beginning of another, the other goes on with a character above the space.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from credentials.jsonld.dataset import Dataset, Quad
from credentials.jsonld.look_alikes import label_look_alikes

_END = " .\n"


def canonicalize_quads(quads: Iterable[Quad]) -> str:
    """Return the canonical N-Quads of `quads`: sorted lines, each with its line feed.

    Raises:
        CanonicalizationLimit: More than `look_alikes.MAX_STEPS` steps would be needed.
    """
    dataset = quads if isinstance(quads, Dataset) else Dataset.of(quads)
    tails = sorted_tails(dataset)
    links = distinct_links(dataset)
    hashes = first_degree_hashes(tails, links)
    return nquads(tails, links, canonical_labels(hashes, tails, links))


Tails: TypeAlias = Mapping[str, Sequence[str]]
"""By subject, the rest of each of its lines, once and in order; see `Dataset.plain`."""

Masked: TypeAlias = tuple[dict[str, list[str]], dict[str, list[str]]]
"""By blank node, what `links` say of it, masked for 4.6: the rest of its own lines, and
the whole lines of other subjects."""


def sorted_tails(dataset: Dataset) -> dict[str, list[str]]:
    """Return `Dataset.plain`, each line once and in order."""
    return {
        subject: sorted(set(tails)) if len(tails) > 1 else tails
        for subject, tails in dataset.plain.items()
        if tails
    }


def distinct_links(dataset: Dataset) -> list[Quad]:
    """Return `Dataset.links`, each once."""
    return list(dict.fromkeys(dataset.links))


def first_degree_hashes(tails: Tails, links: Iterable[Quad]) -> dict[str, str]:
    """Return the first-degree hash of each blank node, 4.6."""
    own, others = masked = masked_links(links)
    blank = [subject for subject in tails if subject[0] == "_"]
    labels = dict.fromkeys([*blank, *own, *others])
    return {label: first_degree_hash(label, tails, masked) for label in labels}


def masked_links(links: Iterable[Quad]) -> Masked:
    """Return what first-degree hashes know of `links`."""
    own: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    for quad in links:
        subject, predicate, value, graph = quad
        if graph:
            _mask_in_graph(quad, own, others)
        elif subject == value:
            own.setdefault(subject, []).append(f" {predicate} _:a")
        elif subject[0] == "_":
            own.setdefault(subject, []).append(f" {predicate} _:z")
            others.setdefault(value, []).append(f"_:z {predicate} _:a")
        else:
            others.setdefault(value, []).append(f"{subject} {predicate} _:a")
    return own, others


def _mask_in_graph(
    quad: Quad, own: dict[str, list[str]], others: dict[str, list[str]]
) -> None:
    predicate = quad[1]
    for label in {quad[0], quad[2], quad[3]}:
        if label[0] != "_":
            continue
        subject, value, graph = (
            name if name[0] != "_" else "_:a" if name == label else "_:z"
            for name in (quad[0], quad[2], quad[3])
        )
        tail = f" {predicate} {value} {graph}"
        if quad[0] == label:
            own.setdefault(label, []).append(tail)
        else:
            others.setdefault(label, []).append(subject + tail)


def first_degree_hash(label: str, tails: Tails, masked: Masked) -> str:
    """Return the first-degree hash of one blank node, 4.6."""
    mine = tails.get(label, ())
    if label in masked[0]:
        mine = sorted([*mine, *masked[0][label]])
    text = lines("_:a", mine) if mine else ""
    others = masked[1].get(label, ())
    if len(others) > 1:
        others = sorted(others)
    for line in others:
        if line[0] == "_":  # `_:z` sorts after `_:a`, and an IRI before it
            text = f"{text}{line}{_END}"
    for line in reversed(others):
        if line[0] == "<":
            text = f"{line}{_END}{text}"
    return sha256(text.encode()).hexdigest()


def canonical_labels(
    hashes: Mapping[str, str], tails: Tails, links: Sequence[Quad]
) -> dict[str, str]:
    """Return the canonical label of each blank node, 4.4.3 steps 3 to 5.

    Raises:
        CanonicalizationLimit: More than `look_alikes.MAX_STEPS` steps would be needed.
    """
    if len(set(hashes.values())) < len(hashes):
        return label_look_alikes(hashes, tails, links)
    in_order = sorted(hashes, key=hashes.__getitem__)
    return {label: f"_:c14n{i}" for i, label in enumerate(in_order)}


def nquads(tails: Tails, links: Iterable[Quad], labels: Mapping[str, str]) -> str:
    """Return all lines in order, with the canonical labels, 4.4.3 step 6."""
    linked: dict[str, list[str]] = {}
    for subject, predicate, value, graph in links:
        tail = f" {predicate} {labels.get(value, value)}"
        if graph:
            tail = f"{tail} {labels.get(graph, graph)}"
        linked.setdefault(subject, []).append(tail)
    parts: list[tuple[str, str]] = []
    for subject, plain in tails.items():
        name = labels.get(subject, subject)
        if subject in linked:
            plain = sorted([*plain, *linked.pop(subject)])  # noqa: PLW2901 - all of them
        parts.append((name, lines(name, plain)))
    for subject, only in linked.items():
        name = labels.get(subject, subject)
        parts.append((name, lines(name, sorted(only))))
    parts.sort()
    return "".join([text for _, text in parts])


def lines(subject: str, tails: Iterable[str]) -> str:
    """Return the whole lines of one subject."""
    return f"{subject}{f'{_END}{subject}'.join(tails)}{_END}"
