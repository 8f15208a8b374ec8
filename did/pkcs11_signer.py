"""A signer whose private key lies on a PKCS#11 token and never leaves it.

Needs the extra `hsm`. Cryptoki, the interface of PKCS#11, knows one login for each process
and token, and python-pkcs11 initialises it for one thread at a time. So the signers of one
token share its session, and one lock guards every call.

Trusted: the module, which is native code inside this process, and the token. Whoever has
the PIN can sign. Sessions do not survive a fork.
"""

import hmac
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, NoReturn, Self

from primitives.ed25519 import (
    PUBLIC_KEY_BYTES,
    KeyMalformed,
    KeyRefused,
    PublicKey,
    Signature,
    SignatureRejected,
    check_public_key,
    verify_signature,
)
from primitives.errors import Misconfigured, Undetermined

if TYPE_CHECKING:
    import pkcs11

# RFC 8410's id-Ed25519, 1.3.101.112, in DER.
_ED25519_PARAMETERS = bytes.fromhex("06032b6570")

# DER: an octet string of 32 bytes.
_WRAPPED = bytes([0x04, PUBLIC_KEY_BYTES])

_KEY_ID_BYTES = 16

_TRIAL = b"patunay: a trial signature, which says nothing"
"""Signed when a key is opened. No credential, checkpoint or other document looks so."""


class HsmUnavailable(Undetermined):
    """The module, the token or the device gave no usable answer."""

    code = "hsm-unavailable"
    hint = "see that the module is installed and the token is there, then try again"


class HsmKeyMissing(Misconfigured):
    """The token holds no single, usable Ed25519 key pair of this label."""

    code = "hsm-key-missing"
    hint = "list the token's objects; docs/hsm.md shows how to make a key"


class HsmKeyExists(Misconfigured):
    """A new key would share its label with an object that is there."""

    code = "hsm-key-exists"
    hint = "choose another label; a key is never replaced"


class HsmPinRefused(Misconfigured):
    """The token does not take this PIN, or no PIN any more."""

    code = "hsm-pin-refused"
    hint = "check the PIN before you try again: a token locks itself after a few failures"


class HsmLibraryMissing(Misconfigured):
    """python-pkcs11 is not installed."""

    code = "hsm-library-missing"
    hint = "install Patunay with its extra `hsm`: pip install 'patunay[hsm]'"


class HsmSignatureFaulty(Misconfigured):
    """The token's signature is not one of the public key that it shows."""

    code = "hsm-signature-faulty"
    hint = "do not use this key: the token is faulty, or the halves of the pair are not one"


class Pkcs11Signer:
    """A `Signer` whose private key lives on a token. Threads may share it."""

    __slots__ = ("_connection", "_key_label", "_public_key")

    def __init__(
        self, connection: "_Connection", key_label: str, public_key: PublicKey
    ) -> None:
        self._connection: _Connection | None = connection
        self._key_label = key_label
        self._public_key = public_key

    @classmethod
    def open(cls, module_path: Path, *, token_label: str, key_label: str, pin: str) -> Self:
        """Return a signer for the key `key_label`, after one trial signature.

        Args:
            module_path: The token's shared library. It is run inside this process, so it
                has to be as trusted as Patunay itself.
            token_label: The name that the token was initialised with.
            key_label: CKA_LABEL of both halves of the pair.
            pin: The user's PIN. Kept in memory, to log in again after a lost session.

        Raises:
            HsmLibraryMissing: The extra `hsm` is not installed.
            HsmUnavailable: No such module or token, or no answer.
            HsmPinRefused: The token refuses the PIN. It was tried once.
            HsmKeyMissing: Not exactly one Ed25519 key pair of that label.
            HsmSignatureFaulty: The trial signature does not verify.
        """
        with _CRYPTOKI, ExitStack() as undo:
            connection = _connect(module_path, token_label, pin)
            undo.callback(connection.release)
            signer = cls(connection, key_label, connection.pair(key_label).public_key)
            signer.sign(_TRIAL)
            undo.pop_all()
        return signer

    def __repr__(self) -> str:
        """Name the public half only."""
        return f"Pkcs11Signer(public_key={self._public_key.hex()})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: either would carry the PIN along."""
        raise TypeError("a signer is not pickled")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def public_key(self) -> PublicKey:
        """The public half; the same for as long as the signer lives."""
        return self._public_key

    def sign(self, message: bytes) -> Signature:
        """Sign `message` as it is, and check the signature before it is given out.

        A lost session is opened again, once for each call.

        Raises:
            HsmUnavailable: No answer, from the new session either.
            HsmPinRefused: The PIN was changed meanwhile. It is never tried again.
            HsmKeyMissing: The key is gone, or another one has its label.
            HsmSignatureFaulty: The token signed, and wrongly.
        """
        with _CRYPTOKI:
            if self._connection is None:
                raise ValueError("the signer is closed")
            raw = self._connection.sign(self._key_label, self._public_key, message)
        # A signature made by faulty hardware can give the private key away, beside being
        # useless: it must never be published.
        try:
            verify_signature(self._public_key, message, Signature(raw))
        except (KeyMalformed, SignatureRejected) as e:
            raise HsmSignatureFaulty(f"the token signed, but {e}") from e
        return Signature(raw)

    def close(self) -> None:
        """Log out once no other signer uses the token. Closing twice does nothing."""
        with _CRYPTOKI:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.release()


