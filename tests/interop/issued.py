"""A credential as a node issues it, and copies of it that somebody has touched."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from credentials.data_integrity import add_proof
from credentials.registrar import read_registrar_file
from credentials.status_list import build_entry, build_list_credential
from credentials.template import build_credential, parse_template
from did.key import DidKey
from primitives.canonical_json import JsonObject
from primitives.ed25519 import SoftwareSigner
from primitives.strict_json import parse_json_object
from tests.support.components import ROOT

_EXAMPLES = ROOT / "examples"
_ISSUED_AT = datetime(2025, 10, 1, 8, 30, tzinfo=UTC)

_SIGNER = SoftwareSigner(bytes(range(32)))
_DID = DidKey(_SIGNER.public_key)
ISSUER = str(_DID)

LIST_URL = "https://provider.example/status/2025-revocation"
INDEX = 41_001
"""Third bit of its byte, from the left."""


def unsigned(*, list_url: str | None = None, index: int = INDEX) -> JsonObject:
    """Return the first example learner's credential, with a status entry if asked."""
    template = (_EXAMPLES / "als-life-skills-communication.json").read_bytes()
    learners = (_EXAMPLES / "learners.csv").read_bytes()
    return build_credential(
        parse_template(parse_json_object(template)),
        read_registrar_file(learners, today=_ISSUED_AT.date()).rows[0],
        credential_id="urn:uuid:6f0c3f4e-53a5-4e0c-8b9e-3f1d2c5a7b90",
        issuer_did=ISSUER,
        issued_at=_ISSUED_AT,
        status_entry=None
        if list_url is None
        else build_entry(list_url, index, "revocation"),
    )


def signed(document: JsonObject) -> dict[str, Any]:
    """Return `document` with the issuer's proof."""
    return add_proof(
        document,
        _SIGNER,
        verification_method=_DID.verification_method,
        created=_ISSUED_AT,
    )


def status_list(*revoked: int, url: str = LIST_URL) -> dict[str, Any]:
    """Return the issuer's signed list with these bits set."""
    unsigned_list = build_list_credential(
        url=url,
        issuer=ISSUER,
        purpose="revocation",
        revoked=revoked,
        valid_from=_ISSUED_AT,
    )
    return signed(unsigned_list)


def named_changes(credential: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return copies with one character changed where a forger would want it."""
    in_array = isinstance(credential["proof"], list)
    proof = credential["proof"][0] if in_array else credential["proof"]
    value_path = "proof.0.proofValue" if in_array else "proof.proofValue"
    changes = {
        "learner": ("credentialSubject.identifier.0.identityHash", "Josefina", "Josefino"),
        "level": ("credentialSubject.result.0.achievedLevel", "#L3", "#L4"),
        "proof value": (value_path, proof["proofValue"][-1], None),
    }
    if "credentialStatus" in credential:
        changes["index"] = ("credentialStatus.statusListIndex", "41001", "41002")
    copies = {}
    for name, (path, old, new) in changes.items():
        *steps, last = path.split(".")
        touched = copy.deepcopy(credential)
        place: Any = touched
        for step in steps:
            place = place[int(step) if step.isdecimal() else step]
        if new is None:
            place[last] = place[last][:-1] + ("2" if old != "2" else "3")
        else:
            assert old in place[last]
            place[last] = place[last].replace(old, new)
        copies[name] = touched
    return copies


def every_change(credential: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return, by JSON path, a copy for each text with one character of it changed."""
    copies = {}
    for path in _texts(credential, ()):
        touched = copy.deepcopy(credential)
        place: Any = touched
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = _one_changed(place[path[-1]])
        copies["/".join(map(str, path))] = touched
    return copies


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from _texts(inner, (*path, key))


def _one_changed(text: str) -> str:
    """Change the last letter or digit; a base58 text stays one."""
    at = max(i for i, character in enumerate(text) if character.isalnum())
    old = text[at]
    new = ("2" if old == "1" else "1") if old.isdecimal() else "b" if old == "a" else "a"
    return text[:at] + new + text[at + 1 :]
