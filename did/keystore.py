"""Private keys at rest: one JSON file, opened by one passphrase.

    passphrase --argon2id--> key-encryption key --SecretBox--> master key
    master key --BLAKE2b--> sealing key   seals each secret, bound to its public half
                            tag key       a tag over the whole file

Which keys there are can be read without the passphrase, but only `Keystore.unlock` shows
that nobody changed the list. Not protected: whoever can write the file can put an older
copy of it back, and whoever reads the memory of an unlocked node has its keys.
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import NoReturn

import nacl.exceptions
from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.utils import random as random_bytes

from did.keyfile import (
    BINDING_BYTES,
    MASTER_BYTES,
    MODERATE,
    SALT_BYTES,
    TAG_BYTES,
    Algorithm,
    Argon2Cost,
    KeyEntry,
    KeyEntryRefused,
    KeyFile,
    KeyLabel,
    parse_key_file,
)
from did.multikey import encode_multikey
from primitives.canonical_json import canonicalize
from primitives.ed25519 import SEED_BYTES, PublicKey, SoftwareSigner
from primitives.errors import Misconfigured
from primitives.hashing import sha256

MAX_PASSPHRASE_BYTES = 1_024


class KeystoreTampered(Misconfigured):
    """The passphrase is right, and the file is not what was last written with it."""

    code = "keystore-tampered"
    hint = "restore the key file from a backup, and find out who changed it"


class KeyUnlockFailed(Misconfigured):
    """Wrong passphrase, or a damaged file: the two cannot be told apart."""

    code = "key-unlock-failed"
    hint = "check the passphrase; if it is right, restore the key file from a backup"

    def __init__(self) -> None:
        super().__init__("the passphrase does not open this key file")


class KeyMemoryShort(Misconfigured):
    """The machine cannot spare the memory that the file's cost asks for."""

    code = "key-memory-short"
    hint = "free some memory, or store the keys again at a lower cost on another machine"


class PassphraseUnusable(Misconfigured):
    """Empty, or longer than anybody types."""

    code = "key-passphrase-unusable"


class KeyNotFound(Misconfigured):
    """No key of that id, or one of another algorithm."""

    code = "key-not-found"
    hint = "`patunay key list` shows the keys of this node"


class KeyOnToken(Misconfigured):
    """The key's secret is on a PKCS#11 token, and not in the file."""

    code = "key-on-token"
    hint = "docs/hsm.md says how a node is told of its token"


@dataclass(frozen=True, slots=True)
class Keystore:
    """A key file, locked."""

    file: KeyFile

    @property
    def entries(self) -> tuple[KeyEntry, ...]:
        """What the file says of each key; proven by `unlock` alone."""
        return self.file.entries

    def entry(self, key_id: str) -> KeyEntry:
        """Return the entry of `key_id`.

        Raises:
            KeyNotFound: There is none.
        """
        for entry in self.entries:
            if entry.label.key_id == key_id:
                return entry
        raise KeyNotFound(f"found no key {key_id[:64]!r}")

    def unlock(self, passphrase: bytes) -> "Unlocked":
        """Return the keystore with its keys at hand; takes as long as its cost says.

        Raises:
            KeyUnlockFailed: Wrong passphrase, or a damaged file.
            KeystoreTampered: Right passphrase, and something was changed.
            KeyMemoryShort: Not enough memory for the file's cost.
        """
        key = derive_key(passphrase, self.file.salt, self.file.cost)
        try:
            master = SecretBox(key).decrypt(self.file.master)
        except CryptoError:
            raise KeyUnlockFailed from None
        if not hmac.compare_digest(_tag(master, self.file), self.file.tag):
            raise KeystoreTampered("the list of keys is not what was written")
        return Unlocked(self, master)


