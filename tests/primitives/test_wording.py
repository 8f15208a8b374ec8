"""Texts in two languages: what is said, counted and dated."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from gettext import GNUTranslations
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from primitives.wording.words import (
    Area,
    Language,
    Words,
    phrase,
    words_in,
)

ENGLISH = words_in(Language.ENGLISH, Area.REPORT)
FILIPINO = words_in(Language.FILIPINO, Area.REPORT)
MANILA = timezone(timedelta(hours=8))


def translated(**texts: str) -> Words:
    """Return Filipino words with these few translations, and their plural."""
    catalogue = Catalog("fil")
    for message, text in texts.items():
        catalogue.add(message, text)
    catalogue.add(("{n} leaf", "{n} leaves"), ("{n} dahon", "{n} mga dahon"))
    mo = BytesIO()
    write_mo(mo, catalogue)
    mo.seek(0)
    return Words(Language.FILIPINO, GNUTranslations(mo), FILIPINO.calendar)


def test_says_a_text_with_its_values_in_the_language() -> None:
    assert ENGLISH.say("Signed by {name}.", name="A") == "Signed by A."
    assert translated(Hello="Kumusta").say(phrase("Hello")) == "Kumusta"


def test_values_are_put_in_as_they_are_and_never_read_as_places() -> None:
    assert ENGLISH.say("By {name}", name="{name.__class__}") == "By {name.__class__}"


def test_a_text_without_a_translation_is_said_in_english() -> None:
    assert FILIPINO.say("No such text, {n}", n=1) == "No such text, 1"


@pytest.mark.parametrize(("n", "text"), [(1, "1 leaf"), (0, "0 leaves"), (2, "2 leaves")])
def test_counts_in_english(n: int, text: str) -> None:
    assert ENGLISH.say_count("{n} leaf", "{n} leaves", n) == text


def test_counts_by_the_plural_rule_of_the_language() -> None:
    words = translated()
    assert words.say_count("{n} leaf", "{n} leaves", 1) == "1 dahon"
    assert words.say_count("{n} leaf", "{n} leaves", 2000) == "2,000 mga dahon"


@pytest.mark.parametrize(
    ("words", "text"), [(ENGLISH, "3 September 2026"), (FILIPINO, "3 Setyembre 2026")]
)
def test_writes_days_in_the_language(words: Words, text: str) -> None:
    assert words.day(date(2026, 9, 3)) == text
    # Two o'clock in Manila is still the day before in UTC.
    assert words.day(datetime(2026, 9, 4, 2, tzinfo=MANILA)) == text
    assert words.moment(datetime(2026, 9, 4, 2, 5, tzinfo=MANILA)) == f"{text}, 18:05 UTC"


def test_refuses_a_moment_without_a_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        ENGLISH.day(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


def test_writes_numbers_with_their_thousands_apart() -> None:
    assert (ENGLISH.number(131072), FILIPINO.number(131072)) == ("131,072", "131,072")
    assert ENGLISH.say("{n} places", n=131072) == "131,072 places"


def test_every_month_has_a_name_in_both() -> None:
    days = [datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 13)]
    assert len({ENGLISH.day(day) for day in days}) == 12
    assert len({FILIPINO.day(day) for day in days}) == 12


def test_english_loads_no_babel_and_looks_at_no_file() -> None:
    probe = (
        "import sys; from primitives.wording.words import *;"
        "words_in(Language.ENGLISH, Area.REPORT).say_count('a', 'b', 2);"
        "print({'babel', 'gettext', 'pathlib'} & set(sys.modules))"
    )
    done = subprocess.run(
        # -S: without the site module, which may load a gettext of its own.
        [sys.executable, "-S", "-c", probe],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"
