import base64
import copy
import pickle
import resource
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import nacl.pwhash
import nacl.secret
import pytest

from did.keyfile import (
    MODERATE,
    Argon2Cost,
    KeyEntryRefused,
    KeyFile,
    KeyLabel,
    Role,
)
from did.keystore import (
    MAX_PASSPHRASE_BYTES,
    KeyOnToken,
    Keystore,
    KeystoreTampered,
    KeyUnlockFailed,
    Unlocked,
    _tagged,
    new_keystore,
    open_keystore,
)
from did.multikey import encode_multikey
from primitives.canonical_json import canonicalize
from primitives.ed25519 import SoftwareSigner
from primitives.errors import Misconfigured, PatunayError
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


def test_keys_come_back_after_a_restart(unlocked: Unlocked) -> None:
    again = open_keystore(unlocked.seal()).unlock(PASSPHRASE)
    assert again.signer("north-1").sign(b"m") == SoftwareSigner(SEED).sign(b"m")
    assert again.secret("evm-1") == SECRET
    assert again.seal() == unlocked.seal()


def test_keys_are_listed_without_the_passphrase(unlocked: Unlocked) -> None:
    first, second = open_keystore(unlocked.seal()).entries
    assert first.head() == {
        "id": "north-1",
        "role": "credential",
        "issuer": "north",
        "algorithm": "ed25519",
        "public": encode_multikey(SoftwareSigner(SEED).public_key),
        "created_at": "2026-11-22T08:00:00Z",
    }
    assert second.public == ADDRESS
    assert second.label == label("evm-1", "evm", "")
    assert open_keystore(unlocked.seal()).entry("evm-1") == second


def test_the_master_key_is_where_argon2id_says(unlocked: Unlocked) -> None:
    value: Any = parse_json(unlocked.seal())
    assert value["kdf"]["name"] == "argon2id"
    key = nacl.pwhash.argon2id.kdf(
        32,
        PASSPHRASE,
        base64.b64decode(value["kdf"]["salt"]),
        opslimit=value["kdf"]["operations"],
        memlimit=value["kdf"]["memory_bytes"],
    )
    master = nacl.secret.SecretBox(key).decrypt(base64.b64decode(value["master"]))
    assert master == unlocked._master


def test_a_key_is_moderately_dear_to_guess_unless_said_otherwise() -> None:
    assert Argon2Cost(3, 256 * 2**20) == MODERATE
    assert new_keystore.__defaults__ == (MODERATE,)


@pytest.mark.parametrize(
    "wrong", [b"", b"x", PASSPHRASE + b"\n", PASSPHRASE[:-1], b"x" * 9_999]
)
def test_a_wrong_passphrase_always_reads_the_same(unlocked: Unlocked, wrong: bytes) -> None:
    with pytest.raises(Misconfigured) as caught:
        open_keystore(unlocked.seal()).unlock(wrong)
    assert caught.value.code == "key-unlock-failed"
    assert str(caught.value) == "the passphrase does not open this key file"
    assert caught.value.hint


def test_every_flipped_bit_is_refused() -> None:
    raw = new_keystore(PASSPHRASE, CHEAP).add_ed25519(label(), SEED).seal()
    codes: set[str] = set()
    for position in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(PatunayError) as caught:
            open_keystore(bytes(changed)).unlock(PASSPHRASE)
        codes.add(caught.value.code)
    assert codes == {
        "keystore-malformed",
        "keystore-cost-refused",
        "key-unlock-failed",
        "keystore-tampered",
    }


def test_every_truncation_is_refused(unlocked: Unlocked) -> None:
    raw = unlocked.seal()
    for size in range(len(raw)):
        with pytest.raises(PatunayError) as caught:
            open_keystore(raw[:size])
        assert caught.value.code == "keystore-malformed"


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("keys", 0, "id"), "north-2"),
        (("keys", 0, "role"), "status"),
        (("keys", 0, "issuer"), "south"),
        (("keys", 0, "created_at"), "2026-11-22T08:00:01Z"),
        (("keys", 0, "public"), encode_multikey(SoftwareSigner(b"\2" * 32).public_key)),
        (("keys", 1, "public"), "0x" + "00" * 20),
        (("keys", 1, "sealed"), base64.b64encode(bytes(104)).decode()),
        (("keys",), []),
        (("tag",), base64.b64encode(bytes(32)).decode()),
    ],
)
def test_a_changed_list_is_refused(
    unlocked: Unlocked, path: tuple[str | int, ...], to: Any
) -> None:
    raw = change(unlocked.seal(), *path, to=to)
    with pytest.raises(Misconfigured) as caught:
        open_keystore(raw).unlock(PASSPHRASE)
    assert caught.value.code == "keystore-tampered"
    assert caught.value.hint


