"""When a mutated input may be accepted: if all its signatures were made over just that.

Knows what was honestly signed, by its `proofValue`, and compares what is said now with
what was said then: as canonical N-Quads by PyLD, or as JCS by rfc8785. It shares no code
with the verifier.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, NoReturn

import rfc8785

from tests.support.pyld_oracle import oracle_nquads


class Forged(Exception):
    """The input says something that nobody signed."""


class _Said(NamedTuple):
    document: str
    options: str
    """Both in the normal form of the suite."""

    names: frozenset[str]
    leaves: frozenset[Any]


_SPELLINGS: Final = frozenset({"@value", "@id", "@type", "id", "type"})
"""Names that say the same as a shorter form without them."""


class Honest:
    """Everything that was signed, and how."""

    def __init__(self) -> None:
        self._signed: dict[str, _Said] = {}
        self._valid: set[str] = set()

    def note(self, document: Mapping[str, Any], *, is_valid: bool) -> None:
        """Remember each proof of a document that was honestly made."""
        for proof in _proofs(document):
            value = str(proof["proofValue"])
            self._signed[value] = _said(document, proof)
            if is_valid:
                self._valid.add(value)

    def require(self, raw: bytes) -> None:
        """Return if each proof in `raw` was made over just what stands there.

        Raises:
            Forged: See the class.
        """
        document = json.loads(raw.decode(), object_pairs_hook=_once)
        # A proof of a kind that nobody here reads says nothing, for or against.
        proofs = [proof for proof in _proofs(document) if _is_read(proof)]
        if not proofs:
            raise Forged("there is no proof")
        for proof in proofs:
            value = proof.get("proofValue")
            if value not in self._valid:
                raise Forged(f"no valid document has the proofValue {value}")
            now, then = _said(document, proof), self._signed[value]
            if now[:2] != then[:2]:
                raise Forged(f"signed: {then[:2]}\n\nfound: {now[:2]}")
            # PyLD drops what no context defines, so nothing may be there that it drops.
            if not now.names <= then.names | _SPELLINGS or now.leaves != then.leaves:
                added = now.names - then.names, now.leaves ^ then.leaves
                raise Forged(f"not signed: {added}")


def _proofs(document: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    found = document.get("proof", [])
    for proof in found if isinstance(found, list) else [found]:
        if not isinstance(proof, dict):
            raise Forged("a proof is no object")
        yield proof


def _is_read(proof: Mapping[str, Any]) -> bool:
    suites = ("eddsa-rdfc-2022", "eddsa-jcs-2022")
    if any(name.startswith("@") and name != "@context" for name in proof):
        return False  # a keyword of JSON-LD, which no proof has
    return proof.get("type") == "DataIntegrityProof" and proof.get("cryptosuite") in suites


def _said(document: Mapping[str, Any], proof: Mapping[str, Any]) -> _Said:
    bare = {name: value for name, value in document.items() if name != "proof"}
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    names, leaves = _words([bare, options])
    if proof.get("cryptosuite") == "eddsa-jcs-2022":
        # 3.3.2 of the suite: contexts may have been added after those that were signed.
        theirs, ours = _array(options.get("@context")), _array(bare["@context"])
        if ours[: len(theirs)] != theirs:
            raise Forged(f"signed contexts {theirs}, found {ours}")
        bare["@context"] = options.get("@context", bare["@context"])
        said = rfc8785.dumps(bare).decode(), rfc8785.dumps(options).decode()
    else:
        context = {"@context": bare["@context"]}
        said = oracle_nquads(bare), oracle_nquads({**options, **context})
    return _Said(*said, names, leaves)


def _array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _words(value: Any) -> tuple[frozenset[str], frozenset[Any]]:
    """Return the names of all members, and all that is no container."""
    names: set[str] = set()
    leaves: set[Any] = set()
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            # What a context says shows in the quads.
            # A member without a value makes no quad.
            names |= {name for name, inner in item.items() if inner not in (None, [])}
            pending += [inner for name, inner in item.items() if name != "@context"]
        elif isinstance(item, list):
            pending += item
        elif item is not None:
            leaves.add(item)
    return frozenset(names), frozenset(leaves)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        _refuse("a key stands there twice")
    return table


def _refuse(reason: str) -> NoReturn:
    raise Forged(reason)
