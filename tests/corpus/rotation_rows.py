"""Area P, continued: keys that were replaced, or stolen."""

import hashlib
import json
from collections.abc import Iterator

from anchoring.note import VerifierKey
from did.document import build_did_document
from did.history import build_history
from did.key_event import sign_event
from did.service import PatunayLogService
from did.web import parse_did_web
from primitives.canonical_json import JsonObject
from primitives.ed25519 import SoftwareSigner
from tests.corpus.case import Case, case
from tests.support.credentials_support import (
    DAY,
    ISSUER,
    LOG_KEY,
    METHOD,
    NOW,
    SIGNER,
    signed,
)

NEW = SoftwareSigner(hashlib.sha256(b"the issuer's second key").digest())
LOG = PatunayLogService("https://school.example/log/", str(VerifierKey.parse(str(LOG_KEY))))


def rotation_rows() -> Iterator[Case]:
    """Give the cases: the history beside the DID document makes the difference."""
    yield _with("P38-rotated", "KeyRotated", "valid", "time-only-claimed")
    yield _with("P38-compromised", "KeyCompromised", "undetermined", "anchor-not-shown")


def _with(name: str, kind: str, outcome: str, code: str) -> Case:
    event = sign_event(
        NEW,
        kind=kind,  # type: ignore[arg-type]
        did=ISSUER,
        key=METHOD,
        at=NOW - DAY,
        by=f"{ISSUER}#key-2",
        previous=None,
        since=NOW - 2 * DAY if kind == "KeyCompromised" else None,
    )
    stolen = kind == "KeyCompromised"
    versions = [
        (_document(withdrawn=False), NOW - 300 * DAY),
        (_document(withdrawn=stolen), NOW - DAY),
    ]
    history = build_history(ISSUER, versions, [event])
    url = parse_did_web(ISSUER).document_url().replace("did.json", "did-history.json")
    return case(
        name,
        signed(),
        outcome,
        code,
        did_documents={ISSUER: _document(withdrawn=stolen)},
        more={"web": {url: [{"body": json.dumps(history)}]}},
    )


def _document(*, withdrawn: bool) -> JsonObject:
    old, new = {"key-1": SIGNER.public_key}, {"key-2": NEW.public_key}
    return build_did_document(
        ISSUER,
        assertion_keys=new if withdrawn else {**old, **new},
        withdrawn_keys=old if withdrawn else {},
        services=[LOG],
    )
