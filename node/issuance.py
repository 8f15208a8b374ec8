"""Issuing one credential that a caller has written.

    made      worked out and signed in memory, under a place that seems to be free
    stored    with its place in a status list and in the queue, its entry in the audit log
              and the answer under its idempotency key: in one transaction, together with
              what else was made by then

Only the second waits for the store, and for its turn to write. In that transaction it is
looked up whether all is still as it was; where it is not, the request is worked out once
more. Nothing that is signed leaves the process before the commit.
"""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.jsonld.look_alikes import TakesLonger, hurried
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
from node.audit_chain import Act
from node.audit_log import act_done, record_acts, refusals_recorded
from node.disk import StorageFailed
from node.idempotency import OnceOnly, find_kept, free_keys, keep_answers
from node.judging import LIGHT_BYTES, LIGHT_STEPS
from node.node import Node
from node.permissions import Action, check_permission
from node.places import Drawn, Lists, draw_place, look_up_lists, take_places
from node.signing import URN, make_draft, queue_signed, sign, signing_key_of
from node.storage import ledger
from node.storage.idempotency import KeptAnswer
from node.storage.ledger import Draft
from node.storage.registry import (
    OWN_SLUG,
    Issuer,
    documents_of,
    find_issuer_by_did,
    require_issuer,
)
from node.storage.store import Reader
from primitives.canonical_json import JsonObject, canonicalize
from primitives.ed25519 import SoftwareSigner
from primitives.errors import Malformed, Rejected
from primitives.hashing import Digest, sha256
from primitives.strict_json import parse_json_object

HTTP_LIST = "http"
"""Name of the status lists of what was issued over HTTP."""

MOST_TRIES: Final = 8
"""How often one request is worked out. Once more where another process has drawn the same
place, issued the same id or changed the issuer's keys in the same moment."""


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


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to issue one credential."""

    document: JsonObject

    slug: str | None = None
    """Of the issuer at whose address it was asked."""

    cryptosuite: str | None = None
    """Instead of the issuer's own."""

    once: OnceOnly | None = None
    """Under what idempotency key."""

    answer: Callable[[str], KeptAnswer] = lambda body: KeptAnswer(0, None, body)
    """What the signed credential, JSON, is answered with."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A credential that is signed, and stored nowhere."""

    draft: Draft
    body: str
    """The signed document, JCS."""

    digest: Digest
    issuer: Issuer
    """As it was when it signed."""

    drawn: Drawn
    act: Act


