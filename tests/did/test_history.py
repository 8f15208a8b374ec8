import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import nacl.signing
import pytest

from did.document import build_did_document
from did.history import (
    DidHistory,
    DidHistoryBroken,
    DidHistoryMalformed,
    DidVersionNotFound,
    build_history,
    parse_history,
)
from did.key_event import (
    CompromiseMovedLater,
    KeyEventChainBroken,
    KeyEventMalformed,
    KeyEventSignerRefused,
    KeyEventType,
    event_digest,
    parse_event,
    sign_event,
)
from did.service import PatunayLogService
from primitives.canonical_json import JsonObject
from primitives.ed25519 import SignatureRejected, SoftwareSigner
from primitives.errors import PatunayError

DID = "did:web:school.example"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
ONE, TWO, STATUS = (
    SoftwareSigner(hashlib.sha256(name).digest()) for name in (b"one", b"two", b"status")
)
VKEY = "log.school.example+6d1e1f5a+AQ=="
SERVICE = PatunayLogService("https://school.example/log/", VKEY)


def document(**keys: SoftwareSigner) -> JsonObject:
    used = {name.replace("_", "-"): key.public_key for name, key in keys.items()}
    return build_did_document(DID, assertion_keys=used, services=[SERVICE])


FIRST = document(credential_1=ONE, status_1=STATUS)
SECOND = document(credential_1=ONE, status_1=STATUS, credential_2=TWO)
THIRD = build_did_document(
    DID,
    assertion_keys={"status-1": STATUS.public_key, "credential-2": TWO.public_key},
    withdrawn_keys={"credential-1": ONE.public_key},
)


def event(
    key: str = "credential-1",
    *,
    kind: KeyEventType = "KeyCompromised",
    by: str = "status-1",
    signer: SoftwareSigner = STATUS,
    after: JsonObject | None = None,
    at: datetime = START + 2 * HOUR,
    since: datetime | None = START,
    did: str = DID,
) -> JsonObject:
    return sign_event(
        signer,
        kind=kind,
        did=did,
        key=key if "+" in key else f"{DID}#{key}",
        at=at,
        by=f"{DID}#{by}",
        previous=event_digest(after) if after is not None else None,
        since=since if kind == "KeyCompromised" else None,
    )


def history(*events: JsonObject) -> dict[str, Any]:
    documents = [(FIRST, START), (SECOND, START + HOUR), (THIRD, START + 2 * HOUR)]
    return dict(build_history(DID, documents, events))


def read(*events: JsonObject) -> DidHistory:
    return parse_history(history(*events), DID)


def refused(kind: type[PatunayError], raw: JsonObject) -> None:
    with pytest.raises(kind):
        parse_history(raw, DID)


def jcs(value: object) -> bytes:
    # These documents hold only ASCII and no number but integers: here JSON is JCS.
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def test_each_version_names_the_one_before_by_digest() -> None:
    versions = history()["versions"]
    digests = [hashlib.sha256(jcs(version)).hexdigest() for version in versions]
    assert [v["previous"] for v in versions] == [None, *digests[:-1]]
    assert [v["version"] for v in versions] == [1, 2, 3]


def test_gives_the_version_of_a_moment() -> None:
    found = read()
    for moment, wanted in (
        (START, 1),
        (START + HOUR - timedelta(seconds=1), 1),
        (START + HOUR, 2),
        (START + 9 * HOUR, 3),
    ):
        assert found.document_at(moment).number == wanted
    with pytest.raises(DidVersionNotFound, match="begins at 2026-03-02T08:00:00Z"):
        found.document_at(START - timedelta(seconds=1))


def test_derives_each_keys_period() -> None:
    rotated = event(kind="KeyRotated", at=START + HOUR)
    compromised = event(after=rotated, since=START + timedelta(minutes=5))
    found = {p.key.partition("#")[2]: p for p in read(rotated, compromised).periods()}
    assert found.keys() == {"credential-1", "status-1", "credential-2"}
    old = found["credential-1"]
    assert (old.start, old.end) == (START, START + HOUR)
    assert old.compromised_since == START + timedelta(minutes=5)
    assert (found["credential-2"].start, found["credential-2"].end) == (START + HOUR, None)
    # Without an event, leaving `assertionMethod` ends it.
    assert read().periods()[0].end == START + 2 * HOUR


CHAIN_BREAKS: list[Callable[[dict[str, Any]], object]] = [
    lambda h: h["versions"].pop(0),
    lambda h: h["versions"].pop(1),
    lambda h: h["versions"].reverse(),
    lambda h: h["versions"][0]["document"].update(alsoKnownAs=["did:web:x.example"]),
    lambda h: h["versions"][1].update(previous=None),
    lambda h: h["versions"][1].update(did="did:web:other.example"),
    lambda h: h["versions"][2].update(time="2026-03-02T08:30:00Z"),
    lambda h: h.update(did="did:web:other.example"),
]


