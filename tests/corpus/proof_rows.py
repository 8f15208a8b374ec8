"""Area P: proofs and keys."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from nacl.bindings import crypto_core_ed25519_add

from credentials.data_integrity import DEFAULT_SUITE, make_proof
from credentials.jsonld.loader import OB_V3, VC_V2
from did.document import build_did_document
from primitives.canonical_json import JsonObject
from primitives.encodings import decode_base58btc, encode_base58btc, encode_base64url
from primitives.instants import format_instant
from tests.corpus.case import ORDER, Case, case
from tests.corpus.presentation_rows import presentation_rows
from tests.corpus.rotation_rows import rotation_rows
from tests.support.credentials_support import (
    ISSUER,
    METHOD,
    NOW,
    SIGNER,
    signed,
    unsigned,
)


def proof_rows() -> Iterator[Case]:
    """Give the cases, in the order of the table."""
    good = signed()
    proof = good["proof"]
    if not isinstance(proof, dict):
        raise TypeError("the proof is an object")
    value = str(proof["proofValue"])
    raw = decode_base58btc(value[1:])

    def with_proof(
        name: str, code: str, outcome: str = "rejected", /, **changes: Any
    ) -> Case:
        return case(name, {**good, "proof": {**proof, **changes}}, outcome, code)

    yield case("P01-no-proof", unsigned(), "rejected", "proof-missing")
    yield case("P01-empty-proof", {**good, "proof": []}, "rejected", "proof-missing")
    for suite in ("unknown-2030", "none", "eddsa-2022"):
        yield with_proof(
            f"P02-{suite}", "proof-suite-unsupported", "undetermined", cryptosuite=suite
        )
    yield with_proof(
        "P04-authentication", "proof-purpose-mismatch", proofPurpose="authentication"
    )
    spellings = {
        "P07-base64url": f"u{encode_base64url(raw)}",
        "P07-base64": f"m{base64.b64encode(raw).decode()}",
        "P07-flickr": f"Z{value[1:]}",
        "P07-no-prefix": value[1:],
        "P08-63-bytes": "z" + encode_base58btc(raw[:63]),
        "P08-65-bytes": "z" + encode_base58btc(raw + b"\x01"),
        "P09-50000-characters": "z" + "2" * 50_000,
        "P10-line-feed": f"{value}\n",
        "P10-space": f"{value} ",
    }
    for name, spelling in spellings.items():
        yield with_proof(name, "proof-value-malformed", proofValue=spelling)
    scalar = (int.from_bytes(raw[32:], "little") + ORDER).to_bytes(32, "little")
    yield with_proof(
        "P11-malleated",
        "signature-rejected",
        proofValue="z" + encode_base58btc(raw[:32] + scalar),
    )
    yield from _keys(good)
    yield from presentation_rows()
    yield from rotation_rows()
    yield with_proof(
        "P17-created-ahead",
        "proof-created-in-future",
        created=format_instant(NOW + timedelta(minutes=5, seconds=1)),
    )
    for row, member, moment in (
        ("P17", "created", NOW + timedelta(minutes=5)),
        ("P18", "expires", NOW - timedelta(minutes=5)),
    ):
        options = {
            "type": "DataIntegrityProof",
            "cryptosuite": DEFAULT_SUITE,
            "created": format_instant(NOW),
            "verificationMethod": METHOD,
            "proofPurpose": "assertionMethod",
            member: format_instant(moment),
        }
        edge = {**unsigned(), "proof": make_proof(unsigned(), SIGNER, options)}
        yield case(f"{row}-at-the-limit", edge, "valid")
    yield with_proof(
        "P18-expired",
        "proof-expired",
        expires=format_instant(NOW - timedelta(minutes=5, seconds=1)),
    )
    jcs = signed(unsigned(**{"@context": [VC_V2, OB_V3]}), suite="eddsa-jcs-2022")
    yield case(
        "P19-contexts-differ",
        {**jcs, "@context": [VC_V2]},
        "rejected",
        "proof-context-mismatch",
    )
    bad = {**proof, "proofValue": "z" + encode_base58btc(bytes(64))}
    for name, proofs in (("good-first", [proof, bad]), ("bad-first", [bad, proof])):
        yield case(
            f"P27-{name}", {**good, "proof": proofs}, "rejected", "signature-rejected"
        )
    yield case("P27-good-twice", {**good, "proof": [proof, proof]}, "valid")
    # Nothing here counts signers, so one who signs twice gains nothing by it.
    yield case("P29-one-signer-twice", {**good, "proof": [proof, proof]}, "valid")
    yield with_proof("P28-missing", "proof-chain-broken", previousProof="urn:uuid:1")
    yield with_proof(
        "P28-circle", "proof-chain-broken", id="urn:uuid:1", previousProof="urn:uuid:1"
    )
    yield with_proof("P30-rdfc-as-jcs", "signature-rejected", cryptosuite="eddsa-jcs-2022")
    made = signed(suite="eddsa-jcs-2022")
    relabelled = made["proof"]
    if not isinstance(relabelled, dict):
        raise TypeError("the proof is an object")
    yield case(
        "P30-jcs-as-rdfc",
        {**made, "proof": {**relabelled, "cryptosuite": "eddsa-rdfc-2022"}},
        "rejected",
        "signature-rejected",
    )


def _keys(good: JsonObject) -> Iterator[Case]:
    method = {"id": METHOD, "type": "Multikey", "controller": ISSUER}

    def with_key(name: str, multibase: str, outcome: str, code: str) -> Case:
        document = build_did_document(ISSUER, assertion_keys={"key-1": SIGNER.public_key})
        document["verificationMethod"] = [{**method, "publicKeyMultibase": multibase}]
        return case(name, good, outcome, code, did_documents={ISSUER: document})

    def multikey(y: int) -> str:
        return "z" + encode_base58btc(b"\xed\x01" + y.to_bytes(32, "little"))

    yield with_key("P12-small-order-key", multikey(1), "rejected", "key-not-prime-order")
    minus_one = (2**255 - 20).to_bytes(32, "little")
    mixed = crypto_core_ed25519_add(bytes(SIGNER.public_key), minus_one)
    yield with_key(
        "P13-mixed-order-key",
        multikey(int.from_bytes(mixed, "little")),
        "rejected",
        "key-not-prime-order",
    )
    yield with_key(
        "P14-canonical-key",
        multikey(int.from_bytes(SIGNER.public_key, "little")),
        "valid",
        "",
    )
    yield with_key(
        "P14-non-canonical-key", multikey(2**255 - 18), "rejected", "key-not-prime-order"
    )
    yield with_key(
        "P32-p-256-key",
        "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
        "undetermined",
        "key-type-unsupported",
    )
