"""Questions about a day: was it valid then, was the key in use, was it revoked by then."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from credentials.case import Case
from credentials.dating import dated
from credentials.evidence import Evidence, Obtained, Origin
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Check, Report, Result
from credentials.status_list import build_entry, build_list_credential
from credentials.trust_pack.belief import believe
from did.history import build_history
from primitives.canonical_json import JsonObject
from tests.support.bundles import kit
from tests.support.credentials_support import (
    DAY,
    INDEX,
    ISSUER,
    METHOD,
    NOW,
    REVOCATIONS,
    SUSPENSIONS,
    anchored,
    did_document,
    evidence,
    had,
    policy,
    signed,
    unsigned,
)
from tests.support.trust_packs import contents, issuer_part, pack

T = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
SIGNED = T - 30 * DAY
DIPLOMA = signed(created=SIGNED)
BOTH = [
    build_entry(REVOCATIONS, INDEX, "revocation"),
    build_entry(SUSPENSIONS, INDEX, "suspension"),
]


def list_of(signed_at: datetime, *marked: int, purpose: str = "revocation") -> JsonObject:
    url = REVOCATIONS if purpose == "revocation" else SUSPENSIONS
    document = build_list_credential(
        url=url, issuer=ISSUER, purpose=purpose, revoked=marked, valid_from=signed_at
    )
    return signed(document, created=signed_at)


def copy(
    signed_at: datetime, had_at: datetime, *marked: int, purpose: str = "revocation"
) -> Obtained[JsonObject]:
    """Return a copy as a trust pack has it, whose age its `ttl` does not limit."""
    made = list_of(signed_at, *marked, purpose=purpose)
    return Obtained(made, "file", had_at, Origin.PACK)


def known(*copies: Obtained[JsonObject], **changes: Any) -> Evidence:
    """Return what is known of the diploma, with these copies of its list."""
    first, *others = copies
    return evidence(
        status_lists={REVOCATIONS: first},
        further_lists={REVOCATIONS: tuple(others)},
        **changes,
    )


def ask(
    found: Evidence, document: JsonObject = DIPLOMA, *, when: datetime = T, **demands: Any
) -> Report:
    return judge(document, found, policy(**demands), when, clock=NOW)


def line(name: str, report: Report) -> Check:
    return report.check(name)


def said(name: str, report: Report) -> tuple[str, str, bool]:
    check = line(name, report)
    return check.result.value, check.code, check.final


@pytest.mark.parametrize("proof", [None, [], "a", [{}] * 17])
def test_dates_are_dates_whatever_the_proof_is(proof: Any) -> None:
    """Asked about a day or about now, what is wrong with a proof is for `proof` to say."""
    document = unsigned() | ({} if proof is None else {"proof": proof})
    for when in (T, NOW):
        report = ask(evidence(), document, when=when)
        assert said("dates", report) == ("passed", "", True)
        assert line("proof", report).result.value == "failed"


# Was it revoked before or after?


@pytest.mark.parametrize(
    ("copies", "answer"),
    [
        # Not revoked on a later list: final, for a revocation is never lifted.
        ([copy(NOW - DAY, NOW)], ("passed", "", True)),
        # On a list that was signed before the day.
        ([copy(T - DAY, NOW, INDEX)], ("failed", "revoked", True)),
        ([copy(T, NOW, INDEX)], ("failed", "revoked", True)),
        # Only on a later one, which does not say since when.
        ([copy(T + DAY, NOW, INDEX)], ("undetermined", "revoked-when-unknown", False)),
        (
            [copy(T + DAY, NOW, INDEX), copy(T - 9 * DAY, T - DAY)],
            ("undetermined", "revoked-when-unknown", False),
        ),
        # A list between the day and the revocation.
        (
            [copy(T + 9 * DAY, NOW, INDEX), copy(T - DAY, T + DAY)],
            ("passed", "revoked-later", True),
        ),
        (
            [copy(T - DAY, T + DAY), copy(T + 9 * DAY, NOW, INDEX)],
            ("passed", "revoked-later", True),
        ),
        # A list of before the day: as of then, and not for ever.
        ([copy(T - 5 * DAY, T - 3 * DAY)], ("passed", "", False)),
        ([copy(T - 20 * DAY, T - 20 * DAY)], ("passed", "status-aged", False)),
        ([copy(T - 99 * DAY, T - 91 * DAY)], ("undetermined", "status-stale", False)),
    ],
)
def test_a_list_speaks_of_the_time_before_and_after_it(
    copies: list[Obtained[JsonObject]], answer: tuple[str, str, bool]
) -> None:
    assert said("status", ask(known(*copies))) == answer


def test_a_bundle_cannot_date_a_list_later_than_its_signature() -> None:
    """Its maker's word that the list was current on the day is worth nothing."""
    made = kit(DIPLOMA, lists=list_of(T - 91 * DAY))
    claimed = made.bundle.evidence.status_lists[REVOCATIONS]
    assert isinstance(claimed, Obtained)
    assert claimed.obtained_at == NOW
    report = judge(DIPLOMA, made.bundle.judged(), made.policy(), T, clock=NOW)
    assert said("status", report) == ("undetermined", "status-stale", False)


