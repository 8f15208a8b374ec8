"""RFC 8785 (JCS) bytes of a JSON value, with every failure typed.

`rfc8785` 0.1.4 lets a `RecursionError` escape on deep nesting and a
`UnicodeEncodeError` escape on a lone surrogate in an object key; both become
`NotCanonicalizable` here, so a hostile document cannot end a request with a traceback.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import rfc8785

from primitives.errors import Malformed

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

MAX_DEPTH = 64
"""Levels of nesting. Open Badges 3.0 samples stay under 12."""


class NotCanonicalizable(Malformed):
    """The value has no RFC 8785 form: not I-JSON, or nested too deeply."""

    code = "not-canonicalizable"


def canonicalize(value: Json) -> bytes:
    """Return the RFC 8785 UTF-8 bytes of `value`.

    Raises:
        NotCanonicalizable: `value` holds NaN or an infinity, an integer beyond
            2**53 - 1, a lone surrogate, a key that is not text, or more than
            `MAX_DEPTH` levels.
    """
    if _is_deeper_than(value, MAX_DEPTH):
        raise NotCanonicalizable(f"nested more than {MAX_DEPTH} levels deep")
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as e:
        raise NotCanonicalizable(str(e)) from e


def _is_deeper_than(value: Json, limit: int) -> bool:
    """Count levels without recursion, so that depth itself is no attack."""
    level: list[Json] = [value]
    for _ in range(limit):
        deeper: list[Json] = []
        for item in level:
            if isinstance(item, Mapping):
                deeper += item.values()
            elif isinstance(item, Sequence) and not isinstance(item, str):
                deeper += item
        if not deeper:
            return False
        level = deeper
    return True
