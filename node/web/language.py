"""In which language a page is shown: what its reader says, and nothing that is guessed."""

import re
from typing import Final

from primitives.wording.words import Language

_BY_TAG: Final = {
    "en": Language.ENGLISH,
    "fil": Language.FILIPINO,
    "tl": Language.FILIPINO,  # what most browsers call it
}

_MAX_HEADER: Final = 400
"""Characters of `Accept-Language` that are read: some 30 languages."""

_RANGE: Final = re.compile(
    r"\s*([a-z]{2,3})(?:-[a-z0-9-]*)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*", re.ASCII
)


def choose_language(asked: str | None, kept: str | None, accepted: str) -> Language:
    """Return the language of the first of these that names one; else English.

    Args:
        asked: `lang` in the address.
        kept: The cookie that remembers what was asked before.
        accepted: The header `Accept-Language`.
    """
    for code in (asked, kept):
        found = _BY_TAG.get(code or "")
        if found is not None:
            return found
    return _preferred(accepted[:_MAX_HEADER].lower())


def _preferred(accepted: str) -> Language:
    best, weight = Language.ENGLISH, 0.0
    for part in accepted.split(","):
        match = _RANGE.fullmatch(part)
        language = _BY_TAG.get(match[1]) if match is not None else None
        if match is None or language is None:
            continue
        quality = float(match[2] or "1")
        if quality > weight:
            best, weight = language, quality
    return best
