"""Replacing an issuer's keys, and declaring that one is no longer only its own.

    keys kept -> document, version and event stored in one transaction -> files published

A crash after the first step leaves a spare key, which the next rotation takes; a crash
after the second leaves old files, which `node.setup.publish_all` writes anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.entry import EntryKind
from did.document import build_did_document
from did.history import parse_history
from did.key_event import (
    COMPROMISED,
    ROTATED,
    event_digest,
    parse_event,
    sign_event,
)
from did.keyfile import KeyEntry, KeyLabel
from did.keystore import Unlocked
from did.multikey import decode_multikey, encode_multikey
from node.audit_log import record
from node.issuer_keys import (
    Role,
    document_of,
    find_key,
    history_of,
    keys_in_use,
    method_of,
    named_keys,
    usable_keys,
    who_signed,
)
from node.node import Node, credential_key, keys_like, status_key
from node.permissions import Action
from node.setup import log_document, new_key, publish_all
from node.status import marked_bits
from node.status_lists import log_list, sign_list
from node.storage import key_history, ledger, statuses
from node.storage.registry import (
    Issuer,
    list_issuers,
    require_issuer,
    update_document,
)
from primitives.canonical_json import canonicalize
from primitives.ed25519 import PublicKey
from primitives.errors import Misconfigured
from primitives.hashing import sha256
from primitives.instants import format_instant

_OTHER: Final[Mapping[Role, Role]] = {"credential": "status", "status": "credential"}


class DidKeyCannotRotate(Misconfigured):
    """A did:key is its key: another key would be another identity."""

    code = "did-key-cannot-rotate"
    hint = "add an issuer with a did:web, and issue in its name from now on"


class CompromiseAhead(Misconfigured):
    """The time since when a key is compromised lies ahead."""

    code = "compromise-in-future"
    hint = "give the moment from which on somebody else may have had the key"


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation has made."""

    issuer: str
    """Slug."""

    did: str
    old: str
    """Verification method of the key that was replaced."""

    new: str
    """Verification method of the key that signs from now on."""

    key_id: str
    """The new key's, in the key store."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What was declared about a key."""

    did: str
    key: str
    """Verification method."""

    since: datetime
    by: str
    """Verification method of the key that signed the declaration."""

    successor: str
    """Verification method of the newest key of the same role."""

    voided: int
    """Credentials of that key that no checkpoint anchored before `since` holds."""


@dataclass(frozen=True, slots=True)
class LogDeclaration:
    """What was declared about the log's key."""

    key: str
    """C2SP verifier key."""

    since: datetime
    dids: tuple[str, ...]
    """Whose histories say so now: every did:web of the node."""


async def rotate(
    node: Node, slug: str, role: Role = "credential", *, on_token: bool | None = None
) -> Rotation:
    """Give an issuer a new key, with which it signs from now on.

    The old one stays in the DID document: what it has signed stays good.

    Args:
        node: Its keys are unlocked.
        slug: Of the issuer.
        role: What the key is for.
        on_token: Whether the new key is to be on the node's token; None is where the old
            one is.

    Raises:
        HsmNotConfigured: It is to be on a token, and there is none.
        DidKeyCannotRotate: The issuer is a did:key.
        IssuerUnknown: There is none of that slug.
        NodeSealed: The keys are not unlocked.
    """
    async with node.writing() as c:
        issuer = await _require_rotatable(c, slug)
        made = await _rotate(node, c, issuer, role, on_token)
        await _record(c, node, "rotate", made.old, issuer.slug)
    await publish_all(node)
    return made


