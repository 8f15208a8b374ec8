"""The rules of `Signer`; every implementation has to pass them."""

import copy
import pickle
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from did.pkcs11_signer import Pkcs11Signer, create_key
from primitives.ed25519 import (
    PublicKey,
    Signature,
    SignatureRejected,
    Signer,
    SoftwareSigner,
    verify_signature,
)
from tests.support.softhsm import PIN, running_softhsm

# RFC 8032 section 7.1, TEST 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")

MESSAGES = {
    "empty": b"",
    "one byte": b"\x72",
    "not text": bytes(range(256)),
    "1 MiB": bytes(2**20),
}


@dataclass(frozen=True)
class Custody:
    """A signer, and what nobody may see of it."""

    signer: Signer

    secrets: tuple[str, ...]


@contextmanager
def _software(_folder: Path) -> Iterator[Custody]:
    yield Custody(SoftwareSigner(SEED), (SEED.hex(), repr(SEED)))


@contextmanager
def _pkcs11(folder: Path) -> Iterator[Custody]:
    with running_softhsm(folder) as hsm:
        hsm.add_token("node")
        create_key(hsm.module, token_label="node", key_label="log", pin=PIN)
        with Pkcs11Signer.open(
            hsm.module, token_label="node", key_label="log", pin=PIN
        ) as signer:
            yield Custody(signer, (PIN,))


_CUSTODIES: dict[str, Callable[[Path], AbstractContextManager[Custody]]] = {
    "software": _software,
    "pkcs11": _pkcs11,
}


@pytest.fixture(params=_CUSTODIES)
def custody(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Custody]:
    with _CUSTODIES[request.param](tmp_path) as made:
        yield made


@pytest.fixture
def signer(custody: Custody) -> Signer:
    return custody.signer


def test_the_public_key_is_the_same_each_time(signer: Signer) -> None:
    before = signer.public_key
    signer.sign(b"\x72")
    assert signer.public_key == before
    assert len(before) == 32


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_a_signature_of_64_bytes_verifies(signer: Signer, message: bytes) -> None:
    signature = signer.sign(message)
    assert type(signature) is bytes
    assert len(signature) == 64
    verify_signature(signer.public_key, message, signature)


def test_what_is_signed_is_the_message_and_not_its_hash(signer: Signer) -> None:
    signature = signer.sign(b"\x72")
    with pytest.raises(SignatureRejected):
        verify_signature(signer.public_key, b"\x73", signature)


def test_the_same_message_gives_the_same_signature(signer: Signer) -> None:
    assert signer.sign(b"\x72") == signer.sign(b"\x72")


def test_signs_many_messages(signer: Signer) -> None:
    key = signer.public_key
    signatures = [signer.sign(number.to_bytes(2)) for number in range(300)]
    for number, signature in enumerate(signatures):
        verify_signature(key, number.to_bytes(2), signature)
    assert len(set(signatures)) == 300


def test_two_threads_may_sign_at_once(signer: Signer) -> None:
    messages = [number.to_bytes(2) * 500 for number in range(200)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        signatures = list(pool.map(signer.sign, messages))
    for message, signature in zip(messages, signatures, strict=True):
        verify_signature(signer.public_key, message, signature)


def test_shows_its_public_key_and_no_secret(custody: Custody) -> None:
    for shown in (repr(custody.signer), str(custody.signer), f"{custody.signer}"):
        assert custody.signer.public_key.hex() in shown
        assert not [secret for secret in custody.secrets if secret in shown]


@pytest.mark.parametrize(
    "taken_along",
    [copy.copy, copy.deepcopy, pickle.dumps, lambda signer: pickle.dumps([signer], 0)],
    ids=["copy", "deepcopy", "pickle", "old pickle"],
)
def test_refuses_to_be_copied(
    custody: Custody, taken_along: Callable[[Signer], object]
) -> None:
    with pytest.raises(TypeError, match="a signer is not pickled") as caught:
        taken_along(custody.signer)
    told = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in custody.secrets if secret in told]


def test_a_refused_message_tells_no_secret(custody: Custody) -> None:
    with pytest.raises((TypeError, AttributeError)) as caught:
        custody.signer.sign(None)  # type: ignore[arg-type]  # as a bug might
    told = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in custody.secrets if secret in told]
    verify_signature(
        custody.signer.public_key, b"after", Signature(custody.signer.sign(b"after"))
    )


def test_two_keys_do_not_sign_for_each_other(signer: Signer) -> None:
    stranger = SoftwareSigner(bytes(32))
    assert PublicKey(stranger.public_key) != signer.public_key
    with pytest.raises(SignatureRejected):
        verify_signature(stranger.public_key, b"\x72", signer.sign(b"\x72"))
