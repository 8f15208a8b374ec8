"""Ed25519 public keys as Multikey text, `z6Mk…`.

See <https://www.w3.org/TR/cid-1.0/#Multikey>. A key has one spelling: what is read is
what would be written.
"""

import contextlib
from functools import lru_cache

from primitives.ed25519 import PUBLIC_KEY_BYTES, PublicKey, check_public_key
from primitives.encodings import EncodingMalformed, decode_base58btc
from primitives.errors import Malformed, Undetermined

_BASE58BTC = "z"

# Multicodec 0xed (ed25519-pub) as an unsigned varint.
# From: https://github.com/multiformats/multicodec/blob/master/table.csv
_ED25519_PUB = b"\xed\x01"

MULTIKEY_CHARACTERS = 48
"""Every Ed25519 Multikey has this many: `z` and the 47 digits of 34 bytes that begin with
ed01. Checked before decoding, which takes quadratic time."""

# How the Multikeys of other key types begin, and their lengths in characters. Length and
# multicodec prefix fix the first digits, so nothing has to be decoded to tell "another
# type" from "not a key".
_OTHER_TYPES = {
    ("z6LS", 48): "X25519",
    ("zQ3s", 49): "secp256k1",
    ("zDn", 49): "P-256",
    ("z82", 71): "P-384",
    ("z2J9", 96): "P-521",
    ("zUC7", 135): "BLS12-381 G2",
    ("z4MX", 373): "RSA of 2,048 bits",
    ("zgg", 722): "RSA of 4,096 bits",
}


class MultikeyMalformed(Malformed):
    """The text is not the one spelling of any Ed25519 public key."""

    code = "multikey-malformed"


class MultikeyLengthWrong(MultikeyMalformed):
    """It says that it is an Ed25519 key, and is shorter than one."""


class KeyTypeUnsupported(Undetermined):
    """A key of a type whose signatures Patunay does not check."""

    code = "key-type-unsupported"
    hint = "Patunay checks Ed25519 signatures; ask the issuer for an Ed25519 key"


def encode_multikey(key: PublicKey) -> str:
    """Return `z6Mk…`, 48 characters.

    Raises:
        KeyMalformed: Not 32 bytes.
        KeyRefused: Of small or mixed order: nobody should publish it.
    """
    check_public_key(key)
    from multibase import encode  # noqa: PLC0415 - who only verifies need not load it

    text: str = encode("base58btc", _ED25519_PUB + key).decode()
    # py-multibase drops leading zero bytes. There are none here, and this proves it.
    if decode_multikey(text) != key:
        raise AssertionError("py-multibase does not give back what it was given")
    return text


@lru_cache(maxsize=1024)  # a refusal is not kept; an issuer's key comes back all the time
def decode_multikey(text: str) -> PublicKey:
    """Return the Ed25519 key that `text` spells out.

    Raises:
        KeyTypeUnsupported: It begins, and is as long, as keys of another type.
        MultikeyLengthWrong: The multicodec of Ed25519, and too few bytes.
        MultikeyMalformed: Another length, alphabet, or multicodec.
        KeyRefused: Of small or mixed order, or not canonically encoded.
    """
    for (prefix, length), name in _OTHER_TYPES.items():
        if len(text) == length and text.startswith(prefix):
            raise KeyTypeUnsupported(
                f"found a key {prefix}… ({name}), want Ed25519 (z6Mk…)"
            )
    if len(text) < MULTIKEY_CHARACTERS and _is_ed25519(text):
        raise MultikeyLengthWrong(
            f"found {len(text)} characters beginning {text[:4]!r}, "
            f"want {MULTIKEY_CHARACTERS}: an Ed25519 key that was cut short"
        )
    if len(text) != MULTIKEY_CHARACTERS or not text.startswith(_BASE58BTC):
        raise MultikeyMalformed(
            f"found {len(text)} characters beginning {text[:4]!r}, "
            f"want {MULTIKEY_CHARACTERS} beginning 'z6Mk'"
        )
    try:
        raw = decode_base58btc(text.removeprefix(_BASE58BTC))
    except EncodingMalformed as e:
        raise MultikeyMalformed(f"{text[:16]!r} is not base58btc") from e
    if not raw.startswith(_ED25519_PUB) or len(raw) != len(_ED25519_PUB) + PUBLIC_KEY_BYTES:
        raise MultikeyMalformed(
            f"found {len(raw)} bytes beginning {raw[:2].hex()}, want 34 beginning ed01"
        )
    key = PublicKey(raw.removeprefix(_ED25519_PUB))
    check_public_key(key)
    return key


def _is_ed25519(text: str) -> bool:
    """Tell whether a text says that it is one; the caller has bounded its length."""
    with contextlib.suppress(EncodingMalformed):
        raw = decode_base58btc(text.removeprefix(_BASE58BTC))
        return text.startswith(_BASE58BTC) and raw.startswith(_ED25519_PUB)
    return False
