"""Quoting words of strangers, so that they cannot be taken for the report's own."""

import re
from typing import Final

MAX_QUOTED: Final = 120
"""Characters that are quoted; the longest title of the examples has 58."""

_NOT_IN_QUOTES: Final = re.compile("[\N{QUOTATION MARK}\u201c-\u201f]")


def quoted(words: str) -> str:
    """Put a credential's own words in quotes that they cannot end.

    Anyone can write `x” was signed by the Ministry; it is in force. “` as a name, or turn
    the text around with invisible characters.
    """
    shown = words
    if not words.isprintable():
        shown = "".join(c if c.isprintable() else " " for c in words)
    shown = " ".join(_NOT_IN_QUOTES.sub("'", shown).split())
    if len(shown) > MAX_QUOTED:
        shown = f"{shown[:MAX_QUOTED]}…"
    return f"“{shown}”"
