"""Lists of messages, purposes beside revocation, and how long a list may be used."""

import gzip
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from credentials.evidence import Evidence
from credentials.judge import judge
from credentials.report import Check, Outcome, Report, Result, Standing
from credentials.status_list import (
    MIN_ENTRIES,
    TTL,
    Entry,
    StatusEntryMalformed,
    StatusIndexOutOfRange,
    StatusListTooShort,
    StatusListUnusable,
    StatusTypeUnsupported,
    build_entry,
    parse_entry,
    read_ttl,
    read_value,
    twin,
)
from credentials.template import parse_template
from primitives.canonical_json import JsonObject
from primitives.encodings import encode_base64url
from tests.support.als_template import changed, raw_template
from tests.support.credentials_support import (
    INDEX,
    NOW,
    REVOCATIONS,
    SUSPENSIONS,
    evidence,
    had,
    policy,
    signed,
    status_list,
    unsigned,
)

MESSAGES = "https://school.example/status/messages"
WORDS = ("nothing", "under review", "replaced by “another”\u202e one", "lost")


def message_entry(
    index: int = INDEX, words: tuple[str, ...] = WORDS, **changes: Any
) -> dict[str, Any]:
    built: dict[str, Any] = {
        **build_entry(MESSAGES, index, "message"),
        "statusSize": len(words).bit_length() - 1,
        "statusMessage": [
            {"status": hex(value), "message": word} for value, word in enumerate(words)
        ],
    }
    built |= changes
    return {name: value for name, value in built.items() if value is not ...}


