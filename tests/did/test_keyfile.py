import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from did.keyfile import (
    MAX_FILE_BYTES,
    MAX_KEYS,
    Argon2Cost,
    KeyFile,
    KeyLabel,
    Role,
)
from did.keystore import (
    Unlocked,
    _tagged,
    new_keystore,
    open_keystore,
)
from primitives.canonical_json import canonicalize
from primitives.errors import PatunayError
from primitives.strict_json import parse_json

CHEAP = Argon2Cost(1, 8_192)
PASSPHRASE = b"correct horse battery staple"
SEED = bytes(range(32))
SECRET = bytes(range(100, 132))
ADDRESS = "0x" + "aB" * 20
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def label(
    key_id: str = "north-1", role: Role = "credential", issuer: str = "north"
) -> KeyLabel:
    return KeyLabel(key_id, role, issuer, NOW)


@pytest.fixture
def unlocked() -> Unlocked:
    return (
        new_keystore(PASSPHRASE, CHEAP)
        .add_ed25519(label(), SEED)
        .add_secp256k1(label("evm-1", "evm", ""), SECRET, address=ADDRESS)
    )


def change(raw: bytes, *path: str | int, to: Any) -> bytes:
    """Return the file with one member changed, in the spelling that is read."""
    value: Any = parse_json(raw)
    place = value
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return canonicalize(value)


def retagged(unlocked: Unlocked, file: KeyFile) -> Unlocked:
    """Return what somebody could write who has the passphrase, or a fault of ours."""
    return _tagged(file, unlocked._master)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("memory_bytes", 100 * 2**30),
        ("memory_bytes", 2**30 + 1),
        ("memory_bytes", 8_191),
        ("memory_bytes", -1),
        ("operations", 17),
        ("operations", 0),
        ("operations", 2**50),
    ],
)
def test_a_file_cannot_ask_for_a_machine(
    unlocked: Unlocked, name: str, number: int
) -> None:
    with pytest.raises(PatunayError, match=f"found {number}") as caught:
        open_keystore(change(unlocked.seal(), "kdf", name, to=number))
    assert caught.value.code == "keystore-cost-refused"


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("version",), 2),
        (("version",), True),
        (("kdf",), []),
        (("kdf", "name"), "scrypt"),
        (("kdf", "operations"), True),
        (("kdf", "operations"), 1.5),
        (("kdf", "salt"), ""),
        (("kdf", "unknown"), 1),
        (("unknown",), 1),
        (("master",), base64.b64encode(bytes(71)).decode()),
        (("tag",), None),
        (("keys",), {}),
        (("keys", 0), 7),
        (("keys", 0, "id"), "../north"),
        (("keys", 0, "id"), "evm-1"),
        (("keys", 0, "id"), "a" * 65),
        (("keys", 0, "issuer"), "north/south"),
        (("keys", 0, "role"), "root"),
        (("keys", 0, "role"), "evm"),
        (("keys", 0, "algorithm"), "secp256k1"),
        (("keys", 0, "public"), ADDRESS),
        (("keys", 0, "created_at"), "yesterday"),
        (("keys", 0, "created_at"), "2026-11-22T09:00:00+01:00"),
        (("keys", 0, "sealed"), "****"),
        (("keys", 0, "unknown"), 1),
    ],
)
def test_refuses_a_file_of_another_form(
    unlocked: Unlocked, path: tuple[str | int, ...], to: Any
) -> None:
    with pytest.raises(PatunayError) as caught:
        open_keystore(change(unlocked.seal(), *path, to=to))
    assert caught.value.code == "keystore-malformed"


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b"x" * (MAX_FILE_BYTES + 1), b"\xff", b"null"]
)
def test_refuses_what_is_no_key_file(raw: bytes) -> None:
    with pytest.raises(PatunayError) as caught:
        open_keystore(raw)
    assert caught.value.code == "keystore-malformed"


def test_refuses_another_spelling_of_the_same_file(unlocked: Unlocked) -> None:
    for raw in (unlocked.seal() + b"\n", unlocked.seal().replace(b",", b", ", 1)):
        with pytest.raises(PatunayError, match="another spelling"):
            open_keystore(raw)


def test_holds_as_many_keys_as_it_promises() -> None:
    full = new_keystore(PASSPHRASE, CHEAP)
    entry = full.add_ed25519(label(), SEED).keystore.entries[0]
    entries = tuple(
        replace(entry, label=label(f"{number:0>64}", "credential", "i" * 64))
        for number in range(MAX_KEYS)
    )
    full = retagged(full, replace(full.keystore.file, entries=entries))
    assert len(open_keystore(full.seal()).entries) == MAX_KEYS
    with pytest.raises(PatunayError, match=f"found {MAX_KEYS + 1} keys") as caught:
        full.add_ed25519(label("one-more"), SEED)
    assert caught.value.code == "key-entry-refused"
