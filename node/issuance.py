"""Issuing: from a decision to a signed credential with its place in the queue.

    decided   the draft is stored, with its UUID and its place in a status list; those of a
              batch by `node.batches`
    signed    the signed document is stored, and queued for the log, in one transaction

A crash between the two is settled by `sign_drafts`, which is also what runs normally.
"""

import asyncio
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.entry import EntryKind
from credentials.data_integrity import SUITES, add_proof, batch_engine
from credentials.jsonld.quads import Engine
from credentials.model import (
    Credential,
    check_issuer,
    is_open_badge,
    parse_credential,
    with_issuing_contexts,
)
from credentials.status_list import ENTRY_TYPE, PURPOSES, REVOCATION
from node.acting import current_actor
from node.approvals import ApprovalRequired
from node.audit_log import record, record_signed, refusals_recorded
from node.failpoints import failpoint
from node.node import Node, credential_key, signing_key
from node.permissions import Action, check_permission
from node.status_lists import Place, allot_places
from node.storage import batches, ledger
from node.storage.ledger import Draft, Unsigned
from node.storage.registry import Issuer, list_issuers, require_issuer
from node.webhooks import Event, Happened, tell
from primitives.canonical_json import JsonObject, canonicalize
from primitives.ed25519 import Signer
from primitives.errors import Malformed, Rejected
from primitives.hashing import sha256
from primitives.strict_json import parse_json_object

CHUNK = 300
"""Credentials signed in one transaction: others wait for its lock for 0.2 s or so."""

Content: TypeAlias = JsonObject | str
"""An unsigned document as this process has just stored it, or as it was read: JSON."""

HTTP_LIST = "http"
"""Name of the status lists of what was issued over HTTP."""

_URN = "urn:uuid:"
_UUID_URN = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)

Progress = Callable[[str, int, int], None]
"""Told the step's name, how many are done, and of how many."""


class IssuerMismatch(Rejected):
    """The credential names an issuer that this node does not sign for."""

    code = "issuer-mismatch"
    hint = "name one of the node's own DIDs; `patunay issuer list` prints them"


class IdConflict(Rejected):
    """A credential of that id was issued with another content."""

    code = "credential-id-conflict"
    hint = "a changed credential needs a new id"


class AlreadyDecided(Malformed):
    """The credential to be signed brings what only the node may add."""

    code = "credential-not-unsigned"


def no_progress(step: str, done: int, total: int) -> None:
    """Tell nobody."""
    del step, done, total


def make_draft(
    document: JsonObject, issuer: Issuer, cryptosuite: str, place: Place
) -> Draft:
    """Return the draft of a complete unsigned document that has its place in a list."""
    body = canonicalize(document)
    name = str(document["id"])
    is_uuid = _UUID_URN.fullmatch(name) is not None
    return Draft(
        uuid=name.removeprefix(_URN) if is_uuid else str(uuid.uuid4()),
        id=name,
        issuer=issuer.slug,
        cryptosuite=cryptosuite,
        draft=body.decode(),
        draft_sha256=sha256(body).hex(),
        status_list=place.url,
        status_index=place.index,
    )


async def issue_document(
    node: Node, document: JsonObject, slug: str | None, *, cryptosuite: str | None = None
) -> JsonObject:
    """Issue one credential that a caller has written, and return it signed.

    The node adds what is missing of `id` and `issuer`, always a `credentialStatus`, and to
    version 1.1 of the data model the contexts that define what it adds. At the address of
    one issuer (`slug`) it writes that issuer's DID over a stranger's. The same
    request again, by the `id` that it names, gives the same credential. What is no Open
    Badge can be suspended too. Without `cryptosuite`, it is signed in the issuer's own.

    Raises:
        StructureInvalid: It breaks a rule of the data model.
        IssuerMismatch: It names another issuer of this node; without `slug`, a stranger.
        AlreadyDecided: It has a proof, or a place in a status list.
        IdConflict: Its id was issued with another content.
        UnsignedTerm: A term that no signature would cover.
        NodeSealed: The keys are not unlocked.
        ApprovalRequired: The node asks for two people.
        RoleRefused, IssuerRefused: Whoever acts may not.
    """
    async with refusals_recorded(node, Action.CREDENTIAL_ISSUE), node.writing() as c:
        return await issue_within(node, c, document, slug, cryptosuite=cryptosuite)


