"""Area J: bytes that are no strict JSON."""

import json
from collections.abc import Iterator

from credentials.jsonld.loader import VC_V2
from tests.corpus.case import Case, X, as_bytes, case, edited
from tests.support.credentials_support import (
    SUITES,
    signed,
    unsigned,
)


def json_rows() -> Iterator[Case]:
    """Give the cases, in the order of the table."""
    good = signed()
    subject = '"credentialSubject": {'

    def malformed(name: str, raw: bytes, code: str) -> Case:
        return Case(name, raw, "malformed", f"json-{code}")

    def added(member: str) -> bytes:
        return edited(good, subject, f"{subject}{member}, ")

    yield malformed(
        "J01-duplicate-key",
        edited(good, '{"@context"', '{"name": "x", "@context"'),
        "duplicate-key",
    )
    yield malformed(
        "J02-duplicate-key-escaped",
        edited(good, '{"@context"', '{"n\\u0061me": "x", "@context"'),
        "duplicate-key",
    )
    yield malformed("J03-duplicate-key-inside", added('"id": "urn:x"'), "duplicate-key")
    for word in ("NaN", "Infinity", "-Infinity"):
        yield malformed(f"J04-{word.lower()}", added(f'"x": {word}'), "number-unsafe")
    yield malformed("J05-infinite-number", added('"x": 1e999'), "number-unsafe")
    yield malformed("J06-unsafe-integer", added('"x": 9007199254740993'), "number-unsafe")
    yield malformed(
        "J07-integer-of-5000-digits", added(f'"x": {"7" * 5000}'), "number-unsafe"
    )
    yield malformed("J08-too-deep", added(f'"x": {"[" * 31}{"]" * 31}'), "too-deep")
    yield malformed("J10-lone-surrogate", added('"x": "\\ud800"'), "not-unicode")
    yield malformed(
        "J11-overlong-utf8", added('"x": "@@"').replace(b"@@", b"\xc0\xaf"), "not-utf8"
    )
    yield malformed(
        "J11-invalid-utf8", added('"x": "@@"').replace(b"@@", b"\xff\xfe"), "not-utf8"
    )
    text = as_bytes(good).decode()
    yield malformed("J12-utf-16", text.encode("utf-16"), "not-utf8")
    yield malformed("J12-utf-32", text.encode("utf-32"), "not-utf8")
    yield malformed("J12-utf-16-unmarked", text.encode("utf-16-le"), "not-utf8")
    yield malformed("J13-byte-order-mark", b"\xef\xbb\xbf" + as_bytes(good), "not-utf8")
    yield malformed("J14-two-values", as_bytes(good) + as_bytes(good), "malformed")
    yield malformed("J15-line-feed-in-string", added('"x": "a\nb"'), "malformed")
    yield malformed("J15-nul-in-key", added('"a\x00b": 1'), "malformed")
    many = ", ".join(["0"] * 80_000)
    yield malformed("J17-too-many-values", added(f'"x": [{many}]'), "too-many-nodes")
    yield malformed("J17-too-large", added(f'"x": "{"y" * 256 * 1024}"'), "too-large")
    for name, raw in (
        ("array", b"[]"),
        ("string", b'"x"'),
        ("number", b"1"),
        ("null", b"null"),
    ):
        yield malformed(f"J18-{name}", raw, "not-object")
    yield from _numbers()
    yield from _limits()
    composed = signed(unsigned(name="caf\u00e9"))
    yield Case(
        "J21-decomposed",
        edited(composed, "caf\u00e9", "cafe\u0301"),
        "rejected",
        "signature-rejected",
    )
    yield case("J21-as-signed", composed, "valid")
    yield from _names()


def _numbers() -> Iterator[Case]:
    """One number in all its spellings, and another number."""
    context = [VC_V2, {"weight": f"{X}weight"}]
    for suite in SUITES:
        good = signed(unsigned(**{"@context": context, "weight": 1}), suite=suite)
        for number, spelling in enumerate(("1", "1.0", "1e0", "10e-1", "100E-2"), start=1):
            raw = edited(good, '"weight": 1,', f'"weight": {spelling},')
            yield Case(f"J20-{suite}-one-{number}", raw, "valid")
        raw = edited(good, '"weight": 1,', '"weight": 1.5,')
        yield Case(f"J20-{suite}-another", raw, "rejected", "signature-rejected")


def _names() -> Iterator[Case]:
    """Names that mean something to other languages are plain names."""
    names = ("__proto__", "constructor", "$ref")
    context = [VC_V2, {name: f"{X}{name}" for name in names}]
    good = signed(unsigned(**{"@context": context}, **dict.fromkeys(names, "plain")))
    yield case("J22-names-of-other-languages", good, "valid")
    for name in names:
        document = {**good, name: "other"}
        yield case(
            f"J22-changed-{name.strip('_$')}", document, "rejected", "signature-rejected"
        )


def _limits() -> Iterator[Case]:
    """Exactly at a limit it passes; `malformed` rows above have what lies over it."""

    def weighing(name: str, value: str, outcome: str = "valid", code: str = "") -> Case:
        kind = {"@id": f"{X}weight", "@type": "@json"}
        context = [VC_V2, {"weight": kind}]
        document = {"@context": context, "weight": json.loads(value)}
        return Case(name, as_bytes(signed(unsigned(**document))), outcome, code)

    over = ("malformed", "json-too-deep")
    yield weighing("J08-at-the-limit", "[" * 31 + "]" * 31)
    yield weighing("J08-one-over", "[" * 32 + "]" * 32, *over)
    yield weighing("J06-at-the-limit", str(2**53 - 1))
    free = 10_000 - len(_values(json.loads(weighing("", "[]").raw)))
    yield weighing("J17-values-at-the-limit", str([0] * free))
    over = ("malformed", "json-too-many-nodes")
    yield weighing("J17-values-one-over", str([0] * (free + 1)), *over)
    raw = as_bytes(signed())
    yield Case("J17-bytes-at-the-limit", raw.ljust(256 * 1024), "valid")
    over_bytes = raw.ljust(256 * 1024 + 1)
    yield Case("J17-bytes-one-over", over_bytes, "malformed", "json-too-large")


def _values(value: object) -> list[object]:
    """Return every value in `value`, names included."""
    if isinstance(value, dict):
        inner = [*value, *value.values()]
        return [value, *(each for item in inner for each in _values(item))]
    if isinstance(value, list):
        return [value, *(each for item in value for each in _values(item))]
    return [value]
