import base64
from collections.abc import Callable
from random import Random

import base58
import pytest

from primitives.encodings import (
    MAX_BASE58_CHARACTERS,
    EncodingMalformed,
    decode_base58btc,
    decode_base64,
    decode_base64url,
    encode_base58btc,
    encode_base64,
    encode_base64url,
)

PAIRS: list[tuple[Callable[[bytes], str], Callable[[str], bytes]]] = [
    (encode_base58btc, decode_base58btc),
    (encode_base64, decode_base64),
    (encode_base64url, decode_base64url),
]


@pytest.mark.parametrize(("encode", "decode"), PAIRS, ids=["58", "64", "64url"])
def test_every_value_survives_leading_zeros_included(
    encode: Callable[[bytes], str], decode: Callable[[str], bytes]
) -> None:
    random = Random(1)
    for length in range(65):
        raw = random.randbytes(length)
        for value in (raw, b"\x00" + raw[1:], bytes(length)):
            assert decode(encode(value)) == value


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        # draft-msporny-base58-03, section 5.
        (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
        (
            b"The quick brown fox jumps over the lazy dog.",
            "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
        ),
        (bytes.fromhex("0000287fb4cd"), "11233QC4"),
    ],
)
def test_base58btc_is_that_of_its_draft(raw: bytes, text: str) -> None:
    assert encode_base58btc(raw) == text
    assert decode_base58btc(text) == raw


@pytest.mark.parametrize(
    "text", ["0", "O", "I", "l", "2N ", " 2N", "2N\n", "2N\t", "é", "2\x00N", "-", "٣"]
)
def test_refuses_base58_of_another_alphabet(text: str) -> None:
    with pytest.raises(EncodingMalformed) as e:
        decode_base58btc(text)
    assert e.value.code == "encoding-malformed"


def test_base58btc_equals_the_library_of_that_name() -> None:
    random = Random(2)
    for length in range(94):
        for _ in range(20):
            raw = bytes(random.randrange(3)) + random.randbytes(length)
            text = base58.b58encode(raw).decode()
            assert encode_base58btc(raw) == text
            if len(text) <= MAX_BASE58_CHARACTERS:
                assert decode_base58btc(text) == raw == base58.b58decode(text)


def test_long_base58_is_read_in_pieces() -> None:
    random = Random(5)
    for characters in (127, 128, 129, 255, 256, 257, 1_000):
        text = "".join(random.choices(base58.BITCOIN_ALPHABET.decode(), k=characters))
        assert decode_base58btc(text, most=1_000) == base58.b58decode(text)
        assert decode_base58btc("11" + text[:-2], 1_000) == base58.b58decode(
            "11" + text[:-2]
        )


def test_base58btc_has_one_spelling_of_each_value() -> None:
    random = Random(3)
    alphabet = base58.BITCOIN_ALPHABET.decode()
    for _ in range(500):
        text = "".join(random.choices(alphabet, k=random.randrange(100)))
        text = "1" * random.randrange(3) + text
        assert encode_base58btc(decode_base58btc(text)) == text


def test_refuses_long_base58_before_it_decodes() -> None:
    longest = "2" * MAX_BASE58_CHARACTERS
    assert encode_base58btc(decode_base58btc(longest)) == longest
    with pytest.raises(EncodingMalformed, match="found 129 base58 characters"):
        decode_base58btc(longest + "2")


@pytest.mark.parametrize(
    "text", ["AA", "AA=", "AA= =", "AB==", "AA==\n", " AA==", "A", "A-==", "AA==AA==", "é"]
)
def test_refuses_another_spelling_of_base64(text: str) -> None:
    with pytest.raises(EncodingMalformed):
        decode_base64(text)


@pytest.mark.parametrize(
    "text", ["AA==", "AB", "A", "AA\n", " AA", "A+", "A/", "AAAAA", "é", "AA="]
)
def test_refuses_another_spelling_of_base64url(text: str) -> None:
    with pytest.raises(EncodingMalformed):
        decode_base64url(text)


def test_agrees_with_the_standard_library() -> None:
    raw = bytes(range(256))
    assert encode_base64(raw) == base64.b64encode(raw).decode()
    assert encode_base64url(raw) + "==" == base64.urlsafe_b64encode(raw).decode()
