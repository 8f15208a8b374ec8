"""An issuer's keys as its node knows them: whose they are, and what they have signed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.entry import EntryKind
from credentials.data_integrity import Proof, parse_proofs
from did.document import DidDocument, parse_did_document
from did.history import build_history
from did.keyfile import KeyEntry
from did.keystore import KeyNotFound
from did.multikey import decode_multikey, encode_multikey
from node.node import Node
from node.storage import key_history, ledger
from node.storage.registry import Issuer, list_issuers
from primitives.canonical_json import JsonObject
from primitives.ed25519 import PublicKey
from primitives.errors import Misconfigured
from primitives.instants import format_instant, parse_instant
from primitives.strict_json import parse_json_object

Role: TypeAlias = Literal["credential", "status"]

ROLES: Final[tuple[Role, ...]] = ("credential", "status")

_CHUNK: Final = 1_000
"""Credentials read from the database at once."""


class KeyNotPublished(Misconfigured):
    """No DID document of this node names the key."""

    code = "key-not-published"
    hint = "give the id, or the verification method, of a credential or status key"


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A credential that a key has signed."""

    uuid: str
    signed_at: str
    leaf_index: int | None
    """None while it waits in the queue."""


async def history_of(c: AsyncConnection, did: str) -> JsonObject:
    """Return the history of one of the node's did:webs, as it is published."""
    documents = await key_history.logged_documents(c, did, EntryKind.DID_DOCUMENT)
    events = await key_history.logged_documents(c, did, EntryKind.KEY_EVENT)
    return build_history(
        did,
        [(parse_json_object(body.encode()), parse_instant(at)) for body, at in documents],
        [parse_json_object(body.encode()) for body, _ in events],
    )


async def find_key(node: Node, name: str) -> tuple[KeyEntry, Issuer]:
    """Return the key of that id, or that verification method, and whose it is."""
    async with node.reading() as c:
        issuers = {issuer.slug: issuer for issuer in await list_issuers(c)}
    for entry in node.home.keystore().entries:
        issuer = issuers.get(entry.label.issuer)
        if issuer is None or entry.label.role not in ROLES:
            continue
        try:
            method = method_of(document_of(issuer), entry)
        except KeyNotFound:
            continue
        if name in (entry.label.key_id, method):
            return entry, issuer
    raise KeyNotPublished(f"found {name[:160]!r}, want a credential or status key")


async def who_signed(
    node: Node, name: str, start: datetime, end: datetime
) -> list[SignedBy]:
    """Return the credentials that a key has signed from `start` to `end`, both included.

    By the node's own record of when it signed, in that order. What a thief has signed
    elsewhere is on no list.

    Raises:
        KeyNotPublished: `name` is no credential or status key.
    """
    entry, issuer = await find_key(node, name)
    key = method_of(document_of(issuer), entry)
    found: list[SignedBy] = []
    bounds = (format_instant(start), format_instant(end))
    after = ""
    async with node.reading() as c:
        while True:
            rows = await key_history.signed_between(
                c, issuer.slug, *bounds, after=after, limit=_CHUNK
            )
            for uuid, signed_at, body in rows:
                if key in _methods_in(parse_json_object(body.encode())):
                    leaf, _ = await ledger.find_leaf(c, uuid, EntryKind.CREDENTIAL)
                    found.append(SignedBy(uuid, signed_at, leaf))
            if len(rows) < _CHUNK:
                break
            after = rows[-1][0]
    return sorted(found, key=lambda one: (one.signed_at, one.uuid))


def usable_keys(
    node: Node, issuer: Issuer, role: Role, *, without: KeyEntry | None = None
) -> list[KeyEntry]:
    """Return the keys of a role that the document lets assert, oldest first."""
    usable = {encode_multikey(key) for key in keys_in_use(document_of(issuer)).values()}
    return [
        entry
        for entry in node.keys().keystore.entries
        if (entry.label.issuer, entry.label.role) == (issuer.slug, role)
        and entry.public in usable
        and (without is None or entry.public != without.public)
    ]


def document_of(issuer: Issuer) -> DidDocument:
    """Return the issuer's present DID document."""
    return parse_did_document(issuer.parsed(), issuer.did)


def named_keys(document: DidDocument) -> dict[str, PublicKey]:
    """Return every key of the document by its fragment, in the document's order."""
    return {url.fragment: method.public_key() for url, method in document.methods.items()}


def keys_in_use(document: DidDocument) -> dict[str, PublicKey]:
    """Return the keys that may assert, as `named_keys`."""
    usable = {url.fragment for url in document.relationships["assertionMethod"]}
    return {name: key for name, key in named_keys(document).items() if name in usable}


def method_of(document: DidDocument, entry: KeyEntry) -> str:
    """Return the verification method of a key.

    Raises:
        KeyNotFound: The document names none.
    """
    wanted = decode_multikey(entry.public) if entry.label.role in ROLES else None
    for name, key in named_keys(document).items():
        if key == wanted:
            return f"{document.id}#{name}"
    raise KeyNotFound(f"{document.id} does not name the key {entry.label.key_id}")


def _methods_in(document: JsonObject) -> Iterator[str]:
    for proof in parse_proofs(document):
        if isinstance(proof, Proof):
            yield proof.verification_method
