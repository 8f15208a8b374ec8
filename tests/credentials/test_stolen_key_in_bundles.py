"""A stolen key, and what a bundle says of it: who made the bundle could write anything."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from credentials.bundle import encode_bundle, make_bundle, parse_bundle
from credentials.evidence import Evidence
from credentials.judge import judge
from credentials.report import Check, Report
from primitives.canonical_json import JsonObject
from tests.support.bundles import ANCHORED, Kit, kit
from tests.support.credentials_support import (
    DAY,
    ISSUER,
    METHOD,
    NOW,
    had,
    signed,
    unsigned,
)
from tests.support.stolen_keys import document, events, history

DIPLOMA = signed(unsigned(credentialStatus=...), created=NOW - 300 * DAY)
STOLEN = ANCHORED - DAY
"""Before the anchor of the kit: what is in it does not count."""


def told(since: datetime) -> JsonObject:
    made = events(("KeyCompromised", METHOD, since))
    return history(*made, withdrawn=True)


def stolen(since: datetime, **changes: Any) -> Kit:
    known = {"did": document(withdrawn=True), "history": told(since)}
    return kit(DIPLOMA, **known | changes)


def report(made: Kit, **changes: Any) -> Report:
    found: Evidence = replace(made.bundle.evidence, **changes)
    bundle = parse_bundle(encode_bundle(make_bundle(made.bundle.credential, found)))
    return judge(bundle.credential, bundle.judged(), made.policy(), NOW)


def answer(made: Kit, **changes: Any) -> tuple[str, str]:
    check = report(made, **changes).check("issuer-key")
    return check.result.value, check.code


def test_what_was_anchored_before_the_theft_counts() -> None:
    found = report(stolen(NOW - DAY / 2))
    key = found.check("issuer-key")
    assert (key.result.value, key.code) == ("passed", "key-compromised-anchored-before")
    assert found.outcome.value == "valid"
    assert "Its key was stolen later, and it was there before." in found.summary


def test_what_was_anchored_after_the_theft_does_not_count() -> None:
    found = report(stolen(STOLEN))
    key = found.check("issuer-key")
    assert (key.result.value, key.code) == ("failed", "key-compromised-unanchored")
    assert key.final
    assert found.outcome.value == "rejected"
    assert "is declared compromised since 2026-11-20T08:00:00Z" in found.summary


def test_without_a_receipt_nobody_knows() -> None:
    found = stolen(STOLEN)
    nothing = Evidence().receipt
    assert answer(found, receipt=nothing) == ("undetermined", "anchor-not-shown")


def test_a_history_that_the_log_does_not_have_is_not_believed() -> None:
    """The thief writes that the key was stolen only yesterday."""
    forged = {ISSUER: had(told(NOW - DAY / 2))}
    genuine = stolen(STOLEN)
    assert answer(genuine, histories=forged) == ("undetermined", "did-history-unproven")
    for proofs in ({}, {ISSUER: (None, None, None)}):
        found = answer(genuine, histories=forged, history_proofs=proofs)
        assert found == ("undetermined", "did-history-unproven")
    # Each proof has to be of its own document: in another order they prove nothing.
    (shown,) = genuine.bundle.evidence.history_proofs.values()
    found = answer(genuine, history_proofs={ISSUER: tuple(reversed(shown))})
    assert found == ("undetermined", "did-history-unproven")


def test_without_the_history_a_withdrawn_key_was_stolen_or_never_one() -> None:
    made = stolen(NOW - DAY / 2)
    found = answer(made, histories={}, history_proofs={})
    assert found == ("undetermined", "not-looked-up")
    # An issuer without a log has no history that could tell.
    bare = stolen(NOW - DAY / 2, did=document(withdrawn=True, bound=False))
    found = answer(bare, histories={}, history_proofs={})
    assert found == ("failed", "verification-method-not-authorised")


@pytest.mark.parametrize("bound", [True, False])
def test_a_history_of_an_issuer_without_a_bound_log_is_a_claim(*, bound: bool) -> None:
    made = stolen(NOW - DAY / 2)
    bundle = made.bundle
    logs = made.policy().logs if bound else {}
    found = judge(DIPLOMA, bundle.judged(), made.policy(logs=logs), NOW)
    key = found.check("issuer-key")
    assert key.result.value == ("passed" if bound else "undetermined")
    assert bound or key.code == "log-not-bound"


def test_a_key_that_was_replaced_keeps_the_warning_that_more_may_have_come() -> None:
    rotated = history(*events(("KeyRotated", METHOD, None)))
    made = kit(
        DIPLOMA, did=document(withdrawn=False), history=rotated, anchored=NOW - 2 * DAY
    )
    key = report(made).check("issuer-key")
    assert (key.result.value, key.code) == ("passed", "key-as-logged")
    assert "the key was replaced" in key.detail
    assert key.detail.endswith("a theft declared later is not known")


def test_a_history_in_a_bundle_is_a_claim_where_only_the_document_was_looked_up() -> None:
    """Its log is bound by the trust list alone: the document is the issuer's of today."""
    made = stolen(NOW - DAY / 2)
    evidence = replace(
        made.bundle.judged(), did_documents={ISSUER: had(document(withdrawn=True))}
    )

    def answered(**changes: Any) -> Check:
        return judge(DIPLOMA, evidence, made.policy(**changes), NOW).check("issuer-key")

    assert answered().code == "key-compromised-anchored-before"
    unbound = answered(logs={})
    assert unbound.code == "log-not-bound"
    assert unbound.detail.endswith("so its history is a claim")
