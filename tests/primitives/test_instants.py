from datetime import UTC, datetime, timedelta, timezone

import pytest

from primitives.instants import (
    InstantMalformed,
    format_instant,
    parse_instant,
    parse_second,
)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-22T08:00:00Z", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ("2026-11-22T08:00:00+08:00", datetime(2026, 11, 22, 0, tzinfo=UTC)),
        ("2026-11-22T08:00:00-14:00", datetime(2026, 11, 22, 22, tzinfo=UTC)),
        ("2026-11-22T08:00:00.5Z", datetime(2026, 11, 22, 8, 0, 0, 500_000, tzinfo=UTC)),
        (
            "2026-11-22T08:00:00.123456789Z",
            datetime(2026, 11, 22, 8, 0, 0, 123_456, tzinfo=UTC),
        ),
        ("2024-02-29T23:59:59Z", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_reads(text: str, instant: datetime) -> None:
    found = parse_instant(text)
    assert found == instant
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T08:00:00",
        "2026-11-22T08:00Z",
        "2026-11-22 08:00:00Z",
        "2026-11-22t08:00:00Z",
        "2026-11-22T08:00:00z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T08:00:60Z",
        "2026-13-22T08:00:00Z",
        "2026-11-31T08:00:00Z",
        "2025-02-29T08:00:00Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "2026-11-22T08:00:00+25:00",
        "2026-11-22T08:00:00+14:01",
        "2026-11-22T08:00:00+0800",
        "2026-11-22T08:00:00.Z",
        "2026-11-22T08:00:00.1234567890Z",
        "2026-11-22T08:00:00Z\n",
        "٢٠٢٦-11-22T08:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(InstantMalformed) as e:
        parse_instant(text)
    assert e.value.code == "instant-malformed"


def test_writes_whole_seconds_in_utc() -> None:
    manila = timezone(timedelta(hours=8))
    instant = datetime(2026, 11, 22, 8, 0, 0, 999_999, tzinfo=manila)
    assert format_instant(instant) == "2026-11-22T00:00:00Z"
    with pytest.raises(ValueError, match="aware"):
        format_instant(datetime(2026, 11, 22))  # noqa: DTZ001 - what is refused


def test_a_second_has_one_spelling() -> None:
    assert parse_second("2026-11-22T08:00:00Z") == datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T08:00:00.0Z",
        "2026-11-22T08:00:00.5Z",
        "2026-11-22T08:00:00+00:00",
        "2026-11-22T08:00:00-00:00",
        "2026-11-22T08:00:00+08:00",
    ],
)
def test_refuses_another_spelling_of_a_second(text: str) -> None:
    parse_instant(text)
    with pytest.raises(InstantMalformed, match="want UTC and whole seconds"):
        parse_second(text)


def test_a_second_is_refused_as_an_instant_is() -> None:
    with pytest.raises(InstantMalformed, match="want a form like"):
        parse_second("2026-11-22")
