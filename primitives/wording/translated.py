"""The `.po` files beside this module, read as they are: no step compiles them."""

from datetime import date
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from primitives.wording.words import Area, Language

FOLDER: Final = Path(__file__).parent
"""Holds one folder for each language, with one file for each area."""


class BabelCalendar:
    """Days and numbers as the Unicode locale data (CLDR) writes them."""

    def __init__(self, language: Language) -> None:
        self._locale = Locale.parse(language.value)

    def day(self, when: date) -> str:
        """Return such as `22 Nobyembre 2026`: day first, as the English one."""
        return format_date(when, "d MMMM y", locale=self._locale)

    def number(self, n: int) -> str:
        """Return such as `131,072`."""
        return format_decimal(n, locale=self._locale)


def read_catalogue(language: Language, area: Area) -> GNUTranslations:
    """Return the translations of `area`, from its `.po` file by way of memory."""
    with (FOLDER / language.value / f"{area.value}.po").open("rb") as po:
        catalogue = read_po(po, locale=language.value, abort_invalid=True)
    mo = BytesIO()
    write_mo(mo, catalogue)
    mo.seek(0)
    return GNUTranslations(mo)
