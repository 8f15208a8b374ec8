"""The account that pays, as the encrypted key file that Ethereum's tools exchange.

The form is version 3 of the Web3 Secret Storage Definition:
<https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/>.
"""

import json
from dataclasses import dataclass, field
from typing import Final

from eth_account import Account

from primitives.canonical_json import Json, JsonObject
from primitives.errors import Malformed, Misconfigured
from primitives.strict_json import parse_json_object

MAX_KEYFILE_BYTES: Final = 16 * 1024

_VERSION: Final = 3
_SCRYPT_MEMORY: Final = 1 << 30
"""Bytes. Tools write 256 MiB; a file that asks for more attacks the machine."""

_MAX_PARALLEL: Final = 16
_MAX_ITERATIONS: Final = 10_000_000
_KEY_BYTES: Final = 32


class AccountFileMalformed(Malformed):
    """The file is no version 3 key file of an account that can be opened here."""

    code = "account-file-malformed"


class AccountFileLocked(Misconfigured):
    """Wrong passphrase, or a damaged file: the two cannot be told apart."""

    code = "account-file-locked"
    hint = "check the passphrase of that file, which is not that of the node"


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account that can pay."""

    address: str
    """0x-prefixed and checksummed."""

    secret: bytes = field(repr=False)
    """Its private key, 32 bytes."""


def seal_account(secret: bytes, passphrase: str, *, work: int = 1 << 18) -> bytes:
    """Return the key file of an account.

    Args:
        secret: Its private key, 32 bytes.
        passphrase: Opens the file.
        work: N of scrypt, a power of two; what is taken for none takes 256 MiB.
    """
    sealed = Account.encrypt(secret, passphrase, kdf="scrypt", iterations=work)
    return json.dumps(sealed, indent=2).encode() + b"\n"


def open_account(raw: bytes, passphrase: str) -> AccountKey:
    """Return the account in a key file.

    Raises:
        AccountFileMalformed: Another form, or it asks for too much work.
        AccountFileLocked: The passphrase does not open it.
        JsonMalformed: Not a JSON object.
    """
    value = parse_json_object(raw, MAX_KEYFILE_BYTES)
    _require_form(value)
    try:
        secret = bytes(Account.decrypt(value, passphrase))
        account = Account.from_key(secret)
    except (ValueError, TypeError, KeyError) as e:
        # The library says the same by one type for a wrong passphrase and for bad hex.
        raise AccountFileLocked("the passphrase does not open this file") from e
    named = value.get("address")
    plain = str(named).lower().removeprefix("0x")
    if named is not None and plain != account.address[2:].lower():
        raise AccountFileMalformed(f"found the key of {account.address}, want {plain[:40]}")
    return AccountKey(account.address, secret)


def _require_form(value: JsonObject) -> None:
    if value.get("version") != _VERSION:
        raise AccountFileMalformed(
            f"found version {value.get('version')!r:.16}, want {_VERSION}"
        )
    crypto = _object(value.get("crypto", value.get("Crypto")), "crypto")
    if crypto.get("cipher") != "aes-128-ctr":
        raise AccountFileMalformed("found another cipher, want aes-128-ctr")
    _object(crypto.get("cipherparams"), "cipherparams")
    given = _object(crypto.get("kdfparams"), "kdfparams")
    kdf = crypto.get("kdf")
    if kdf == "scrypt":
        n, r, p = (_number(given, name) for name in "nrp")
        costly = 128 * n * r > _SCRYPT_MEMORY or p > _MAX_PARALLEL or n & (n - 1) != 0
    elif kdf == "pbkdf2" and given.get("prf") == "hmac-sha256":
        costly = _number(given, "c") > _MAX_ITERATIONS
    else:
        raise AccountFileMalformed("found another kdf, want scrypt or pbkdf2")
    if costly or given.get("dklen") != _KEY_BYTES:
        raise AccountFileMalformed("found kdfparams that ask for another size or too much")


def _object(value: Json, name: str) -> JsonObject:
    if not isinstance(value, dict):
        raise AccountFileMalformed(f"found no {name}, want an object")
    return value


def _number(table: JsonObject, name: str) -> int:
    value = table.get(name)
    if type(value) is not int or value < 1:
        raise AccountFileMalformed(f"found {name} {value!r:.24}, want a number from 1")
    return value
