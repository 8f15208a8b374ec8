"""OpenAttestation 2.0: salted fields, hashed one by one, and a root in a contract.

What the file alone can show is whether each field that it still has is the one that was
hashed. Whether the root was issued and not revoked stands in a contract, and whose contract
that is in the DNS. Neither is asked here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from credentials.case import Case, passed
from credentials.evidence import EvidenceMissing, Missing
from credentials.foreign.blockcerts import DocumentHashMismatch
from credentials.foreign.merkle_proof_2019 import MAX_STEPS, MerklePathMismatch
from credentials.issuer_listing import IssuerNotListed
from credentials.quoting import quoted
from credentials.report import Check, Result
from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.errors import Malformed
from primitives.keccak import keccak256

MAX_OBFUSCATED: Final = 10_000
"""Hidden fields; the strict parser lets no more values than that into a document."""

_HASH: Final = re.compile(r"(0x)?[0-9a-f]{64}")
_SALTED: Final = re.compile(r"[0-9a-f-]{36}:([a-z]+):(.*)", re.DOTALL)
_STORES: Final = ("documentStore", "certificateStore", "tokenRegistry")


class OpenAttestationMalformed(Malformed):
    """The document is meant as OpenAttestation 2.0, and is none."""

    code = "open-attestation-malformed"
    hint = "ask for the document again, exactly as it was issued"


@dataclass(frozen=True, slots=True)
class _Issuer:
    """One entry of `issuers`. All of it is the document's own claim."""

    name: str
    store: str
    """Address of the contract; empty where a DID signs instead."""

    identity: str
    """Such as `DNS-TXT example.edu`."""


@dataclass(frozen=True, slots=True)
class OpenAttestation:
    """A wrapped document, read and not verified."""

    data: JsonObject
    """Salted, as it was hashed."""

    hidden: tuple[str, ...]
    """Hashes (hexadecimal) of the fields that the holder has taken out."""

    target: str
    path: tuple[str, ...]
    root: str

    @classmethod
    def parse(cls, document: JsonObject) -> "OpenAttestation":
        """Return the parts of a wrapped document.

        Raises:
            OpenAttestationMalformed: It has not the form of one.
        """
        signature = _object(document.get("signature"), "signature")
        privacy = _object(document.get("privacy", {}), "privacy")
        return cls(
            data=_object(document.get("data"), "data"),
            hidden=_hashes(privacy.get("obfuscatedData", []), "obfuscatedData"),
            target=_hash(signature.get("targetHash"), "targetHash"),
            path=_hashes(signature.get("proof", []), "proof", MAX_STEPS),
            root=_hash(signature.get("merkleRoot"), "merkleRoot"),
        )

    def digest(self) -> str:
        """Return the hash of all fields together: those shown, and those hidden."""
        fields = flattened(self.data).items()
        shown = [keccak256(canonicalize({path: v})).hex() for path, v in fields]
        return keccak256(canonicalize([*sorted([*shown, *self.hidden])])).hex()

    def require_path(self) -> None:
        """Return if the path leads from the target to the root.

        Raises:
            MerklePathMismatch: It leads elsewhere.
        """
        found = bytes.fromhex(self.target)
        for other in map(bytes.fromhex, self.path):
            found = keccak256(min(found, other) + max(found, other))
        if found.hex() != self.root:
            raise MerklePathMismatch(f"found root {found.hex()}, want {self.root}")

    @property
    def issuers(self) -> tuple[_Issuer, ...]:
        """Return what the document says of who issued it."""
        found = self.data.get("issuers")
        listed = found if isinstance(found, list) else []
        return tuple(_issuer(each) for each in listed if isinstance(each, dict))

    def claim(self, name: str) -> str:
        """Return a field of the outermost object without its salt; empty if it has none."""
        return unsalted(self.data.get(name))


def flattened(data: JsonObject) -> dict[str, Json]:
    """Return each value that is no object or array with something in it, by its path.

    `{"a": [{"b": 1}]}` gives `a.0.b`, as the package `flatley` writes it.

    Raises:
        OpenAttestationMalformed: Two values have one path, so one of them is not hashed.
    """
    found: dict[str, Json] = {}
    for path, value in _leaves(data, ""):
        if path in found:
            raise OpenAttestationMalformed(f"found two fields at {path[:80]!r}")
        found[path] = value
    return found