async def issue_within(
    node: Node,
    c: AsyncConnection,
    document: JsonObject,
    slug: str | None,
    *,
    cryptosuite: str | None = None,
) -> JsonObject:
    """Do what `issue_document` does, in the caller's write transaction.

    Raises:
        PatunayError: As `issue_document`. The transaction MUST end there.
    """
    if node.config.batch_approval:
        raise ApprovalRequired("found one credential, want a batch that is approved")
    if "proof" in document:
        raise AlreadyDecided("found a proof, want the node to add it")
    asked = sha256(canonicalize(document))
    issuer = await _choose_issuer(c, document, slug)
    actor, act = current_actor(), Action.CREDENTIAL_ISSUE
    check_permission(actor, act, issuer.slug)
    if "id" in document:
        known = await ledger.find_credential_by_id(c, str(document["id"]))
        if known is not None:
            check_permission(actor, act, known.issuer)
        if known is not None and known.draft_sha256 != asked.hex():
            raise IdConflict(f"{document['id']} was issued with another content")
        if known is not None and known.document is not None:
            return parse_json_object(known.document.encode())
    complete = _complete(document, issuer)
    given = _statuses_given(parse_credential(complete))
    # The schema of Open Badges allows one status entry, and it has to have an id.
    purposes = (REVOCATION,) if is_open_badge(complete) else PURPOSES
    (place,) = await allot_places(node, c, issuer, HTTP_LIST, purposes, 1)
    entries = [*place.entries, *given]
    complete["credentialStatus"] = entries[0] if len(entries) == 1 else entries
    suite = cryptosuite or issuer.cryptosuite
    draft = replace(make_draft(complete, issuer, suite, place), draft_sha256=asked.hex())
    # Signed before anything is stored: what safe mode refuses leaves no trace.
    signed = await asyncio.to_thread(
        _sign, node, draft.cryptosuite, signing_key_of(node, issuer), draft.draft
    )
    await ledger.save_drafts(c, [draft], node.now())
    await _save_signed(node, c, [(draft.uuid, signed)])
    what = f"credential:{draft.uuid}"
    await record(c, node, Action.CREDENTIAL_ISSUE, what, issuer=issuer.slug)
    return signed


def _statuses_given(credential: Credential) -> list[JsonObject]:
    """Return the status entries that the caller has written, of kinds that we do not keep.

    A place in a bitstring list is given out by whoever keeps the list, and by nobody else.
    """
    kinds = [entry.type for entry in credential.statuses]
    if is_open_badge(credential.document) and kinds:
        raise AlreadyDecided("found credentialStatus, want none in an Open Badge")
    if ENTRY_TYPE in kinds:
        raise AlreadyDecided(f"found credentialStatus of type {ENTRY_TYPE}, want no place")
    return [dict(entry.members) for entry in credential.statuses]


def _complete(document: JsonObject, issuer: Issuer) -> JsonObject:
    complete = with_issuing_contexts(document)
    complete.setdefault("id", f"{_URN}{uuid.uuid4()}")
    given = complete.get("issuer")
    complete["issuer"] = (
        {**given, "id": issuer.did} if isinstance(given, dict) else issuer.did
    )
    return complete


