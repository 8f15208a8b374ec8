"""A stream of messages under a passphrase: nothing of it can be changed, moved or cut off.

    patunay backup 1            16 bytes, with the newline
    cost and salt               4 bytes operations, 8 bytes memory, 16 bytes salt
    header                      24 bytes, of libsodium's secretstream
    length, sealed message      4 bytes and so many more; the last one is tagged as such

The key is argon2id's. Numbers have their highest byte first. Each message is authenticated
with all before it, so a reader that has come to the last one has read what was written.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from nacl import bindings
from nacl.exceptions import RuntimeError as SodiumError
from nacl.utils import random as random_bytes

from did.keyfile import MODERATE, SALT_BYTES, Argon2Cost
from did.keystore import derive_key
from primitives.errors import Malformed, Misconfigured

MAX_MESSAGE_BYTES: Final = 32 << 20
"""Bounds what a reader holds; a row of the largest document stays under it."""

_MAGIC: Final = b"patunay backup 1"
_NUMBERS: Final = (4, 8)
_LENGTH_BYTES: Final = 4
_HEADER_BYTES: Final = bindings.crypto_secretstream_xchacha20poly1305_HEADERBYTES
_EXTRA_BYTES: Final = bindings.crypto_secretstream_xchacha20poly1305_ABYTES
_MESSAGE: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_LAST: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL


class BackupMalformed(Malformed):
    """The file is no backup, or was cut off, changed or damaged."""

    code = "backup-malformed"
    hint = "use another copy of the backup"


class BackupUnlockFailed(Misconfigured):
    """Wrong passphrase, or a damaged beginning: the two cannot be told apart."""

    code = "backup-unlock-failed"
    hint = "give the passphrase that the node had when the backup was made"


class SealedWriter:
    """Writes messages; what is not closed is no backup."""

    def __init__(
        self, file: BinaryIO, passphrase: bytes, cost: Argon2Cost = MODERATE
    ) -> None:
        salt = random_bytes(SALT_BYTES)
        costs = (cost.operations, cost.memory_bytes)
        numbers = b"".join(
            value.to_bytes(size, "big") for value, size in zip(costs, _NUMBERS, strict=True)
        )
        self._file = file
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        header = bindings.crypto_secretstream_xchacha20poly1305_init_push(
            self._state, derive_key(passphrase, salt, cost)
        )
        file.write(_MAGIC + numbers + salt + header)

    def write(self, message: bytes) -> None:
        """Add a message."""
        self._push(message, _MESSAGE)

    def close(self) -> None:
        """Add the end; the file itself stays open."""
        self._push(b"", _LAST)

    def _push(self, message: bytes, tag: int) -> None:
        if len(message) > MAX_MESSAGE_BYTES:
            raise BackupMalformed(f"found {len(message)} bytes in one message")
        sealed = bindings.crypto_secretstream_xchacha20poly1305_push(
            self._state, message, None, tag
        )
        self._file.write(len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed)


def read_sealed(file: BinaryIO, passphrase: bytes) -> Iterator[bytes]:
    """Yield the messages; ends after the last one, or raises.

    Raises:
        BackupUnlockFailed: The first message does not open.
        BackupMalformed: Another one does not, or the end is missing.
        KeystoreCostRefused: The file asks for more work than is ever spent.
    """
    if _take(file, len(_MAGIC)) != _MAGIC:
        raise BackupMalformed("found no backup of this version")
    operations, memory = (int.from_bytes(_take(file, size), "big") for size in _NUMBERS)
    key = derive_key(passphrase, _take(file, SALT_BYTES), Argon2Cost(operations, memory))
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(
        state, _take(file, _HEADER_BYTES), key
    )
    tag, is_first = _MESSAGE, True
    while tag != _LAST:
        length = int.from_bytes(_take(file, _LENGTH_BYTES), "big")
        if not _EXTRA_BYTES <= length <= MAX_MESSAGE_BYTES + _EXTRA_BYTES:
            raise BackupMalformed(f"found a message of {length} bytes")
        sealed = _take(file, length)
        try:
            message, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(
                state, sealed, None
            )
        except SodiumError:
            if is_first:
                raise BackupUnlockFailed("the passphrase opens no message") from None
            raise BackupMalformed("a message is not what was written") from None
        is_first = False
        if tag == _MESSAGE:
            yield message
    if file.read(1):
        raise BackupMalformed("found more after the end")


def _take(file: BinaryIO, size: int) -> bytes:
    found = file.read(size)
    if len(found) != size:
        raise BackupMalformed("the end is missing")
    return found