def create_key(
    module_path: Path, *, token_label: str, key_label: str, pin: str
) -> PublicKey:
    """Make an Ed25519 key pair on the token, which will not give the private half out.

    Raises:
        HsmLibraryMissing: The extra `hsm` is not installed.
        HsmUnavailable: No such module or token, or the token makes no such keys.
        HsmPinRefused: The token refuses the PIN. It was tried once.
        HsmKeyExists: There is a key, or half of one, with that label.
    """
    with _CRYPTOKI:
        connection = _connect(module_path, token_label, pin)
        try:
            connection.generate(key_label)
            return connection.pair(key_label).public_key
        finally:
            connection.release()


@dataclass(frozen=True, slots=True)
class _Pair:
    public_key: PublicKey

    private: "pkcs11.SignMixin"
    """A handle, good for one session."""


class _Connection:
    """The one session that this process has at a token, logged in."""

    def __init__(self, module: str, token_label: str, pin: str) -> None:
        self._module = module
        self._token_label = token_label
        self._pin = pin
        self._pin_refused = False
        self._session: pkcs11.Session | None = None
        self._pairs: dict[str, _Pair] = {}
        self.users = 0
        self._log_in()

    def join(self, pin: str) -> None:
        """Refuse another PIN, and see that the session still lives."""
        # Cryptoki would take any PIN here, since the process is logged in already.
        if not hmac.compare_digest(pin.encode(), self._pin.encode()):
            raise HsmPinRefused(
                f"found another PIN, want the one that opened token {self._token_label!r}"
            )
        try:
            with self._typed_errors():
                # The plainest call there is that needs a session.
                self._live().generate_random(64)
        except HsmUnavailable:
            self._log_in_again()

    def release(self) -> None:
        self.users -= 1
        if self.users == 0:
            del _CONNECTIONS[self._module, self._token_label]
            self.drop_session()

    def pair(self, key_label: str) -> _Pair:
        if key_label not in self._pairs:
            with self._typed_errors():
                public, private = self._find_pair(key_label)
                point = bytes(public[pkcs11.Attribute.EC_POINT])
            self._pairs[key_label] = _Pair(_read_point(point), private)
        return self._pairs[key_label]

    def sign(self, key_label: str, public_key: PublicKey, message: bytes) -> bytes:
        if self._session is not None:
            # Whatever went wrong, a new session is the cure or gives the better error.
            # To sign twice does no harm: Ed25519 gives the same signature.
            with suppress(HsmUnavailable):
                return self._sign_once(key_label, public_key, message)
        self._log_in_again()
        return self._sign_once(key_label, public_key, message)

    def generate(self, key_label: str) -> None:
        """Add a key pair, in a second session that may write and shares the login."""
        names = pkcs11.Attribute
        with self._typed_errors(), self._live().token.open(rw=True) as session:
            if found := len(list(session.get_objects({names.LABEL: key_label}))):
                raise HsmKeyExists(f"found {found} objects labelled {key_label!r}, want 0")
            curve = {names.EC_PARAMS: _ED25519_PARAMETERS}
            session.create_domain_parameters(
                pkcs11.KeyType.EC_EDWARDS, curve, local=True
            ).generate_keypair(
                mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                capabilities=pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY,
                id=secrets.token_bytes(_KEY_ID_BYTES),
                label=key_label,
                store=True,
                private_template={
                    names.PRIVATE: True,
                    names.SENSITIVE: True,
                    names.EXTRACTABLE: False,
                },
            )

    def _sign_once(self, key_label: str, public_key: PublicKey, message: bytes) -> bytes:
        pair = self.pair(key_label)
        if pair.public_key != public_key:
            found, wanted = pair.public_key.hex()[:16], public_key.hex()[:16]
            raise HsmKeyMissing(f"found key {found} labelled {key_label!r}, want {wanted}")
        with self._typed_errors():
            return pair.private.sign(message, mechanism=pkcs11.Mechanism.EDDSA)

    def _find_pair(self, key_label: str) -> "tuple[pkcs11.PublicKey, pkcs11.SignMixin]":
        names = pkcs11.Attribute
        wanted = {names.LABEL: key_label, names.KEY_TYPE: pkcs11.KeyType.EC_EDWARDS}
        found = list(self._live().get_objects(wanted))
        public = [key for key in found if isinstance(key, pkcs11.PublicKey)]
        private = [key for key in found if isinstance(key, pkcs11.SignMixin)]
        if len(public) != 1 or len(private) != 1:
            raise HsmKeyMissing(
                f"found {len(public)} public and {len(private)} signing keys labelled "
                f"{key_label!r} on token {self._token_label!r}, want 1 and 1"
            )
        return public[0], private[0]

    def _live(self) -> "pkcs11.Session":
        if self._session is None:
            raise HsmUnavailable(f"token {self._token_label!r} has no session")
        return self._session

    def _log_in(self) -> None:
        if self._pin_refused:
            # One more failure might lock the token.
            raise HsmPinRefused(f"token {self._token_label!r} refused this PIN before")
        with self._typed_errors():
            library = pkcs11.lib(self._module)
            tokens = list(library.get_tokens(token_label=self._token_label))
            if len(tokens) != 1:
                found = f"found {len(tokens)} tokens labelled {self._token_label!r}"
                raise HsmUnavailable(f"{found}, want 1")
            self._session = tokens[0].open(user_pin=self._pin)

    def _log_in_again(self) -> None:
        self.drop_session()
        try:
            self._log_in()
        except HsmUnavailable:
            # Many modules see a token that was plugged in again, or a service that was
            # restarted, only after this. It ends every session of the module, and gives
            # their numbers to new ones: no connection may keep its own.
            for (module, _), connection in _CONNECTIONS.items():
                if module == self._module:
                    connection.drop_session()
            with self._typed_errors():
                pkcs11.lib(self._module).reinitialize()
            self._log_in()

    def drop_session(self) -> None:
        session, self._session = self._session, None
        self._pairs.clear()
        if session is not None:
            # It may be lost already, and then there is nothing to close.
            with suppress(pkcs11.PKCS11Error):
                session.close()

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except (
            pkcs11.PinExpired,
            pkcs11.PinIncorrect,
            pkcs11.PinInvalid,
            pkcs11.PinLenRange,
            pkcs11.PinLocked,
            pkcs11.UserPinNotInitialized,
        ) as e:
            self._pin_refused = True
            reason = type(e).__name__
            raise HsmPinRefused(f"token {self._token_label!r} gave {reason}") from e
        except pkcs11.PKCS11Error as e:
            reason = f"{type(e).__name__}: {e}".removesuffix(": ")
            raise HsmUnavailable(f"token {self._token_label!r} gave {reason}") from e


