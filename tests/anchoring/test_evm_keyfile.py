import json
from typing import Any

import pytest

from anchoring.evm_keyfile import (
    AccountFileLocked,
    AccountFileMalformed,
    open_account,
    seal_account,
)

# The test vectors of the Web3 Secret Storage Definition, version 3: one key, two kdfs.
SECRET = bytes.fromhex("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d")
ADDRESS = "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b"
PASSPHRASE = "testpassword"
PBKDF2: dict[str, Any] = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}
CHEAP = 1 << 10


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def changed(**crypto: Any) -> bytes:
    return encoded({**PBKDF2, "crypto": {**PBKDF2["crypto"], **crypto}})


def test_the_published_file_opens() -> None:
    found = open_account(encoded(PBKDF2), PASSPHRASE)
    assert (found.secret, found.address) == (SECRET, ADDRESS)
    assert SECRET.hex() not in repr(found)


def test_what_is_sealed_opens_with_its_passphrase_and_no_other() -> None:
    raw = seal_account(SECRET, "pässword", work=CHEAP)
    assert open_account(raw, "pässword").secret == SECRET
    written = json.loads(raw)
    assert (written["version"], written["crypto"]["kdf"]) == (3, "scrypt")
    assert SECRET.hex() not in raw.decode()
    with pytest.raises(AccountFileLocked):
        open_account(raw, "password")
    assert seal_account(SECRET, "pässword", work=CHEAP) != raw


@pytest.mark.parametrize(
    "raw",
    [
        encoded({**PBKDF2, "version": 4}),
        encoded({**PBKDF2, "crypto": 1}),
        encoded({**PBKDF2, "address": "00" * 20}),
        changed(cipher="aes-256-ctr"),
        changed(kdf="argon2id"),
        changed(kdfparams={**PBKDF2["crypto"]["kdfparams"], "c": 10**7 + 1}),
        changed(kdfparams={**PBKDF2["crypto"]["kdfparams"], "c": "1"}),
        changed(kdfparams={**PBKDF2["crypto"]["kdfparams"], "dklen": 64}),
        changed(kdfparams={**PBKDF2["crypto"]["kdfparams"], "prf": "hmac-md5"}),
        changed(kdf="scrypt", kdfparams={"n": 2**21, "r": 8, "p": 1, "dklen": 32}),
        changed(kdf="scrypt", kdfparams={"n": 2**10, "r": 8, "p": 17, "dklen": 32}),
        changed(kdf="scrypt", kdfparams={"n": 1000, "r": 8, "p": 1, "dklen": 32}),
    ],
)
def test_another_form_or_too_much_work_is_refused(raw: bytes) -> None:
    with pytest.raises(AccountFileMalformed) as refused:
        open_account(raw, PASSPHRASE)
    assert refused.value.code == "account-file-malformed"


@pytest.mark.parametrize("name", ["ciphertext", "mac"])
def test_a_changed_byte_is_noticed(name: str) -> None:
    bad = "00" + PBKDF2["crypto"][name][2:]
    with pytest.raises(AccountFileLocked) as locked:
        open_account(changed(**{name: bad}), PASSPHRASE)
    assert locked.value.code == "account-file-locked"
