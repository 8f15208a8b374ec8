"""DID documents: which keys a DID names, and what each of them may do.

See <https://www.w3.org/TR/did-core/> and <https://www.w3.org/TR/cid-1.0/>. Members that
Patunay does not know are left alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from did.identifier import Did, DidMalformed, DidUrl, DidUrlMalformed
from did.jwk import decode_jwk
from did.key import DID_CONTEXTS
from did.multikey import KeyTypeUnsupported, decode_multikey, encode_multikey
from did.service_type import SERVICE_TYPE
from primitives.canonical_json import Json, JsonObject
from primitives.ed25519 import PublicKey
from primitives.errors import Malformed, Rejected, Undetermined
from primitives.instants import InstantMalformed, parse_instant

if TYPE_CHECKING:  # most documents name no log
    from did.service import PatunayLogService

MAX_VERIFICATION_METHODS = 256
"""In one document, embedded ones included; rotated keys stay listed."""

MAX_SERVICES = 64

MAX_REFERENCES = 256
"""Entries of one verification relationship."""

Relationship: TypeAlias = Literal[
    "assertionMethod",
    "authentication",
    "capabilityInvocation",
    "capabilityDelegation",
    "keyAgreement",
]

T = TypeVar("T")

_MULTIBASE_TYPES = frozenset({"Multikey", "Ed25519VerificationKey2020"})
_JWK_TYPES = frozenset({"JsonWebKey", "JsonWebKey2020"})


class DidDocumentMalformed(Undetermined):
    """What stands in the place of the DID document is not one.

    Undetermined: an error page says nothing about what the DID's keys have signed.
    """

    code = "did-document-malformed"
    hint = "ask the issuer to repair its DID document, or verify with a trust pack"


class DidDocumentIdMismatch(Undetermined):
    """The document is another DID's, so nothing is known about this one."""

    code = "did-document-id-mismatch"
    hint = "ask the issuer to publish a document whose id is its DID"


class VerificationMethodDuplicate(Rejected):
    """Two verification methods share one id, so readers may see different keys."""

    code = "did-vm-duplicate"


class VerificationMethodForeign(Rejected):
    """The verification method belongs to, or is controlled by, another DID."""

    code = "did-vm-foreign"


class DidKeyConflict(Rejected):
    """One verification method holds two different keys."""

    code = "did-key-conflict"


class VerificationMethodNotFound(Rejected):
    """The document names no such verification method."""

    code = "verification-method-not-found"


class VerificationMethodNotAuthorised(Rejected):
    """The key is the DID's own, but not for this purpose."""

    code = "verification-method-not-authorised"


class VerificationMethod(NamedTuple):
    """One key of a DID document, not decoded before somebody asks for it.

    So a key of an unknown type, or a broken one, spoils no other key.
    """

    id: DidUrl

    type: str
    controller: str

    multibase: str | None
    """`publicKeyMultibase`, as written."""

    jwk: JsonObject | None
    """`publicKeyJwk`, as written."""

    expires: datetime | None
    """Aware and in UTC. A claim of today's document; whoever judges has to weigh it."""

    revoked: datetime | None
    """As `expires`."""

    def public_key(self) -> PublicKey:
        """Return the Ed25519 key.

        Raises:
            KeyTypeUnsupported: Another type of method or of key.
            MultikeyMalformed: `publicKeyMultibase` is no key.
            JwkMalformed: `publicKeyJwk` is no key.
            KeyRefused: Of small or mixed order.
            DidDocumentMalformed: The member that its type calls for is missing.
        """
        if self.type in _MULTIBASE_TYPES:
            if self.multibase is None:
                raise DidDocumentMalformed(f"{self.id} has no publicKeyMultibase")
            return decode_multikey(self.multibase)
        if self.type in _JWK_TYPES:
            if self.jwk is None:
                raise DidDocumentMalformed(f"{self.id} has no publicKeyJwk")
            return decode_jwk(self.jwk)
        raise KeyTypeUnsupported(f"found type {self.type[:40]!r}, want Multikey")


