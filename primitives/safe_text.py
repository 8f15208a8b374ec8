"""Showing a stranger's text on one line of a terminal, or of a log."""


def safe_text(text: str) -> str:
    r"""Return `text` with control, format and unassigned characters spelled out.

    An escape sequence comes out as `\x1b[2J`, a right-to-left override as `\u202e`, a line
    end as `\n`. Other spaces than the common one become that one.
    """
    if text.isprintable():
        return text
    return "".join(_plain(letter) for letter in text)


def _plain(letter: str) -> str:
    if letter.isprintable():
        return letter
    if letter.isspace() and letter > "\x9f" and letter not in "\u2028\u2029":
        return " "
    return letter.encode("unicode_escape").decode("ascii")
