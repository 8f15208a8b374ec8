"""did:key identifiers for Ed25519, and the documents they imply.

See <https://w3c-ccg.github.io/did-key-spec/>.
"""

from dataclasses import dataclass, field

from did.multikey import (
    KeyTypeUnsupported,
    MultikeyLengthWrong,
    MultikeyMalformed,
    decode_multikey,
    encode_multikey,
)
from primitives.canonical_json import JsonObject
from primitives.ed25519 import PublicKey
from primitives.errors import Malformed

_PREFIX = "did:key:"

# An X25519 key agrees on secrets and can never have signed: it is no unsupported
# signature but a mistake.
_X25519 = "z6LS"

DID_CONTEXTS = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
)
"""Contexts of every DID document that Patunay writes."""


class DidKeyMalformed(Malformed):
    """The text is not a did:key for an Ed25519 key."""

    code = "did-key-malformed"


class DidKeyLengthWrong(DidKeyMalformed):
    """It spells out an Ed25519 key of too few bytes."""


@dataclass(frozen=True, slots=True)
class DidKey:
    """A did:key, and the public key that it spells out."""

    public_key: PublicKey

    _read: str | None = field(default=None, repr=False, compare=False)
    """The Multikey it was read from, which is the one spelling of the key."""

    @classmethod
    def parse(cls, text: str) -> "DidKey":
        """Read a did:key without fragment, such as `did:key:z6Mk...`.

        Raises:
            DidKeyLengthWrong: An Ed25519 key that is cut short.
            DidKeyMalformed: Another method, encoding or length, or an X25519 key.
            KeyTypeUnsupported: A key of another type that can sign, such as P-256.
            KeyRefused: Of small or mixed order, or not canonically encoded.
        """
        multikey = text.removeprefix(_PREFIX)
        if multikey == text:
            raise DidKeyMalformed(f"found {text[:24]!r}, want did:key:z6Mk...")
        try:
            return cls(decode_multikey(multikey), multikey)
        except MultikeyLengthWrong as e:
            raise DidKeyLengthWrong(str(e)) from e
        except MultikeyMalformed as e:
            raise DidKeyMalformed(str(e)) from e
        except KeyTypeUnsupported as e:
            if multikey.startswith(_X25519):
                raise DidKeyMalformed(str(e)) from e
            raise

    @property
    def multikey(self) -> str:
        """The key as a Multikey, `z6Mk…`."""
        return encode_multikey(self.public_key) if self._read is None else self._read

    @property
    def verification_method(self) -> str:
        """The DID URL of its one key, `did:key:z6Mk…#z6Mk…`."""
        return f"{self}#{self.multikey}"

    def __str__(self) -> str:
        """Return the identifier; `DidKey.parse(str(d)) == d` always holds."""
        return _PREFIX + self.multikey


def did_key_document(did: DidKey) -> JsonObject:
    """Return the DID document that `did` implies, with its key as a Multikey.

    No X25519 key is derived: nothing here encrypts.
    """
    method = did.verification_method
    return {
        "@context": list(DID_CONTEXTS),
        "id": str(did),
        "verificationMethod": [
            {
                "id": method,
                "type": "Multikey",
                "controller": str(did),
                "publicKeyMultibase": did.multikey,
            }
        ],
        "authentication": [method],
        "assertionMethod": [method],
        "capabilityInvocation": [method],
        "capabilityDelegation": [method],
    }