@dataclass(frozen=True, slots=True)
class DidDocument:
    """A DID document, read; obtained from whom, the caller has to know."""

    id: Did

    methods: Mapping[DidUrl, VerificationMethod]
    """All of them, those of other DIDs and embedded ones included."""

    relationships: Mapping[Relationship, frozenset[DidUrl]]
    """What each method is authorised for."""

    services: tuple[JsonObject, ...]
    """Entries of `service`, as written."""

    def method_for(
        self,
        verification_method_id: str,
        relationship: Relationship = "assertionMethod",
    ) -> VerificationMethod:
        """Return the verification method if it may be used for `relationship`.

        Raises:
            DidUrlMalformed: The id is no absolute DID URL with a fragment; or DidMalformed.
            VerificationMethodForeign: It is of another DID, or controlled by one.
            VerificationMethodNotFound: The document does not name it.
            VerificationMethodNotAuthorised: It names it, but not under `relationship`.
        """
        url = DidUrl.parse(verification_method_id)
        if url.did != self.id:
            raise VerificationMethodForeign(f"found a method of {url.did}, want {self.id}")
        method = self.methods.get(url)
        if method is None:
            raise VerificationMethodNotFound(f"{self.id} names no method {url}")
        if method.controller != str(self.id):
            raise VerificationMethodForeign(
                f"{url} is controlled by {method.controller[:80]}, want {self.id}"
            )
        if url not in self.relationships.get(relationship, frozenset()):
            raise VerificationMethodNotAuthorised(f"{url} is not listed in {relationship}")
        return method

    def key_for(
        self,
        verification_method_id: str,
        relationship: Relationship = "assertionMethod",
    ) -> PublicKey:
        """Return the Ed25519 key that may be used for `relationship`.

        Raises:
            PatunayError: As `method_for` and `VerificationMethod.public_key`.
        """
        return self.method_for(verification_method_id, relationship).public_key()

    def log_service(self) -> "PatunayLogService | None":
        """Return the issuer's own word on its log, or None if it gives none.

        Raises:
            LogServiceMalformed: Not of its fixed form, or more than one.
        """
        entries = [entry for entry in self.services if entry.get("type") == SERVICE_TYPE]
        if not entries:
            return None
        from did.service import (  # noqa: PLC0415 - see above
            LogServiceMalformed,
            PatunayLogService,
        )

        if len(entries) > 1:
            raise LogServiceMalformed(f"found {len(entries)} of {SERVICE_TYPE}, want one")
        return PatunayLogService.parse(entries[0])


def check_document_id(value: JsonObject, expected: str) -> None:
    """Return if `value` says that it is the document of `expected`; raise otherwise.

    Raises:
        DidDocumentMalformed: It has no `id`.
        DidDocumentIdMismatch: It is another DID's.
    """
    found = value.get("id")
    if not isinstance(found, str):
        raise DidDocumentMalformed(f"found no id, want {expected[:80]}")
    if found != expected:
        raise DidDocumentIdMismatch(f"found the id {found[:80]!r}, want {expected[:80]!r}")


def parse_did_document(value: JsonObject, expected: str) -> DidDocument:
    """Read a DID document.

    Args:
        value: The parsed JSON object.
        expected: The DID that was resolved; never taken from the document.

    Raises:
        DidMalformed: `expected` is no DID.
        DidDocumentIdMismatch: `id` is not `expected`.
        DidDocumentMalformed: A member that is read has another form, or there are more
            of them than the limits above.
        VerificationMethodDuplicate: One id twice.
        DidKeyConflict: `publicKeyJwk` and `publicKeyMultibase` of one method disagree.
    """
    did = Did.parse(expected)
    check_document_id(value, expected)
    embedded: list[JsonObject] = []
    relationships: dict[Relationship, frozenset[DidUrl]] = {}
    for name in get_args(Relationship):
        urls, objects = _parse_relationship(value, name, did)
        relationships[name] = urls
        embedded += objects
    listed = _objects(value, "verificationMethod", MAX_VERIFICATION_METHODS)
    return DidDocument(
        id=did,
        methods=_index_methods([*listed, *embedded], did),
        relationships=relationships,
        services=tuple(_objects(value, "service", MAX_SERVICES)),
    )


def build_did_document(
    did: str,
    *,
    assertion_keys: Mapping[str, PublicKey],
    withdrawn_keys: Mapping[str, PublicKey] | None = None,
    services: "Sequence[PatunayLogService]" = (),
    controller: str | None = None,
) -> JsonObject:
    """Return a DID document for a did:web.

    Args:
        did: Its own DID; also what controls every key.
        assertion_keys: Fragment without `#`, and key. Rotated keys belong here too:
            other verifiers look only at today's document.
        withdrawn_keys: Compromised keys: still named, authorised for nothing.
        services: Where the log is; `DidDocument.log_service` reads one at most.
        controller: Another DID that may change this document, if there is one.

    Raises:
        DidMalformed: `did` is no DID.
        DidUrlMalformed: A name of a key is no fragment.
        VerificationMethodDuplicate: A key is both in use and withdrawn.
        KeyRefused: A key of small or mixed order.
    """
    subject = Did.parse(did)
    withdrawn = withdrawn_keys or {}
    both = assertion_keys.keys() & withdrawn.keys()
    if both:
        raise VerificationMethodDuplicate(f"{min(both)} is in use and withdrawn")
    methods: list[Json] = [
        {
            "id": str(DidUrl.resolve(f"#{fragment}", subject)),
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": encode_multikey(key),
        }
        for fragment, key in (*assertion_keys.items(), *withdrawn.items())
    ]
    usable: list[Json] = [f"{did}#{fragment}" for fragment in assertion_keys]
    document: JsonObject = {
        "@context": list(DID_CONTEXTS),
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": usable,
        "authentication": list(usable),
    }
    if controller is not None:
        document["controller"] = str(Did.parse(controller))
    if services:
        document["service"] = [service.to_json(did) for service in services]
    return document


