"""RFC 8785 (JCS) bytes of a JSON value, with every failure typed.

`rfc8785` 0.1.4 lets a `RecursionError` escape on deep nesting and a
`UnicodeEncodeError` escape on a lone surrogate in an object key; both become
`NotCanonicalizable` here, so a hostile document cannot end a request with a traceback.
"""

import json
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
    try:
        if _is_plain(value):
            # For these values the standard library's encoder writes what RFC 8785 asks
            # for, six times faster; a test holds the two equal.
            return _ENCODER.encode(value).encode()
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as e:
        raise NotCanonicalizable(str(e)) from e


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
)
_MAX_SAFE_INTEGER = 2**53 - 1


def _is_plain(value: Json) -> bool:
    """Tell whether both encoders agree on `value`, without recursion.

    They may differ on floats, on integers beyond 2**53 - 1, and on the order of keys with
    characters beyond U+FFFF, which RFC 8785 sorts by UTF-16 unit.

    Raises:
        NotCanonicalizable: Nested more than `MAX_DEPTH` levels, so that depth itself is
            no attack on either encoder.
    """
    plain = True
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[Json] = []
        for item in level:
            kind = type(item)
            if kind is str or item is None or kind is bool:
                continue
            if isinstance(item, Mapping):
                plain = plain and kind is dict and all(map(_is_plain_key, item))
                deeper += item.values()
            elif isinstance(item, list | tuple):
                deeper += item
            else:
                plain = plain and isinstance(item, int) and abs(item) <= _MAX_SAFE_INTEGER
        if not deeper:
            return plain
        level = deeper
    raise NotCanonicalizable(f"nested more than {MAX_DEPTH} levels deep")


def _is_plain_key(key: object) -> bool:
    return isinstance(key, str) and (key.isascii() or max(key) <= "\uffff")
