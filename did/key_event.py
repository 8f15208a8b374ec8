"""Key events: signed statements that a key was replaced, or is no longer only its owner's.

    {"type": "KeyCompromised", "did", "key", "at", "since", "by", "previous", "proof"}

Each is a leaf of the log (kind 4) and names the one before it by digest. It is signed with
`eddsa-jcs-2022` by another key of the same DID: a thief must not speak for what he stole.
What a declaration says is never taken back, and its `since` only ever moves earlier.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

from did.key_state import NO_EVENTS, KeyState
from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.ed25519 import (
    SIGNATURE_BYTES,
    PublicKey,
    Signature,
    Signer,
    verify_signature,
)
from primitives.encodings import EncodingMalformed, decode_base58btc, encode_base58btc
from primitives.errors import Malformed, Rejected
from primitives.hashing import sha256
from primitives.instants import InstantMalformed, format_instant, parse_second

KeyEventType: TypeAlias = Literal["KeyRotated", "KeyCompromised"]

ROTATED: Final = "KeyRotated"
COMPROMISED: Final = "KeyCompromised"

_FIELDS: Final = frozenset({"type", "did", "key", "at", "by", "previous", "proof"})
_PROOF_FIELDS: Final = frozenset(
    {
        "type",
        "cryptosuite",
        "created",
        "verificationMethod",
        "proofPurpose",
        "proofValue",
    }
)
_MAX_TEXT_CHARACTERS: Final = 2_400
"""Longest DID, and a fragment."""


class KeyEventMalformed(Malformed):
    """The JSON is not a key event in its one spelling."""

    code = "key-event-malformed"


class KeyEventChainBroken(Rejected):
    """An event does not name the one before it, or is of another DID or an earlier time."""

    code = "key-event-chain-broken"


class KeyEventSignerRefused(Rejected):
    """An event is signed by the very key that it is about, or by one without standing."""

    code = "key-event-signer-refused"


class CompromiseMovedLater(Rejected):
    """A declaration would narrow an earlier one: its time may only move earlier."""

    code = "compromise-moved-later"
    hint = "give a time before the one declared so far; a compromise is never lifted"


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One event, read; its signature not checked."""

    type: KeyEventType
    did: str

    key: str
    """Verification method, or the C2SP verifier key of the DID's log."""

    at: datetime
    """When it was declared; the issuer's own word."""

    by: str
    """Verification method of the key that signed."""

    previous: str | None
    """`event_digest` of the event before; None in a DID's first."""

    since: datetime | None
    """From when on somebody else may have had the key; only of `KeyCompromised`."""

    signature: Signature

    document: JsonObject
    """As published, proof included."""


def event_digest(document: Mapping[str, Json]) -> str:
    """Return the SHA-256 of the event's JCS form, proof included, in hexadecimal."""
    return sha256(canonicalize(document)).hex()


def sign_event(  # noqa: PLR0913 - one parameter for each member
    signer: Signer,
    *,
    kind: KeyEventType,
    did: str,
    key: str,
    at: datetime,
    by: str,
    previous: str | None,
    since: datetime | None = None,
) -> JsonObject:
    """Return a signed event; `by` MUST name the key of `signer` in a document of `did`."""
    body: JsonObject = {
        "type": kind,
        "did": did,
        "key": key,
        "at": format_instant(at),
        "by": by,
        "previous": previous,
    }
    if since is not None:
        body["since"] = format_instant(since)
    options: JsonObject = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": format_instant(at),
        "verificationMethod": by,
        "proofPurpose": "assertionMethod",
    }
    signature = signer.sign(_hash_data(body, options))
    return {**body, "proof": {**options, "proofValue": "z" + encode_base58btc(signature)}}


def parse_event(raw: Json) -> KeyEvent:
    """Read an event, whose signature stays unchecked.

    Raises:
        KeyEventMalformed: A member that is missing, unknown, or spelt otherwise than ours.
    """
    if not isinstance(raw, dict):
        raise KeyEventMalformed(f"found a {type(raw).__name__}, want a key event")
    kind = raw.get("type")
    if kind not in get_args(KeyEventType):
        raise KeyEventMalformed(f"found type {str(kind)[:40]!r}, want {ROTATED} or other")
    wanted = _FIELDS | ({"since"} if kind == COMPROMISED else set())
    _refuse_fields(raw, wanted, "key event")
    previous = raw["previous"]
    if previous is not None:
        previous = _text(raw, "previous")
    by, at = _text(raw, "by"), _instant(raw, "at")
    return KeyEvent(
        type=COMPROMISED if kind == COMPROMISED else ROTATED,
        did=_text(raw, "did"),
        key=_text(raw, "key"),
        at=at,
        by=by,
        previous=previous,
        since=_instant(raw, "since") if kind == COMPROMISED else None,
        signature=_parse_proof(raw["proof"], by, at),
        document=raw,
    )


def verify_event(event: KeyEvent, key: PublicKey) -> None:
    """Return if `event` is signed by `key`; raise otherwise.

    Args:
        event: Not trusted.
        key: Of `event.by`, from a DID document: never from the event.

    Raises:
        SignatureRejected: Another event, or another key.
        KeyRefused: A key of small or mixed order.
    """
    body = {name: value for name, value in event.document.items() if name != "proof"}
    proof = event.document["proof"]
    assert isinstance(proof, dict)  # noqa: S101 - `parse_event` has read it
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    verify_signature(key, _hash_data(body, options), event.signature)