def test_a_removed_or_moved_key_is_refused(unlocked: Unlocked) -> None:
    file = unlocked.keystore.file
    for entries in (file.entries[:1], file.entries[::-1]):
        with pytest.raises(KeystoreTampered):
            open_keystore(replace(file, entries=entries).to_bytes()).unlock(PASSPHRASE)


def test_a_secret_opens_under_its_own_label_alone(unlocked: Unlocked) -> None:
    both = unlocked.add_ed25519(label("log-1", "log", ""), b"\2" * 32)
    north, evm, log = both.keystore.entries
    for entry, other in ((north, log), (evm, north)):
        swapped = replace(entry, sealed=other.sealed)
        again = retagged(both, replace(both.keystore.file, entries=(swapped,)))
        with pytest.raises(KeystoreTampered, match="is not its own"):
            again.signer("north-1") if entry is north else again.secret("evm-1")


def test_a_secret_that_was_sealed_elsewhere_is_refused(unlocked: Unlocked) -> None:
    stranger = new_keystore(PASSPHRASE, CHEAP).add_ed25519(label(), SEED)
    file = replace(unlocked.keystore.file, entries=stranger.keystore.entries)
    with pytest.raises(KeystoreTampered, match="is not its own"):
        retagged(unlocked, file).signer("north-1")


def test_a_secret_under_another_role_or_name_is_refused(unlocked: Unlocked) -> None:
    entry = unlocked.keystore.entries[0]
    for relabelled in (label("north-1", "status"), label("north-1", issuer="south")):
        file = replace(unlocked.keystore.file, entries=(replace(entry, label=relabelled),))
        with pytest.raises(KeystoreTampered):
            retagged(unlocked, file).signer("north-1")


def test_a_public_half_that_is_not_the_seeds_is_refused(unlocked: Unlocked) -> None:
    # As if the file had been written by a version that mixed two keys up.
    public = encode_multikey(SoftwareSigner(b"\2" * 32).public_key)
    mixed = unlocked._add(label("mixed"), "ed25519", public, SEED)
    with pytest.raises(KeystoreTampered, match="belongs to another key"):
        mixed.signer("mixed")


def test_no_secret_shows_in_any_text(unlocked: Unlocked) -> None:
    keystore = unlocked.keystore
    texts = [repr(unlocked), str(unlocked), repr(keystore), repr(keystore.entries)]
    texts += [repr(unlocked.signer("north-1")), unlocked.seal().decode()]
    texts += [repr(pickle.dumps(keystore))]
    for attempt in (
        lambda: keystore.unlock(b"canary"),
        lambda: unlocked.signer("evm-1"),
        lambda: unlocked.add_ed25519(label(), SEED),
        lambda: unlocked.add_secp256k1(label("x", "evm"), SECRET + b"x", address=ADDRESS),
    ):
        with pytest.raises(PatunayError) as caught:
            attempt()
        texts += [repr(caught.value), str(caught.value), repr(caught.value.__cause__)]
    for secret in (SEED, SECRET, unlocked._master, PASSPHRASE, b"canary"):
        for spelling in (
            secret.hex(),
            base64.b64encode(secret).decode(),
            repr(secret)[2:-1],
        ):
            assert not any(spelling in text for text in texts)
    assert "sealed" not in repr(keystore)
    assert "salt" not in repr(keystore)


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_an_unlocked_keystore_is_not_carried_away(unlocked: Unlocked, take: Any) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        take(unlocked)


def test_a_locked_keystore_may_be_carried_away(unlocked: Unlocked) -> None:
    assert pickle.loads(pickle.dumps(unlocked.keystore)) == unlocked.keystore


def test_adding_a_key_leaves_the_others_as_they_were(unlocked: Unlocked) -> None:
    more = unlocked.add_ed25519(label("log-1", "log", ""), b"\3" * 32)
    assert more.keystore.entries[:2] == unlocked.keystore.entries
    assert len(unlocked.keystore.entries) == 2


def test_one_seed_is_never_sealed_alike_twice() -> None:
    files = [new_keystore(PASSPHRASE, CHEAP).add_ed25519(label(), SEED) for _ in range(2)]
    one, two = (unlocked.keystore.file for unlocked in files)
    assert one.salt != two.salt
    assert one.master != two.master
    assert one.entries[0].sealed != two.entries[0].sealed


