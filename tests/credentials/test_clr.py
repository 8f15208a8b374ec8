"""CLR 2.0: the example record, what it holds together, and the proofs inside it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from credentials.clr import (
    Association,
    Clr,
    ClrMalformed,
    ClrSubject,
    build_clr,
    children_of,
    parse_clr,
)
from credentials.data_integrity import Proof, add_proof, parse_proofs, verify_proof
from credentials.jsonld.scope import UnsignedTerm
from credentials.model import parse_credential
from credentials.open_badges.achievement import parse_achievement
from credentials.open_badges.badge import IdentityObject, parse_open_badge
from primitives.canonical_json import canonicalize
from primitives.ed25519 import SignatureRejected, SoftwareSigner
from tests.support.standards import shared, standards

MACRO = "https://phmc-consortium.example/pathways/community-data-steward#award"
CHILDREN = {
    "https://upou.example/mc/data-privacy",
    "https://pup.example/mc/data-quality",
    "https://ateneo.example/mc/public-data-ethics",
    "https://dmmmsu.example/mc/farm-data-collection",
    "https://dap.example/mc/stewardship-capstone",
}
SIGNERS = [SoftwareSigner(bytes([number]) * 32) for number in range(1, 8)]
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def example() -> dict[str, Any]:
    path = shared("domain", "examples", "stack-clr.json")
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def signed(document: dict[str, Any], signer: SoftwareSigner) -> dict[str, Any]:
    return add_proof(
        document,
        signer,
        verification_method="did:web:issuer.example#key",
        created=NOW,
    )


def verify(document: dict[str, Any], signer: SoftwareSigner) -> None:
    (proof,) = parse_proofs(document)
    assert isinstance(proof, Proof)
    verify_proof(document, proof, signer.public_key)


def text(document: object) -> str:
    return json.dumps(document, sort_keys=True, ensure_ascii=False)


def older(document: Any) -> Any:
    """Return a record as the draft-04 schema spells it, for the data model 1.1."""
    spelled = {**document, "issuanceDate": document["validFrom"]}
    subject = spelled["credentialSubject"]
    inside = []
    for item in subject["verifiableCredential"]:
        # It knows the status of no later kind than a link.
        status = {name: item["credentialStatus"][name] for name in ("id", "type")}
        inside.append(
            {**item, "issuanceDate": item["validFrom"], "credentialStatus": status}
        )
    spelled["credentialSubject"] = {**subject, "verifiableCredential": inside}
    return spelled


def breaches(document: Any) -> list[str]:
    path = standards("schemas", "clr_v2p0_clrcredential_schema_draft4.json")
    validator = jsonschema.Draft4Validator(
        json.loads(path.read_bytes()), format_checker=jsonschema.FormatChecker()
    )
    return [error.message for error in validator.iter_errors(older(document))]


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the example with one member set, or removed by `...`."""
    document = example()
    *parents, last = path.split("/")
    place: Any = document
    for step in parents:
        place = place[int(step)] if step.isdecimal() else place[step]
    if value is ...:
        del place[last]
    else:
        place[int(last) if last.isdecimal() else last] = value
    return document


def test_the_example_is_rebuilt_as_it_was() -> None:
    document = example()
    clr = parse_clr(document)
    built = build_clr(clr)
    assert text(built) == text(document)
    assert parse_clr(built) == clr
    assert parse_credential(built).types == ("VerifiableCredential", "ClrCredential")


def test_the_example_says_whose_record_it_is_and_that_it_is_partial() -> None:
    clr = parse_clr(example())
    assert clr.name == "Learner record: Certificate in Community Data Stewardship"
    assert clr.partial is True
    assert clr.issuer_id == "did:web:phmc-consortium.example"
    (identity,) = clr.credential_subject.identifier
    assert identity == IdentityObject(
        hashed=False, identity_hash="Maria Niña Dela Peña-Ybañez", identity_type="ext:name"
    )


def test_the_example_holds_the_certificate_and_its_five_parts() -> None:
    clr = parse_clr(example())
    assert children_of(clr, MACRO) == CHILDREN
    assert all(children_of(clr, child) == frozenset() for child in CHILDREN)
    badges = [parse_open_badge(d) for d in clr.credential_subject.verifiable_credential]
    subjects = {b.credential_subject.achievement.id: b.credential_subject for b in badges}
    assert subjects.keys() == {MACRO, *CHILDREN}
    assert sum(subjects[child].credits_earned or 0 for child in CHILDREN) == 12
    assert subjects[MACRO].credits_earned == 12
    assert {subject.id for subject in subjects.values()} == {clr.credential_subject.id}
    assert len({badge.issuer_id for badge in badges}) == 6


def test_is_parent_of_says_the_same_from_the_other_end() -> None:
    clr = parse_clr(example())
    turned = tuple(
        Association(
            association_type="isParentOf",
            source_id=link.target_id,
            target_id=link.source_id,
        )
        for link in clr.credential_subject.association
    )
    beside = Association(
        association_type="isPeerOf", source_id="urn:example:a", target_id=MACRO
    )
    subject = replace(clr.credential_subject, association=(*turned, beside))
    assert children_of(replace(clr, credential_subject=subject), MACRO) == CHILDREN