async def declare_compromised(node: Node, name: str, since: datetime) -> Declaration:
    """Declare that somebody else may have had a key since then: it signs no more.

    A key that signs for its role now is rotated first: an older one, which was replaced,
    must not sign again.

    Args:
        node: Its keys are unlocked.
        name: The key's id in the key store, or its verification method.
        since: Aware; counts in whole seconds.

    Raises:
        KeyNotPublished: `name` is no credential or status key.
        CompromiseMovedLater: It was declared before, since that time or earlier.
        CompromiseAhead: `since` lies ahead.
        DidKeyCannotRotate: The issuer is a did:key: there is no other key to sign with.
        NodeSealed: The keys are not unlocked.
    """
    since = _past(node, since)
    entry, issuer = await find_key(node, name)
    role = _role_of(entry)
    async with node.writing() as c:
        issuer = await _require_rotatable(c, issuer.slug)
        key = method_of(document_of(issuer), entry)
        if not await _has_current_key(node, c, issuer, role, without=entry):
            await _rotate(node, c, issuer, role, None)
            issuer = await require_issuer(c, issuer.slug)
        signer = (
            usable_keys(node, issuer, _OTHER[role], without=entry)
            or usable_keys(node, issuer, role, without=entry)
        )[-1]
        await _withdraw(node, c, issuer, entry)
        by = method_of(document_of(issuer), signer)
        await _log_event(node, c, issuer, key, (signer, by), since)
        issuer = await require_issuer(c, issuer.slug)
        if role == "status":
            await _sign_lists_anew(node, c, issuer)
        await _record(c, node, "declare compromised", key, issuer.slug)
    await publish_all(node)
    successor = usable_keys(node, issuer, role, without=entry)[-1]
    return Declaration(
        issuer.did,
        key,
        since,
        by,
        method_of(document_of(issuer), successor),
        await _count_voided(node, name, since),
    )


async def declare_log_compromised(node: Node, since: datetime) -> LogDeclaration:
    """Declare that somebody else may have had the log's key since then.

    In the history of every did:web of the node, each signed with that issuer's own
    credential key. Running it again with the same time adds issuers made meanwhile.

    Raises:
        CompromiseMovedLater: It was declared before, since an earlier time.
        CompromiseAhead: `since` lies ahead.
        DidKeyCannotRotate: No issuer is a did:web, so there is no history to say it in.
        NodeSealed: The keys are not unlocked.
    """
    since, key = _past(node, since), str(node.vkey)
    async with node.writing() as c:
        known = await list_issuers(c)
        webs = [issuer for issuer in known if not issuer.did.startswith("did:key:")]
        if not webs:
            raise DidKeyCannotRotate("no issuer of this node has a history")
        for issuer in webs:
            history = parse_history(await history_of(c, issuer.did), issuer.did)
            if history.state(key).compromised_since != since:
                signer = usable_keys(node, issuer, "credential")[-1]
                by = method_of(document_of(issuer), signer)
                await _log_event(node, c, issuer, key, (signer, by), since)
        await _record(c, node, "declare compromised", key, "")
    await publish_all(node)
    return LogDeclaration(key, since, tuple(issuer.did for issuer in webs))


async def _record(c: AsyncConnection, node: Node, change: str, key: str, slug: str) -> None:
    facts = {"change": change}
    await record(c, node, Action.KEY_CHANGE, f"key:{key}", issuer=slug, facts=facts)


def _past(node: Node, since: datetime) -> datetime:
    since = since.replace(microsecond=0)
    if since > node.instant():
        raise CompromiseAhead(f"found {format_instant(since)}, want {node.now()} or before")
    return since


async def _require_rotatable(c: AsyncConnection, slug: str) -> Issuer:
    issuer = await require_issuer(c, slug)
    if issuer.did.startswith("did:key:"):
        raise DidKeyCannotRotate(f"{issuer.did} is its key")
    return issuer


async def _rotate(
    node: Node, c: AsyncConnection, issuer: Issuer, role: Role, on_token: bool | None
) -> Rotation:
    usable = usable_keys(node, issuer, role)
    there = bool(usable and usable[-1].token) if on_token is None else on_token
    keys, new = _with_new_key(node, issuer, role, on_token=there)
    node.home.save_keystore(keys.seal())
    node.unlocked = keys
    document = document_of(issuer)
    number = max(_numbers(named_keys(document), role), default=0) + 1
    added = {f"{role}-{number}": decode_multikey(new.public)}
    await _save_document(node, c, issuer, {**keys_in_use(document), **added})
    method = f"{issuer.did}#{role}-{number}"
    vouchers = usable_keys(node, issuer, _OTHER[role])
    signer = (
        (vouchers[-1], method_of(document, vouchers[-1])) if vouchers else (new, method)
    )
    key = f"{issuer.did}#{role}-{max(_numbers(keys_in_use(document), role))}"
    await _log_event(node, c, issuer, key, signer)
    return Rotation(issuer.slug, issuer.did, key, method, new.label.key_id)


def _numbers(names: Iterable[str], role: Role) -> list[int]:
    """Return the numbers of a role's keys; a restored key store may know fewer."""
    parts = [name.rpartition("-") for name in names]
    return [int(number) for kind, _, number in parts if kind == role and number.isdigit()]


