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
    inner = shown(_NOT_IN_QUOTES.sub("'", words), MAX_QUOTED)
    return f"“{inner}”"


def shown(words: str, most: int) -> str:
    """Return words of a stranger on one line, of at most `most` characters and a sign.

    Without what cannot be seen: characters that turn the text around, or move it.
    """
    if not words.isprintable():
        words = "".join(c if c.isprintable() else " " for c in words)
    line = " ".join(words.split())
    return f"{line[:most]}…" if len(line) > most else line
