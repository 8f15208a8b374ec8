"""Clocks that are behind, and questions about a day."""

from dataclasses import replace

from tests.matrix.beliefs import ANCHOR, AUGUST, BLOCK, BOUND, JUNE, MARCH
from tests.matrix.office import Case
from tests.matrix.world import day


def time_cases() -> list[Case]:
    """Return these cases."""
    return [*_clocks(), *_days()]


def _clocks() -> list[Case]:
    enrolled = "suspended-march"
    return [
        Case(
            "clock-behind",
            "The machine believes it is January: nothing is said about today.",
            pack=MARCH,
            clock=day(1, 1),
        ),
        Case(
            "clock-behind-revoked",
            "Revoked is revoked, by any clock.",
            "revoked-march",
            JUNE,
            clock=day(1, 1),
        ),
        Case(
            "clock-behind-day-named",
            "Whoever names the day needs no clock.",
            pack=MARCH,
            clock=day(1, 1),
            as_of="2026-03-10T09:00:00Z",
        ),
        Case(
            "clock-behind-no-pack",
            "Nothing shows that the clock is wrong: it is signed in the future.",
            trust=BOUND,
            clock=day(1, 1),
        ),
        Case(
            "clock-behind-block-known",
            "A block that the office names shows that it is.",
            trust=BOUND,
            policy=BLOCK,
            clock=day(1, 1),
        ),
        Case(
            "period-over",
            "The certificate ended in September.",
            enrolled,
            JUNE,
            clock=day(10, 10),
        ),
    ]


def _days() -> list[Case]:
    revoked, enrolled = "revoked-march", "suspended-march"
    later, now = replace(JUNE, years=100), day(8, 10)
    august = replace(AUGUST, years=100)
    required = {"policy": ANCHOR}
    return [
        Case(
            "day-good",
            "A later list without it is final about the day.",
            "good-march",
            later,
            as_of="2026-03-31",
            clock=now,
        ),
        Case(
            "day-good-anchor-required",
            "It was anchored before the day.",
            "good-march",
            later,
            as_of="2026-03-31",
            clock=now,
            **required,
        ),
        Case(
            "day-before-the-anchor",
            "Between signing and anchor: not shown to have been there.",
            "good-march",
            later,
            as_of="2026-03-02T09:30:00Z",
            clock=now,
            **required,
        ),
        Case(
            "day-before-it-was-signed",
            "There was no such diploma in February.",
            "good-march",
            later,
            as_of="2026-02-01",
            clock=now,
        ),
        Case(
            "day-revoked-since",
            "Revoked by June; the list of March shows that it was not, that very hour.",
            revoked,
            later,
            as_of="2026-03-02T09:00:00Z",
            clock=now,
        ),
        Case(
            "day-revoked-when-unknown",
            "Revoked by June, and no list tells of 31 March.",
            revoked,
            later,
            as_of="2026-03-31",
            clock=now,
        ),
        Case(
            "day-revoked-by-then",
            "Revoked before the day: final.",
            revoked,
            later,
            as_of="2026-07-01",
            clock=now,
        ),
        Case(
            "day-suspension-list-before",
            "The bundle's own list is of four weeks before; the later one cannot tell.",
            enrolled,
            later,
            as_of="2026-03-31",
            clock=now,
        ),
        Case(
            "day-suspension-unknown-list-after",
            "Only a list of later: a suspension may have come and gone.",
            "alone:suspended",
            later,
            as_of="2026-03-31",
            clock=now,
        ),
        Case(
            "day-suspended-then",
            "A list of that very time: suspended.",
            enrolled,
            later,
            as_of="2026-06-15T12:00:00Z",
            clock=now,
        ),
        Case(
            "day-after-the-list",
            "Fifteen days after the last list.",
            "good-march",
            later,
            as_of="2026-07-01",
            clock=now,
        ),
        Case(
            "day-key-unknown",
            "No history: whether the key was in use then is not known.",
            "alone:good",
            replace(later, history=False),
            as_of="2026-03-02T23:59:59Z",
            clock=now,
        ),
        Case(
            "day-stolen-later",
            "On 31 March the key was its owner's, and what it signed is anchored.",
            "good-march",
            august,
            as_of="2026-03-31",
            clock=now,
        ),
        Case(
            "day-stolen-anchored-after",
            "Asked about a day before the declaration: a thief can write any date.",
            "late-august",
            august,
            as_of="2026-07-15",
            clock=now,
        ),
        Case(
            "day-period-over",
            "Valid until September, asked about October.",
            enrolled,
            august,
            as_of="2026-10-31",
            clock=day(11, 1),
        ),
        Case(
            "day-ahead",
            "Nobody knows what will be revoked by then.",
            "good-march",
            august,
            as_of="2026-09-01",
            clock=now,
        ),
        Case(
            "day-bundle-alone",
            "A day does not make a bundle a source of trust.",
            as_of="2026-03-31",
            clock=now,
        ),
    ]