@pytest.mark.parametrize(
    ("copies", "answer"),
    [
        ([copy(T - DAY, T + DAY, purpose="suspension")], ("passed", "", True)),
        (
            [copy(T - DAY, T + DAY, INDEX, purpose="suspension")],
            ("failed", "suspended", True),
        ),
        (
            [copy(T - DAY, T - DAY, INDEX, purpose="suspension")],
            ("failed", "suspended", False),
        ),
        # Signed after the day: it may have been suspended then, and lifted since.
        (
            [copy(T + DAY, NOW, purpose="suspension")],
            ("undetermined", "suspension-then-unknown", False),
        ),
        (
            [copy(T + DAY, NOW, INDEX, purpose="suspension")],
            ("undetermined", "suspension-then-unknown", False),
        ),
    ],
)
def test_only_a_list_of_that_day_tells_of_a_suspension(
    copies: list[Obtained[JsonObject]], answer: tuple[str, str, bool]
) -> None:
    document = signed(unsigned(credentialStatus=BOTH[1]), created=SIGNED)
    first, *others = copies
    found = evidence(
        status_lists={SUSPENSIONS: first}, further_lists={SUSPENSIONS: tuple(others)}
    )
    assert said("status", ask(found, document)) == answer


def test_revoked_by_then_is_worse_than_a_suspension_that_is_not_known() -> None:
    document = signed(unsigned(credentialStatus=BOTH), created=SIGNED)
    lists = {
        REVOCATIONS: copy(T - DAY, NOW, INDEX),
        SUSPENSIONS: copy(T + DAY, NOW, purpose="suspension"),
    }
    report = ask(evidence(status_lists=lists), document)
    assert said("status", report) == ("failed", "revoked", True)
    assert report.standing.value == "revoked"


def test_of_today_a_list_without_a_mark_is_never_final() -> None:
    found = known(copy(NOW - 2 * DAY, NOW))
    assert said("status", judge(DIPLOMA, found, policy(), NOW)) == ("passed", "", False)
    revoked = known(copy(NOW - 2 * DAY, NOW, INDEX))
    assert said("status", judge(DIPLOMA, revoked, policy(), NOW))[2]


def test_a_copy_that_is_not_the_issuers_does_not_count() -> None:
    forged = copy(T - DAY, NOW, INDEX)
    forged.value["issuer"] = "did:web:other.example"
    report = ask(known(copy(NOW - DAY, NOW), forged))
    assert said("status", report) == ("passed", "", True)


# Was it there, and was the key in use?


def test_what_was_signed_after_the_day_was_not_there_and_is_not_forged() -> None:
    report = ask(known(copy(NOW - DAY, NOW)), signed(created=T + DAY))
    assert report.authenticity.value == "valid"
    assert said("dates", report) == ("failed", "not-yet-signed", True)
    assert report.standing.value == "not-yet-valid"


