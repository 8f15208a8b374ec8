"""What the holder brings: receipts, lists, documents and histories that lack something."""

from dataclasses import replace

from tests.matrix.beliefs import (
    ANCHOR,
    AUGUST,
    BLOCK,
    BOUND,
    JULY,
    JUNE,
    MARCH,
    WITNESSES,
    witnesses,
)
from tests.matrix.edits import (
    a_grade_better,
    another_context,
    development_chain,
    earlier_block,
    no_anchors,
    no_header,
    no_history_proofs,
    no_log_proof,
    of_another_log,
    only_suspensions,
    receipt_of_another,
    undated_list,
    unknown_context,
    without,
    witnessed,
)
from tests.matrix.office import Case
from tests.matrix.world import day


def evidence_cases() -> list[Case]:
    """Return these cases."""
    return [*_receipts(), *_statuses(), *_documents(), *_stolen_keys(), *_spoilt()]


def _receipts() -> list[Case]:
    return [
        Case(
            "receipt-missing",
            "No receipt in the bundle: all but the anchor.",
            pack=MARCH,
            edit=without("receipt"),
        ),
        Case(
            "receipt-missing-anchor-required",
            "No receipt, and the office wants an anchor.",
            pack=MARCH,
            policy=ANCHOR,
            edit=without("receipt"),
        ),
        Case(
            "checkpoint-without-anchor",
            "A checkpoint that no chain and no witness has seen has no time.",
            pack=MARCH,
            policy=ANCHOR,
            edit=no_anchors,
        ),
        Case(
            "checkpoint-witnessed",
            "Enough of the office's witnesses have seen it: no chain is needed.",
            trust=witnesses(1),
            policy=ANCHOR,
            edit=witnessed,
        ),
        Case(
            "checkpoint-witnessed-by-too-few",
            "Two witnesses are wanted, and one has seen it.",
            trust=witnesses(2),
            policy=ANCHOR,
            edit=witnessed,
        ),
        Case(
            "checkpoint-witnessed-for-the-federation",
            "The offices believe the witness, and so does whoever has their pack.",
            pack=replace(MARCH, records=(), witnesses=WITNESSES),
            policy=ANCHOR,
            edit=witnessed,
        ),
        Case(
            "header-missing-pack-has-the-anchor",
            "The office has seen the anchor itself, and no proof is needed.",
            pack=MARCH,
            policy=ANCHOR,
            edit=no_header,
        ),
        Case(
            "header-missing",
            "Without header and proof, only the chain could tell.",
            trust=BOUND,
            policy={**ANCHOR, **BLOCK},
            edit=no_header,
        ),
        Case(
            "earlier-time-claimed",
            "The block is known, and it was not in 2020.",
            pack=MARCH,
            policy=ANCHOR,
            edit=earlier_block,
        ),
        Case(
            "development-chain",
            "Anyone can start that chain with any clock.",
            pack=MARCH,
            policy=ANCHOR,
            edit=development_chain,
        ),
        Case(
            "receipt-of-another-credential",
            "A receipt of another document shows nothing about this one.",
            pack=MARCH,
            policy=ANCHOR,
            edit=receipt_of_another,
        ),
    ]


def _statuses() -> list[Case]:
    later = day(7, 10)
    revoked, enrolled = "revoked-march", "suspended-march"
    return [
        Case(
            "list-missing",
            "Neither bundle nor office has the list.",
            trust=BOUND,
            edit=without("statusLists"),
        ),
        Case(
            "list-not-required",
            "The office's policy does without status: it says so by leaving it out.",
            trust=BOUND,
            policy={"required": ["proof", "issuer-key", "dates"]},
            edit=without("statusLists"),
        ),
        Case(
            "list-old",
            "A list of four months ago: the policy accepts ninety days.",
            trust=BOUND,
            clock=later,
        ),
        Case(
            "list-old-dated-anew",
            "The bundle's maker says that the list is of today; its signature does not.",
            trust=BOUND,
            clock=later,
            edit=of_another_log,
        ),
        Case(
            "list-old-and-accepted",
            "The policy accepts a year; the sentence says how old it is.",
            trust=BOUND,
            clock=later,
            policy={"acceptedStatusAgeDays": 365},
        ),
        Case(
            "list-of-last-week-not-accepted",
            "The policy accepts no day at all.",
            trust=BOUND,
            policy={"acceptedStatusAgeDays": 0},
        ),
        Case(
            "list-undated",
            "A list whose signature has no date is of no known day.",
            trust=BOUND,
            edit=undated_list,
        ),
        Case(
            "revoked-in-the-pack",
            "Revoked since the bundle was made: final.",
            revoked,
            JUNE,
            clock=day(6, 20),
        ),
        Case(
            "revoked-in-an-old-pack",
            "A revocation does not grow old.",
            revoked,
            JUNE,
            clock=day(11, 1),
        ),
        Case(
            "revoked-and-nobody-knows-yet",
            "A bundle of March cannot know what happened in June.",
            revoked,
            trust=BOUND,
        ),
        Case(
            "revoked-pack-of-march",
            "In June the list of March is too old to tell.",
            revoked,
            MARCH,
            clock=day(6, 20),
        ),
        Case(
            "suspended-in-the-pack",
            "Suspended as of the pack: it may be lifted by now.",
            enrolled,
            JUNE,
            clock=day(6, 20),
        ),
        Case(
            "suspended-long-ago",
            "A suspension of June says nothing of December.",
            enrolled,
            JUNE,
            clock=day(12, 1),
        ),
        Case(
            "one-of-two-lists-missing",
            "Not suspended; whether revoked, nobody can say.",
            enrolled,
            trust=BOUND,
            edit=only_suspensions,
        ),
        Case("two-lists-clear", "Two lists, both clear.", enrolled, MARCH),
    ]


