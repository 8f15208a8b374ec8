"""Refusals that no other test can tell from the one after them; found by `make mutants`."""

from dataclasses import replace
from typing import Any

import pytest

from anchoring.anchored_record import AnchoredRecord
from anchoring.record import build_record, record_cid
from credentials.data_integrity import MAX_PROOFS, ProofInvalid, parse_proofs
from credentials.evidence import LogReading
from credentials.judge import judge
from credentials.model import StructureInvalid, parse_credential
from credentials.policy import Policy, PolicyMalformed, parse_policy
from credentials.presentation import judge_presentation, sign_presentation
from credentials.status_list import (
    StatusListEncoding,
    StatusListUnusable,
    read_value,
    set_indexes,
)
from tests.credentials.test_key_standing import (
    FAILED,
    HOUR,
    NOT_SHOWN,
    PASSED,
    answer,
    compromised,
)
from tests.credentials.test_status_list import entry, with_subject
from tests.support.credentials_support import (
    INDEX,
    NOW,
    REVOCATIONS,
    STRANGER,
    STRANGER_METHOD,
    evidence,
    had,
    policy,
    signed,
    status_list,
    unsigned,
)
from tests.support.stolen_keys import FIRST, SECOND, Log


def test_good_proofs_over_the_limit_are_not_read() -> None:
    document = signed()
    with pytest.raises(ProofInvalid, match=f"found {MAX_PROOFS + 1} proofs"):
        parse_proofs({**document, "proof": [document["proof"]] * (MAX_PROOFS + 1)})


@pytest.mark.parametrize("status", ["x", ["x"], [None], 7])
def test_a_status_is_an_object(status: Any) -> None:
    with pytest.raises(StructureInvalid) as caught:
        parse_credential(unsigned(credentialStatus=status))
    assert caught.value.code == "status-malformed"


@pytest.mark.parametrize("value", ["", "mAAAA", "U" + "A" * 40, "H4sIAAAA"])
def test_a_list_names_its_multibase(value: str) -> None:
    with pytest.raises(StatusListEncoding, match="no base64url multibase"):
        read_value(with_subject(encodedList=value), entry())


def test_a_policy_requires_checks_that_exist() -> None:
    with pytest.raises(PolicyMalformed):
        Policy(required=frozenset())
    with pytest.raises(PolicyMalformed):
        Policy(required=frozenset({"proof", "issuer-key", "prooof"}))


@pytest.mark.parametrize("contracts", [[7], [None], ["eip155:1:0x0", 7]])
def test_a_contract_is_text(contracts: Any) -> None:
    with pytest.raises(PolicyMalformed):
        parse_policy({"version": 1, "contracts": contracts}, None)


def test_a_list_whose_proof_cannot_be_read_says_nothing() -> None:
    listed: Any = status_list()
    listed["proof"]["cryptosuite"] = "ecdsa-rdfc-2019"
    known = evidence(status_lists={REVOCATIONS: had(listed)})
    found = judge(signed(), known, policy(), NOW).check("status")
    assert (found.result.value, found.code) == ("undetermined", "proof-suite-unsupported")


def test_whose_key_signed_is_not_known_of_a_proof_that_cannot_be_read() -> None:
    document: Any = sign_presentation(
        [],
        STRANGER,
        verification_method=STRANGER_METHOD,
        created=NOW,
        challenge="once",
        domain="ministry.example",
    )
    document["proof"]["cryptosuite"] = "ecdsa-rdfc-2019"
    report = judge_presentation(
        document,
        lambda _: evidence(),
        policy(),
        NOW,
        challenge="once",
        domain="ministry.example",
    )
    for name in ("holder-key", "challenge", "domain"):
        found = report.check(name)
        assert (found.result.value, found.code) == ("undetermined", "proof-unread"), name


@pytest.mark.parametrize("name", [["urn:uuid:a"], {"a": "b"}, 7])
def test_a_proof_with_another_id_than_text_is_named_by_none(name: Any) -> None:
    proof: Any = signed()["proof"]
    first = {**proof, "id": "urn:uuid:a"}
    later = {**proof, "id": name, "previousProof": "urn:uuid:a"}
    document = {**unsigned(), "proof": [first, later]}
    found = judge(document, evidence(), policy(), NOW).check("proof")
    assert found.result.value == "failed"


# What was in the log before a theft


def test_without_a_receipt_the_whole_log_shows_that_nothing_was_anchored_before() -> None:
    log = Log(0)
    known = compromised(FIRST - HOUR) | {"sightings": log.sightings()}
    assert answer(**known, log=had(log.reading())) == FAILED


def test_the_first_records_are_not_needed_where_a_later_one_was_in_time() -> None:
    log = Log(1)
    known = compromised(SECOND + HOUR) | {"sightings": log.sightings()}
    assert answer(**known, log=had(log.reading(records=slice(1, None)))) == PASSED


def test_a_receipt_of_another_document_proves_no_place_past_the_boundary() -> None:
    log = Log(5)
    receipt = log.receipt(6)
    moved = replace(receipt, tlog_proof=replace(receipt.tlog_proof, index=4))
    known = compromised(SECOND) | {"sightings": log.sightings()}
    reading = had(log.reading(entries=0))
    assert answer(**known, receipt=had(receipt), log=reading) == FAILED
    assert answer(**known, receipt=had(moved), log=reading) == NOT_SHOWN


def test_checkpoints_that_do_not_grow_decide_nothing() -> None:
    log = Log(1)
    first, second, third = log.records
    # The second record holds a checkpoint as large as the first one's.
    shrunk = build_record(
        checkpoint=log.note(2),
        previous=record_cid(first.record),
        did_documents={},
        status_lists={},
        tiles={},
    )
    after = build_record(
        checkpoint=log.note(6),
        previous=record_cid(shrunk),
        did_documents={},
        status_lists={},
        tiles={},
    )
    records = (
        first,
        AnchoredRecord(shrunk, second.anchors),
        AnchoredRecord(after, third.anchors),
    )
    known = compromised(SECOND + HOUR) | {"sightings": log.sightings()}
    reading = LogReading(records, tuple(log.entries))
    assert answer(**known, log=had(reading)) == NOT_SHOWN


def test_the_bits_of_another_kind_of_list_are_not_read() -> None:
    document: dict[str, Any] = status_list(INDEX)
    assert set_indexes(document) == {INDEX}
    subject = {**document["credentialSubject"], "type": "RevocationList2020"}
    with pytest.raises(StatusListUnusable):
        set_indexes({**document, "credentialSubject": subject})