_CRYPTOKI = RLock()
"""Held for every call into any module."""

_CONNECTIONS: dict[tuple[str, str], _Connection] = {}
"""By module and token label. Global because Cryptoki's logins are."""


def _connect(module_path: Path, token_label: str, pin: str) -> _Connection:
    """Return the token's connection with one user more, for `release` to take back."""
    _import_library()
    # Resolved, because a module that is loaded under two names is initialised twice.
    module = str(module_path.resolve())
    connection = _CONNECTIONS.get((module, token_label))
    if connection is None:
        connection = _Connection(module, token_label, pin)
        _CONNECTIONS[module, token_label] = connection
    else:
        connection.join(pin)
    connection.users += 1
    return connection


def _read_point(point: bytes) -> PublicKey:
    """Read CKA_EC_POINT, which some tokens wrap in DER and others give bare."""
    if len(point) != PUBLIC_KEY_BYTES:
        point = point.removeprefix(_WRAPPED)
    key = PublicKey(point)
    try:
        check_public_key(key)
    except (KeyMalformed, KeyRefused) as e:
        raise HsmKeyMissing(f"the token's public key is unusable: {e}") from e
    return key


def _import_library() -> None:
    """Make `pkcs11` known to this module: an extra, and 60 ms that few ever need."""
    global pkcs11  # noqa: PLW0603 - the name of a module, as any import would bind it
    try:
        import pkcs11  # noqa: PLC0415 - an optional extra
    except ImportError as e:
        raise HsmLibraryMissing("python-pkcs11 is not installed") from e
