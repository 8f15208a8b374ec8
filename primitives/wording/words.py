"""Texts for people in their own language. English is in the code, others in `.po` files.

    words = words_in(Language.FILIPINO, Area.PAGES)
    words.say("Signed by {name}.", name=issuer)
    words.say_count("{n} credential", "{n} credentials", 12)

The message is a literal where it is used, so that a test can hold the `.po` files to the
code. One that stands in a table is wrapped in `phrase`, and said from there. Values are put
in as they are: whoever shows them as HTML escapes them, whoever quotes a stranger uses
`credentials.quoting`.

English needs nothing beyond this module, so that a cold `patunay verify` loads no Babel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Final, Protocol

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


class Language(Enum):
    """A language that people can read Patunay in, by its BCP 47 tag."""

    ENGLISH = "en"
    FILIPINO = "fil"

    @property
    def own_name(self) -> str:
        """Return what its speakers call it."""
        return {"en": "English", "fil": "Filipino"}[self.value]


class Area(Enum):
    """Which `.po` file holds a text."""

    REPORT = "report"
    """Summaries, checks and findings, wherever a report is shown."""

    PAGES = "pages"
    """What only the node's web pages say."""


class Catalogue(Protocol):
    """The translations of one area: `gettext.GNUTranslations`, or `_Untranslated`."""

    def gettext(self, message: str) -> str:
        """Return the text for `message`, or `message` where there is none."""

    def ngettext(self, singular: str, plural: str, n: int, /) -> str:
        """Return the text for `n` things."""


class Calendar(Protocol):
    """How a language writes days and numbers."""

    def day(self, when: date) -> str:
        """Return such as `22 November 2026`."""

    def number(self, n: int) -> str:
        """Return such as `131,072`."""


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one area in one language."""

    language: Language
    catalogue: Catalogue
    calendar: Calendar

    def say(self, message: str, /, **values: str | int) -> str:
        """Return `message` in the language, with `{name}` replaced by the values."""
        return self.catalogue.gettext(message).format_map(self._written(values))

    def say_count(self, one: str, many: str, n: int, /, **values: str | int) -> str:
        """Return the text for `n` things, of which `{n}` is the number."""
        text = self.catalogue.ngettext(one, many, n)
        return text.format_map(self._written({**values, "n": n}))

    def day(self, when: date) -> str:
        """Return a day such as `22 November 2026`; of a datetime, its day in UTC."""
        return self.calendar.day(_in_utc(when) if isinstance(when, datetime) else when)

    def moment(self, when: datetime) -> str:
        """Return an aware moment such as `22 November 2026, 08:00 UTC`."""
        utc = _in_utc(when)
        return f"{self.calendar.day(utc)}, {utc:%H:%M} UTC"

    def number(self, n: int) -> str:
        """Return a number with its thousands apart, such as `131,072`."""
        return self.calendar.number(n)

    def _written(self, values: Mapping[str, str | int]) -> dict[str, str]:
        return {
            name: self.number(value) if isinstance(value, int) else value
            for name, value in values.items()
        }


def phrase(message: str) -> str:
    """Mark a text in a table that is said later, and return it as it is."""
    return message


@cache
def words_in(language: Language, area: Area) -> Words:
    """Return the texts of `area`; reads its `.po` file when it is first asked."""
    if language is Language.ENGLISH:
        return Words(language, _Untranslated(), _EnglishCalendar())
    # Babel costs more to load than a verification takes: only who asks pays for it.
    from primitives.wording.translated import BabelCalendar, read_catalogue  # noqa: PLC0415

    return Words(language, read_catalogue(language, area), BabelCalendar(language))


class _Untranslated:
    def gettext(self, message: str) -> str:
        return message

    def ngettext(self, singular: str, plural: str, n: int, /) -> str:
        return singular if n == 1 else plural


class _EnglishCalendar:
    def day(self, when: date) -> str:
        return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"

    def number(self, n: int) -> str:
        return f"{n:,}"


def _in_utc(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise ValueError("a moment must be aware")
    return when.astimezone(UTC)
