"""DID documents and status lists in a version that is newer than a restored copy's own."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.record import parse_record
from credentials.data_integrity import Proof, parse_proofs, verify_proof
from credentials.status_list import REVOCATION, set_indexes, twin
from did.document import parse_did_document
from node.node import Node
from node.published_log import LogPlace, PublishedLog
from node.publishing import StatusUrlForeign, status_list_file
from node.status_lists import log_list
from node.storage import statuses
from node.storage.adopting import credentials_by_place, is_logged
from node.storage.ledger import save_status_list
from node.storage.registry import Issuer, list_issuers, update_document
from node.storage.restorations import inherit
from node.storage.statuses import REVOKE, SUSPEND, StatusEvent, StoredList
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError
from primitives.hashing import sha256
from primitives.instants import parse_instant
from primitives.strict_json import parse_json_object

_LIST_BYTES = 4 << 20

_REASON = "taken over from the published list after a restoration"


async def list_urls(
    node: Node, log: PublishedLog | None, place: LogPlace
) -> Mapping[str, bytes]:
    """Return the published lists by URL: those known here, and the newest record's."""
    async with node.reading() as c:
        urls = {stored.url for stored in await statuses.all_lists(c)}
    if log is not None:
        newest = parse_record(log.records[-1])
        links = (*newest.status_lists, *newest.suspension_lists)
        urls |= {link.name for link in links}
    found: dict[str, bytes] = {}
    for url in sorted(urls):
        try:
            status_list_file(node.home, node.config, url)
            path = url.removeprefix(node.config.base_url)
            found[url] = await place.fetch(place.site + path, _LIST_BYTES)
        except PatunayError:
            continue  # what a record has of it was taken over as a leaf
    return found


async def adopt_documents(c: AsyncConnection, bodies: Sequence[bytes]) -> None:
    """Take the last of the DID documents in the log as the current one of its issuer."""
    newest = {str(parse_json_object(body, _LIST_BYTES).get("id")): body for body in bodies}
    for issuer in await list_issuers(c):
        body = newest.get(issuer.did)
        if body is not None:
            await update_document(c, issuer.slug, body.decode())


async def adopt_lists(node: Node, c: AsyncConnection, lists: Mapping[str, bytes]) -> int:
    """Take over published lists that are newer than those here; return how many are."""
    issuers = {issuer.did: issuer for issuer in await list_issuers(c)}
    adopted = 0
    for url, body in lists.items():
        try:
            document = parse_json_object(body, _LIST_BYTES)
            issuer = issuers[str(document.get("issuer"))]
            _verify(document, issuer, url)
            bits = set(set_indexes(document))
        except (PatunayError, KeyError):
            continue  # not one of ours: nothing of it counts
        stored = await statuses.find_list(c, url)
        if stored is None:
            stored = await _begin(node, c, issuer, url, document, body)
        elif body.decode() == stored.document or not _is_newer(document, stored):
            continue
        await _take_over(node, c, stored, body, bits)
        adopted += 1
    return adopted


def _verify(document: JsonObject, issuer: Issuer, url: str) -> None:
    """Return if a list is signed by a key of its issuer's document."""
    (proof,) = parse_proofs(document)
    methods = parse_did_document(issuer.parsed(), issuer.did).methods
    keys = {str(name): method.public_key() for name, method in methods.items()}
    if not isinstance(proof, Proof) or document.get("id") != url:
        raise StatusUrlForeign(f"found no list of {url[:120]}")
    key = keys.get(proof.verification_method)
    if key is None:
        raise StatusUrlForeign(f"found a list signed by {proof.verification_method[:120]}")
    verify_proof(document, proof, key)


def _is_newer(document: JsonObject, stored: StoredList) -> bool:
    own = parse_json_object(stored.document.encode(), _LIST_BYTES)
    return _made(document) >= _made(own)


def _made(document: JsonObject) -> datetime:
    return parse_instant(str(document.get("validFrom")))


async def _begin(
    node: Node,
    c: AsyncConnection,
    issuer: Issuer,
    url: str,
    document: JsonObject,
    body: bytes,
) -> StoredList:
    """Store a list that was begun after the backup."""
    subject = document.get("credentialSubject")
    purpose = str(subject.get("statusPurpose")) if isinstance(subject, dict) else ""
    last = url.rpartition("/")[2].removesuffix(f"-{purpose}")
    name, _, sequence = last.rpartition("-")
    values: dict[str, object] = {
        "url": url,
        "issuer": issuer.slug,
        "name": name,
        "sequence": int(sequence),
        "purpose": purpose,
        "document": body.decode(),
        "created_at": node.now(),
    }
    await save_status_list(c, values)
    return StoredList(
        url, issuer.slug, name, int(sequence), purpose, body.decode(), 1, node.now()
    )


async def _take_over(
    node: Node, c: AsyncConnection, stored: StoredList, body: bytes, bits: set[int]
) -> None:
    """Keep every bit that was published: as an event where the credential is known."""
    places = await credentials_by_place(c, stored.issuer, stored.name, stored.sequence)
    marked = await statuses.marked_indexes(c, stored.url)
    new = bits - marked - {twin(index) for index in marked}
    version = stored.version
    rest: set[int] = set()
    for index in sorted(new):
        if index not in places:
            if twin(index) not in places or twin(index) not in new:
                rest.add(index)
            continue
        version += 1
        await statuses.save_event(
            c,
            StatusEvent(
                credential=places[index],
                purpose=stored.purpose,
                action=REVOKE if stored.purpose == REVOCATION else SUSPEND,
                reason=_REASON,
                at=node.now(),
                status_list=stored.url,
                status_index=index,
                list_version=version,
            ),
        )
    await inherit(c, stored.url, rest)
    await statuses.replace_document(c, stored.url, body.decode(), version)
    if not await is_logged(c, sha256(body)):
        await log_list(node, c, stored.url, body)
