"""The node's keys on a PKCS#11 token: made there, and used through it.

The key file names each of them, with its public half; the token has the rest. A key's label
on the token is the node's domain and the key's id, so several nodes can share a token.
"""

import os
from pathlib import Path
from typing import Final

from did.keyfile import KeyEntry
from did.multikey import encode_multikey
from did.pkcs11_signer import HsmKeyMissing, Pkcs11Signer, create_key
from node.config_tables import HsmConfig
from primitives.ed25519 import PublicKey, Signer
from primitives.errors import Misconfigured

PIN_VARIABLE: Final = "PATUNAY_HSM_PIN"

MAX_PIN_BYTES: Final = 255
"""More than any token takes."""

_OTHERS: Final = 0o077


class HsmNotConfigured(Misconfigured):
    """A key is, or is to be, on a token that the configuration does not name."""

    code = "hsm-not-configured"
    hint = "set module and token under [hsm] in patunay.toml; see docs/hsm.md"


class HsmPinMissing(Misconfigured):
    """No usable PIN: not set, not readable, or readable by others."""

    code = "hsm-pin-missing"
    hint = f"set hsm.pin_file, with mode 0600, or the variable {PIN_VARIABLE}"


class TokenKeys:
    """Signers of one node's keys, each opened once. Not to be used after `close`."""

    def __init__(self, config: HsmConfig, root: Path, domain: str) -> None:
        """Take the settings; the token is not touched before a key is asked for."""
        self._config = config
        self._root = root
        self._domain = domain
        self._open: dict[str, Pkcs11Signer] = {}

    def create(self, key_id: str) -> PublicKey:
        """Make a key on the token, which will not give its private half out.

        Raises:
            HsmNotConfigured: There is no token.
            HsmPinMissing: No PIN for it.
            PatunayError: As `create_key`.
        """
        return create_key(
            self._module(),
            token_label=self._config.token,
            key_label=self._label(key_id),
            pin=self._pin(),
        )

    def signer(self, entry: KeyEntry) -> Signer:
        """Return the signer of a key that the key file says is on a token.

        Raises:
            HsmNotConfigured: The configuration names no token, or another one.
            HsmPinMissing: No PIN for it.
            HsmKeyMissing: The token's key of that label is another one.
            PatunayError: As `Pkcs11Signer.open`.
        """
        key_id = entry.label.key_id
        if key_id not in self._open:
            if entry.token != self._config.token:
                found = f"found hsm.token {self._config.token!r}"
                raise HsmNotConfigured(f"{found}, want {entry.token!r} for {key_id}")
            signer = Pkcs11Signer.open(
                self._module(),
                token_label=entry.token,
                key_label=self._label(key_id),
                pin=self._pin(),
            )
            if encode_multikey(signer.public_key) != entry.public:
                signer.close()
                raise HsmKeyMissing(f"the token's key {key_id} is not the node's")
            self._open[key_id] = signer
        return self._open[key_id]

    def close(self) -> None:
        """Log out, once no other node of this process uses the token."""
        while self._open:
            self._open.popitem()[1].close()

    def _label(self, key_id: str) -> str:
        return f"{self._domain} {key_id}"

    def _module(self) -> Path:
        if not self._config.module:
            raise HsmNotConfigured("found no hsm.module, want the token's library")
        return Path(self._config.module)

    def _pin(self) -> str:
        if not self._config.pin_file:
            pin = os.environ.get(PIN_VARIABLE, "")
        else:
            file = self._root / self._config.pin_file
            try:
                if file.stat().st_mode & _OTHERS:
                    raise HsmPinMissing(
                        f"{file.name} can be read by others, want mode 0600"
                    )
                with file.open("rb") as opened:
                    raw = opened.read(MAX_PIN_BYTES + 2)
                pin = raw.removesuffix(b"\n").removesuffix(b"\r").decode()
            except (OSError, UnicodeDecodeError) as e:
                raise HsmPinMissing(f"cannot read {file.name}: {e}") from e
        if not 0 < len(pin.encode()) <= MAX_PIN_BYTES:
            raise HsmPinMissing(f"found a PIN of {len(pin)} characters")
        return pin
