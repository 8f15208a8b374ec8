"""Where the passphrase of the key store comes from.

`--passphrase-file`, else the file that PATUNAY_PASSPHRASE_FILE names, else
PATUNAY_PASSPHRASE, else a prompt that does not show it. Never an option on the command
line, where every user of the machine could read it.
"""

import os
import sys
import warnings
from getpass import GetPassWarning
from pathlib import Path
from typing import Final

import click

from cli.files import read_file
from did.keystore import MAX_PASSPHRASE_BYTES, PassphraseUnusable
from primitives.errors import Misconfigured

VARIABLE: Final = "PATUNAY_PASSPHRASE"
ACCOUNT_VARIABLE: Final = "PATUNAY_ACCOUNT_PASSPHRASE"


class PassphraseMissing(Misconfigured):
    """Nobody is there to type the passphrase."""

    code = "passphrase-missing"
    hint = f"use --passphrase-file FILE, or set {VARIABLE}"


def read_account_passphrase(file: Path | None, *, new: bool = False) -> str:
    """Return the passphrase of an Ethereum key file, which other tools type as text.

    Raises:
        PassphraseUnusable: As `read_passphrase`, or it is not UTF-8.
        PassphraseMissing: No file, no variable, and no terminal.
    """
    raw = read_passphrase(
        file, new=new, variable=ACCOUNT_VARIABLE, words="Passphrase of the account's file"
    )
    try:
        return raw.decode()
    except UnicodeDecodeError as e:
        raise PassphraseUnusable(f"found byte {e.start} that is not UTF-8") from e


def read_passphrase(
    file: Path | None, *, new: bool = False, variable: str = VARIABLE, words: str = ""
) -> bytes:
    """Return the passphrase.

    Args:
        file: Its content, without the line end after it; None to look elsewhere.
        new: Whether a prompt asks twice.
        variable: Of the environment, where it may stand.
        words: The prompt, where it is for something else than the key store.

    Raises:
        PassphraseUnusable: Empty, or longer than anybody types.
        PassphraseMissing: No file, no variable, and no terminal.
    """
    file = file or named_file(variable)
    if file is not None:
        raw = read_file(file, max_bytes=MAX_PASSPHRASE_BYTES + 2)
        passphrase = raw.removesuffix(b"\n").removesuffix(b"\r")
    elif variable in os.environ:
        passphrase = os.fsencode(os.environ[variable])
    else:
        words = words or ("Passphrase of the new key store" if new else "Passphrase")
        passphrase = _ask(words, variable, new=new).encode(errors="surrogateescape")
    if not 0 < len(passphrase) <= MAX_PASSPHRASE_BYTES:
        raise PassphraseUnusable(
            f"found a passphrase of {len(passphrase)} bytes,"
            f" want 1 to {MAX_PASSPHRASE_BYTES}",
            hint="choose several words that nobody else would put together",
        )
    return passphrase


def find_passphrase(file: Path | None) -> bytes | None:
    """Return the passphrase as `read_passphrase`; None where nobody can type one.

    Raises:
        PassphraseUnusable: Empty, or longer than anybody types.
    """
    if sys.stdin.isatty():
        return read_passphrase(file)
    return given_passphrase(file)


def given_passphrase(file: Path | None) -> bytes | None:
    """Return the passphrase that a file or a variable gives; asks nobody.

    Raises:
        PassphraseUnusable: Empty, or longer than anybody types.
    """
    given = file is not None or VARIABLE in os.environ or named_file(VARIABLE) is not None
    return read_passphrase(file) if given else None


def named_file(variable: str) -> Path | None:
    """Return the file that holds what `variable` would, if one is named: `…_FILE`."""
    name = os.environ.get(f"{variable}_FILE")
    return Path(name) if name else None


def _ask(words: str, variable: str, *, new: bool) -> str:
    try:
        with warnings.catch_warnings():
            if not sys.stdin.isatty():
                # A passphrase from a pipe is not typed, so no screen can show it.
                warnings.simplefilter("ignore", GetPassWarning)
            text: str = click.prompt(
                words,
                hide_input=True,
                confirmation_prompt="Once more" if new else False,
                err=True,
                default="",
                show_default=False,
            )
    except click.Abort as e:
        if isinstance(e.__context__, EOFError):
            option = "" if variable == VARIABLE else "account-"
            raise PassphraseMissing(
                "found no passphrase",
                hint=f"use --{option}passphrase-file FILE, or set {variable}",
            ) from e
        raise
    return text