def fold_events(
    did: str,
    events: Iterable[KeyEvent],
    keys: Mapping[str, PublicKey],
    log_keys: frozenset[str] = frozenset(),
) -> dict[str, KeyState]:
    """Return what the events of `did`, oldest first, come to, by key.

    Args:
        did: Whose they have to be.
        events: Not trusted; each signature is checked here.
        keys: Every verification method that a version of the DID document has named.
        log_keys: Every C2SP verifier key that one has named as its log's.

    Raises:
        KeyEventChainBroken: See the class.
        KeyEventSignerRefused: See the class; a key declared compromised signs no more.
        CompromiseMovedLater: See the class.
        SignatureRejected: A signature is not by the key that the event names.
    """
    states: dict[str, KeyState] = {}
    before: KeyEvent | None = None
    for event in events:
        _require_link(event, before, did)
        _require_signer(event, states, keys, log_keys)
        states[event.key] = _next_state(states.get(event.key, NO_EVENTS), event)
        before = event
    return states


def _require_link(event: KeyEvent, before: KeyEvent | None, did: str) -> None:
    wanted = event_digest(before.document) if before is not None else None
    if event.did != did:
        raise KeyEventChainBroken(f"found an event of {event.did[:80]}, want {did[:80]}")
    if event.previous != wanted:
        raise KeyEventChainBroken(f"found previous {event.previous}, want {wanted}")
    if before is not None and event.at < before.at:
        raise KeyEventChainBroken(
            f"found {format_instant(event.at)}, want {format_instant(before.at)} or later"
        )


def _require_signer(
    event: KeyEvent,
    states: Mapping[str, KeyState],
    keys: Mapping[str, PublicKey],
    log_keys: frozenset[str],
) -> None:
    signer = keys.get(event.by)
    if signer is None:
        raise KeyEventSignerRefused(f"{event.by[:160]} is no key of {event.did[:80]}")
    if event.key not in keys and event.key not in log_keys:
        raise KeyEventSignerRefused(f"{event.key[:160]} is no key of {event.did[:80]}")
    # By their values: one key under two names is one key.
    if signer == keys.get(event.key):
        raise KeyEventSignerRefused(f"{event.by} speaks for itself, want another key")
    for name, state in states.items():
        if state.compromised_since is not None and keys.get(name) == signer:
            raise KeyEventSignerRefused(f"{event.by} was declared compromised before")
    verify_event(event, signer)


def _next_state(state: KeyState, event: KeyEvent) -> KeyState:
    if event.since is None:
        if state.rotated_at is not None:
            raise KeyEventChainBroken(f"{event.key} is rotated twice")
        return state._replace(rotated_at=event.at)
    known = state.compromised_since
    if known is not None and event.since >= known:
        raise CompromiseMovedLater(
            f"found {format_instant(event.since)}, want before {format_instant(known)}"
        )
    return state._replace(compromised_since=event.since)


def _hash_data(body: Mapping[str, Json], options: Mapping[str, Json]) -> bytes:
    """Return the 64 bytes that are signed, vc-di-eddsa 3.3.4."""
    return sha256(canonicalize(options)) + sha256(canonicalize(body))


def _parse_proof(raw: Json, by: str, at: datetime) -> Signature:
    if not isinstance(raw, dict):
        raise KeyEventMalformed(f"found a proof of {type(raw).__name__}, want an object")
    _refuse_fields(raw, _PROOF_FIELDS, "proof")
    wanted = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": format_instant(at),
        "verificationMethod": by,
        "proofPurpose": "assertionMethod",
    }
    for name, value in wanted.items():
        if raw[name] != value:
            raise KeyEventMalformed(f"found {name} {str(raw[name])[:80]!r}, want {value!r}")
    text = _text(raw, "proofValue")
    try:
        signature = decode_base58btc(text.removeprefix("z"))
    except EncodingMalformed as e:
        raise KeyEventMalformed(f"proofValue: {e}") from e
    if not text.startswith("z") or len(signature) != SIGNATURE_BYTES:
        raise KeyEventMalformed(f"found proofValue {text[:8]!r}, want z and 64 bytes")
    return Signature(signature)


def _refuse_fields(raw: Mapping[str, Json], wanted: frozenset[str], what: str) -> None:
    if raw.keys() != wanted:
        odd = ", ".join(sorted(raw.keys() ^ wanted))
        raise KeyEventMalformed(f"{what}: fields missing or unknown: {odd[:200]}")


def _text(raw: Mapping[str, Json], name: str) -> str:
    value = raw[name]
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT_CHARACTERS:
        raise KeyEventMalformed(f"{name}: want 1 to {_MAX_TEXT_CHARACTERS} characters")
    return value


def _instant(raw: Mapping[str, Json], name: str) -> datetime:
    text = _text(raw, name)
    try:
        return parse_second(text)
    except InstantMalformed as e:
        raise KeyEventMalformed(f"{name}: {e}") from e