def test_a_new_passphrase_replaces_the_old_one(unlocked: Unlocked) -> None:
    raw = unlocked.with_passphrase(b"new", Argon2Cost(2, 16_384)).seal()
    assert open_keystore(raw).unlock(b"new").secret("evm-1") == SECRET
    with pytest.raises(KeyUnlockFailed):
        open_keystore(raw).unlock(PASSPHRASE)


@pytest.mark.parametrize("passphrase", [b"", b"x" * (MAX_PASSPHRASE_BYTES + 1)])
def test_refuses_a_passphrase_that_protects_nothing(passphrase: bytes) -> None:
    with pytest.raises(Misconfigured, match=f"found {len(passphrase)} bytes") as caught:
        new_keystore(passphrase, CHEAP)
    assert caught.value.code == "key-passphrase-unusable"


@pytest.mark.parametrize(
    ("role", "secret", "address", "reason"),
    [
        ("evm", SECRET[:-1], ADDRESS, "found 31 bytes, want 32"),
        ("evm", SECRET, "0x00", "found public '0x00'"),
        ("log", SECRET, ADDRESS, "found secp256k1 for role log"),
    ],
)
def test_refuses_an_account_of_another_form(
    unlocked: Unlocked, role: Role, secret: bytes, address: str, reason: str
) -> None:
    with pytest.raises(Misconfigured, match=reason) as caught:
        unlocked.add_secp256k1(label("new", role), secret, address=address)
    assert caught.value.code == "key-entry-refused"


def test_refuses_an_ed25519_key_for_the_chain(unlocked: Unlocked) -> None:
    with pytest.raises(Misconfigured, match="found ed25519 for role evm"):
        unlocked.add_ed25519(label("new", "evm"), SEED)


def test_refuses_an_id_that_is_taken(unlocked: Unlocked) -> None:
    with pytest.raises(Misconfigured, match="north-1 is taken"):
        unlocked.add_ed25519(label(role="status"), SEED)


@pytest.mark.parametrize("key_id", ["north-2", "evm-1"])
def test_names_a_key_that_is_not_there(unlocked: Unlocked, key_id: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        unlocked.signer(key_id)
    assert caught.value.code == "key-not-found"
    with pytest.raises(Misconfigured):
        unlocked.secret("north-1")


def test_writes_times_in_utc_and_whole_seconds() -> None:
    manila = timezone(timedelta(hours=8))
    local = datetime(2026, 11, 22, 16, 0, 0, 999, tzinfo=manila)
    added = new_keystore(PASSPHRASE, CHEAP).add_ed25519(
        KeyLabel("k", "log", "", local), SEED
    )
    assert open_keystore(added.seal()).entry("k").label.created_at == NOW


def test_a_machine_with_little_memory_says_so() -> None:
    code = (
        "from did.keystore import new_keystore, KeyMemoryShort\n"
        "try:\n    new_keystore(b'x')\n"
        "except KeyMemoryShort as e:\n    print(e.code, e)\n"
    )
    limit = 200 * 2**20
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.stdout == "key-memory-short want 256 MiB\n"


def test_a_keystore_equals_its_file(unlocked: Unlocked) -> None:
    assert open_keystore(unlocked.seal()) == Keystore(unlocked.keystore.file)


def test_a_key_on_a_token_is_named_and_its_secret_is_elsewhere() -> None:
    public = SoftwareSigner(bytes(32)).public_key
    named = label("law.credential", "credential", "law")
    keys = new_keystore(b"words", CHEAP).add_token_key(named, public, token="node")
    again = open_keystore(keys.seal()).unlock(b"words")
    assert again.seal() == keys.seal()
    (entry,) = again.keystore.entries
    assert (entry.token, entry.sealed) == ("node", b"")
    with pytest.raises(KeyOnToken):
        again.signer("law.credential")
    for token in ("", "\n", " node", "x" * 33):
        with pytest.raises(KeyEntryRefused):
            keys.add_token_key(replace(named, key_id="b"), public, token=token)
    account = KeyLabel("evm", "evm", "", NOW)
    with pytest.raises(KeyEntryRefused):
        keys.add_token_key(account, public, token="node")
    # The tag covers it: nobody sends the node to another token.
    moved = keys.seal().replace(b'"token":"node"', b'"token":"evil"')
    with pytest.raises(KeystoreTampered):
        open_keystore(moved).unlock(b"words")
