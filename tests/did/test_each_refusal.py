"""Refusals that no other test can tell from the one after them; found by `make mutants`."""

from typing import Any

import pytest

from did.history import DidHistoryMalformed, parse_history
from did.jwk import JwkMalformed, decode_jwk
from did.key_event import KeyEventMalformed, parse_event
from did.multikey import encode_multikey
from primitives.ed25519 import PUBLIC_KEY_BYTES, KeyMalformed, PublicKey
from primitives.encodings import encode_base64url
from tests.did.test_history import DID, HOUR, ONE, START, event, history, read


@pytest.mark.parametrize(
    "change", [{"document": []}, {"document": "x"}, {"previous": 7}, {"time": "today"}]
)
def test_refuses_a_version_with_a_member_of_another_type(change: dict[str, Any]) -> None:
    raw = history()
    raw["versions"][0] = raw["versions"][0] | change
    with pytest.raises(DidHistoryMalformed):
        parse_history(raw, DID)


@pytest.mark.parametrize("value", [None, "x", 7, []])
def test_an_event_is_an_object(value: Any) -> None:
    with pytest.raises(KeyEventMalformed):
        parse_event(value)


def test_an_event_is_of_a_known_type() -> None:
    rotated = event(kind="KeyRotated")
    with pytest.raises(KeyEventMalformed, match="found type 'KeyForgotten'"):
        parse_event({**rotated, "type": "KeyForgotten"})


def test_a_rotated_key_may_still_declare_another_compromised() -> None:
    rotated = event("status-1", kind="KeyRotated", by="credential-1", signer=ONE)
    stolen = event(after=rotated, at=START + 2 * HOUR)
    found = read(rotated, stolen)
    assert found.state(f"{DID}#credential-1").compromised_since == START


@pytest.mark.parametrize("length", [PUBLIC_KEY_BYTES - 2, PUBLIC_KEY_BYTES + 1])
def test_a_jwk_of_another_length_is_malformed(length: int) -> None:
    value = {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(bytes(length))}
    with pytest.raises(JwkMalformed, match="43 base64url characters"):
        decode_jwk(value)


@pytest.mark.parametrize("length", [0, PUBLIC_KEY_BYTES - 1, PUBLIC_KEY_BYTES + 1])
def test_no_multikey_is_written_of_another_length(length: int) -> None:
    with pytest.raises(KeyMalformed, match=f"public key has {length} bytes, want 32"):
        encode_multikey(PublicKey(bytes(length)))
