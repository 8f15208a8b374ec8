"""Lists of issuers that other networks keep, read into an office's own draft.

Nothing of them is believed by a verifier: they name whom an office may want to look after.
What is read is shown to people, looked up anew, and signed by the offices, as always.

- A registry of the Digital Credentials Consortium: JSON, signed by nobody.
- An entity statement of OpenID Federation 1.0: a JWT, of which EdDSA is read.
- A RecognizedEntityCredential (W3C Recognized Entities 1.0, a draft: experimental).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from credentials.data_integrity import Proof, parse_proofs, verify_proof
from credentials.foreign.formats import FormatNotSupported
from credentials.model import parse_credential
from credentials.proof_checks import Expired, NotYetValid
from credentials.quoting import shown
from did.identifier import Did
from did.key import DidKey
from did.resolver import DidMethodUnsupported
from did.web import parse_did_web
from primitives.canonical_json import Json, JsonObject
from primitives.ed25519 import PublicKey, Signature, verify_signature
from primitives.encodings import EncodingMalformed, decode_base64url
from primitives.errors import Malformed, PatunayError, Rejected, Undetermined
from primitives.strict_json import parse_json, parse_json_object

MAX_REGISTRY_BYTES: Final = 4 << 20
"""The largest registry that is known has some 100 KB."""

MAX_ENTRIES: Final = 5_000
_MAX_NODES: Final = 100_000
_MAX_NAME: Final = 120
_SKEW: Final = timedelta(minutes=5)

_JWT: Final = re.compile(rb"\s*([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\s*")
_STATEMENT: Final = "entity-statement+jwt"
_RECOGNIZED: Final = "RecognizedEntityCredential"


class RegistryMalformed(Malformed):
    """The bytes are none of the lists of issuers that are read."""

    code = "registry-malformed"
    hint = "docs/trust-packs.md says which lists are read"


class RegistryUnsigned(Rejected):
    """A key was given, and the list is signed by nobody."""

    code = "registry-unsigned"
    hint = "leave --key away if you believe the file as it is"


class RegistryKeyWanted(Undetermined):
    """The list is signed, and nobody said whose signature is believed."""

    code = "registry-key-wanted"
    hint = "give --key, as the network that keeps the list publishes it"


class RegistryAlgorithm(Undetermined):
    """The list is signed in a way that is not read; it is not thereby false."""

    code = "registry-algorithm-unsupported"
    hint = "ask the network for a statement signed with EdDSA (Ed25519)"


@dataclass(frozen=True, slots=True)
class Listed:
    """An issuer that a list names."""

    did: str
    name: str
    """By which the list knows it; the DID where it has none."""


@dataclass(frozen=True, slots=True)
class Registry:
    """A list that was read, and whose signature holds if it has one."""

    kind: str
    """For people."""

    listed: tuple[Listed, ...]
    """By DID."""

    skipped: Mapping[str, PatunayError]
    """Entries that name nobody whom a pack can hold, and why."""

    signed: bool


def parse_registry(raw: bytes, key: PublicKey | None, now: datetime) -> Registry:
    """Return the issuers that a list names.

    Args:
        raw: The list as it was had.
        key: Whose signature it has to have; None for a list that nobody signs.
        now: Aware; a statement has to be in its period.

    Raises:
        RegistryMalformed: It is none of the lists that are read.
        RegistryUnsigned, RegistryKeyWanted, RegistryAlgorithm: See the classes.
        SignatureRejected: Another key has signed.
        Expired, NotYetValid: Its period has passed, or has not begun.
        FormatNotSupported: JSON of another kind.
        PatunayError: What a credential is refused with.
    """
    if len(raw) > MAX_REGISTRY_BYTES:
        raise RegistryMalformed(
            f"found {len(raw)} bytes, want at most {MAX_REGISTRY_BYTES}"
        )
    match = _JWT.fullmatch(raw)
    if match is not None:
        return _statement((match[1], match[2], match[3]), key, now)
    document = _object(parse_json(raw, MAX_REGISTRY_BYTES, max_nodes=_MAX_NODES))
    if "registry" in document:
        return _consortium(document, key)
    types = document.get("type")
    if _RECOGNIZED in (types if isinstance(types, list) else [types]):
        return _recognized(document, key, now)
    raise FormatNotSupported("found a JSON document that is no list of issuers")


def _consortium(document: JsonObject, key: PublicKey | None) -> Registry:
    if key is not None:
        raise RegistryUnsigned("found a registry in JSON, which nobody signs")
    entries = document["registry"]
    if not isinstance(entries, dict):
        raise RegistryMalformed("registry: want an object of DIDs")
    named = (
        (did, entry.get("name") if isinstance(entry, dict) else None)
        for did, entry in entries.items()
    )
    return _registry("a registry of the DCC form", named, signed=False)


def _statement(
    parts: tuple[bytes, bytes, bytes], key: PublicKey | None, now: datetime
) -> Registry:
    """Read an entity statement, OpenID Federation 1.0 section 3."""
    header, claims = (_decoded(part) for part in parts[:2])
    if header.get("typ") != _STATEMENT:
        raise RegistryMalformed(
            f"found typ {str(header.get('typ'))[:40]!r}, want {_STATEMENT}"
        )
    if header.get("alg") != "EdDSA":
        raise RegistryAlgorithm(f"found {str(header.get('alg'))[:24]!r}, want EdDSA")
    if "crit" in header:
        # RFC 7515 section 4.1.11: what is critical and not understood is refused.
        raise RegistryMalformed("found the header crit, of which nothing is understood")
    if key is None:
        raise RegistryKeyWanted(f"signed by {str(claims.get('iss'))[:120]}")
    verify_signature(key, b".".join(parts[:2]), Signature(_bytes(parts[2])))
    issued, expires = (_instant(claims, name) for name in ("iat", "exp"))
    if issued > now + _SKEW:
        raise NotYetValid(f"issued at {issued.isoformat()}")
    if expires <= now:
        raise Expired(f"valid until {expires.isoformat()}")
    metadata = claims.get("metadata")
    entity = metadata.get("federation_entity") if isinstance(metadata, dict) else None
    name = entity.get("organization_name") if isinstance(entity, dict) else None
    subject = claims.get("sub")
    if not isinstance(subject, str):
        raise RegistryMalformed("found no sub")
    return _registry(
        "an OpenID Federation entity statement", [(subject, name)], signed=True
    )


def _recognized(document: JsonObject, key: PublicKey | None, now: datetime) -> Registry:
    """Read a credential that recognises entities; which actions they may do is not read."""
    credential = parse_credential(document)
    if key is None:
        raise RegistryKeyWanted(f"signed by {credential.issuer[:120]}")
    proofs = [proof for proof in parse_proofs(document) if isinstance(proof, Proof)]
    if not proofs:
        raise RegistryAlgorithm("found no proof that is read, want eddsa-rdfc-2022")
    for proof in proofs:
        verify_proof(document, proof, key)
    if credential.valid_from is not None and credential.valid_from > now + _SKEW:
        raise NotYetValid(f"valid from {credential.valid_from.isoformat()} on")
    if credential.valid_until is not None and credential.valid_until <= now:
        raise Expired(f"valid until {credential.valid_until.isoformat()}")
    subjects = document.get("credentialSubject")
    each = subjects if isinstance(subjects, list) else [subjects]
    named = (
        (str(one.get("id", "")), one.get("name")) for one in each if isinstance(one, dict)
    )
    return _registry("a RecognizedEntityCredential (experimental)", named, signed=True)


def _registry(kind: str, named: Iterable[tuple[str, Json]], *, signed: bool) -> Registry:
    listed: dict[str, Listed] = {}
    skipped: dict[str, PatunayError] = {}
    for number, (did, name) in enumerate(named):
        if number >= MAX_ENTRIES:
            raise RegistryMalformed(f"found over {MAX_ENTRIES} entries")
        try:
            _require_followable(did)
        except PatunayError as e:
            skipped[shown(did, _MAX_NAME)] = e
            continue
        words = shown(name, _MAX_NAME) if isinstance(name, str) else ""
        listed[did] = Listed(did, words or did)
    ordered = tuple(listed[did] for did in sorted(listed))
    return Registry(kind, ordered, skipped, signed)


def _require_followable(did: str) -> None:
    """Return if a pack can hold that issuer.

    Raises:
        DidMethodUnsupported: Its documents cannot be had.
        DidMalformed: It is no DID.
    """
    method = Did.parse(did).method
    if method == "key":
        DidKey.parse(did)
    elif method == "web":
        parse_did_web(did)
    else:
        raise DidMethodUnsupported(f"found did:{method}, want did:key or did:web")


def _decoded(part: bytes) -> JsonObject:
    raw = _bytes(part)
    return parse_json_object(raw, MAX_REGISTRY_BYTES)


def _bytes(part: bytes) -> bytes:
    try:
        return decode_base64url(part.decode("ascii"))
    except EncodingMalformed as e:
        raise RegistryMalformed(f"a part of the JWT: {e}") from e


def _object(value: Json) -> JsonObject:
    if not isinstance(value, dict):
        raise RegistryMalformed(f"found {type(value).__name__}, want an object or a JWT")
    return value


def _instant(claims: JsonObject, name: str) -> datetime:
    value = claims.get(name)
    if type(value) is not int or not 0 < value < 2**33:
        raise RegistryMalformed(f"found no {name} in seconds")
    return datetime.fromtimestamp(value, UTC)
