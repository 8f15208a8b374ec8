"""Reading members of the JSON files of a pack, each in its one spelling."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from credentials.trust_pack.archive import PackMalformed
from did.multikey import decode_multikey
from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.errors import PatunayError
from primitives.instants import InstantMalformed, parse_second
from primitives.strict_json import parse_json

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
"""Largest JSON file in a pack: a status list of 8 Mi places has 1.4 MB, a history 2 MB."""

_MAX_NODES: Final = 100_000
"""JSON values in one file: a manifest of the most files has 60,000."""

_MAX_TEXT: Final = 2_048
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def read_object(raw: bytes, name: str, wanted: Collection[str]) -> JsonObject:
    """Return the JSON object in a file of the pack.

    Raises:
        PackMalformed: Not RFC 8785 JSON, or other members than `wanted`.
    """
    try:
        found = parse_json(raw, max_bytes=MAX_FILE_BYTES, max_nodes=_MAX_NODES)
        spelled = canonicalize(found)
    except PatunayError as e:
        raise PackMalformed(f"{name}: {e}") from e
    if not isinstance(found, dict):
        raise PackMalformed(f"{name}: found {type(found).__name__}, want an object")
    if spelled != raw:
        raise PackMalformed(f"{name}: found another spelling, want RFC 8785 JSON")
    require_members(found, name, wanted)
    return found


def require_members(found: Mapping[str, Json], name: str, wanted: Collection[str]) -> None:
    """Return if there are exactly these members.

    Raises:
        PackMalformed: One is missing or unknown.
    """
    if found.keys() != set(wanted):
        odd = ", ".join(sorted(found.keys() ^ set(wanted)))
        raise PackMalformed(f"{name}: members missing or unknown: {odd[:200]}")


def text(found: Mapping[str, Json], member: str) -> str:
    """Return a text of 1 to 2,048 characters without line breaks."""
    value = found[member]
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        raise PackMalformed(f"{member}: want a text of 1 to {_MAX_TEXT} characters")
    if _CONTROL.search(value):
        raise PackMalformed(f"{member}: found a control character")
    return value


def texts(found: Mapping[str, Json], member: str, limit: int) -> tuple[str, ...]:
    """Return an ascending list of distinct texts."""
    items = array(found, member, limit)
    each = [text({member: item}, member) for item in items]
    if each != sorted(set(each)):
        raise PackMalformed(f"{member}: want them ascending, none twice")
    return tuple(each)


def array(found: Mapping[str, Json], member: str, limit: int) -> list[Json]:
    """Return a list of at most `limit` values."""
    value = found[member]
    if not isinstance(value, list) or len(value) > limit:
        raise PackMalformed(f"{member}: want a list of at most {limit}")
    return value


def members_of(value: Json, name: str, wanted: Collection[str]) -> JsonObject:
    """Return an object within a file, with exactly these members."""
    if not isinstance(value, dict):
        raise PackMalformed(f"{name}: found {type(value).__name__}, want an object")
    require_members(value, name, wanted)
    return value


def number(found: Mapping[str, Json], member: str, least: int, most: int) -> int:
    """Return a whole number within limits."""
    value = found[member]
    if type(value) is not int or not least <= value <= most:
        raise PackMalformed(f"{member}: found {value!r:.40}, want {least} to {most}")
    return value


def instant(found: Mapping[str, Json], member: str) -> datetime:
    """Return a time, written in UTC and whole seconds."""
    try:
        return parse_second(text(found, member))
    except InstantMalformed as e:
        raise PackMalformed(f"{member}: {e}") from e


def document(found: Mapping[str, Json], member: str) -> JsonObject:
    """Return a JSON object as it is, read elsewhere."""
    value = found[member]
    if not isinstance(value, dict):
        raise PackMalformed(f"{member}: found {type(value).__name__}, want an object")
    return value


def multikey(found: Mapping[str, Json], member: str) -> str:
    """Return the Multikey of an Ed25519 key, in its one spelling."""
    written = text(found, member)
    try:
        decode_multikey(written)
    except PatunayError as e:
        raise PackMalformed(f"{member}: {e}") from e
    return written
