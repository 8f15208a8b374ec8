import io

import pytest

from did.keyfile import KeystoreCostRefused
from node.sealed_stream import (
    BackupMalformed,
    BackupUnlockFailed,
    SealedWriter,
    read_sealed,
)
from tests.support.nodes import CHEAP

MESSAGES = [b"one", b"", b"three" * 20_000]
HEAD = 16 + 4 + 8 + 16 + 24


def sealed(messages: list[bytes] = MESSAGES, *, close: bool = True) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, b"secret", CHEAP)
    for message in messages:
        writer.write(message)
    if close:
        writer.close()
    return file.getvalue()


def read(raw: bytes, passphrase: bytes = b"secret") -> list[bytes]:
    return list(read_sealed(io.BytesIO(raw), passphrase))


def test_what_was_written_is_read() -> None:
    assert read(sealed()) == MESSAGES
    assert read(sealed([])) == []


def test_equal_messages_are_sealed_differently_each_time() -> None:
    assert sealed() != sealed()
    assert b"three" not in sealed()


def test_a_wrong_passphrase_opens_nothing() -> None:
    with pytest.raises(BackupUnlockFailed) as caught:
        read(sealed(), b"another")
    assert caught.value.code == "backup-unlock-failed"


@pytest.mark.parametrize("cut", [0, 10, HEAD - 1, HEAD, HEAD + 3, -1, -21])
def test_a_file_that_was_cut_off_is_told(cut: int) -> None:
    with pytest.raises(BackupMalformed) as caught:
        read(sealed()[:cut])
    assert caught.value.code == "backup-malformed"


def test_a_file_without_its_end_is_told_though_every_message_is_whole() -> None:
    with pytest.raises(BackupMalformed, match="the end is missing"):
        read(sealed(close=False))


def test_no_byte_after_the_head_can_be_changed() -> None:
    raw = sealed([b"one", b"two"])
    for at in range(HEAD, len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 1
        with pytest.raises((BackupMalformed, BackupUnlockFailed)):
            read(bytes(changed))


def test_messages_cannot_change_places() -> None:
    raw = sealed([b"one", b"two", b"end"])
    size = 4 + 3 + 17
    first, second = (raw[HEAD + n * size : HEAD + (n + 1) * size] for n in (0, 1))
    swapped = raw[:HEAD] + second + first + raw[HEAD + 2 * size :]
    with pytest.raises((BackupMalformed, BackupUnlockFailed)):
        read(swapped)


def test_nothing_may_follow_the_end() -> None:
    with pytest.raises(BackupMalformed, match="more after the end"):
        read(sealed() + b"x")


def test_a_file_cannot_ask_for_all_the_memory() -> None:
    raw = bytearray(sealed())
    raw[20:28] = (1 << 40).to_bytes(8, "big")
    with pytest.raises(KeystoreCostRefused):
        read(bytes(raw))
