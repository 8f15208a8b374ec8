"""The one way in for JSON from outside.

`json.loads` keeps the last of two equal keys, accepts `NaN`, `1e999`, lone surrogates, a
byte order mark and UTF-16, and raises `RecursionError` on 9 KB of "[": each of these
would let a signer and a verifier read different documents from the same bytes, or end a
request with a traceback.
"""

import json
import math
import re
from contextlib import suppress
from typing import NoReturn

import orjson

from primitives.canonical_json import Json, JsonObject
from primitives.errors import Malformed

MAX_DOCUMENT_BYTES = 256 * 1024
"""Largest credential or template read; the largest example, a CLR of six, has 31 KB."""

MAX_NESTING = 32
"""Levels of arrays and objects. Open Badges samples stay under 12."""

MAX_NODES = 10_000
"""Values of every kind in one document, so that 256 KiB of `[0,0,…` stay cheap to walk."""

MAX_SAFE_INTEGER = 2**53 - 1
"""Above this, JavaScript readers see another number than Python does (RFC 7493)."""

MAX_NUMBER_CHARACTERS = 64


class JsonMalformed(Malformed):
    """The bytes are not one strict JSON value."""

    code = "json-malformed"


class JsonTooLarge(JsonMalformed):
    """More bytes than the limit."""

    code = "json-too-large"


class JsonNotUtf8(JsonMalformed):
    """Not UTF-8, or it starts with a byte order mark."""

    code = "json-not-utf8"


class JsonDuplicateKey(JsonMalformed):
    """An object names one key twice, so two readers may see two documents."""

    code = "json-duplicate-key"


class JsonTooDeep(JsonMalformed):
    """Arrays and objects nested beyond `MAX_NESTING`."""

    code = "json-too-deep"


class JsonTooManyNodes(JsonMalformed):
    """More than `MAX_NODES` values."""

    code = "json-too-many-nodes"


class JsonNumberUnsafe(JsonMalformed):
    """A number that not every reader reads alike: NaN, infinite, or beyond 2**53 - 1."""

    code = "json-number-unsafe"


class JsonNotUnicode(JsonMalformed):
    """A string holds half of a surrogate pair."""

    code = "json-not-unicode"


class JsonNotObject(JsonMalformed):
    """The outermost value is not an object."""

    code = "json-not-object"


def parse_json_object(raw: bytes, max_bytes: int = MAX_DOCUMENT_BYTES) -> JsonObject:
    """Return the JSON object in `raw`; see `parse_json` for what is refused.

    Raises:
        JsonNotObject: The outermost value is an array, a string, a number or null.
        JsonMalformed: As `parse_json`.
    """
    value = parse_json(raw, max_bytes)
    if not isinstance(value, dict):
        raise JsonNotObject(f"found {type(value).__name__}, want a JSON object")
    return value


def parse_json(
    raw: bytes, max_bytes: int = MAX_DOCUMENT_BYTES, *, max_nodes: int = MAX_NODES
) -> Json:
    """Return the JSON value in `raw`.

    Raises:
        JsonMalformed: More than `max_bytes`, not UTF-8, not JSON, a repeated key, a
            number that not every reader reads alike, half a surrogate pair, nested
            beyond `MAX_NESTING` or over `max_nodes` values; each its own subclass.
    """
    if len(raw) > max_bytes:
        raise JsonTooLarge(f"found {len(raw)} bytes, want at most {max_bytes}")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise JsonNotUtf8("found a byte order mark, want plain UTF-8")
    if b"\\" not in raw:
        with suppress(ValueError, TypeError):  # of orjson: the rest says what is wrong
            return _read_compact(raw, max_nodes)
    try:
        text = raw.decode()
    except UnicodeDecodeError as e:
        raise JsonNotUtf8(f"byte {e.start} is not UTF-8") from e
    structure = _structure(raw)
    _refuse_depth(structure)
    try:
        value: Json = _DECODER.decode(text)
    except json.JSONDecodeError as e:
        raise JsonMalformed(f"{e.msg} at line {e.lineno} column {e.colno}") from e
    escaped = b"\\" in raw and _ESCAPED_SURROGATE.search(text)
    if _most_nodes(structure) > max_nodes or escaped:
        _refuse_nodes(value, max_nodes)
    return value