@pytest.mark.parametrize("change", CHAIN_BREAKS)
def test_refuses_a_chain_with_a_break(change: Callable[[dict[str, Any]], object]) -> None:
    raw = json.loads(json.dumps(history()))
    change(raw)
    refused(DidHistoryBroken, raw)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": True},
        {"versions": []},
        {"versions": [1]},
        {"versions": [{}]},
        {"events": None},
        {"events": [{}] * 1_025},
        {"extra": 1},
    ],
)
def test_refuses_another_form(change: dict[str, Any]) -> None:
    refused(DidHistoryMalformed, history() | change)


@pytest.mark.parametrize(
    "change", [{"time": "2026-03-02T09:00:00+01:00"}, {"time": 1}, {"version": "1"}]
)
def test_refuses_a_version_in_another_spelling(change: dict[str, Any]) -> None:
    raw = history()
    raw["versions"][0] = raw["versions"][0] | change
    refused(DidHistoryMalformed, raw)


def test_refuses_one_method_with_two_keys() -> None:
    other = document(credential_1=TWO, status_1=STATUS)
    raw = build_history(DID, [(FIRST, START), (other, START)])
    refused(DidHistoryBroken, raw)


# Events


def test_an_event_is_signed_as_eddsa_jcs_2022_says() -> None:
    made: dict[str, Any] = dict(event())
    proof = made.pop("proof")
    signature = parse_event({**made, "proof": proof}).signature
    del proof["proofValue"]
    message = hashlib.sha256(jcs(proof)).digest() + hashlib.sha256(jcs(made)).digest()
    nacl.signing.VerifyKey(STATUS.public_key).verify(message, signature)
    assert proof["cryptosuite"] == "eddsa-jcs-2022"


def test_the_time_of_a_compromise_only_moves_earlier() -> None:
    one = event(since=START)
    earlier = event(after=one, since=START - HOUR)
    assert read(one, earlier).state(f"{DID}#credential-1").compromised_since == (
        START - HOUR
    )
    for since in (START, START + HOUR):
        refused(CompromiseMovedLater, history(one, event(after=one, since=since)))
    back = event(after=earlier, since=START)
    refused(CompromiseMovedLater, history(one, earlier, back))


def test_an_event_is_not_signed_by_the_key_that_it_is_about() -> None:
    refused(KeyEventSignerRefused, history(event(by="credential-1", signer=ONE)))


def test_one_key_under_two_names_is_one_key() -> None:
    twice = document(credential_1=ONE, credential_9=ONE)
    made = event(by="credential-9", signer=ONE)
    refused(KeyEventSignerRefused, build_history(DID, [(twice, START)], [made]))


def test_a_compromised_key_declares_nothing_more() -> None:
    one = event("status-1", by="credential-2", signer=TWO)
    refused(KeyEventSignerRefused, history(one, event(after=one)))


def test_a_strangers_key_declares_nothing() -> None:
    refused(KeyEventSignerRefused, history(event(by="credential-7", signer=TWO)))
    refused(KeyEventSignerRefused, history(event("credential-7")))
    refused(SignatureRejected, history(event(signer=TWO)))


def test_events_form_one_chain_of_one_did() -> None:
    one = event()
    two = event(after=one, since=START - HOUR)
    assert len(read(one, two).events) == 2
    refused(KeyEventChainBroken, history(two))
    refused(KeyEventChainBroken, history(two, one))
    refused(KeyEventChainBroken, history(event(did="did:web:other.example")))
    past = event(after=one, at=START, since=START - HOUR)
    refused(KeyEventChainBroken, history(one, past))
    rotated = event(kind="KeyRotated")
    refused(KeyEventChainBroken, history(rotated, event(kind="KeyRotated", after=rotated)))


def test_the_logs_key_can_be_declared_too() -> None:
    found = read(event(VKEY))
    assert found.state(VKEY).compromised_since == START
    refused(KeyEventSignerRefused, history(event("log.school.example+00000000+AQ==")))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "KeyForgotten"),
        ("at", "2026-03-02T10:00:00+00:00"),
        ("at", "today"),
        ("since", None),
        ("key", ""),
        ("by", 7),
        ("previous", 7),
        ("proof", "z"),
        ("extra", "x"),
    ],
)
def test_refuses_an_event_in_another_spelling(name: str, value: Any) -> None:
    refused(KeyEventMalformed, history({**event(), name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cryptosuite", "eddsa-rdfc-2022"),
        ("verificationMethod", f"{DID}#credential-2"),
        ("proofPurpose", "authentication"),
        ("created", "2026-03-02T08:00:00Z"),
        ("proofValue", "u" + "A" * 86),
        ("proofValue", "z0OIl"),
        ("proofValue", "zzzz"),
        ("nonce", "x"),
    ],
)
def test_refuses_a_proof_in_another_spelling(name: str, value: str) -> None:
    made: dict[str, Any] = dict(event())
    refused(KeyEventMalformed, history({**made, "proof": {**made["proof"], name: value}}))


def test_refuses_an_event_without_a_member() -> None:
    made = event()
    for name in made:
        left = {key: value for key, value in made.items() if key != name}
        refused(KeyEventMalformed, history(left))


def test_a_changed_event_is_not_what_was_signed() -> None:
    refused(SignatureRejected, history({**event(), "since": "2026-01-01T00:00:00Z"}))
