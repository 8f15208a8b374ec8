"""Text encodings of bytes, with one accepted spelling for each value.

`base58` 2.1.1 takes quadratic time and strips trailing white space; `base64` ignores
characters outside its alphabet and stray trailing bits. Each decoder here caps the length
first, and proves its result by encoding it again.
"""

import base64
import binascii

import base58

from primitives.errors import Malformed

MAX_BASE58_CHARACTERS = 128
"""The longest value read is a 64-byte signature: 88 characters."""


class EncodingMalformed(Malformed):
    """The text is not the one spelling of any bytes in this encoding."""

    code = "encoding-malformed"


def encode_base58btc(raw: bytes) -> str:
    """Return the base58btc digits of `raw`, without multibase prefix."""
    return base58.b58encode(raw).decode()


def decode_base58btc(text: str) -> bytes:
    """Return the bytes of base58btc `text`, without multibase prefix.

    Raises:
        EncodingMalformed: Over `MAX_BASE58_CHARACTERS`, or a character outside the
            alphabet, white space included.
    """
    if len(text) > MAX_BASE58_CHARACTERS:
        raise EncodingMalformed(
            f"found {len(text)} base58 characters, want at most {MAX_BASE58_CHARACTERS}"
        )
    try:
        raw = base58.b58decode(text)
    except ValueError as e:
        raise EncodingMalformed(f"{text[:16]!r} is not base58btc") from e
    if encode_base58btc(raw) != text:
        raise EncodingMalformed(f"{text[:16]!r} is not base58btc")
    return raw


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