_BRACKETS_AND_QUOTES = bytes(code for code in range(256) if code not in b'[]{}"')


def _read_compact(raw: bytes, max_nodes: int) -> Json:
    """Return the JSON value in `raw`, which has no backslash.

    What is written again to the very same bytes named no key twice, and held no number
    that changes when it is read.

    Raises:
        ValueError: It is not so, or is beyond a limit, or could be.
    """
    value: Json = orjson.loads(raw)
    if raw != orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER):  # up to 2**53 - 1
        raise ValueError
    if len(raw) > 2 * max_nodes and _most_nodes(raw) > max_nodes:  # each has two bytes
        raise ValueError
    # A quote is left if any string holds a bracket: an odd number precedes that.
    brackets = raw.translate(_ALIKE, _BRACKETS_AND_QUOTES).replace(b'""', b"")
    if b'"' in brackets or _without_pairs(brackets):
        raise ValueError
    return value


_OTHERS = bytes(code for code in range(256) if code not in b"[]{},:")
_ALIKE = bytes.maketrans(b"{}", b"[]")
_OPENING = b"["[0]


def _structure(raw: bytes) -> bytes:
    """Return the brackets, braces, commas and colons outside the strings of `raw`.

    Every second piece between quotes is a string, once escaped quotes are gone. Where
    that is not so, the decoder stops before it comes to what is misjudged here.
    """
    if b"\\" in raw:
        raw = raw.replace(rb"\\", b"").replace(rb"\"", b"")
    return b"".join(raw.split(b'"')[::2]).translate(None, _OTHERS)


def _refuse_depth(structure: bytes) -> None:
    """Measure nesting before decoding: the decoder itself recurses."""
    brackets = structure.translate(_ALIKE, b",:")
    depth = 0
    for bracket in brackets if _without_pairs(brackets) else b"":
        depth += 1 if bracket == _OPENING else -1
        if depth > MAX_NESTING:
            raise JsonTooDeep(f"found over {MAX_NESTING} levels, want at most that")


def _without_pairs(brackets: bytes) -> bytes:
    """Return what is too deep, or is no JSON and may still be deep for the decoder."""
    for _ in range(MAX_NESTING):
        if not brackets:
            break
        brackets = brackets.replace(b"[]", b"")  # the innermost ones
    return brackets


def _most_nodes(structure: bytes) -> int:
    """Return a bound: each value and each key but the first follows one of these four."""
    return 1 + sum(map(structure.count, (b"[", b"{", b",", b":")))


_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _refuse_nodes(value: Json, max_nodes: int) -> None:
    """Walk without recursion; strings are checked here because keys are nodes too."""
    pending: list[Json] = [value]
    nodes = 0
    while pending:
        item = pending.pop()
        nodes += 1
        if nodes > max_nodes:
            raise JsonTooManyNodes(f"found over {max_nodes} values, want at most that")
        if isinstance(item, dict):
            pending += item.values()
            pending += item.keys()
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, str) and _SURROGATE.search(item):
            raise JsonNotUnicode("a string holds half of a surrogate pair")


def _object_without_repeats(pairs: list[tuple[str, Json]]) -> JsonObject:
    table = dict(pairs)
    if len(table) != len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise JsonDuplicateKey(f"an object names the key {twice[:64]!r} twice")
    return table


def _refuse_constant(name: str) -> NoReturn:
    raise JsonNumberUnsafe(f"{name} is not JSON")


def _integer(text: str) -> int:
    # The length first: int() of 5,000 digits raises a bare ValueError.
    if len(text) > MAX_NUMBER_CHARACTERS or abs(int(text)) > MAX_SAFE_INTEGER:
        raise JsonNumberUnsafe(f"found {text[:24]}, want at most {MAX_SAFE_INTEGER}")
    return int(text)


def _float(text: str) -> float:
    if len(text) > MAX_NUMBER_CHARACTERS or not math.isfinite(float(text)):
        raise JsonNumberUnsafe(f"found {text[:24]}, want a finite number")
    return float(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_without_repeats,
    parse_constant=_refuse_constant,
    parse_int=_integer,
    parse_float=_float,
)
