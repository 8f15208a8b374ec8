"""Where the passphrase of the key store comes from.

`--passphrase-file`, else PATUNAY_PASSPHRASE, else a prompt that does not show it. Never an
option on the command line, where every user of the machine could read it.
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


class PassphraseMissing(Misconfigured):
    """Nobody is there to type the passphrase."""

    code = "passphrase-missing"
    hint = f"use --passphrase-file FILE, or set {VARIABLE}"


def read_passphrase(file: Path | None, *, new: bool = False) -> bytes:
    """Return the passphrase.

    Args:
        file: Its content, without the line end after it; None to look elsewhere.
        new: Whether a prompt asks twice.

    Raises:
        PassphraseUnusable: Empty, or longer than anybody types.
        PassphraseMissing: No file, no variable, and no terminal.
    """
    if file is not None:
        raw = read_file(file, max_bytes=MAX_PASSPHRASE_BYTES + 2)
        passphrase = raw.removesuffix(b"\n").removesuffix(b"\r")
    elif VARIABLE in os.environ:
        passphrase = os.fsencode(os.environ[VARIABLE])
    else:
        passphrase = _ask(new=new).encode(errors="surrogateescape")
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
    if file is None and VARIABLE not in os.environ and not sys.stdin.isatty():
        return None
    return read_passphrase(file)


def _ask(*, new: bool) -> str:
    try:
        with warnings.catch_warnings():
            if not sys.stdin.isatty():
                # A passphrase from a pipe is not typed, so no screen can show it.
                warnings.simplefilter("ignore", GetPassWarning)
            text: str = click.prompt(
                "Passphrase of the new key store" if new else "Passphrase",
                hide_input=True,
                confirmation_prompt="Once more" if new else False,
                err=True,
                default="",
                show_default=False,
            )
    except click.Abort as e:
        if isinstance(e.__context__, EOFError):
            raise PassphraseMissing("found no passphrase") from e
        raise
    return text
