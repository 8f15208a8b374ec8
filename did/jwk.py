"""Ed25519 public keys as JSON Web Keys (RFC 8037 section 2)."""

from did.multikey import KeyTypeUnsupported
from primitives.canonical_json import Json
from primitives.ed25519 import PUBLIC_KEY_BYTES, PublicKey, check_public_key
from primitives.encodings import EncodingMalformed, decode_base64url
from primitives.errors import Malformed

_X_CHARACTERS = 43
"""32 bytes in unpadded base64url."""


class JwkMalformed(Malformed):
    """Not a public JSON Web Key of Ed25519."""

    code = "jwk-malformed"


def decode_jwk(value: Json) -> PublicKey:
    """Return the Ed25519 key of a `publicKeyJwk`.

    Raises:
        KeyTypeUnsupported: Another `kty` or `crv`.
        JwkMalformed: No object, no `x` of 32 bytes, or a private key among it.
        KeyRefused: Of small or mixed order, or not canonically encoded.
    """
    if not isinstance(value, dict):
        raise JwkMalformed(f"found {type(value).__name__}, want an object")
    kty, crv = value.get("kty"), value.get("crv")
    if not isinstance(kty, str):
        raise JwkMalformed("found no kty, want OKP")
    # RFC 7517 section 9.2 and CID 1.0: a document never carries the private part.
    if "d" in value:
        raise JwkMalformed("found the private member d, want a public key")
    if (kty, crv) != ("OKP", "Ed25519"):
        raise KeyTypeUnsupported(
            f"found a {kty[:16]} {str(crv)[:16]} key, want OKP Ed25519"
        )
    return _decode_x(value.get("x"))


def _decode_x(x: Json) -> PublicKey:
    if not isinstance(x, str) or len(x) != _X_CHARACTERS:
        raise JwkMalformed(f"want x of {_X_CHARACTERS} base64url characters")
    try:
        raw = decode_base64url(x)
    except EncodingMalformed as e:
        raise JwkMalformed(f"x {x!r} is not base64url of {PUBLIC_KEY_BYTES} bytes") from e
    key = PublicKey(raw)
    check_public_key(key)
    return key
