"""Blockcerts 3: a Verifiable Credential whose proof is a path of hashes to a transaction.

What the file alone can show is whether its text is the one that was hashed into the tree.
Who published the root of that tree, and when, stands in a transaction; whose key that was,
and what was revoked since, in a profile on the issuer's web site. Neither is asked here.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from credentials.case import Case, passed
from credentials.checks import CHECKS
from credentials.evidence import EvidenceMissing, Missing
from credentials.foreign.formats import FormatNotSupported, is_merkle_proof
from credentials.foreign.merkle_proof_2019 import MerkleProof2019, MerkleProofMalformed
from credentials.jsonld.loader import KNOWN, Contexts
from credentials.jsonld.quads import Engine
from credentials.model import StructureInvalid
from credentials.report import Check
from primitives.canonical_json import Json, JsonObject
from primitives.errors import Rejected
from primitives.hashing import sha256
from primitives.strict_json import parse_json_object

_FOLDER: Final = Path(__file__).parent / "contexts"
_VERSIONS: Final = {"v3": "3.0", "v3.0": "3.0", "v3.1": "3.1", "v3.2": "3.2"}
_NO_CHAIN: Final = (
    "mocknet",
    "testnet",
    "ropsten",
    "rinkeby",
    "goerli",
    "sepolia",
    "mumbai",
)
_CHAINS: Final = {"btc": "Bitcoin", "eth": "Ethereum", "mtc": "Polygon"}


class DocumentHashMismatch(Rejected):
    """The document is not the one whose hash its proof carries: a word was changed."""

    code = "document-hash-mismatch"
    hint = "do not rely on it; ask the issuer for the document as it was issued"


def check_structure(case: Case) -> Check:
    """It follows the VC Data Model, and is of Blockcerts' own type.

    Older certificates break rules of it, and are not false for that.
    """
    try:
        found = CHECKS["structure"](case)
    except StructureInvalid as e:
        raise FormatNotSupported(f"it breaks a rule of the data model: {e}") from e
    return passed("structure", f"a Blockcerts 3 certificate: {found.detail}")


def check_proof(case: Case) -> Check:
    """The text is the one that was hashed into the tree with the root that it names.

    1. The proof is a MerkleProof2019 that can be read.
    2. The document, as it was before that proof, has the target's hash: SHA-256 of its
       canonical N-Quads. A term that no context defines is refused.
    3. The path leads from there to the root.
    """
    number, proof = _merkle_proof(case.document)  # 1
    found = sha256(_engine().canonicalize(_before(case.document, number)).encode())
    if found != proof.target:  # 2
        raise DocumentHashMismatch(f"found {found.hex()}, want {proof.target.hex()}")
    proof.require_path()  # 3
    return passed(
        "proof",
        f"the text has the hash in its MerkleProof2019, and {len(proof.path)} steps lead "
        f"to the root {proof.root.hex()}; who published that root is another question",
    )


def check_issuer_key(case: Case) -> Check:
    """Never settled here: the issuer's keys stand in its profile on the web."""
    issuer = case.readable().issuer
    raise EvidenceMissing(
        Missing(
            "issuer-profile-not-asked",
            f"which keys are the issuer's is in its profile at {issuer}, not asked here",
            "compare the key that sent the transaction with the profile",
        )
    )


def check_status(case: Case) -> Check:
    """Never settled here: the profile may name a list of what was revoked."""
    where = "its own status entry and " if case.readable().statuses else ""
    raise EvidenceMissing(
        Missing(
            "revocation-not-asked",
            f"{where}the list of revocations that the issuer's profile may name "
            "were not asked",
            "look into the profile on the issuer's web site, or ask the issuer",
        )
    )


def check_anchor(case: Case) -> Check:
    """Never settled here: the transaction has to carry the root."""
    _, proof = _merkle_proof(case.document)
    if not proof.anchors:
        raise EvidenceMissing(Missing("anchor-not-shown", "the proof names no transaction"))
    anchor = proof.anchors[0]
    if _NO_CHAIN.count(anchor.network):
        raise EvidenceMissing(
            Missing("no-time-evidence", f"{anchor} is on a network for trials")
        )
    chain = _CHAINS.get(anchor.chain, f"chain {anchor.chain}")
    raise EvidenceMissing(
        Missing(
            "transaction-not-asked",
            f"whether transaction {anchor.transaction} of {chain} ({anchor.network}) "
            f"carries the root {proof.root.hex()} was not asked",
            "look it up in an explorer of that chain; its data has to be the root",
        )
    )


BLOCKCERTS_CHECKS: Final[Mapping[str, Callable[[Case], Check]]] = {
    **CHECKS,
    "structure": check_structure,
    "proof": check_proof,
    "issuer-key": check_issuer_key,
    "status": check_status,
    "anchor": check_anchor,
}
"""`dates` and `issuer-listed` are those of any credential."""


def _merkle_proof(document: JsonObject) -> tuple[int, MerkleProof2019]:
    """Return the first such proof, and which of the document's proofs it is."""
    for number, proof in enumerate(_proofs(document)):
        if is_merkle_proof(proof):
            return number, MerkleProof2019.parse(proof)
    raise MerkleProofMalformed("found no MerkleProof2019")


def _before(document: JsonObject, number: int) -> JsonObject:
    """Return the document as it was hashed: without this proof and those after it."""
    bare = {name: value for name, value in document.items() if name != "proof"}
    earlier: list[Json] = [*list(_proofs(document))[:number]]
    return {**bare, "proof": earlier} if earlier else bare


def _proofs(document: JsonObject) -> Iterator[JsonObject]:
    found = document.get("proof")
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, dict):
            yield each


@cache
def _engine() -> Engine:
    return Engine({**KNOWN, **contexts()})


def contexts() -> Contexts:
    """Return the contexts of Blockcerts 3, by each of their URLs."""
    found: dict[str, Json] = {}
    for name, version in _VERSIONS.items():
        raw = (_FOLDER / f"blockcerts-{version}.json").read_bytes()
        context = parse_json_object(raw)["@context"]
        found[f"https://w3id.org/blockcerts/{name}"] = context
        for place in ("w3id.org/blockcerts", "www.blockcerts.org"):
            found[f"https://{place}/schema/{version}/context.json"] = context
    return found