def test_what_is_signed_after_today_is_refused_whatever_day_is_asked() -> None:
    report = ask(known(copy(NOW - DAY, NOW)), signed(created=NOW + DAY))
    assert said("proof", report)[:2] == ("failed", "proof-created-in-future")


HISTORY = build_history(ISSUER, [(did_document(), T - 90 * DAY)])


@pytest.mark.parametrize(
    ("begun", "code"), [(T - 90 * DAY, ""), (T, ""), (T + DAY, "key-listed-later")]
)
def test_the_history_tells_since_when_the_key_was_in_use(
    begun: datetime, code: str
) -> None:
    history = build_history(ISSUER, [(did_document(), begun)])
    report = ask(known(copy(NOW - DAY, NOW), histories={ISSUER: had(history)}))
    assert said("issuer-key", report) == ("passed", code, False)
    assert "by its history in use" in line("issuer-key", report).detail


def test_the_history_tells_until_when_the_key_was_in_use() -> None:
    both = [(did_document(), T - 90 * DAY), (did_document(withdrawn=True), T + 9 * DAY)]
    history = build_history(ISSUER, both)
    report = ask(known(copy(NOW - DAY, NOW), histories={ISSUER: had(history)}))
    assert line("issuer-key", report).detail.endswith(
        "in use at 2026-03-31T23:59:59Z, since 2025-12-31T23:59:59Z"
    )
    later = ask(
        known(copy(NOW - DAY, NOW), histories={ISSUER: had(history)}), when=NOW - DAY
    )
    assert line("issuer-key", later).detail.endswith(
        "from 2025-12-31T23:59:59Z to 2026-04-09T23:59:59Z"
    )


def test_without_a_history_a_later_document_does_not_tell_of_the_day() -> None:
    report = ask(known(copy(NOW - DAY, NOW)))
    assert said("issuer-key", report) == ("passed", "key-then-unknown", False)
    earlier = Obtained(did_document(), "file", T - DAY)
    report = ask(known(copy(NOW - DAY, NOW), did_documents={ISSUER: earlier}))
    assert said("issuer-key", report) == ("passed", "", False)


def test_a_broken_history_tells_nothing() -> None:
    broken = {**HISTORY, "did": "did:web:other.example"}
    report = ask(known(copy(NOW - DAY, NOW), histories={ISSUER: had(broken)}))
    assert said("issuer-key", report)[:2] == ("undetermined", "did-history-unusable")


def test_an_anchor_after_the_day_does_not_show_that_it_was_there() -> None:
    made = anchored(DIPLOMA)
    found = replace(made.evidence(), status_lists={REVOCATIONS: copy(NOW - DAY, NOW)})
    late = ask(found)
    assert said("anchor", late) == ("undetermined", "anchored-later", False)
    assert late.outcome.value == "valid"
    needed = frozenset({"proof", "issuer-key", "anchor"})
    assert ask(found, required=needed).outcome.value == "undetermined"
    after = ask(found, when=made.anchor.timestamp)
    assert said("anchor", after) == ("passed", "", True)


@pytest.mark.parametrize(
    ("first_seen", "code"), [(T - DAY, "listing-then-unknown"), (T + DAY, "listed-later")]
)
def test_a_pack_says_since_when_its_makers_know_the_issuer(
    first_seen: datetime, code: str
) -> None:
    belief = believe(pack(contents(issuer_part(first_seen=first_seen))))
    found = belief.evidence(known(copy(NOW - DAY, NOW)), DIPLOMA)
    report = judge(DIPLOMA, found, belief.policy(Policy()), T, clock=NOW)
    assert said("issuer-listed", report) == ("passed", code, False)
    listed = line("issuer-listed", report)
    assert (listed.evidence, listed.age_days) == ("list", 0)


# Sentences.