async def _choose_issuer(
    c: AsyncConnection, document: JsonObject, slug: str | None
) -> Issuer:
    if slug is not None:
        chosen = await require_issuer(c, slug)
    else:
        chosen = (await list_issuers(c))[0]
    given = document.get("issuer")
    if "issuer" not in document or (isinstance(given, dict) and "id" not in given):
        return chosen
    wanted, _ = check_issuer(given)
    own = {issuer.did: issuer for issuer in await list_issuers(c)}
    if slug is None and wanted in own:
        return own[wanted]
    if wanted == chosen.did or (slug is not None and wanted not in own):
        return chosen
    raise IssuerMismatch(f"found issuer {str(wanted)[:120]!r}, want {chosen.did}")


async def sign_drafts(
    node: Node,
    *,
    progress: Progress = no_progress,
    documents: Mapping[str, JsonObject] = MappingProxyType({}),
) -> int:
    """Sign every draft that waits, in chunks; return how many were signed.

    Args:
        node: Unlocked.
        progress: Told after each chunk.
        documents: By UUID, what this process itself has just stored as drafts: these are
            not read again.

    Raises:
        NodeSealed: The keys are not unlocked.
    """
    async with node.reading() as c:
        total = await batches.count_unsigned(c)
        issuers = {issuer.slug: issuer for issuer in await list_issuers(c)}
    done = 0
    progress("signing", 0, total)
    while True:
        # Read, signed and stored in one write transaction: no draft is signed twice.
        async with node.writing() as c:
            drafts = await batches.unsigned_drafts(c, CHUNK)
            if not drafts:
                break
            unread = [draft.uuid for draft in drafts if draft.uuid not in documents]
            contents: dict[str, Content] = {**documents}
            contents.update(await ledger.draft_bodies(c, unread))
            signed = await asyncio.to_thread(_sign_all, node, drafts, issuers, contents)
            await _save_signed(node, c, signed)
            names = tuple(f"credential:{draft.uuid}" for draft in drafts)
            await record_signed(c, node, names)
        done += len(drafts)
        progress("signing", done, max(total, done))
    failpoint("signed")
    return done


def _sign_all(
    node: Node,
    drafts: Sequence[Unsigned],
    issuers: Mapping[str, Issuer],
    contents: Mapping[str, Content],
) -> list[tuple[str, JsonObject]]:
    """Return UUIDs and signed documents of the drafts, whose `contents` are by UUID."""
    slugs = {draft.issuer for draft in drafts}
    keys = {slug: signing_key_of(node, issuers[slug]) for slug in slugs}
    engine = batch_engine()
    return [
        (d.uuid, _sign(node, d.cryptosuite, keys[d.issuer], contents[d.uuid], engine))
        for d in drafts
    ]


def signing_key_of(node: Node, issuer: Issuer) -> tuple[Signer, str]:
    """Return the signer of an issuer's credentials, and the method that it signs as.

    Raises:
        NodeSealed: The keys are not unlocked.
    """
    return signing_key(node, issuer, credential_key(issuer.slug))


def _sign(
    node: Node,
    cryptosuite: str,
    key: tuple[Signer, str],
    content: Content,
    engine: Engine | None = None,
) -> JsonObject:
    """Return the signed document of a draft."""
    if cryptosuite not in SUITES:
        raise ValueError(f"{cryptosuite} is no cryptosuite of this release")
    signer, method = key
    return add_proof(
        parse_json_object(content.encode()) if isinstance(content, str) else content,
        signer,
        verification_method=method,
        created=node.instant(),
        cryptosuite=cryptosuite,
        engine=engine,
    )


async def _save_signed(
    node: Node, c: AsyncConnection, signed: Sequence[tuple[str, JsonObject]]
) -> None:
    bodies = [(name, canonicalize(document)) for name, document in signed]
    now = node.now()
    await ledger.save_signed(c, [(name, body.decode()) for name, body in bodies], now)
    queued = [(EntryKind.CREDENTIAL, sha256(body), name) for name, body in bodies]
    await ledger.enqueue(c, queued, now)
    told = [
        Happened(Event.ISSUED, name, {"uuid": name, "digest": digest.hex()})
        for _, digest, name in queued
    ]
    await tell(node, c, told)