def _leaves(data: JsonObject, before: str) -> Iterator[tuple[str, Json]]:
    for name, value in data.items():
        path = f"{before}.{name}" if before else name
        inner = (
            {str(number): item for number, item in enumerate(value)}
            if isinstance(value, list)
            else value
        )
        if isinstance(inner, dict) and inner:
            yield from _leaves(inner, path)
        else:
            yield path, value


def unsalted(value: Json) -> str:
    """Return what stands behind the salt of a field, as text; empty if nothing does."""
    match = _SALTED.fullmatch(value) if isinstance(value, str) else None
    return match[2] if match is not None and match[1] != "null" else ""


def check_structure(case: Case) -> Check:
    """The document is wrapped as OpenAttestation 2.0 has it."""
    found = OpenAttestation.parse(case.document)
    hidden = f"; {len(found.hidden)} fields were taken out" if found.hidden else ""
    return passed("structure", f"an OpenAttestation 2.0 document{hidden}")


def check_proof(case: Case) -> Check:
    """Each field that is shown is one that was hashed into the root that it names."""
    found = OpenAttestation.parse(case.document)
    digest = found.digest()
    if digest != found.target:
        raise DocumentHashMismatch(f"found {digest}, want {found.target}")
    found.require_path()
    return passed(
        "proof",
        f"the fields have the hash in the document, and {len(found.path)} steps lead "
        f"to the root {found.root}; who issued that root is another question",
    )


def check_issuer_key(case: Case) -> Check:
    """Never settled here: the DNS says whose contract it is."""
    issuer = _first_issuer(case)
    raise EvidenceMissing(
        Missing(
            "dns-not-asked",
            f"whether {issuer.identity or 'anybody'} names "
            f"{issuer.store or 'the key that signed'} as its own was not asked",
            "look up the TXT records of that domain, where the document names one",
        )
    )


def check_dates(case: Case) -> Check:
    """The format has no dates with a meaning of their own."""
    del case
    return Check(
        "dates", Result.NOT_APPLICABLE, detail="the format has no period of its own"
    )


def check_status(case: Case) -> Check:
    """Never settled here: the contract says what was revoked."""
    store = _first_issuer(case).store
    raise EvidenceMissing(
        Missing(
            "store-not-asked",
            f"whether {store or 'its issuer'} has revoked it was not asked",
            "ask the issuer, or a checker that reads the contract",
        )
    )


def check_issuer_listed(case: Case) -> Check:
    """Nobody lists issuers of this format: they have no DID."""
    issuer = _first_issuer(case)
    raise IssuerNotListed(f"{quoted(issuer.name)} is the document's own claim")


def check_anchor(case: Case) -> Check:
    """Never settled here: the contract says what was issued."""
    found = OpenAttestation.parse(case.document)
    store = _first_issuer(case).store
    if not store:
        raise EvidenceMissing(Missing("anchor-not-shown", "the document names no contract"))
    raise EvidenceMissing(
        Missing(
            "store-not-asked",
            f"whether the contract {store} has issued the root {found.root} was not asked",
            "ask a node of the contract's chain, which the document does not name",
        )
    )


OPEN_ATTESTATION_CHECKS: Final[Mapping[str, Callable[[Case], Check]]] = {
    "structure": check_structure,
    "proof": check_proof,
    "issuer-key": check_issuer_key,
    "dates": check_dates,
    "status": check_status,
    "issuer-listed": check_issuer_listed,
    "anchor": check_anchor,
}


def _first_issuer(case: Case) -> _Issuer:
    found = OpenAttestation.parse(case.document).issuers
    return found[0] if found else _Issuer("", "", "")


def _issuer(entry: JsonObject) -> _Issuer:
    proof = entry.get("identityProof")
    identity = proof if isinstance(proof, dict) else {}
    words = (unsalted(identity.get("type")), unsalted(identity.get("location")))
    stores = [unsalted(entry.get(name)) for name in _STORES]
    return _Issuer(
        unsalted(entry.get("name")),
        next(filter(None, stores), ""),
        " ".join(filter(None, words)),
    )


def _object(value: Json, what: str) -> JsonObject:
    if not isinstance(value, dict):
        raise OpenAttestationMalformed(
            f"{what}: found {type(value).__name__}, want an object"
        )
    return value


def _hashes(value: Json, what: str, most: int = MAX_OBFUSCATED) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise OpenAttestationMalformed(f"{what}: want an array of at most {most}")
    return tuple(_hash(each, what) for each in value)


def _hash(value: Json, what: str) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise OpenAttestationMalformed(f"{what}: want 64 hexadecimal digits")
    return value.removeprefix("0x")