def _documents() -> list[Case]:
    return [
        Case(
            "did-document-missing",
            "The bundle lacks the DID document, and the office has none.",
            trust=BOUND,
            edit=without("didDocuments", "histories"),
        ),
        Case(
            "did-document-missing-pack-has-it",
            "The pack has it.",
            pack=MARCH,
            edit=without("didDocuments", "histories"),
        ),
        Case(
            "did-document-without-log-proof",
            "Anybody could have written it.",
            trust=BOUND,
            edit=no_log_proof,
        ),
        Case(
            "history-missing",
            "The key is not usable any more: stolen, or never one? Only the history tells.",
            "good-august",
            trust=BOUND,
            edit=without("histories"),
            clock=day(8, 10),
        ),
        Case(
            "history-without-log-proofs",
            "A holder could write a history with a later theft.",
            "good-august",
            trust=BOUND,
            edit=no_history_proofs,
            clock=day(8, 10),
        ),
        Case(
            "contexts-of-another-release",
            "The bundle was made with other contexts than this machine has.",
            pack=MARCH,
            edit=another_context,
        ),
        Case(
            "context-unknown",
            "A context that nobody here has: not read, so not judged.",
            "alone:good",
            MARCH,
            edit=unknown_context,
        ),
    ]


def _stolen_keys() -> list[Case]:
    now = day(8, 10)
    known = {**ANCHOR, **BLOCK}
    return [
        Case(
            "stolen-anchored-before",
            "Anchored in March, the key stolen in June: it counts, with a word on it.",
            "good-august",
            AUGUST,
            clock=now,
        ),
        Case(
            "stolen-anchored-before-old-bundle",
            "The same with the bundle of March.",
            "good-march",
            AUGUST,
            clock=now,
        ),
        Case(
            "stolen-anchored-before-by-the-bundle",
            "No pack: the log's proofs show the theft, and the office names the block.",
            "good-august",
            trust=BOUND,
            policy=known,
            clock=now,
        ),
        Case(
            "stolen-anchored-after",
            "Anchored in July, after the theft: refused with the reason.",
            "late-august",
            AUGUST,
            clock=now,
        ),
        Case(
            "stolen-anchored-after-old-bundle",
            "A bundle of before the declaration does not help.",
            "late-july",
            AUGUST,
            clock=now,
        ),
        Case(
            "stolen-and-nobody-knows-yet",
            "In July nobody knew: valid as of then, and the sentence says as of when.",
            "late-july",
            JULY,
            clock=day(7, 5),
        ),
        Case(
            "stolen-never-anchored",
            "Backdated by the thief, and in no log: not accepted, and the reason is said.",
            "alone:unlogged",
            AUGUST,
            clock=now,
        ),
        Case(
            "stolen-no-receipt",
            "An honest diploma whose receipt was lost: not accepted, not called forged.",
            "alone:good",
            AUGUST,
            clock=now,
        ),
        Case(
            "stolen-a-record-is-missing",
            "The pack lacks the record of June: how far the log went is open.",
            "late-august",
            replace(AUGUST, records=(0, 2, 3)),
            clock=now,
        ),
        Case(
            "stolen-before-the-theft-was-declared",
            "A pack of June: the key was good as far as anybody knew.",
            "good-march",
            JUNE,
            clock=day(6, 20),
        ),
    ]


def _spoilt() -> list[Case]:
    return [
        Case(
            "bundle-damaged",
            "Changed on its way, and its digest shows it: damage, not forgery.",
            pack=MARCH,
            edit=a_grade_better,
            sealed=False,
        ),
        Case(
            "credential-changed-in-the-bundle",
            "Changed, and sealed anew: the signature shows it.",
            pack=MARCH,
            edit=a_grade_better,
        ),
        Case(
            "credential-changed",
            "The same without a bundle.",
            "alone:good",
            MARCH,
            edit=a_grade_better,
        ),
        Case(
            "credential-changed-nothing-known",
            "Without the issuer's keys nobody can see that.",
            "alone:good",
            edit=a_grade_better,
        ),
    ]
