"""Proof chains: a proof with `previousProof` signs the proofs that it names as well.

See <https://www.w3.org/TR/vc-data-integrity/#verify-proof-sets-and-chains>. Nothing here
checks a signature: it says over which document one has to hold.
"""

from collections.abc import Iterable, Mapping

from primitives.canonical_json import Json, JsonObject
from primitives.errors import Rejected


class ProofChainBroken(Rejected):
    """`previousProof` names no proof of the document, several, or itself by a detour."""

    code = "proof-chain-broken"


def proof_entries(document: Mapping[str, Json]) -> list[Json]:
    """Return the items of `proof`, in the order given; none if there is no proof."""
    found = document.get("proof")
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def previous_ids(entry: Mapping[str, Json]) -> tuple[str, ...]:
    """Return the ids in an entry's `previousProof`, none if it has no such member.

    Raises:
        ProofChainBroken: It is no id and no array of different ids. An empty array is
            refused too: RDF drops it, so no signature would cover that it is there.
    """
    if "previousProof" not in entry:
        return ()
    value = entry["previousProof"]
    items = value if isinstance(value, list) else [value]
    ids = tuple(item for item in items if isinstance(item, str) and item)
    if not ids or len(set(ids)) != len(items):
        raise ProofChainBroken("previousProof is no id and no array of different ids")
    return ids


def signed_document(document: Mapping[str, Json], previous: Iterable[str]) -> JsonObject:
    """Return what a proof with these `previous` signs: the document and those proofs.

    The proofs stand in an array, in the document's own order.

    Raises:
        ProofChainBroken: See the class.
    """
    bare = {key: value for key, value in document.items() if key != "proof"}
    named = frozenset(previous)
    if not named:
        return bare
    ancestors(document, named)
    entries = (e for e in proof_entries(document) if isinstance(e, dict))
    matching: list[Json] = [e for e in entries if _id_of(e) in named]
    return {**bare, "proof": matching}


def ancestors(document: Mapping[str, Json], previous: Iterable[str]) -> frozenset[str]:
    """Return the ids of all proofs that a proof with these `previous` builds upon.

    Raises:
        ProofChainBroken: See the class.
    """
    current = frozenset(previous)
    if not current:
        return current
    by_id = _by_id(document)
    found: set[str] = set()
    # Each round is one step back; a way longer than there are proofs runs in a circle.
    for _ in range(len(by_id) + 1):
        if not current:
            return frozenset(found)
        found |= current
        current = frozenset(
            earlier for name in current for earlier in previous_ids(_one(by_id, name))
        )
    raise ProofChainBroken("found a chain of proofs that runs in a circle")


def _by_id(document: Mapping[str, Json]) -> dict[str, list[JsonObject]]:
    found: dict[str, list[JsonObject]] = {}
    for entry in proof_entries(document):
        name = _id_of(entry) if isinstance(entry, dict) else None
        if isinstance(entry, dict) and name is not None:
            found.setdefault(name, []).append(entry)
    return found


def _id_of(entry: Mapping[str, Json]) -> str | None:
    """Return an entry's id; another value than text is none."""
    name = entry.get("id")
    return name if isinstance(name, str) else None


def _one(by_id: Mapping[str, list[JsonObject]], name: str) -> JsonObject:
    entries = by_id.get(name, [])
    if len(entries) != 1:
        raise ProofChainBroken(
            f"found {len(entries)} proofs with the id {name[:80]!r}, want one"
        )
    return entries[0]
