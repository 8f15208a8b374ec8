"""Tokens of SoftHSM, a PKCS#11 module in software, in folders of the tests' own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, ObjectClass

from did.pkcs11_signer import Pkcs11Signer, create_key
from tests.support.components import require

# RFC 8410's id-Ed25519, in DER.
CURVE = bytes.fromhex("06032b6570")

PIN = "correct horse 4711"
SO_PIN = "the officer's 0815"


@dataclass(frozen=True)
class Hsm:
    module: Path
    """SoftHSM's PKCS#11 library."""

    folder: Path
    """Where its tokens lie."""

    def add_token(self, label: str) -> None:
        # In another process, as an operator does it.
        subprocess.run(
            [
                *("softhsm2-util", "--init-token", "--free", "--label", label),
                *("--so-pin", SO_PIN, "--pin", PIN),
            ],
            check=True,
            capture_output=True,
        )
        self.stop()

    def change_pin(self, label: str, new: str) -> None:
        """Change it from another process; those that are logged in stay so."""
        code = (
            "import sys, pkcs11; module, label, officer, new = sys.argv[1:]\n"
            "token = pkcs11.lib(module).get_token(token_label=label)\n"
            "with token.open(rw=True, so_pin=officer) as session: session.init_pin(new)"
        )
        subprocess.run(
            [sys.executable, "-c", code, str(self.module), label, SO_PIN, new], check=True
        )

    @contextmanager
    def writing(self, label: str) -> Iterator[pkcs11.Session]:
        """Give a session that may write, beside those of the code under test."""
        token = pkcs11.lib(str(self.module)).get_token(token_label=label)
        try:
            session = token.open(rw=True, user_pin=PIN)
        except pkcs11.UserAlreadyLoggedIn:
            # The code under test has logged this process in.
            session = token.open(rw=True)
        with session:
            yield session

    @contextmanager
    def onlooker(self, label: str) -> Iterator[pkcs11.Session]:
        """Give a session that logs neither in nor out."""
        token = pkcs11.lib(str(self.module)).get_token(token_label=label)
        with token.open() as session:
            yield session

    def stop(self) -> None:
        """End all sessions, as a device does that loses its power."""
        library = pkcs11.lib(str(self.module))
        library.finalize()

    @contextmanager
    def unplugged(self, label: str) -> Iterator[None]:
        """Take one token away; like `stop`, it ends all sessions."""
        home = next(
            path
            for path in self.folder.iterdir()
            if label.encode() in (path / "token.object").read_bytes()
        )
        away = self.folder.with_name("unplugged")
        self.stop()
        home.rename(away)
        try:
            yield
        finally:
            away.rename(home)


@contextmanager
def running_softhsm(folder: Path) -> Iterator[Hsm]:
    """Give SoftHSM without any token; skips the test where it is missing."""
    module = require("softhsm")
    tokens = folder / "tokens"
    tokens.mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(
        f"directories.tokendir = {tokens}\n"
        "objectstore.backend = file\n"
        "log.level = ERROR\n"
        "slots.removable = false\n"
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setitem(os.environ, "SOFTHSM2_CONF", str(settings))
        hsm = Hsm(module.resolve(), tokens)
        try:
            yield hsm
        finally:
            # The next one reads its own settings when it is initialised.
            hsm.stop()


def make_key(hsm: Hsm, key_label: str = "log") -> bytes:
    return create_key(hsm.module, token_label="node", key_label=key_label, pin=PIN)


def opened(hsm: Hsm, key_label: str = "log", pin: str = PIN) -> Pkcs11Signer:
    return Pkcs11Signer.open(hsm.module, token_label="node", key_label=key_label, pin=pin)


def store_private(
    session: pkcs11.Session, seed: bytes, *, label: str = "log", sign: bool = True
) -> None:
    session.create_object(
        {
            Attribute.CLASS: ObjectClass.PRIVATE_KEY,
            Attribute.KEY_TYPE: KeyType.EC_EDWARDS,
            Attribute.EC_PARAMS: CURVE,
            Attribute.VALUE: seed,
            Attribute.LABEL: label,
            Attribute.SIGN: sign,
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
        }
    )


def store_public(session: pkcs11.Session, point: bytes, label: str = "log") -> None:
    session.create_object(
        {
            Attribute.CLASS: ObjectClass.PUBLIC_KEY,
            Attribute.KEY_TYPE: KeyType.EC_EDWARDS,
            Attribute.EC_PARAMS: CURVE,
            Attribute.EC_POINT: point,
            Attribute.LABEL: label,
            Attribute.VERIFY: True,
            Attribute.TOKEN: True,
            Attribute.PRIVATE: False,
        }
    )


def import_pair(hsm: Hsm, seed: bytes, point: bytes, label: str = "log") -> None:
    with hsm.writing("node") as session:
        store_private(session, seed, label=label)
        store_public(session, point, label)


def destroy(session: pkcs11.Session, kind: ObjectClass, label: str = "log") -> None:
    session.get_key(object_class=kind, label=label).destroy()