class Unlocked:
    """A keystore with its master key in memory. Adding a key gives a new one."""

    __slots__ = ("_master", "_signers", "keystore")

    def __init__(self, keystore: Keystore, master: bytes) -> None:
        self.keystore = keystore
        self._master = master
        self._signers: dict[str, SoftwareSigner] = {}

    def __repr__(self) -> str:
        """Count the keys; show none."""
        return f"Unlocked({len(self.keystore.entries)} keys)"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: either would carry the master key along."""
        raise TypeError("an unlocked keystore is not pickled")

    def add_ed25519(self, label: KeyLabel, seed: bytes) -> "Unlocked":
        """Return a keystore that also holds the key of `seed`, 32 bytes.

        Raises:
            KeyMalformed: Not 32 bytes.
            KeyEntryRefused: The id is taken, the file is full, or the role is `evm`.
        """
        public = encode_multikey(SoftwareSigner(seed).public_key)
        return self._add(label, "ed25519", public, seed)

    def add_secp256k1(self, label: KeyLabel, secret: bytes, *, address: str) -> "Unlocked":
        """Return a keystore that also holds the account of `secret`, 32 bytes.

        `address` (0x and 40 hexadecimal digits) is taken on trust: this package does no
        arithmetic on that curve.

        Raises:
            KeyEntryRefused: The id is taken, the file is full, the role is not `evm`, or
                the secret or address has another form.
        """
        if len(secret) != SEED_BYTES:
            raise KeyEntryRefused(f"found {len(secret)} bytes, want {SEED_BYTES}")
        return self._add(label, "secp256k1", address, secret)

    def retire(self, key_id: str, retired_id: str) -> "Unlocked":
        """Return a keystore that holds a secp256k1 key under another id.

        Where that id is taken, by the same key from before, the key goes.

        Raises:
            KeyNotFound: No secp256k1 key of that id.
            KeyEntryRefused: `retired_id` is no slug.
        """
        entry = self._entry(key_id, "secp256k1")
        others = tuple(e for e in self.keystore.entries if e is not entry)
        rest = _tagged(replace(self.keystore.file, entries=others), self._master)
        if any(e.label.key_id == retired_id for e in others):
            return rest
        label = replace(entry.label, key_id=retired_id)
        return rest.add_secp256k1(label, self._open(entry), address=entry.public)

    def add_token_key(
        self, label: KeyLabel, public_key: PublicKey, *, token: str
    ) -> "Unlocked":
        """Return a keystore that also names a key whose secret is on a token.

        Raises:
            KeyEntryRefused: The id is taken, the file is full, the role is `evm`, or
                `token` is no label of a token.
        """
        if label.algorithm != "ed25519" or not token:
            raise KeyEntryRefused(f"found role {label.role} on token {token!r}")
        label = replace(label, created_at=label.created_at.replace(microsecond=0))
        return self._with(KeyEntry(label, encode_multikey(public_key), b"", token))

    def signer(self, key_id: str) -> SoftwareSigner:
        """Return the signer of an Ed25519 key.

        Raises:
            KeyNotFound: No Ed25519 key of that id.
            KeyOnToken: The secret is elsewhere.
            KeystoreTampered: The secret is not this key's.
        """
        known = self._signers.get(key_id)
        if known is not None:
            return known
        entry = self._entry(key_id, "ed25519")
        signer = SoftwareSigner(self._open(entry))
        if encode_multikey(signer.public_key) != entry.public:
            raise KeystoreTampered(f"the secret of {key_id} belongs to another key")
        self._signers[key_id] = signer
        return signer

    def secret(self, key_id: str) -> bytes:
        """Return the 32 bytes of a secp256k1 key, for the library that signs with it.

        Raises:
            KeyNotFound: No secp256k1 key of that id.
            KeystoreTampered: The secret is not this key's.
        """
        return self._open(self._entry(key_id, "secp256k1"))

    def seal(self) -> bytes:
        """Return the file to be stored."""
        return self.keystore.file.to_bytes()

    def reread(self, keystore: Keystore) -> "Unlocked":
        """Return `keystore`, read anew from the same file, with its keys at hand.

        So that a process which has the keys also gets those that another one has added.

        Raises:
            KeystoreTampered: It was not written with the same master key.
        """
        if not hmac.compare_digest(_tag(self._master, keystore.file), keystore.file.tag):
            raise KeystoreTampered("the list of keys is not what was written")
        return Unlocked(keystore, self._master)

    def with_passphrase(self, passphrase: bytes, cost: Argon2Cost = MODERATE) -> "Unlocked":
        """Return the same keys under another passphrase; older files keep the old one.

        Raises:
            PassphraseUnusable: Empty or over `MAX_PASSPHRASE_BYTES`.
        """
        return _wrap_master(self._master, passphrase, cost, self.keystore.entries)

    def _add(
        self, label: KeyLabel, algorithm: Algorithm, public: str, secret: bytes
    ) -> "Unlocked":
        if label.algorithm != algorithm:
            raise KeyEntryRefused(f"found {algorithm} for role {label.role}")
        label = replace(label, created_at=label.created_at.replace(microsecond=0))
        unsealed = KeyEntry(label, public, b"")
        box = SecretBox(_subkey(self._master, b"seal"))
        entry = replace(unsealed, sealed=bytes(box.encrypt(_binding(unsealed) + secret)))
        return self._with(entry)

    def _with(self, entry: KeyEntry) -> "Unlocked":
        entries = (*self.keystore.entries, entry)
        return _tagged(replace(self.keystore.file, entries=entries), self._master)

    def _entry(self, key_id: str, algorithm: Algorithm) -> KeyEntry:
        entry = self.keystore.entry(key_id)
        if entry.label.algorithm != algorithm:
            raise KeyNotFound(f"{key_id} is {entry.label.algorithm}, want {algorithm}")
        return entry

    def _open(self, entry: KeyEntry) -> bytes:
        if entry.token:
            raise KeyOnToken(f"{entry.label.key_id} is on the token {entry.token!r}")
        try:
            opened = SecretBox(_subkey(self._master, b"seal")).decrypt(entry.sealed)
        except CryptoError:
            opened = b""
        if not hmac.compare_digest(opened[:BINDING_BYTES], _binding(entry)):
            raise KeystoreTampered(f"the secret of {entry.label.key_id} is not its own")
        return opened[BINDING_BYTES:]


def new_keystore(passphrase: bytes, cost: Argon2Cost = MODERATE) -> Unlocked:
    """Return an empty keystore under a fresh master key.

    Raises:
        PassphraseUnusable: Empty or over `MAX_PASSPHRASE_BYTES`.
    """
    return _wrap_master(random_bytes(MASTER_BYTES), passphrase, cost, ())


def open_keystore(raw: bytes) -> Keystore:
    """Read a key file without its passphrase, to list its keys or to unlock it.

    Raises:
        KeystoreMalformed: Not exactly the bytes that `Unlocked.seal` gives.
        KeystoreCostRefused: It asks for more work than is ever spent.
    """
    return Keystore(parse_key_file(raw))


def _wrap_master(
    master: bytes, passphrase: bytes, cost: Argon2Cost, entries: tuple[KeyEntry, ...]
) -> Unlocked:
    if not 0 < len(passphrase) <= MAX_PASSPHRASE_BYTES:
        raise PassphraseUnusable(
            f"found {len(passphrase)} bytes, want 1 to {MAX_PASSPHRASE_BYTES}"
        )
    salt = random_bytes(SALT_BYTES)
    wrapped = bytes(SecretBox(derive_key(passphrase, salt, cost)).encrypt(master))
    return _tagged(KeyFile(cost, salt, wrapped, entries, b""), master)


def _tagged(file: KeyFile, master: bytes) -> Unlocked:
    return Unlocked(Keystore(replace(file, tag=_tag(master, file))), master)


def derive_key(passphrase: bytes, salt: bytes, cost: Argon2Cost) -> bytes:
    """Return the 32 bytes that a passphrase gives with `salt`, of `SALT_BYTES`.

    Raises:
        KeyUnlockFailed: The passphrase is over `MAX_PASSPHRASE_BYTES`.
        KeyMemoryShort: Not enough memory for the cost.
    """
    if len(passphrase) > MAX_PASSPHRASE_BYTES:
        raise KeyUnlockFailed
    try:
        return pwhash.argon2id.kdf(
            SecretBox.KEY_SIZE,
            passphrase,
            salt,
            opslimit=cost.operations,
            memlimit=cost.memory_bytes,
        )
    except nacl.exceptions.RuntimeError:
        raise KeyMemoryShort(f"want {cost.memory_bytes // 2**20} MiB") from None


def _subkey(master: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(key=master, person=purpose, digest_size=32).digest()


def _tag(master: bytes, file: KeyFile) -> bytes:
    return hashlib.blake2b(
        file.tagged_bytes(), key=_subkey(master, b"tag"), digest_size=TAG_BYTES
    ).digest()


def _binding(entry: KeyEntry) -> bytes:
    """Tie a secret to its label and public half, so that no two can be exchanged."""
    return sha256(canonicalize(entry.head()))
