"""Each member of a pack's files has one form, and what has another is told by its name."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from credentials.trust_pack.archive import PackMalformed
from credentials.trust_pack.manifest import (
    MAX_KEYS,
    Federation,
    FederationMalformed,
    Manifest,
)
from credentials.trust_pack.members import (
    array,
    document,
    instant,
    multikey,
    number,
    read_object,
    text,
    texts,
)
from did.multikey import encode_multikey
from primitives.canonical_json import canonicalize
from primitives.ed25519 import SoftwareSigner
from primitives.strict_json import parse_json_object
from tests.support.trust_packs import contents, federation, pack

PACK = pack(contents())
KEY = encode_multikey(SoftwareSigner(bytes([1]) * 32).public_key)
Read = Callable[[dict[str, Any], str], Any]
NUMBER: Read = partial(number, least=1, most=3)
ARRAY: Read = partial(array, limit=2)
TEXTS: Read = partial(texts, limit=2)


@pytest.mark.parametrize(
    ("read", "value", "found"),
    [
        (NUMBER, 1, 1),
        (NUMBER, 3, 3),
        (ARRAY, [1, 2], [1, 2]),
        (TEXTS, ["a", "b"], ("a", "b")),
        (text, "x" * 2_048, "x" * 2_048),
        (document, {"a": 1}, {"a": 1}),
        (multikey, KEY, KEY),
        (instant, "2026-11-22T08:00:00Z", datetime(2026, 11, 22, 8, tzinfo=UTC)),
    ],
)
def test_a_member_is_read(read: Read, value: Any, found: Any) -> None:
    assert read({"m": value}, "m") == found


@pytest.mark.parametrize(
    ("read", "value", "words"),
    [
        (NUMBER, 0, "m: found 0, want 1 to 3"),
        (NUMBER, 4, "m: found 4, want 1 to 3"),
        (NUMBER, True, "m: found True, want 1 to 3"),
        (NUMBER, "1", "m: found '1', want 1 to 3"),
        (ARRAY, [1, 2, 3], "m: want a list of at most 2"),
        (ARRAY, {}, "m: want a list of at most 2"),
        (TEXTS, ["b", "a"], "m: want them ascending, none twice"),
        (TEXTS, ["a", "a"], "m: want them ascending, none twice"),
        (text, "", "m: want a text of 1 to 2048 characters"),
        (text, "x" * 2_049, "m: want a text of 1 to 2048 characters"),
        (text, 7, "m: want a text of 1 to 2048 characters"),
        (text, "a\nb", "m: found a control character"),
        (document, [], "m: found list, want an object"),
        (multikey, KEY[:-1], "m: found 47 characters"),
        (instant, "2026-11-22T08:00:00+08:00", "m: found '2026"),
        (instant, "yesterday", "m: found 'yesterday'"),
    ],
)
def test_a_member_of_another_form_is_refused(read: Read, value: Any, words: str) -> None:
    with pytest.raises(PackMalformed) as caught:
        read({"m": value}, "m")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"[1]", "x.json: found list, want an object"),
        (b'{ "a":1}', "x.json: found another spelling, want RFC 8785 JSON"),
        (b'{"b":1}', "x.json: members missing or unknown: a, b"),
        (b"{", "x.json: "),
    ],
)
def test_a_file_of_another_form_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(PackMalformed) as caught:
        read_object(raw, "x.json", ["a"])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "No Plain Name"}, "found id 'No Plain Name', want a plain name"),
        ({"contracts": ("0xabc",)}, "found contract '0xabc', want CAIP-10"),
        (
            {"keys": tuple(f"{n:03}" for n in range(MAX_KEYS + 1))},
            f"found {MAX_KEYS + 1} keys, want at most {MAX_KEYS}",
        ),
    ],
)
def test_a_federation_of_another_form_is_refused(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(FederationMalformed) as caught:
        replace(federation(), **changes)
    assert words in str(caught.value)


@pytest.mark.parametrize("parse", [Federation.parse, Manifest.parse])
def test_a_file_of_another_format_is_refused(parse: Callable[[bytes], object]) -> None:
    made = federation() if parse == Federation.parse else PACK.manifest
    parts = parse_json_object(made.to_bytes())
    assert parse(canonicalize(parts)) == made
    with pytest.raises((PackMalformed, FederationMalformed), match="format: found 2"):
        parse(canonicalize({**parts, "format": 2}))
