"""Area P, continued: credentials that a holder shows."""

from collections.abc import Iterator
from typing import Any

from credentials.presentation import sign_presentation
from credentials.presentation_checks import MAX_CREDENTIALS
from primitives.canonical_json import JsonObject
from primitives.encodings import encode_base58btc
from tests.corpus.case import Case, case
from tests.support.credentials_support import (
    NOW,
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    signed,
    unsigned,
)

CHALLENGE, DOMAIN = "3f8a0c1e", "office.example"


def presentation_rows() -> Iterator[Case]:
    """Give the cases, in the order of the table."""
    own = signed(unsigned(credentialSubject={"id": STRANGER_DID}))
    yield from _one_id(own)
    good = _presented(own)
    proof = good["proof"]
    if not isinstance(proof, dict):
        raise TypeError("the proof is an object")
    yield _asked("P22-as-asked", good)
    for name, option in (("challenge", "another"), ("domain", "elsewhere.example")):
        code = f"presentation-{name}-mismatch"
        yield _asked(f"P22-another-{name}", good, "rejected", code, **{name: option})
    forged = {**proof, "proofValue": "z" + encode_base58btc(bytes(64))}
    changed = {**good, "proof": forged}
    yield _asked("P24-proof-bad", changed, "rejected", "signature-rejected")
    bare = {name: value for name, value in good.items() if name != "proof"}
    yield _asked("P24-no-proof", bare, "rejected", "proof-missing")
    stolen = {**good, "holder": "did:web:office.example"}
    yield _asked("P24-another-holder", stolen, "rejected", "signature-rejected")
    revised = {**own, "name": "Farm Data Analysis"}
    yield _asked(
        "P24-credential-bad",
        _presented(revised),
        "rejected",
        "presented-credential-rejected",
    )
    yield _asked("P26-about-another", _presented(signed()), "valid", "holder-not-bound")
    yield _asked("P26-about-the-holder", good)
    for name, count, outcome, code in (
        ("at-the-limit", MAX_CREDENTIALS, "valid", ""),
        ("one-over", MAX_CREDENTIALS + 1, "malformed", "presentation-too-large"),
    ):
        many = {**bare, "verifiableCredential": [own] * count}
        document = sign_again(many) if outcome == "valid" else {**many, "proof": proof}
        yield _asked(f"P26-{name}", document, outcome, code)


def sign_again(document: JsonObject) -> JsonObject:
    """Return a presentation of the same credentials, signed as it is now."""
    members = document["verifiableCredential"]
    return _presented(*[m for m in members if isinstance(m, dict)])  # type: ignore[union-attr]


def _one_id(own: JsonObject) -> Iterator[Case]:
    """Two credentials by one issuer that have one id, and differ or do not."""
    other = signed(unsigned(credentialSubject={"id": STRANGER_DID}, name="Farm Work"))
    yield _asked(
        "C22-two-contents", _presented(own, other), "valid", "credential-id-conflict"
    )
    new = signed(unsigned(credentialSubject={"id": STRANGER_DID}, id="urn:uuid:2"))
    yield _asked("C22-two-ids", _presented(own, new))


def _presented(*credentials: JsonObject) -> JsonObject:
    return sign_presentation(
        credentials,
        STRANGER,
        verification_method=STRANGER_METHOD,
        created=NOW,
        challenge=CHALLENGE,
        domain=DOMAIN,
    )


def _asked(
    name: str, document: JsonObject, outcome: str = "valid", code: str = "", **asked: Any
) -> Case:
    more = {"challenge": CHALLENGE, "domain": DOMAIN, **asked}
    return case(name, document, outcome, code, more=more)