async def _has_current_key(
    node: Node, c: AsyncConnection, issuer: Issuer, role: Role, *, without: KeyEntry
) -> bool:
    """Tell whether a usable key of the role, another one, was never replaced."""
    history = parse_history(await history_of(c, issuer.did), issuer.did)
    document = document_of(issuer)
    return any(
        history.state(method_of(document, entry)).rotated_at is None
        for entry in usable_keys(node, issuer, role, without=without)
    )


def _with_new_key(
    node: Node, issuer: Issuer, role: Role, *, on_token: bool
) -> tuple[Unlocked, KeyEntry]:
    """Return the key store with a new key, or with one that a run that died has left."""
    keys = node.keys().reread(node.home.keystore())
    first = credential_key(issuer.slug) if role == "credential" else status_key(issuer.slug)
    known = keys_like(keys.keystore, first)
    published = {encode_multikey(key) for key in named_keys(document_of(issuer)).values()}
    if known[-1].public not in published and bool(known[-1].token) == on_token:
        return keys, known[-1]
    label = KeyLabel(f"{first}-{len(known) + 1}", role, issuer.slug, node.instant())
    keys = new_key(node, keys, label, on_token=on_token)
    return keys, keys.keystore.entry(label.key_id)


async def _withdraw(
    node: Node, c: AsyncConnection, issuer: Issuer, entry: KeyEntry
) -> None:
    """Take a key out of what may assert; it stays in `verificationMethod`."""
    document = document_of(issuer)
    key = decode_multikey(entry.public)
    in_use = {name: k for name, k in keys_in_use(document).items() if k != key}
    if len(in_use) < len(keys_in_use(document)):
        await _save_document(node, c, issuer, in_use)


async def _save_document(
    node: Node, c: AsyncConnection, issuer: Issuer, in_use: Mapping[str, PublicKey]
) -> None:
    document = document_of(issuer)
    service = document.log_service()
    changed = build_did_document(
        issuer.did,
        assertion_keys=in_use,
        withdrawn_keys={
            name: key for name, key in named_keys(document).items() if name not in in_use
        },
        services=[service] if service is not None else [],
    )
    body = canonicalize(changed)
    await update_document(c, issuer.slug, body.decode())
    await log_document(node, c, issuer.did, body)


async def _log_event(
    node: Node,
    c: AsyncConnection,
    issuer: Issuer,
    key: str,
    signer: tuple[KeyEntry, str],
    since: datetime | None = None,
) -> None:
    """Sign an event and queue it; what the history would not allow is never stored."""
    history = await history_of(c, issuer.did)
    before = parse_history(history, issuer.did).events
    entry, by = signer
    event = sign_event(
        node.signer(entry.label.key_id),
        kind=ROTATED if since is None else COMPROMISED,
        did=issuer.did,
        key=key,
        at=node.instant(),
        by=by,
        previous=event_digest(before[-1].document) if before else None,
        since=since,
    )
    events = [*(one.document for one in before), parse_event(event).document]
    parse_history({**history, "events": list(events)}, issuer.did)
    body = canonicalize(event)
    digest, now = sha256(body), node.now()
    await ledger.save_document(c, digest, EntryKind.KEY_EVENT, body.decode(), now)
    await ledger.enqueue(c, [(EntryKind.KEY_EVENT, digest, issuer.did)], now)


def _role_of(entry: KeyEntry) -> Role:
    return "credential" if entry.label.role == "credential" else "status"


async def _sign_lists_anew(node: Node, c: AsyncConnection, issuer: Issuer) -> None:
    """Give the issuer's status lists a version signed by the key that now may."""
    for stored in await statuses.all_lists(c):
        if stored.issuer != issuer.slug:
            continue
        marked = await marked_bits(c, stored)
        body = sign_list(node, issuer, stored.url, stored.purpose, marked)
        version = stored.version + 1
        await statuses.replace_document(c, stored.url, body.decode(), version)
        await log_list(node, c, stored.url, body)


async def _count_voided(node: Node, name: str, since: datetime) -> int:
    start = datetime.min.replace(tzinfo=since.tzinfo)
    signed = await who_signed(node, name, start, node.instant())
    async with node.reading() as c:
        size = await key_history.anchored_size(c, format_instant(since))
    return sum(one.leaf_index is None or one.leaf_index >= size for one in signed)
