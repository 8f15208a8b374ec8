import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_core_ed25519_add

from did.jwk import decode_jwk
from did.multikey import (
    MultikeyLengthWrong,
    MultikeyMalformed,
    decode_multikey,
    encode_multikey,
)
from primitives.canonical_json import Json
from primitives.ed25519 import KeyRefused, PublicKey, SoftwareSigner
from primitives.encodings import encode_base58btc, encode_base64url
from primitives.errors import Malformed, PatunayError, Undetermined

# From https://w3c-ccg.github.io/did-key-spec/ (Ed25519 example).
SPEC_EXAMPLE = "z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"

# RFC 8037 appendix A.2.
RFC_8037 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
RFC_8037_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

# A point of order 8 and the neutral element: https://eprint.iacr.org/2020/1244, table 1.
SMALL_ORDER = bytes.fromhex(
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
)
IDENTITY = bytes([1]) + bytes(31)


# The sum of an honest key and a point of order 8: some libraries verify under it.
MIXED_ORDER = crypto_core_ed25519_add(bytes.fromhex(RFC_8037_KEY), SMALL_ORDER)


def multikey(prefix: str, key: bytes) -> str:
    return "z" + encode_base58btc(bytes.fromhex(prefix) + key)


def test_reads_and_writes_the_example_of_the_specification() -> None:
    assert encode_multikey(decode_multikey(SPEC_EXAMPLE)) == SPEC_EXAMPLE


@given(st.binary(min_size=32, max_size=32))
def test_every_key_survives_a_round_trip(seed: bytes) -> None:
    key = SoftwareSigner(seed).public_key
    assert decode_multikey(encode_multikey(key)) == key
    assert encode_multikey(key).startswith("z6Mk")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "found 0 characters"),
        ("z", "found 1 characters"),
        (SPEC_EXAMPLE + "\n", "found 49 characters"),
        (SPEC_EXAMPLE[:-1] + "\n", "not base58btc"),
        (SPEC_EXAMPLE[:-1] + " ", "not base58btc"),
        ("Z" + SPEC_EXAMPLE[1:], "beginning 'Z6Mk'"),
        ("m" + SPEC_EXAMPLE[1:], "beginning 'm6Mk'"),
        ("z" + "0" * 47, "not base58btc"),
        ("z" + "1" * 47, "found 47 bytes beginning 0000"),
        ("z" + "6" * 5_000_000, "found 5000001 characters"),
        ("z6LS" + "1" * 5_000_000, "found 5000004 characters"),
        # Multicodec 0xed in two bytes more than it needs, and one byte too many.
        (multikey("ed8100", decode_multikey(SPEC_EXAMPLE)), "characters beginning"),
        (multikey("ed01", decode_multikey(SPEC_EXAMPLE) + b"\0"), "characters beginning"),
        (multikey("ed01", decode_multikey(SPEC_EXAMPLE)[:-1]), "characters beginning"),
        # 0x1300 (ed25519-priv): the same length, another meaning.
        (multikey("8026", decode_multikey(SPEC_EXAMPLE)), "found 34 bytes beginning 8026"),
    ],
)
def test_refuses_what_is_no_multikey(text: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason) as caught:
        decode_multikey(text)
    assert caught.value.code == "multikey-malformed"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (multikey("ed01", decode_multikey(SPEC_EXAMPLE)[:-1]), MultikeyLengthWrong),
        (multikey("ed01", b""), MultikeyLengthWrong),
        (multikey("8026", decode_multikey(SPEC_EXAMPLE)[:-1]), MultikeyMalformed),
        ("z" + "0" * 40, MultikeyMalformed),
        ("m" + SPEC_EXAMPLE[1:-1], MultikeyMalformed),
        (multikey("ed01", decode_multikey(SPEC_EXAMPLE) + b"\0"), MultikeyMalformed),
    ],
)
def test_only_an_ed25519_key_that_is_cut_short_is_called_that(
    text: str, kind: type[MultikeyMalformed]
) -> None:
    with pytest.raises(MultikeyMalformed) as caught:
        decode_multikey(text)
    assert type(caught.value) is kind
    assert ("cut short" in str(caught.value)) is (kind is MultikeyLengthWrong)


@pytest.mark.parametrize(
    ("prefix", "size", "name"),
    # Prefixes and sizes: https://www.w3.org/TR/cid-1.0/#Multikey and the multicodec table.
    [
        ("ec01", 32, "X25519"),
        ("e701", 33, "secp256k1"),
        ("8024", 33, "P-256"),
        ("8124", 49, "P-384"),
        ("8224", 67, "P-521"),
        ("eb01", 96, "BLS12-381 G2"),
        ("8524", 270, "RSA"),
        ("8524", 526, "RSA"),
    ],
)
def test_another_type_of_key_is_unsupported_and_not_malformed(
    prefix: str, size: int, name: str
) -> None:
    # How such keys begin: compressed points (BLS has a flag bit), or a DER sequence.
    first = {"RSA": b"\x30\x82", "BLS12-381 G2": b"\xa1"}.get(name, b"\x02")
    text = multikey(prefix, first + b"\x81" * (size - len(first)))
    with pytest.raises(Undetermined, match=name) as caught:
        decode_multikey(text)
    assert caught.value.code == "key-type-unsupported"
    assert caught.value.hint


@pytest.mark.parametrize("key", [SMALL_ORDER, MIXED_ORDER, IDENTITY, b"\xff" * 32])
def test_refuses_keys_that_nobody_can_own(key: bytes) -> None:
    with pytest.raises(KeyRefused):
        decode_multikey(multikey("ed01", key))
    with pytest.raises(KeyRefused):
        encode_multikey(PublicKey(key))
    with pytest.raises(KeyRefused):
        decode_jwk({**RFC_8037, "x": encode_base64url(key)})


def test_reads_the_jwk_of_rfc_8037() -> None:
    assert decode_jwk(RFC_8037).hex() == RFC_8037_KEY


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("text", "jwk-malformed"),
        ({}, "jwk-malformed"),
        ({**RFC_8037, "x": RFC_8037["x"] + "="}, "jwk-malformed"),
        ({**RFC_8037, "x": RFC_8037["x"][:-1]}, "jwk-malformed"),
        # "p" has two stray bits where "o" has none: the same bytes, another spelling.
        ({**RFC_8037, "x": RFC_8037["x"][:-1] + "p"}, "jwk-malformed"),
        ({**RFC_8037, "x": "+" + RFC_8037["x"][1:]}, "jwk-malformed"),
        ({**RFC_8037, "x": 7}, "jwk-malformed"),
        ({**RFC_8037, "d": "AA"}, "jwk-malformed"),
        ({**RFC_8037, "crv": "X25519"}, "key-type-unsupported"),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "key-type-unsupported"),
    ],
)
def test_refuses_another_jwk(value: Json, code: str) -> None:
    with pytest.raises(PatunayError) as caught:
        decode_jwk(value)
    assert caught.value.code == code
