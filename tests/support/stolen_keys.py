"""An issuer whose first key was replaced or stolen: its documents and its history."""

import hashlib
from datetime import datetime

from did.document import build_did_document
from did.history import build_history
from did.key_event import event_digest, sign_event
from did.service import PatunayLogService
from primitives.canonical_json import JsonObject
from primitives.ed25519 import SoftwareSigner
from tests.support.credentials_support import DAY, ISSUER, LOG_KEY, NOW, SIGNER

NEW = SoftwareSigner(hashlib.sha256(b"the issuer's second key").digest())
NEW_METHOD = f"{ISSUER}#key-2"
SERVICE = PatunayLogService("https://school.example/log/", str(LOG_KEY))


def events(*statements: tuple[str, str, datetime | None]) -> list[JsonObject]:
    """Return signed events: type, key, and since when; the second key signs them."""
    made: list[JsonObject] = []
    for kind, key, since in statements:
        made.append(
            sign_event(
                NEW,
                kind=kind,  # type: ignore[arg-type]
                did=ISSUER,
                key=key,
                at=NOW - DAY,
                by=NEW_METHOD,
                previous=event_digest(made[-1]) if made else None,
                since=since,
            )
        )
    return made


def document(*, withdrawn: bool, bound: bool = True) -> JsonObject:
    old, new = {"key-1": SIGNER.public_key}, {"key-2": NEW.public_key}
    return build_did_document(
        ISSUER,
        assertion_keys=new if withdrawn else {**old, **new},
        withdrawn_keys=old if withdrawn else {},
        services=[SERVICE] if bound else [],
    )


def history(*made: JsonObject, withdrawn: bool = False) -> JsonObject:
    documents = [
        (document(withdrawn=False), NOW - 300 * DAY),
        (document(withdrawn=withdrawn), NOW - DAY),
    ]
    return build_history(ISSUER, documents, made)