WHO = "The Example School (did:web:school.example)"
NAME = "“Farm Data Collection”"


@pytest.mark.parametrize(
    ("copies", "wanted"),
    [
        (
            [copy(NOW - DAY, NOW)],
            (
                f"{NAME}: Valid on 31 March 2026 as signed by {WHO}. Not revoked then, nor"
                " until 22 November 2026."
            ),
        ),
        (
            [copy(T + 9 * DAY, NOW, INDEX), copy(T - DAY, T + DAY)],
            (
                f"{NAME}: Valid on 31 March 2026 as signed by {WHO}. Not revoked then, and"
                " revoked later, by 9 April 2026."
            ),
        ),
        (
            [copy(T - DAY, NOW, INDEX)],
            (
                f"{NAME}: Signed by {WHO}. Asked about 31 March 2026. Revoked by its"
                " issuer, by then; that is final."
            ),
        ),
        (
            [copy(T + DAY, NOW, INDEX)],
            (
                f"{NAME}: Signed by {WHO}. Asked about 31 March 2026. Whether it was"
                " revoked is not known: revoked by 2026-04-01T23:59:59Z; whether it was at"
                " 2026-03-31T23:59:59Z is not known."
            ),
        ),
        (
            [copy(T - 9 * DAY, T - 9 * DAY)],
            (
                f"{NAME}: Valid on 31 March 2026 as signed by {WHO}. Not revoked as of 22"
                " March 2026 (9 days before)."
            ),
        ),
    ],
    ids=["later list", "revoked later", "revoked by then", "when unknown", "earlier list"],
)
def test_the_summary_speaks_of_the_day(
    copies: list[Obtained[JsonObject]], wanted: str
) -> None:
    found = known(*copies, histories={ISSUER: had(HISTORY)})
    assert ask(found).summary == wanted


def test_the_summary_says_what_is_not_known_of_the_day() -> None:
    summary = ask(known(copy(NOW - DAY, NOW))).summary
    assert summary.endswith(" Whether its key was in use then is not known.")
    ahead = ask(known(copy(NOW - DAY, NOW)), when=NOW + 5 * DAY).summary
    assert ahead.endswith(
        "That day lies ahead: what is taken back until then, nobody knows."
    )
    assert "(5 days before)" in ahead


def test_a_key_is_its_own_evidence_where_it_is_the_identifier() -> None:
    from did.key import DidKey  # noqa: PLC0415 - one test alone
    from tests.support.credentials_support import STRANGER, STRANGER_METHOD  # noqa: PLC0415

    did = str(DidKey(STRANGER.public_key))
    document = signed(
        unsigned(issuer=did, credentialStatus=...),
        signer=STRANGER,
        method=STRANGER_METHOD,
        created=SIGNED,
    )
    key = line("issuer-key", ask(Evidence(), document))
    assert (key.final, key.evidence, key.as_of) == (True, "credential", None)
    assert METHOD not in key.detail


def test_what_a_bundle_says_of_its_documents_time_is_not_repeated() -> None:
    made = kit()
    report = judge(made.bundle.credential, made.bundle.judged(), made.policy(), NOW)
    key = line("issuer-key", report)
    assert (key.as_of, key.age_days, key.final) == (None, None, False)
    assert key.obtained_at == NOW
    assert all(
        found.origin is Origin.BUNDLE
        for found in made.bundle.judged().did_documents.values()
        if isinstance(found, Obtained)
    )


def test_dating_a_check_keeps_all_that_the_check_itself_said() -> None:
    """But for what it adds."""
    said = Check(
        "status",
        Result.FAILED,
        code="revoked",
        detail="taken back",
        hint="ask",
        source="urn:list",
        obtained_at=NOW,
        since=SIGNED,
        as_of=T,
    )
    found = dated(said, Case(DIPLOMA, Evidence(), Policy(), NOW), required=False)
    assert found == said._replace(
        evidence="status-list", age_days=(NOW - T).days, required=False
    )