@dataclass(frozen=True, slots=True)
class _Ready:
    """What a request comes to."""

    made: _Made | None
    """None where the credential was there before."""

    once: OnceOnly | None
    answer: KeptAnswer


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
        PatunayError: As `issue_once`.
    """
    made = await issue_once(node, Asked(document, slug, cryptosuite))
    return parse_json_object(made.body.encode())


async def issue_once(node: Node, asked: Asked) -> KeptAnswer:
    """Do what `issue_document` does, once for an idempotency key, and return the answer.

    Raises:
        StructureInvalid: It breaks a rule of the data model.
        IssuerMismatch: It names another issuer of this node; without `slug`, a stranger.
        AlreadyDecided: It has a proof, or a place in a status list.
        IdConflict: Its id was issued with another content.
        IdempotencyConflict: The key was used for another request.
        UnsignedTerm: A term that no signature would cover.
        NodeSealed: The keys are not unlocked.
        ApprovalRequired: The node asks for two people.
        RoleRefused, IssuerRefused: Whoever acts may not.
        StorageFailed: It is not stored.
        CommitUnknown: It is not known whether it is.
    """
    async with refusals_recorded(node, Action.CREDENTIAL_ISSUE):
        for _ in range(MOST_TRIES):
            answer = await _try(node, asked)
            if answer is not None:
                return answer
    raise StorageFailed(f"found other writers ahead {MOST_TRIES} times, want one turn")


async def _try(node: Node, asked: Asked) -> KeptAnswer | None:
    """Return the answer; None where something has changed between making and storing."""
    if asked.once is not None:
        async with node.looking_up() as c:
            earlier = await find_kept(node, c, asked.once)
        if earlier is not None:
            return earlier
    if node.config.batch_approval:
        raise ApprovalRequired("found one credential, want a batch that is approved")
    if "proof" in asked.document:
        raise AlreadyDecided("found a proof, want the node to add it")
    digest = sha256(canonicalize(asked.document))
    async with node.looking_up() as c:
        issuer = await _choose_issuer(c, asked.document, asked.slug)
        check_permission(current_actor(), Action.CREDENTIAL_ISSUE, issuer.slug)
        known = await _find_known(c, asked.document, digest)
        lists = await look_up_lists(c, issuer, HTTP_LIST)
    if known is not None:
        ready = _Ready(None, asked.once, asked.answer(known))
        return ready.answer if asked.once is None else await _store(node, ready)
    made = await _make(node, asked, issuer, lists, digest)
    return await _store(node, _Ready(made, asked.once, asked.answer(made.body)))


async def _store(node: Node, ready: _Ready) -> KeptAnswer | None:
    kept = False
    try:
        kept = await node.till.put(ready, store_ready)
    finally:
        if not kept and ready.made is not None:
            # Another process may have the place: what is stored is looked up anew.
            node.places.forget(ready.made.drawn.room)
    return ready.answer if kept else None


async def store_ready(
    node: Node, c: AsyncConnection, ready: Sequence[_Ready]
) -> list[bool]:
    """Store what is still right, and return for each whether it is; see `Till`."""
    right = await _still_right(node, c, ready)
    kept = [one for one, is_right in zip(ready, right, strict=True) if is_right]
    made = [one.made for one in kept if one.made is not None]
    await ledger.save_issued(c, [(one.draft, one.body) for one in made], node.now())
    await queue_signed(node, c, [(one.draft.uuid, one.digest) for one in made])
    await record_acts(c, node, [one.act for one in made])
    answers = [(one.once, one.answer) for one in kept if one.once is not None]
    await keep_answers(node, c, answers)
    return right


async def _still_right(
    node: Node, c: AsyncConnection, ready: Sequence[_Ready]
) -> list[bool]:
    """Return which could be stored: each as if those before it were stored already."""
    made = [one.made for one in ready if one.made is not None]
    ids = await ledger.known_ids(c, [one.draft.id for one in made])
    documents = await documents_of(c, {one.issuer.slug for one in made})
    keys = await free_keys(node, c, [one.once for one in ready if one.once is not None])
    places = []
    right = []
    for one in ready:
        fits = one.once is None or one.once.name in keys
        if fits and one.made is not None:
            # Nothing is signed with a key that was taken back in between.
            fits = documents.get(one.made.issuer.slug) == one.made.issuer.document
            fits = fits and one.made.draft.id not in ids
            ids.add(one.made.draft.id)
        if fits and one.once is not None:
            keys.discard(one.once.name)
        if fits and one.made is not None:
            places.append((one.made.issuer, one.made.drawn))
        right.append(fits)
    free = iter(await take_places(node, c, places))
    return [
        fits and (one.made is None or next(free))
        for one, fits in zip(ready, right, strict=True)
    ]


async def _make(
    node: Node, asked: Asked, issuer: Issuer, lists: Lists, digest: Digest
) -> _Made:
    """Sign the credential under a place that seems to be free."""
    complete = _complete(asked.document, issuer)
    given = _statuses_given(parse_credential(complete))
    # The schema of Open Badges allows one status entry, and it has to have an id.
    purposes = (REVOCATION,) if is_open_badge(complete) else PURPOSES
    drawn = await draw_place(node, lists, purposes)
    try:
        entries = [*drawn.place.entries, *given]
        complete["credentialStatus"] = entries[0] if len(entries) == 1 else entries
        suite = asked.cryptosuite or issuer.cryptosuite
        draft = make_draft(complete, issuer, suite, drawn.place)
        body = canonicalize(await _signed(node, draft, issuer, complete))
        what = f"credential:{draft.uuid}"
        act = act_done(node, Action.CREDENTIAL_ISSUE, what, issuer=issuer.slug)
    except BaseException:
        # What safe mode refuses leaves no trace.
        node.places.release(drawn.room, drawn.place.index)
        raise
    asked_for = replace(draft, draft_sha256=digest.hex())
    return _Made(asked_for, body.decode(), sha256(body), issuer, drawn, act)


async def _signed(
    node: Node, draft: Draft, issuer: Issuer, document: JsonObject
) -> JsonObject:
    """Return the signed document: at once where that is short, else beside the loop."""
    key = signing_key_of(node, issuer)
    if len(draft.draft) <= LIGHT_BYTES and isinstance(key[0], SoftwareSigner):
        try:
            with hurried(LIGHT_STEPS):
                return sign(node, draft.cryptosuite, key, document)
        except TakesLonger:
            pass
    return await asyncio.to_thread(sign, node, draft.cryptosuite, key, document)


async def _find_known(c: Reader, document: JsonObject, digest: Digest) -> str | None:
    """Return the signed credential that an equal request has made before."""
    if "id" not in document:
        return None
    known = await ledger.find_credential_by_id(c, str(document["id"]))
    if known is None:
        return None
    check_permission(current_actor(), Action.CREDENTIAL_ISSUE, known.issuer)
    if known.draft_sha256 != digest.hex() or known.document is None:
        raise IdConflict(f"{document['id']} was issued with another content")
    return known.document


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
    complete.setdefault("id", f"{URN}{uuid.uuid4()}")
    given = complete.get("issuer")
    complete["issuer"] = (
        {**given, "id": issuer.did} if isinstance(given, dict) else issuer.did
    )
    return complete


async def _choose_issuer(c: Reader, document: JsonObject, slug: str | None) -> Issuer:
    chosen = await require_issuer(c, slug if slug is not None else OWN_SLUG)
    given = document.get("issuer")
    if "issuer" not in document or (isinstance(given, dict) and "id" not in given):
        return chosen
    wanted, _ = check_issuer(given)
    if wanted == chosen.did:
        return chosen
    other = await find_issuer_by_did(c, wanted)
    if slug is None and other is not None:
        return other
    if slug is not None and other is None:
        return chosen
    raise IssuerMismatch(f"found issuer {str(wanted)[:120]!r}, want {chosen.did}")