def test_a_record_is_valid_against_the_schema_in_its_older_spelling() -> None:
    document = example()
    assert breaches(signed(build_clr(parse_clr(document)), SIGNERS[0])) == []
    document["credentialSubject"]["association"][0]["associationType"] = "isCousinOf"
    assert len(breaches(document)) == 1


def test_every_proof_of_a_signed_record_verifies() -> None:
    plain = parse_clr(example())
    inside = plain.credential_subject.verifiable_credential
    children = [signed(d, s) for d, s in zip(inside, SIGNERS[1:], strict=True)]
    subject = replace(plain.credential_subject, verifiable_credential=tuple(children))
    record = signed(build_clr(replace(plain, credential_subject=subject)), SIGNERS[0])

    received = json.loads(text(record))
    verify(received, SIGNERS[0])
    kept = parse_clr(received).credential_subject.verifiable_credential
    for child, found, signer in zip(children, kept, SIGNERS[1:], strict=True):
        assert canonicalize(found) == canonicalize(child)
        verify(found, signer)

    received["credentialSubject"]["verifiableCredential"][2]["name"] = "Diploma"
    with pytest.raises(SignatureRejected):
        verify(received, SIGNERS[0])
    with pytest.raises(SignatureRejected):
        verify(received["credentialSubject"]["verifiableCredential"][2], SIGNERS[3])


def test_a_record_of_few_words_can_be_signed() -> None:
    (first, *_) = parse_clr(example()).credential_subject.verifiable_credential
    achievement: Any = first["credentialSubject"]
    clr = Clr(
        id="urn:uuid:7b1c2f4e-3a5d-4c6b-8e9f-0a1b2c3d4e5f",
        name="Record",
        issuer="did:web:school.example",
        valid_from="2026-03-16T00:00:00Z",
        partial=False,
        credential_subject=ClrSubject(
            id="did:web:learner.example",
            verifiable_credential=(first,),
            achievement=(parse_achievement(achievement["achievement"]),),
        ),
    )
    built = build_clr(clr)
    assert built["partial"] is False
    assert parse_clr(built) == clr
    verify(signed(built, SIGNERS[0]), SIGNERS[0])


def test_what_no_field_is_for_is_kept_and_never_signed_without_a_meaning() -> None:
    document = changed("credentialSubject/honours", "summa cum laude")
    clr = parse_clr(document)
    assert clr.credential_subject.extra == {"honours": "summa cum laude"}
    assert text(build_clr(clr)) == text(document)
    with pytest.raises(UnsignedTerm, match="honours"):
        signed(build_clr(clr), SIGNERS[0])


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (
            "@context/1",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            "@context[1]",
        ),
        ("type", ["VerifiableCredential", "OpenBadgeCredential"], "type"),
        ("name", ..., ""),
        ("partial", "yes", "partial"),
        ("credentialSubject/verifiableCredential", ..., "credentialSubject"),
        (
            "credentialSubject/verifiableCredential",
            [],
            "credentialSubject.verifiableCredential",
        ),
        (
            "credentialSubject/verifiableCredential/1",
            "eyJhbGciOiJFZERTQSJ9.e30.c2ln",
            "credentialSubject.verifiableCredential[1]",
        ),
        (
            "credentialSubject/verifiableCredential/1/type",
            ["OpenBadgeCredential"],
            "credentialSubject.verifiableCredential[1].type",
        ),
        (
            "credentialSubject/verifiableCredential/1/type",
            ...,
            "credentialSubject.verifiableCredential[1]",
        ),
        (
            "credentialSubject/verifiableCredential/1/endorsementJwt",
            ["e.e.e"],
            "credentialSubject.verifiableCredential[1].endorsementJwt",
        ),
        (
            "credentialSubject/association/0/associationType",
            "isCousinOf",
            "credentialSubject.association[0].associationType",
        ),
        (
            "credentialSubject/association/0/type",
            ["Association"],
            "credentialSubject.association[0].type",
        ),
        (
            "credentialSubject/association/0/weight",
            3,
            "credentialSubject.association[0].weight",
        ),
        (
            "credentialSubject/association/0/sourceId",
            "data-privacy",
            "credentialSubject.association[0].sourceId",
        ),
    ],
)
def test_what_is_malformed_is_refused_at_its_place(
    path: str, value: object, place: str
) -> None:
    with pytest.raises(ClrMalformed) as caught:
        parse_clr(changed(path, value))
    assert caught.value.path == f"$.{place}".rstrip(".")
    assert caught.value.code == "clr-malformed"


def test_one_credential_twice_is_refused() -> None:
    document = example()
    inside = document["credentialSubject"]["verifiableCredential"]
    inside.append({**inside[0], "name": "Diploma"})
    with pytest.raises(ClrMalformed, match="found two items with the id"):
        parse_clr(document)
