"""The root of every error that Patunay raises on purpose.

    PatunayError
      Malformed       the bytes are not the thing they claim to be
      Rejected        read in full, and false
      Undetermined    could not look, so nothing is known
      Misconfigured   the operator's configuration or command cannot be honoured

A `PatunayError` states a fact about the caller's input or about the outside world. A
bug in Patunay surfaces as an ordinary Python exception and is never wrapped in one.
"""


class PatunayError(Exception):
    """Base of all deliberate errors.

    `code` is part of the public API: it appears in HTTP problem documents, in `--json`
    output and in docs/errors.md, and it never changes meaning. HTTP statuses and exit
    codes are chosen by `node` and `cli`; nothing below those floors knows them.
    """

    code: str
    hint: str = ""
    """What to do about it: one clause, lower case, no full stop. May be empty."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint


class Malformed(PatunayError):
    """The bytes are not the thing they claim to be."""

    code = "malformed"


class Rejected(PatunayError):
    """The evidence was read in full, and it is false."""

    code = "rejected"


class Undetermined(PatunayError):
    """The evidence could not be read, so nothing is known; a later try may tell."""

    code = "undetermined"


class Misconfigured(PatunayError):
    """The operator's configuration or command cannot be honoured."""

    code = "misconfigured"
