"""A clock that is behind: nothing that depends on today's date is concluded from it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from anchoring.backend import Sighting
from anchoring.cosignature import WitnessKey, WitnessQuorum, cosign, with_cosignatures
from credentials.data_integrity import make_proof
from credentials.evidence import Evidence
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Report
from credentials.trust_pack.belief import believe
from primitives.canonical_json import JsonObject
from primitives.ed25519 import SoftwareSigner
from primitives.instants import format_instant
from tests.support.bundles import kit
from tests.support.credentials_support import (
    CHAIN,
    DAY,
    INDEX,
    ISSUER,
    METHOD,
    NOW,
    REVOCATIONS,
    SIGNER,
    anchored,
    had,
    policy,
    signed,
    unsigned,
)
from tests.support.trust_packs import HAD, MINUTE, contents, pack, status_part

LONG_AGO = NOW - 2000 * DAY
BELIEF = believe(pack(contents()))


def answers(report: Report) -> dict[str, tuple[str, str]]:
    return {c.name: (c.result.value, c.code) for c in report.checks}


def with_pack(as_of: datetime, document: JsonObject | None = None, **more: Any) -> Report:
    found = BELIEF.evidence(Evidence(), signed())
    return judge(document or signed(), found, BELIEF.policy(Policy()), as_of, **more)


def test_a_clock_before_the_pack_leaves_open_what_depends_on_the_date() -> None:
    report = with_pack(LONG_AGO)
    found = answers(report)
    assert found["dates"] == found["status"] == ("undetermined", "clock-implausible")
    # Signed, by this issuer, whom the office lists: no clock is needed for that.
    assert report.authenticity.value == "valid"
    assert found["issuer-listed"] == ("passed", "")
    assert report.outcome.value == "undetermined"
    assert "found this clock at 2021-06-01T08:00:00Z" in report.check("dates").detail


def test_the_skew_is_allowed() -> None:
    issued = BELIEF.rules.newest
    assert answers(with_pack(issued - 5 * MINUTE))["dates"] == ("passed", "")
    late = with_pack(issued - 5 * MINUTE - timedelta(seconds=1))
    assert answers(late)["dates"] == ("undetermined", "clock-implausible")


def test_whoever_names_the_day_needs_no_clock() -> None:
    found = answers(with_pack(NOW, clock=LONG_AGO))
    assert found["dates"] == found["status"] == ("passed", "")


def test_what_has_passed_by_a_clock_that_is_behind_has_passed() -> None:
    expired = signed(unsigned(validUntil="2026-11-01T00:00:00Z"))
    report = with_pack(LONG_AGO, expired)
    # Long after the clock, and before what is in the pack.
    assert answers(report)["dates"] == ("failed", "expired")


def test_what_is_revoked_is_so_by_any_clock() -> None:
    belief = believe(pack(contents(status_part(INDEX))))
    policy = belief.policy(Policy())
    report = judge(signed(), belief.evidence(Evidence(), signed()), policy, HAD - DAY)
    assert answers(report)["dates"] == ("undetermined", "clock-implausible")
    assert answers(report)["status"] == ("failed", "revoked")


def test_nobody_is_called_a_forger_for_the_machines_clock() -> None:
    newer = signed(created=NOW + DAY)
    found = BELIEF.evidence(Evidence(), signed())
    by_pack = judge(newer, found, BELIEF.policy(Policy()), LONG_AGO)
    assert answers(by_pack)["proof"] == ("undetermined", "clock-implausible")
    # Nothing shows that the clock is wrong: the date in the proof cannot.
    alone = judge(newer, kit().bundle.judged(), policy(), NOW)
    assert answers(alone)["proof"] == ("failed", "proof-created-in-future")


def test_whether_a_proof_with_an_end_has_ended_needs_a_clock() -> None:
    options: JsonObject = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": format_instant(LONG_AGO - DAY),
        "expires": format_instant(NOW + 10 * DAY),
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
    }
    ending = {**unsigned(), "proof": make_proof(unsigned(), SIGNER, options)}
    behind, right = (answers(with_pack(clock, ending)) for clock in (LONG_AGO, NOW))
    assert behind["proof"] == ("undetermined", "clock-implausible")
    assert right["proof"] == ("passed", "")
    without = answers(with_pack(LONG_AGO, signed(created=LONG_AGO - DAY)))
    assert without["proof"] == ("passed", "")


def test_a_block_that_the_verifier_believes_shows_the_time() -> None:
    made = kit(signed(created=LONG_AGO), anchored=NOW)
    found = made.bundle.judged()
    believed = judge(made.bundle.credential, found, made.policy(), LONG_AGO)
    assert answers(believed)["dates"] == ("undetermined", "clock-implausible")
    claimed = judge(
        made.bundle.credential, found, made.policy(attested_blocks={}), LONG_AGO
    )
    assert answers(claimed)["dates"][1] == "not-yet-valid"


def test_a_chain_that_was_asked_shows_the_time() -> None:
    made = anchored(signed())
    seen = had(Sighting(made.anchor, depth=12, gas_used=0), CHAIN)
    found = replace(made.evidence(), sightings={made.anchor.transaction: seen})
    report = judge(made.document, found, policy(), LONG_AGO)
    assert answers(report)["dates"] == ("undetermined", "clock-implausible")


@pytest.mark.parametrize(("threshold", "implausible"), [(1, True), (2, False)])
def test_enough_witnesses_show_the_time(threshold: int, *, implausible: bool) -> None:
    made = anchored(signed())
    proof = made.receipt.tlog_proof
    signer = SoftwareSigner(bytes([7]) * 32)
    text = proof.checkpoint.partition("\n\n")[0] + "\n"
    note = with_cosignatures(
        proof.checkpoint, [str(cosign(text, "w.example", signer, NOW))]
    )
    receipt = replace(made.receipt, tlog_proof=replace(proof, checkpoint=note), anchors=())
    keys = tuple(
        WitnessKey(f"{name}.example", SoftwareSigner(bytes([n]) * 32).public_key)
        for name, n in (("w", 7), ("v", 8))
    )
    quorum = WitnessQuorum(keys, threshold)
    found = replace(made.evidence(), receipt=had(receipt))
    report = judge(made.document, found, policy(witnesses=quorum), LONG_AGO)
    assert (answers(report)["dates"][1] == "clock-implausible") is implausible


def test_staleness_of_a_pack_is_told_by_whatever_is_latest() -> None:
    later = with_pack(NOW + 40 * DAY)
    assert answers(later)["issuer-listed"] == ("passed", "pack-stale")
    assert "The trust pack is past its date." in later.summary
    asked = with_pack(NOW, clock=NOW + 40 * DAY)
    assert answers(asked)["issuer-listed"] == ("passed", "pack-stale")
    # Also where the verifier's own list names the issuer: the pack gave the rest.
    mine = BELIEF.policy(policy())
    own = replace(mine, pack=replace(BELIEF.rules, issuers=frozenset()))
    report = judge(signed(), BELIEF.evidence(Evidence(), signed()), own, NOW + 40 * DAY)
    assert answers(report)["issuer-listed"] == ("passed", "pack-stale")


def test_what_a_pack_says_is_as_of_its_day() -> None:
    report = with_pack(NOW + 3 * DAY)
    listed, status, key = (
        report.check(name) for name in ("issuer-listed", "status", "issuer-key")
    )
    assert (listed.as_of, listed.age_days, listed.final) == (
        BELIEF.rules.issued,
        3,
        False,
    )
    assert (status.as_of, status.age_days, status.final) == (HAD, 3, False)
    assert (key.as_of, key.age_days, key.evidence) == (HAD, 3, "did-document")
    assert report.check("proof").final
    assert report.summary.endswith(
        " Not revoked as of 22 November 2026 (3 days ago). Its key was not known to be"
        " stolen as of 22 November 2026. Current status is not known offline."
    )
    assert {ISSUER, REVOCATIONS} <= {
        *BELIEF.did_documents,
        *BELIEF.status_lists,
    }
