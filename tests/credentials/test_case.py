"""A document that comes back is read once, and never in the place of another."""

from dataclasses import replace

import pytest

from credentials import readings
from credentials.case import Case, DidHistoryUnusable, history_of
from credentials.data_integrity import Proof, Recurring
from credentials.evidence import OWN_NODE, Evidence, Obtained
from credentials.model import Credential, StructureInvalid
from credentials.policy import Policy
from credentials.readings import MAX_KNOWN
from did.document import DidDocumentIdMismatch
from primitives.canonical_json import JsonObject
from tests.support.credentials_support import (
    ISSUER,
    METHOD,
    NOW,
    evidence,
    signed,
    unsigned,
)
from tests.support.stolen_keys import events, history

LEANING = Case(signed(unsigned()), Evidence(), Policy(), NOW)


def had(document: JsonObject) -> Obtained[JsonObject]:
    return Obtained(document, OWN_NODE, NOW)


def about(document: JsonObject) -> Case:
    return LEANING.about(had(document), NOW)


def credential_of(document: JsonObject) -> Credential:
    found = about(document).credential
    assert isinstance(found, Credential)
    return found


def test_says_of_what_comes_back_what_it_says_of_it_alone() -> None:
    document = signed(unsigned(name="A list"))
    for _ in range(2):
        found = about(document)
        assert found.credential == Case(document, Evidence(), Policy(), NOW).credential
        assert found.proofs() == Case(document, Evidence(), Policy(), NOW).proofs()
    assert credential_of(dict(document)) is credential_of(document)


def test_another_document_is_read_for_itself() -> None:
    document = signed(unsigned(name="A list"))
    assert credential_of({**document, "name": "Another"}).name == "Another"
    assert credential_of(document).name == "A list"
    proof = document["proof"]
    assert isinstance(proof, dict)
    later = about({**document, "proof": {**proof, "created": "2026-01-01T00:00:00Z"}})
    (first,), (other,) = about(document).proofs(), later.proofs()
    assert isinstance(first, Proof)
    assert isinstance(other, Proof)
    assert first.created != other.created


def test_a_digest_that_came_with_a_document_is_not_made_again() -> None:
    kept = Recurring(signed(unsigned(name="A list")))
    found = replace(had(kept.document), recurring=kept)
    assert LEANING.about(found, NOW).recurring is kept


def test_a_document_borrows_no_digest_of_another() -> None:
    kept = Recurring(signed(unsigned(name="A list")))
    credential_of(kept.document)
    for other in ({**kept.document, "name": "Another"}, dict(kept.document)):
        found = LEANING.about(replace(had(other), recurring=kept), NOW)
        assert found.recurring is not kept
        assert isinstance(found.credential, Credential)
        assert found.credential.name == other["name"]


def test_values_that_python_calls_equal_are_read_apart() -> None:
    one = signed(unsigned(**{"https://example.edu/hours": {"@value": 0}}))
    other = {**one, "https://example.edu/hours": {"@value": False}}
    assert one == other
    assert repr(credential_of(one).document) != repr(credential_of(other).document)


def test_another_purpose_is_read_for_itself() -> None:
    document = signed(unsigned(name="A list"))
    found = about(document)
    again = replace(found, purpose="authentication")
    (wrong,) = again.proofs()
    assert getattr(wrong, "code", "") == "proof-purpose-mismatch"


def test_what_is_wrong_with_a_document_is_not_remembered() -> None:
    """An error keeps where it was raised, and grows each time."""
    broken = signed(unsigned(name="Broken")) | {"type": ["List"]}
    first, second = about(broken).credential, about(broken).credential
    assert isinstance(first, StructureInvalid)
    assert first is not second
    unread = signed(unsigned()) | {"proof": {"type": "Other"}}
    (one,), (two,) = about(unread).proofs(), about(unread).proofs()
    assert getattr(one, "code", "") == "proof-suite-unsupported"
    assert one is not two


def with_did_document(found: Obtained[JsonObject], did: str = ISSUER) -> Case:
    return LEANING.on(Evidence(did_documents={did: found}), NOW)


def did_document() -> JsonObject:
    found = evidence().did_documents[ISSUER]
    assert isinstance(found, Obtained)
    return found.value


def test_a_did_document_that_is_kept_is_read_once() -> None:
    kept = Recurring(did_document())
    found = replace(had(kept.document), recurring=kept)
    first, again = (with_did_document(found).did_document(ISSUER) for _ in range(2))
    assert first is again
    assert first == with_did_document(had(kept.document)).did_document(ISSUER)


def test_a_did_document_is_not_taken_for_another_that_is_kept() -> None:
    kept = Recurring(did_document())
    found = replace(had(kept.document), recurring=kept)
    with_did_document(found).did_document(ISSUER)
    emptied = replace(found, value={**kept.document, "assertionMethod": []})
    document = with_did_document(emptied).did_document(ISSUER)
    assert document.relationships["assertionMethod"] == frozenset()
    other = "did:web:other.example"
    for _ in range(2):
        with pytest.raises(DidDocumentIdMismatch, match=other):
            with_did_document(found, other).did_document(other)


def test_a_history_that_is_kept_is_read_once_and_answers_for_no_other() -> None:
    kept = Recurring(history(*events(("KeyRotated", METHOD, None))))
    found = replace(had(kept.document), recurring=kept)
    first = history_of(found, ISSUER, LEANING)
    assert first is history_of(found, ISSUER, LEANING)
    assert first == history_of(had(kept.document), ISSUER, LEANING)
    shorter = replace(found, value=history())
    assert history_of(shorter, ISSUER, LEANING).events == ()
    for _ in range(2):
        with pytest.raises(DidHistoryUnusable):
            history_of(found, "did:web:other.example", LEANING)


def test_no_more_than_so_many_documents_are_remembered() -> None:
    for number in range(MAX_KNOWN + 2):
        credential_of(signed(unsigned(name=f"List {number}"), suite="eddsa-jcs-2022"))
    assert len(readings._known) == MAX_KNOWN