def _index_methods(entries: list[JsonObject], did: Did) -> dict[DidUrl, VerificationMethod]:
    if len(entries) > MAX_VERIFICATION_METHODS:
        raise DidDocumentMalformed(
            f"found {len(entries)} keys, want at most {MAX_VERIFICATION_METHODS}"
        )
    methods: dict[DidUrl, VerificationMethod] = {}
    for entry in entries:
        method = _parse_method(entry, did)
        if method.id in methods:
            raise VerificationMethodDuplicate(f"{method.id} is named twice")
        methods[method.id] = method
    return methods


def _parse_method(entry: JsonObject, did: Did) -> VerificationMethod:
    multibase, jwk = entry.get("publicKeyMultibase"), entry.get("publicKeyJwk")
    if not isinstance(multibase, str | None) or not isinstance(jwk, dict | None):
        raise DidDocumentMalformed("found a key that is neither Multikey nor JWK")
    method = VerificationMethod(
        id=_url(entry.get("id"), did),
        type=_text(entry, "type"),
        controller=_text(entry, "controller"),
        multibase=multibase,
        jwk=jwk,
        expires=_instant(entry, "expires"),
        revoked=_instant(entry, "revoked"),
    )
    if multibase is not None and jwk is not None:
        _refuse_conflict(method, multibase, jwk)
    return method


def _refuse_conflict(method: VerificationMethod, multibase: str, jwk: JsonObject) -> None:
    one, other = _key_or_none(decode_multikey, multibase), _key_or_none(decode_jwk, jwk)
    if one != other:
        raise DidKeyConflict(f"publicKeyMultibase and publicKeyJwk of {method.id} differ")


def _key_or_none(decode: Callable[[T], PublicKey], value: T) -> PublicKey | None:
    """Two unreadable keys cannot be compared, and nobody here will use either."""
    try:
        return decode(value)
    except (Malformed, Rejected, KeyTypeUnsupported):
        return None


def _parse_relationship(
    value: JsonObject, name: Relationship, did: Did
) -> tuple[frozenset[DidUrl], list[JsonObject]]:
    urls: set[DidUrl] = set()
    embedded: list[JsonObject] = []
    for item in _array(value, name, MAX_REFERENCES):
        if isinstance(item, dict):
            embedded.append(item)
            urls.add(_url(item.get("id"), did))
        else:
            urls.add(_url(item, did))
    return frozenset(urls), embedded


def _url(value: Json, did: Did) -> DidUrl:
    if not isinstance(value, str):
        raise DidDocumentMalformed(f"found an id of {type(value).__name__}, want a DID URL")
    try:
        return DidUrl.resolve(value, did)
    except (DidMalformed, DidUrlMalformed) as e:
        raise DidDocumentMalformed(str(e)) from e


def _instant(entry: JsonObject, name: str) -> datetime | None:
    if name not in entry:
        return None
    try:
        return parse_instant(_text(entry, name))
    except InstantMalformed as e:
        raise DidDocumentMalformed(f"{name}: {e}") from e


def _text(entry: JsonObject, name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise DidDocumentMalformed(f"found {name} of {type(value).__name__}, want a string")
    return value


def _objects(value: JsonObject, name: str, limit: int) -> list[JsonObject]:
    items = _array(value, name, limit)
    objects = [item for item in items if isinstance(item, dict)]
    if len(objects) != len(items):
        raise DidDocumentMalformed(f"found other values in {name}, want objects")
    return objects


def _array(value: JsonObject, name: str, limit: int) -> list[Json]:
    items = value.get(name, [])
    if not isinstance(items, list):
        raise DidDocumentMalformed(f"found {name} of {type(items).__name__}, want an array")
    if len(items) > limit:
        raise DidDocumentMalformed(f"found {len(items)} in {name}, want at most {limit}")
    return items