def packed(values: dict[int, int], size: int, entries: int = MIN_ENTRIES) -> bytes:
    """Pack a list by way of text: slower, and without a shift or a mask."""
    texts = [f"{values.get(index, 0):0{size}b}" for index in range(entries)]
    text = "".join(texts).ljust((entries * size + 7) // 8 * 8, "0")
    return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


def message_list(bits: bytes, **changes: Any) -> JsonObject:
    subject = {
        "id": f"{MESSAGES}#list",
        "type": "BitstringStatusList",
        "statusPurpose": "message",
        "encodedList": "u" + encode_base64url(gzip.compress(bits, mtime=0)),
        **changes,
    }
    return status_list(url=MESSAGES, purpose="message", credentialSubject=subject)


# Values of several bits


@pytest.mark.parametrize("size", range(1, 9))
def test_reads_each_value_of_each_size(size: int) -> None:
    values = {i: (i * 37 + 5) % 2**size for i in (*range(40), 4711, MIN_ENTRIES - 1)}
    document = {"credentialSubject": {**_subject(packed(values, size))}}
    for index in (*range(41), 4710, 4711, 4712, MIN_ENTRIES - 1):
        entry = Entry(MESSAGES, index, "message", size)
        assert read_value(document, entry) == values.get(index, 0)
    with pytest.raises(StatusIndexOutOfRange, match=f"found index {MIN_ENTRIES}, want"):
        read_value(document, Entry(MESSAGES, MIN_ENTRIES, "message", size))


def _subject(bits: bytes) -> dict[str, Any]:
    return dict(message_list(bits)["credentialSubject"])  # type: ignore[arg-type]


def test_a_list_has_to_be_long_enough_for_its_size() -> None:
    """131,072 bits are too few where each credential has two of them."""
    document = {"credentialSubject": _subject(bytes(MIN_ENTRIES // 8))}
    with pytest.raises(StatusListTooShort, match="found 65536 entries, want at least"):
        read_value(document, Entry(MESSAGES, 1, "message", 2))


def test_the_twin_is_the_mirror_of_its_byte() -> None:
    for index in range(64):
        bits = f"{1 << index:064b}"[::-1]
        mirrored = "".join(bits[i : i + 8][::-1] for i in range(0, 64, 8))
        assert mirrored.index("1") == twin(index)


# Entries


def test_the_message_of_a_value_is_found_by_its_status_and_not_by_its_place() -> None:
    """The order of an array is not signed."""
    entry = message_entry()
    backwards = {**entry, "statusMessage": entry["statusMessage"][::-1]}
    assert parse_entry(backwards) == parse_entry(entry)
    assert parse_entry(entry).messages == WORDS


def test_one_bit_has_words_of_the_standard_where_it_brings_none() -> None:
    for size in (1, ...):
        parsed = parse_entry(message_entry(statusSize=size, statusMessage=...))
        assert (parsed.size, parsed.messages) == (1, ("unset", "set"))


PAIR = [{"status": "0x0", "message": "a"}, {"status": "0x1", "message": "b"}]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        *(
            ({"statusSize": size}, StatusEntryMalformed)
            for size in (0, -1, "2", 2.0, True, None)
        ),
        ({"statusSize": 9}, StatusTypeUnsupported),
        ({"statusSize": 1}, StatusEntryMalformed),
        ({"statusSize": 3}, StatusEntryMalformed),
        ({"statusMessage": ...}, StatusEntryMalformed),
        ({"statusMessage": {}}, StatusEntryMalformed),
        ({"statusMessage": [*PAIR, *PAIR]}, StatusEntryMalformed),
        ({"statusSize": 1, "statusMessage": [*PAIR, PAIR[0]]}, StatusEntryMalformed),
        ({"statusSize": 1, "statusMessage": PAIR[:1]}, StatusEntryMalformed),
        ({"statusSize": 1, "statusMessage": [PAIR[0], "b"]}, StatusEntryMalformed),
        *(
            (
                {"statusSize": 1, "statusMessage": [PAIR[0], {**PAIR[1], **wrong}]},
                StatusEntryMalformed,
            )
            for wrong in (
                {"status": 1},
                {"status": "1"},
                {"status": "0x"},
                {"status": "0x2"},
                {"status": "0x0"},
                {"status": "0x001"},
                {"message": None},
                {"message": 5},
            )
        ),
        ({"statusPurpose": "revocation"}, StatusTypeUnsupported),
        ({"statusPurpose": "refresh", "statusSize": 1}, StatusTypeUnsupported),
    ],
)
def test_refuses_an_entry(change: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_entry(message_entry(**change))


def test_a_size_of_one_may_be_said() -> None:
    entry = {**build_entry(REVOCATIONS, INDEX, "revocation"), "statusSize": 1}
    assert parse_entry(entry) == Entry(REVOCATIONS, INDEX, "revocation")


# In a report


def report(document: JsonObject, found: Evidence, after: timedelta = timedelta()) -> Report:
    return judge(document, found, policy(), NOW + after)


def status_of(found: Report) -> tuple[Result, str]:
    check: Check = found.check("status")
    return check.result, check.code


def lists(value: int, *, revoked: bool = False) -> Evidence:
    return evidence(
        status_lists={
            REVOCATIONS: had(status_list(*[INDEX] * revoked)),
            SUSPENSIONS: had(status_list(url=SUSPENSIONS, purpose="suspension")),
            MESSAGES: had(message_list(packed({INDEX: value}, 2))),
        }
    )


SAID = {
    0: "message 0x0 “nothing”",
    1: "message 0x1 “under review”",
    2: "message 0x2 “replaced by 'another' one”",
    3: "message 0x3 “lost”",
}


@pytest.mark.parametrize("value", SAID)
def test_a_message_is_repeated_and_decides_nothing(value: int) -> None:
    revocation = build_entry(REVOCATIONS, INDEX, "revocation")
    for order in permutations([revocation, message_entry()]):
        document = signed(unsigned(credentialStatus=list(order)))
        found = report(document, lists(value))
        assert (found.outcome, found.standing) == (Outcome.VALID, Standing.IN_FORCE)
        assert found.check("status").detail == (
            f"not revoked as of 2026-11-22T08:00:00Z; {SAID[value]}"
        )
        taken = report(document, lists(value, revoked=True))
        assert taken.standing is Standing.REVOKED
        assert taken.check("status").detail.endswith(f"; {SAID[value]}")


def test_a_message_alone_is_no_word_about_revocation() -> None:
    document = signed(unsigned(credentialStatus=message_entry()))
    found = report(document, lists(1))
    assert status_of(found) == (Result.NOT_APPLICABLE, "")
    assert found.check("status").detail == (
        f"the issuer keeps only messages for it; {SAID[1]}"
    )


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        (status_list(url=MESSAGES), "status-purpose-mismatch"),
        (message_list(bytes(MIN_ENTRIES // 8)), "status-list-too-short"),
        ({**message_list(packed({}, 2)), "name": "x"}, "status-list-proof-invalid"),
    ],
)
def test_messages_that_cannot_be_read_leave_the_question_open(
    listed: JsonObject, code: str
) -> None:
    revocation = build_entry(REVOCATIONS, INDEX, "revocation")
    document = signed(unsigned(credentialStatus=[revocation, message_entry()]))
    found = evidence(status_lists={REVOCATIONS: had(status_list()), MESSAGES: had(listed)})
    assert status_of(report(document, found)) == (Result.UNDETERMINED, code)


@pytest.mark.parametrize(
    ("purposes", "words"),
    [
        (("revocation",), "not revoked as of"),
        (("suspension",), "not suspended as of"),
        (("suspension", "revocation"), "neither revoked nor suspended as of"),
        (("revocation", "revocation"), "not revoked as of"),
    ],
)
def test_says_no_more_than_the_lists_can_tell(
    purposes: tuple[str, ...], words: str
) -> None:
    urls = {"revocation": REVOCATIONS, "suspension": SUSPENSIONS}
    statuses = [build_entry(urls[p], INDEX + n, p) for n, p in enumerate(purposes)]
    document = signed(unsigned(credentialStatus=statuses))
    assert report(document, lists(0)).check("status").detail.startswith(words)


# How old a list may be


def test_a_list_that_is_written_says_how_long_it_may_be_used() -> None:
    document = status_list()
    subject = document["credentialSubject"]
    assert isinstance(subject, dict)
    assert subject["ttl"] == 300_000
    assert read_ttl(document) == TTL == timedelta(minutes=5)


@pytest.mark.parametrize("ttl", [0, -1, "300000", 1.5, True, [1]])
def test_refuses_a_ttl_that_is_none(ttl: Any) -> None:
    with pytest.raises(StatusListUnusable, match="found ttl"):
        read_ttl({"credentialSubject": {"ttl": ttl}})


@pytest.mark.parametrize("after", [-TTL, timedelta(), TTL])
def test_a_list_is_used_as_long_as_it_says(after: timedelta) -> None:
    assert status_of(report(signed(), evidence(), after)) == (Result.PASSED, "")


def test_a_list_that_was_had_too_long_ago_is_stale() -> None:
    found = report(signed(), evidence(), TTL + timedelta(seconds=1))
    assert status_of(found) == (Result.UNDETERMINED, "status-list-stale")
    assert (found.outcome, found.standing) == (Outcome.UNDETERMINED, Standing.UNKNOWN)
    assert found.authenticity is Outcome.VALID
    assert found.check("status").hint


def test_a_revocation_does_not_grow_old_and_a_suspension_does() -> None:
    """One is for ever; the other may have been lifted meanwhile."""
    later = timedelta(days=300)
    found = report(signed(), lists(0, revoked=True), later)
    assert status_of(found) == (Result.FAILED, "revoked")
    entry = build_entry(SUSPENSIONS, INDEX, "suspension")
    listed = had(status_list(INDEX, url=SUSPENSIONS, purpose="suspension"))
    held = signed(unsigned(credentialStatus=entry))
    off = evidence(status_lists={SUSPENSIONS: listed})
    assert status_of(report(held, off)) == (Result.FAILED, "suspended")
    assert status_of(report(held, off, later)) == (
        Result.UNDETERMINED,
        "status-list-stale",
    )


def test_a_list_without_ttl_is_as_old_as_the_policy_lets_it_be() -> None:
    subject = status_list()["credentialSubject"]
    assert isinstance(subject, dict)
    timeless = {name: value for name, value in subject.items() if name != "ttl"}
    found = evidence(
        status_lists={REVOCATIONS: had(status_list(credentialSubject=timeless))}
    )
    aged = report(signed(), found, timedelta(days=60))
    assert status_of(aged) == (Result.PASSED, "status-aged")
    old = report(signed(), found, timedelta(days=300))
    assert status_of(old) == (Result.UNDETERMINED, "status-stale")


def test_a_stale_list_does_not_hide_what_it_says_of_another() -> None:
    """Revoked, by a fresh list, beats unknown."""
    both = [
        build_entry(REVOCATIONS, INDEX, "revocation"),
        build_entry(SUSPENSIONS, INDEX, "suspension"),
    ]
    found = lists(0, revoked=True)
    listed = had(status_list(url=SUSPENSIONS, purpose="suspension"))
    old = replace(listed, obtained_at=NOW - 2 * TTL)
    found = replace(found, status_lists={**found.status_lists, SUSPENSIONS: old})
    document = signed(unsigned(credentialStatus=both))
    assert report(document, found).standing is Standing.REVOKED


# Templates


def test_a_template_chooses_what_can_be_done_to_its_credentials() -> None:
    chosen = parse_template(changed("policy.statusPurpose", "suspension"))
    assert chosen.policy.status_purpose == "suspension"
    plain = parse_template(changed("policy.statusPurpose", "revocation"))
    assert plain.policy.status_purpose == "revocation"
    assert parse_template(raw_template()) == plain
