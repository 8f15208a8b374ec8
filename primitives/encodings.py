"""Text encodings of bytes, with one accepted spelling for each value.

`base58` 2.1.1 takes a step for each digit and strips trailing white space, so only its
alphabet is used, and tests compare; `base64` ignores characters outside its alphabet and
stray trailing bits, so its decoders prove their result by encoding it again.
"""

import base64
import binascii

import base58

from primitives.errors import Malformed

MAX_BASE58_CHARACTERS = 128
"""The longest value read is a 64-byte signature: 88 characters."""


_ALPHABET = base58.BITCOIN_ALPHABET.decode()
_ZERO = _ALPHABET[0]
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_NO_DIGIT = 0xFF
_VALUES = bytes(
    _ALPHABET.index(chr(code)) if chr(code) in _ALPHABET else _NO_DIGIT
    for code in range(256)
)
"""Of each ASCII code, the value of that digit."""


class EncodingMalformed(Malformed):
    """The text is not the one spelling of any bytes in this encoding."""

    code = "encoding-malformed"


def encode_base58btc(raw: bytes) -> str:
    """Return the base58btc digits of `raw`, without multibase prefix."""
    number = int.from_bytes(raw)
    pairs: list[str] = []
    while number:
        number, four = divmod(number, 58**4)
        pairs += (_PAIRS[four % 58**2], _PAIRS[four // 58**2])
    digits = "".join(reversed(pairs)).lstrip(_ZERO)
    # Each zero byte in front is a zero digit; the others are one number.
    return _ZERO * (len(raw) - len(raw.lstrip(b"\0"))) + digits


def decode_base58btc(text: str, most: int = MAX_BASE58_CHARACTERS) -> bytes:
    """Return the bytes of base58btc `text`, without multibase prefix.

    Takes time with the square of the length, so `most` bounds it.

    Raises:
        EncodingMalformed: Over `most` characters, or one outside the alphabet, white space
            included.
    """
    if len(text) > most:
        raise EncodingMalformed(f"found {len(text)} base58 characters, want at most {most}")
    digits = text.encode("ascii", "replace").translate(_VALUES)
    if _NO_DIGIT in digits:
        raise EncodingMalformed(f"{text[:16]!r} is not base58btc")
    significant = digits.lstrip(b"\0")
    number = 0
    padded = significant.rjust(-(-len(significant) // _PIECE) * _PIECE, b"\0")
    for start in range(0, len(padded), _PIECE):
        number = number * 58**_PIECE + _number(padded[start : start + _PIECE])
    zeros = bytes(len(digits) - len(significant))
    return zeros + number.to_bytes((number.bit_length() + 7) // 8)


_PIECE = 128
"""Digits that are read at once."""


def _places(width: int) -> int:
    """Return a number whose every second `width` bytes are ones, the last of them too."""
    return int.from_bytes((bytes(width) + b"\xff" * width) * (_PIECE // (2 * width)))


_STEPS = tuple((_places(w), 8 * w, 58**w) for w in (1, 2, 4, 8, 16, 32, 64))


def _number(digits: bytes) -> int:
    """Return what `_PIECE` digits come to, of base 58, one in each byte."""
    number = int.from_bytes(digits)
    for places, bits, weight in _STEPS:
        # All pairs of neighbours at once, each into the place of both.
        number = (number & places) + (number >> bits & places) * weight
    return number


def encode_base64(raw: bytes) -> str:
    """Return standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(raw).decode()


def decode_base64(text: str) -> bytes:
    """Return the bytes of standard padded base64.

    Raises:
        EncodingMalformed: Another alphabet, missing padding, or stray trailing bits.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as e:
        raise EncodingMalformed(f"{text[:16]!r} is not base64") from e
    if encode_base64(raw) != text:
        raise EncodingMalformed(f"{text[:16]!r} is not canonical base64")
    return raw


def encode_base64url(raw: bytes) -> str:
    """Return base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_base64url(text: str) -> bytes:
    """Return the bytes of unpadded base64url.

    Raises:
        EncodingMalformed: Another alphabet, padding, or stray trailing bits.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as e:
        raise EncodingMalformed(f"{text[:16]!r} is not base64url") from e
    if encode_base64url(raw) != text:
        raise EncodingMalformed(f"{text[:16]!r} is not canonical base64url")
    return raw
