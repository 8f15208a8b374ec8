"""Every branch of what counts of a rotated or stolen key, from plain values."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from anchoring.anchored_record import AnchoredRecord
from anchoring.cosignature import WitnessKey, WitnessQuorum, cosign, with_cosignatures
from anchoring.note import SignedNote
from credentials.evidence import LogReading, Missing
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Report, Result
from did.key_event import sign_event
from primitives.ed25519 import SoftwareSigner
from tests.support.credentials_support import (
    CHAIN,
    DAY,
    ISSUER,
    LOG_KEY,
    METHOD,
    NOW,
    evidence,
    had,
    policy,
)
from tests.support.stolen_keys import (
    FIRST,
    NEW,
    NEW_METHOD,
    SECOND,
    THEFT,
    THIRD,
    Log,
    document,
    events,
    history,
)

DEV = "eip155:31337"
HOUR = timedelta(hours=1)


def compromised(since: datetime, log_since: datetime | None = None) -> dict[str, Any]:
    """Return DID document and history of an issuer whose first key was stolen."""
    statements: list[tuple[str, str, datetime | None]] = [("KeyCompromised", METHOD, since)]
    if log_since is not None:
        statements.append(("KeyCompromised", str(LOG_KEY), log_since))
    return {
        "did_documents": {ISSUER: had(document(withdrawn=True))},
        "histories": {ISSUER: had(history(*events(*statements), withdrawn=True))},
    }


def report(demands: Policy | None = None, **known: Any) -> Report:
    return judge(THEFT, evidence(**known), demands or policy(), NOW)


def answer(**known: Any) -> tuple[str, str]:
    check = report(**known).check("issuer-key")
    return check.result.value, check.code


PASSED = ("passed", "key-compromised-anchored-before")
FAILED = ("failed", "key-compromised-unanchored")
NOT_SHOWN = ("undetermined", "anchor-not-shown")


# A leaf below the size of the last accepted checkpoint anchored before T


@pytest.mark.parametrize("since", [FIRST + HOUR, NOW - DAY])
def test_an_anchor_before_the_theft_is_enough(since: datetime) -> None:
    log = Log(1)
    receipt = had(log.receipt(2))
    known = compromised(since) | {"receipt": receipt, "sightings": log.sightings()}
    assert answer(**known) == PASSED
    assert report(**known).outcome.value == "valid"
    assert "compromised since" in report(**known).check("issuer-key").detail


def test_an_anchor_at_the_very_moment_is_not_before_it() -> None:
    log = Log(1)
    known = {"receipt": had(log.receipt(2)), "sightings": log.sightings()}
    assert answer(**compromised(FIRST + timedelta(seconds=1)), **known) == PASSED
    assert answer(**compromised(FIRST), **known) == FAILED


def test_the_log_shows_what_a_late_receipt_does_not() -> None:
    log = Log(1)
    known = compromised(FIRST + HOUR) | {"sightings": log.sightings()}
    late = had(log.receipt(6))
    assert answer(**known, receipt=late) == NOT_SHOWN
    assert answer(**known, receipt=late, log=had(log.reading())) == PASSED
    assert answer(**known, log=had(log.reading())) == PASSED


# At or past that size, or absent from a log that was read in full beyond it


@pytest.mark.parametrize(("at", "expected"), [(1, PASSED), (2, FAILED), (3, FAILED)])
def test_the_boundary_is_the_size_of_the_last_checkpoint_before(
    at: int, expected: tuple[str, str]
) -> None:
    log = Log(at)
    known = compromised(SECOND) | {"sightings": log.sightings()}
    assert answer(**known, log=had(log.reading())) == expected


def test_a_proven_leaf_past_the_boundary_fails_without_the_entries() -> None:
    log = Log(2)
    known = compromised(SECOND) | {"sightings": log.sightings()}
    reading = had(log.reading(entries=0))
    assert answer(**known, receipt=had(log.receipt(4)), log=reading) == FAILED
    assert answer(**known, log=reading) == NOT_SHOWN


def test_a_leaf_that_the_whole_log_lacks_fails() -> None:
    log = Log(None)
    known = compromised(SECOND + HOUR) | {"sightings": log.sightings()}
    assert answer(**known, log=had(log.reading())) == FAILED
    assert report(**known, log=had(log.reading())).outcome.value == "rejected"


def test_where_nothing_was_anchored_before_everything_is_past_it() -> None:
    log = Log(0)
    known = compromised(FIRST - HOUR) | {"sightings": log.sightings()}
    assert answer(**known, receipt=had(log.receipt(2))) == FAILED
    # The second receipt's record names one before it: that may have been in time.
    assert answer(**known, receipt=had(log.receipt(4))) == NOT_SHOWN


# Undetermined: a holder without a receipt is not a forger


def test_without_receipt_and_log_nothing_is_known() -> None:
    assert answer(**compromised(SECOND)) == NOT_SHOWN
    assert report(**compromised(SECOND)).outcome.value == "undetermined"


def test_a_chain_out_of_reach_decides_nothing() -> None:
    log = Log(3)
    lost = Missing("anchor-unreachable", "no answer", "try again")
    sightings = dict.fromkeys(log.sightings(), lost)
    known = compromised(SECOND) | {"sightings": sightings, "log": had(log.reading())}
    assert answer(**known) == NOT_SHOWN
    assert answer(**known, receipt=had(log.receipt(4))) == NOT_SHOWN


def test_one_anchor_after_the_boundary_has_to_be_confirmed() -> None:
    log = Log(3)
    seen = log.sightings()
    del seen[log.records[1].anchors[0].transaction]
    known = compromised(SECOND) | {"sightings": seen, "log": had(log.reading())}
    assert answer(**known) == NOT_SHOWN


def test_a_log_that_was_not_read_beyond_that_time_decides_nothing() -> None:
    log = Log(None)
    known = compromised(NOW - DAY) | {"sightings": log.sightings()}
    assert answer(**known, log=had(log.reading())) == NOT_SHOWN
    earlier = compromised(SECOND) | {"sightings": log.sightings()}
    assert answer(**earlier, log=had(log.reading(entries=3))) == NOT_SHOWN


def test_a_log_with_a_record_left_out_decides_nothing() -> None:
    log = Log(3)
    known = compromised(THIRD) | {"sightings": log.sightings()}
    gap = LogReading((log.records[0], log.records[2]), tuple(log.entries))
    assert answer(**known, log=had(gap)) == NOT_SHOWN
    tail = log.reading(records=slice(1, None))
    assert answer(**(known | compromised(SECOND)), log=had(tail)) == NOT_SHOWN


def test_entries_that_are_not_the_anchored_ones_decide_nothing() -> None:
    log, forged = Log(None), Log(0)
    known = compromised(SECOND) | {"sightings": log.sightings()}
    reading = LogReading(tuple(log.records), tuple(forged.entries))
    assert answer(**known, log=had(reading)) == NOT_SHOWN


def test_two_records_cannot_share_one_transaction() -> None:
    log = Log(3)
    one = AnchoredRecord(log.records[1].record, log.records[0].anchors)
    reading = LogReading((log.records[0], one, log.records[2]), tuple(log.entries))
    known = compromised(SECOND) | {"sightings": log.sightings()}
    assert answer(**known, log=had(reading)) == NOT_SHOWN


def test_a_receipt_of_another_document_shows_nothing() -> None:
    log = Log(1)
    stranger = replace(
        log.receipt(2), tlog_proof=replace(log.receipt(2).tlog_proof, index=0)
    )
    known = compromised(NOW - DAY) | {"sightings": log.sightings()}
    assert answer(**known, receipt=had(stranger)) == NOT_SHOWN


def test_a_development_chain_gives_no_time() -> None:
    log = Log(1, chain=DEV)
    known = compromised(NOW - DAY) | {"sightings": log.sightings()}
    expected = ("undetermined", "no-time-evidence")
    assert answer(**known, receipt=had(log.receipt(2))) == expected
    assert answer(**known, log=had(log.reading())) == expected


def test_a_contract_that_the_policy_does_not_accept_gives_no_time() -> None:
    log = Log(1)
    known: dict[str, Any] = compromised(NOW - DAY) | {
        "receipt": had(log.receipt(2)),
        "sightings": log.sightings(),
    }
    picky = policy(contracts=frozenset({f"{CHAIN}:0x{'0' * 40}"}))
    check = report(picky, **known).check("issuer-key")
    assert (check.result.value, check.code) == NOT_SHOWN


def test_a_log_that_is_not_bound_shows_nothing() -> None:
    log = Log(1)
    known: dict[str, Any] = compromised(NOW - DAY) | {
        "receipt": had(log.receipt(2)),
        "sightings": log.sightings(),
    }
    known["did_documents"] = {ISSUER: had(document(withdrawn=True, bound=False))}
    check = report(policy(logs={}), **known).check("issuer-key")
    assert (check.result.value, check.code) == NOT_SHOWN


# The stolen log key


def test_a_stolen_log_key_counts_for_nothing_from_then_on() -> None:
    log = Log(1)
    known: dict[str, Any] = {
        "receipt": had(log.receipt(4)),
        "sightings": log.sightings(),
    }
    stolen = compromised(NOW - DAY, log_since=SECOND)
    assert answer(**stolen, **known) == ("undetermined", "log-key-compromised")
    anchor = report(**stolen, **known).check("anchor")
    assert (anchor.result, anchor.code) == (Result.UNDETERMINED, "log-key-compromised")
    later = compromised(NOW - DAY, log_since=SECOND + timedelta(seconds=1))
    assert answer(**later, **known) == PASSED
    assert report(**later, **known).check("anchor").result is Result.PASSED


def test_a_stolen_log_key_proves_no_place_in_the_log() -> None:
    log = Log(2)
    known = compromised(SECOND, log_since=THIRD) | {
        "receipt": had(log.receipt(6)),
        "sightings": log.sightings(),
    }
    reading = had(log.reading(entries=0))
    assert answer(**known, log=reading) == ("undetermined", "log-key-compromised")


# Witnesses in the place of the chain

WITNESS = SoftwareSigner(hashlib.sha256(b"a witness").digest())
WITNESS_KEY = WitnessKey("w.example/witness", WITNESS.public_key)


def witnessed(log: Log, time: datetime) -> dict[str, Any]:
    """Return a receipt without anchors, that one witness has cosigned."""
    receipt = log.receipt(2)
    note = receipt.tlog_proof.checkpoint
    line = cosign(SignedNote.parse(note).text, WITNESS_KEY.name, WITNESS, time)
    proof = replace(receipt.tlog_proof, checkpoint=with_cosignatures(note, [str(line)]))
    return {"receipt": had(replace(receipt, tlog_proof=proof, anchors=()))}


def believing(*keys: WitnessKey) -> Policy:
    return replace(policy(), witnesses=WitnessQuorum(keys, 1))


def test_what_a_witness_saw_before_the_theft_is_enough() -> None:
    known = witnessed(Log(1), FIRST)
    demands = believing(WITNESS_KEY)
    before = report(demands, **compromised(FIRST + HOUR), **known)
    check = before.check("issuer-key")
    assert (check.result.value, check.code) == PASSED
    anchor = before.check("anchor")
    assert anchor.result is Result.PASSED
    assert anchor.detail.endswith(", witnessed by 1 of 1 at 2026-11-13T08:00:00Z")


def test_what_a_witness_saw_at_the_theft_or_later_is_not_enough() -> None:
    known = witnessed(Log(1), FIRST)
    found = report(believing(WITNESS_KEY), **compromised(FIRST), **known)
    assert found.check("issuer-key").result is not Result.PASSED


def test_a_witness_that_is_not_believed_shows_nothing() -> None:
    known = witnessed(Log(1), FIRST)
    other_key = WitnessKey("other.example/witness", NEW.public_key)
    for demands, code in (
        (policy(), "no-witnesses"),
        (believing(other_key), "witnesses-too-few"),
    ):
        found = report(demands, **compromised(FIRST + HOUR), **known)
        assert found.check("anchor").code == code
        check = found.check("issuer-key")
        assert (check.result.value, check.code) == NOT_SHOWN


def test_a_witness_cannot_vouch_for_a_stolen_log_key() -> None:
    known = witnessed(Log(1), FIRST)
    stolen = compromised(NOW - DAY, log_since=FIRST)
    found = report(believing(WITNESS_KEY), **stolen, **known)
    assert found.check("issuer-key").result is Result.UNDETERMINED
    assert found.check("anchor").result is Result.UNDETERMINED


# Rotated


def rotated() -> dict[str, Any]:
    return {
        "did_documents": {ISSUER: had(document(withdrawn=False))},
        "histories": {ISSUER: had(history(*events(("KeyRotated", METHOD, None))))},
    }


def test_a_rotated_key_without_anchor_passes_with_a_remark() -> None:
    assert answer(**rotated()) == ("passed", "time-only-claimed")
    assert report(**rotated()).outcome.value == "valid"


@pytest.mark.parametrize("chain", [CHAIN, DEV])
def test_a_rotated_key_with_an_anchor_before_needs_no_remark(chain: str) -> None:
    log = Log(1, chain=chain)
    known = rotated() | {"receipt": had(log.receipt(2)), "sightings": log.sightings()}
    assert answer(**known) == ("passed", "" if chain == CHAIN else "time-only-claimed")


def test_an_anchor_after_the_rotation_does_not_show_a_signature_before() -> None:
    made = sign_event(
        NEW,
        kind="KeyRotated",
        did=ISSUER,
        key=METHOD,
        at=FIRST - HOUR,
        by=NEW_METHOD,
        previous=None,
    )
    log = Log(1)
    known = rotated() | {
        "histories": {ISSUER: had(history(made))},
        "receipt": had(log.receipt(2)),
        "sightings": log.sightings(),
    }
    assert answer(**known) == ("passed", "time-only-claimed")


# The history itself


def test_a_broken_history_is_never_read_over() -> None:
    (made,) = events(("KeyCompromised", METHOD, SECOND))
    for changed in (
        history({**made, "since": "2026-11-21T00:00:00Z"}),
        {**history(made), "did": "did:web:other.example"},
        {**history(made), "versions": history(made)["versions"][1:]},  # type: ignore[index]
    ):
        known = rotated() | {"histories": {ISSUER: had(changed)}}
        assert answer(**known) == ("undetermined", "did-history-unusable")


def test_no_history_is_needed() -> None:
    known = {"did_documents": {ISSUER: had(document(withdrawn=False))}}
    assert answer(**known) == ("passed", "")


def test_without_history_a_withdrawn_key_may_be_stolen_or_never_have_been_one() -> None:
    known = {"did_documents": {ISSUER: had(document(withdrawn=True))}}
    refused = ("failed", "verification-method-not-authorised")
    assert answer(**known) == ("undetermined", "not-looked-up")
    unlogged = {"did_documents": {ISSUER: had(document(withdrawn=True, bound=False))}}
    assert answer(**unlogged) == refused
    lost = {ISSUER: Missing("did-unreachable", "no answer", "try again")}
    assert answer(**known, histories=lost) == ("undetermined", "did-unreachable")
    assert answer(**known, histories={ISSUER: had(history(withdrawn=True))}) == refused
