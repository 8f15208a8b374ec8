"""A holder's own key in a file of its own: the Multikey of Controlled Identifiers 1.0.

    {"publicKeyMultibase": "z6Mk…", "secretKeyMultibase": "z3u2…"}

Nothing seals it: it is as secret as the file is. An issuer's keys are in the key store.
See <https://www.w3.org/TR/cid-1.0/#Multikey>.
"""

from typing import Final

from did.multikey import encode_multikey
from primitives.canonical_json import JsonObject
from primitives.ed25519 import SEED_BYTES, SoftwareSigner
from primitives.encodings import EncodingMalformed, decode_base58btc
from primitives.errors import Malformed

MAX_KEY_PAIR_BYTES: Final = 4_096

_ED25519_SECRET: Final = bytes([0x80, 0x26])
_MAX_CHARACTERS: Final = 64


class KeyPairMalformed(Malformed):
    """The file holds no Ed25519 key pair in multibase."""

    code = "key-pair-malformed"
    hint = "want an object with publicKeyMultibase (z6Mk…) and secretKeyMultibase (z3u2…)"


def parse_key_pair(raw: JsonObject) -> SoftwareSigner:
    """Return the signer of a key pair; other members are left alone.

    Raises:
        KeyPairMalformed: No such pair, or the halves are not of one key. Never shows a
            part of the secret.
    """
    public, secret = raw.get("publicKeyMultibase"), raw.get("secretKeyMultibase")
    if not isinstance(secret, str) or not 1 < len(secret) <= _MAX_CHARACTERS:
        raise KeyPairMalformed("found no secretKeyMultibase")
    try:
        decoded = decode_base58btc(secret[1:])
    except EncodingMalformed:
        raise KeyPairMalformed("secretKeyMultibase is not base58btc") from None
    seed = decoded.removeprefix(_ED25519_SECRET)
    if not secret.startswith("z") or len(decoded) - len(seed) != len(_ED25519_SECRET):
        raise KeyPairMalformed("secretKeyMultibase is of another type of key")
    if len(seed) != SEED_BYTES:
        raise KeyPairMalformed(f"found a secret of {len(seed)} bytes, want {SEED_BYTES}")
    signer = SoftwareSigner(seed)
    if encode_multikey(signer.public_key) != public:
        raise KeyPairMalformed("publicKeyMultibase is of another key")
    return signer
