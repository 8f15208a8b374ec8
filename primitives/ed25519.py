"""Ed25519 signing and verification over PyNaCl: one signature rule for all of Patunay.

libsodium refuses non-canonical `S`, non-canonical and small-order points, but accepts a
public key of mixed order, on which libraries disagree; `verify_signature` refuses those
too, so that no two Patunay verifiers can differ.
"""

from functools import lru_cache
from typing import NewType, NoReturn, Protocol

from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import BadSignatureError

from primitives.errors import Malformed, Rejected

PublicKey = NewType("PublicKey", bytes)
"""A 32-byte Ed25519 public key (RFC 8032 section 5.1.5)."""

Signature = NewType("Signature", bytes)
"""A 64-byte Ed25519 signature (RFC 8032 section 5.1.6)."""

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
SEED_BYTES = 32


class KeyMalformed(Malformed):
    """A key or signature has the wrong length."""

    code = "key-malformed"


class SignatureRejected(Rejected):
    """The signature does not match the message under this key."""

    code = "signature-rejected"


class KeyRefused(Rejected):
    """The public key is no canonical point of the prime-order group."""

    code = "key-not-prime-order"


class Signer(Protocol):
    """Holds one private key and never gives it out.

    A software key, an HSM and a remote signing service all fit; none of them has to
    reveal the private key to Patunay.
    """

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, message: bytes) -> Signature:
        """Sign `message` as it is, without hashing it first."""
        ...


class SoftwareSigner:
    """A `Signer` whose private key lives in this process."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise KeyMalformed(f"seed has {len(seed)} bytes, want {SEED_BYTES}")
        self._public_key, self._secret_key = crypto_sign_seed_keypair(seed)

    def __repr__(self) -> str:
        """Name the public half only, so that a log line cannot leak the seed."""
        return f"SoftwareSigner(public_key={self.public_key.hex()})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: either would carry the seed along."""
        raise TypeError("a signer is not pickled")

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return PublicKey(self._public_key)

    def sign(self, message: bytes) -> Signature:
        """Sign `message` as it is, without hashing it first."""
        return Signature(crypto_sign(message, self._secret_key)[:SIGNATURE_BYTES])


def verify_signature(key: PublicKey, message: bytes, signature: Signature) -> None:
    """Return if `signature` is `key`'s signature over `message`; raise otherwise.

    Raises:
        KeyMalformed: `key` or `signature` has the wrong length.
        KeyRefused: `key` is of small or mixed order, or not canonically encoded.
        SignatureRejected: The signature is well formed and does not match.
    """
    check_public_key(key)
    if len(signature) != SIGNATURE_BYTES:
        raise KeyMalformed(f"signature has {len(signature)} bytes, want {SIGNATURE_BYTES}")
    try:
        crypto_sign_open(signature + message, key)
    except BadSignatureError as e:
        raise SignatureRejected(
            f"the signature does not match this content under key {key.hex()[:16]}"
        ) from e


@lru_cache(maxsize=1024)  # a refusal is not kept; an issuer's key comes back all the time
def check_public_key(key: PublicKey) -> None:
    """Return if `key` is one that may sign; raise otherwise.

    Raises:
        KeyMalformed: Not 32 bytes.
        KeyRefused: Of small or mixed order, or not canonically encoded.
    """
    if len(key) != PUBLIC_KEY_BYTES:
        raise KeyMalformed(f"public key has {len(key)} bytes, want {PUBLIC_KEY_BYTES}")
    if not crypto_core_ed25519_is_valid_point(key):
        raise KeyRefused(f"key {key.hex()[:16]} is no point of the prime-order group")
