"""Certificates of other systems, made by a second and slower reading of their formats."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import base58
import cbor2
from eth_hash.auto import keccak

from credentials.foreign.blockcerts import contexts
from credentials.jsonld.loader import KNOWN
from tests.support.pyld_oracle import oracle_nquads

BITCOIN = "582733d7cef8035d87cecc9ebbe13b3a2f6cc52583fbcd2b9709f20a6b8b56b3"
STORE = "0x2f60375e8144e16adf1979936301d8341d58c36c"


def certificate(**changes: Any) -> dict[str, Any]:
    """Return a Blockcerts 3 certificate without a proof."""
    return {
        "@context": [
            "https://www.w3.org/2018/credentials/v1",
            "https://w3id.org/blockcerts/v3.1",
        ],
        "id": "urn:uuid:bbba8553-8ec1-445f-82c9-a57251dd731c",
        "type": ["VerifiableCredential", "BlockcertsCredential"],
        "issuer": "https://school.example/blockcerts/issuer.json",
        "issuanceDate": "2026-01-02T08:00:00Z",
        "credentialSubject": {
            "id": "did:example:learner",
            "name": "Niña Peñaflor",
            "claim": {"name": "Bachelor of Science"},
        },
        **changes,
    }


def blockcerts(
    document: dict[str, Any],
    siblings: Sequence[tuple[str, bytes]] = (),
    *,
    anchor: tuple[int, int, str] = (0, 1, BITCOIN),
    as_text: bool = True,
) -> dict[str, Any]:
    """Return the certificate with its proof; PyLD and cbor2 do the work.

    Args:
        document: Without a proof.
        siblings: What stands beside its hash on the way to the root, and on which side.
        anchor: Chain and network by number, and the transaction.
        as_text: Whether hashes are written as texts, as Blockcerts does, or as bytes.
    """
    known = {**KNOWN, **contexts()}
    target = hashlib.sha256(oracle_nquads(document, known).encode()).digest()
    root = target
    for side, other in siblings:
        pair = other + root if side == "left" else root + other
        root = hashlib.sha256(pair).digest()

    def nested(digits: str, before: str = "") -> bytes:
        return cbor2.dumps(before + digits if as_text else bytes.fromhex(digits))

    chain, network, transaction = anchor
    value = [
        [0, nested(root.hex())],
        [1, nested(target.hex())],
        [2, [[[0, chain], [1, network], [2, nested(transaction, "0x")]]]],
        [3, [[["left", "right"].index(s), nested(h.hex())] for s, h in siblings]],
    ]
    proof = {
        "type": "MerkleProof2019",
        "created": "2026-01-02T09:00:00Z",
        "proofPurpose": "assertionMethod",
        "verificationMethod": "https://school.example/blockcerts/issuer.json#key-1",
        "proofValue": "z" + base58.b58encode(cbor2.dumps(value)).decode(),
    }
    return {**document, "proof": proof}


def salted(value: Any, counter: list[int]) -> Any:
    """Return a value as OpenAttestation hashes it, with salts that come out the same."""
    if isinstance(value, dict):
        return {name: salted(inner, counter) for name, inner in value.items()}
    if isinstance(value, list):
        return [salted(inner, counter) for inner in value]
    counter[0] += 1
    salt = f"00000000-0000-4000-8000-{counter[0]:012x}"
    if value is None:
        return f"{salt}:null:null"
    kind = {bool: "boolean", str: "string"}.get(type(value), "number")
    return f"{salt}:{kind}:{json.dumps(value) if kind != 'string' else value}"


def open_attestation(
    data: dict[str, Any], siblings: Sequence[bytes] = (), *, hidden: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a wrapped document, with the named outermost fields taken out."""
    wrapped = salted(data, [0])
    hashes = {path: _hash({path: value}) for path, value in _flat("", wrapped)}
    target = _hash(sorted(digest.hex() for digest in hashes.values()))
    root = target
    for other in siblings:
        root = keccak(b"".join(sorted((root, other))))
    return {
        "version": "https://schema.openattestation.com/2.0/schema.json",
        "data": {name: value for name, value in wrapped.items() if name not in hidden},
        "privacy": {"obfuscatedData": [hashes[name].hex() for name in hidden]},
        "signature": {
            "type": "SHA3MerkleProof",
            "targetHash": target.hex(),
            "proof": [each.hex() for each in siblings],
            "merkleRoot": root.hex(),
        },
    }


def diploma() -> dict[str, Any]:
    """Return the data of an OpenAttestation diploma."""
    identity = {"type": "DNS-TXT", "location": "school.example"}
    return {
        "name": "Bachelor of Science",
        "issuers": [
            {
                "name": "Kolehiyo ng Ñuñoa",
                "documentStore": STORE,
                "identityProof": identity,
            }
        ],
        "recipient": {"name": "Niña Peñaflor\u2028 “x”\n"},
        "grades": [{"course": "Ekolohiya", "mark": 1.25, "passed": True}, {"note": None}],
        "empty": {"list": [], "object": {}},
    }


def _flat(before: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        pairs = list(value.items())
    elif isinstance(value, list) and value:
        pairs = [(str(number), inner) for number, inner in enumerate(value)]
    else:
        return [(before, value)]
    found = []
    for name, inner in pairs:
        found += _flat(f"{before}.{name}" if before else name, inner)
    return found


def _hash(value: Any) -> bytes:
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return keccak(written.encode())
