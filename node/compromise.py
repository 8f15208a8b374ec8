"""Declaring that a key is no longer only its owner's.

    keys kept -> document, version and event stored in one transaction -> files published

As in `node.rotation`, whose steps these are.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from did.history import parse_history
from did.keyfile import KeyEntry
from did.multikey import decode_multikey
from node.issuer_keys import (
    Role,
    document_of,
    find_key,
    history_of,
    keys_in_use,
    method_of,
    usable_keys,
    who_signed,
)
from node.node import LOG_KEY, Node
from node.rotation import (
    OTHER_ROLE,
    DidKeyCannotRotate,
    log_event,
    record_change,
    replace_key,
    require_rotatable,
    save_document,
)
from node.setup import publish_all
from node.status import marked_bits
from node.status_lists import log_list, sign_list
from node.storage import key_history, statuses
from node.storage.registry import Issuer, list_issuers, require_issuer
from primitives.errors import Misconfigured
from primitives.instants import format_instant


class CompromiseAhead(Misconfigured):
    """The time since when a key is compromised lies ahead."""

    code = "compromise-in-future"
    hint = "give the moment from which on somebody else may have had the key"


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


async def declare(node: Node, name: str, since: datetime) -> Declaration | LogDeclaration:
    """Declare that somebody else may have had a key since then; publish what says so.

    Raises:
        PatunayError: As `declare_within`.
    """
    async with node.writing() as c:
        made = await declare_within(node, c, name, since)
    await publish_all(node)
    return made


async def declare_within(
    node: Node, c: AsyncConnection, name: str, since: datetime
) -> Declaration | LogDeclaration:
    """Do so in the caller's transaction; what says so is published by `publish_all`.

    Args:
        node: Its keys are unlocked.
        c: For writing.
        name: The key's id in the key store, or its verification method; `LOG_KEY` for the
            log's.
        since: Aware; counts in whole seconds.

    Raises:
        KeyNotPublished: `name` is no credential or status key, and not the log's.
        CompromiseMovedLater: It was declared before, since that time or earlier.
        CompromiseAhead: `since` lies ahead.
        DidKeyCannotRotate: The issuer is a did:key: there is no other key to sign with.
        NodeSealed: The keys are not unlocked.
    """
    if name == LOG_KEY:
        return await _declare_log(node, c, since)
    return await _declare(node, c, name, since)


async def _declare(
    node: Node, c: AsyncConnection, name: str, since: datetime
) -> Declaration:
    """Let an issuer's key sign no more.

    One that signs for its role now is rotated first: an older one, which was replaced, must
    not sign again.
    """
    since = _past(node, since)
    entry, issuer = await find_key(node, name)
    role = _role_of(entry)
    issuer = await require_rotatable(c, issuer.slug)
    key = method_of(document_of(issuer), entry)
    if not await _has_current_key(node, c, issuer, role, without=entry):
        await replace_key(node, c, issuer, role, None)
        issuer = await require_issuer(c, issuer.slug)
    signer = (
        usable_keys(node, issuer, OTHER_ROLE[role], without=entry)
        or usable_keys(node, issuer, role, without=entry)
    )[-1]
    await _withdraw(node, c, issuer, entry)
    by = method_of(document_of(issuer), signer)
    await log_event(node, c, issuer, key, (signer, by), since)
    issuer = await require_issuer(c, issuer.slug)
    if role == "status":
        await _sign_lists_anew(node, c, issuer)
    await record_change(c, node, "declare compromised", key, issuer.slug)
    successor = usable_keys(node, issuer, role, without=entry)[-1]
    return Declaration(
        issuer.did,
        key,
        since,
        by,
        method_of(document_of(issuer), successor),
        await _count_voided(node, name, since),
    )


async def _declare_log(node: Node, c: AsyncConnection, since: datetime) -> LogDeclaration:
    """Say so of the log's key in the history of every did:web of the node.

    Each signs it with that issuer's own credential key. Running it again with the same time
    adds issuers made meanwhile.
    """
    since, key = _past(node, since), str(node.vkey)
    known = await list_issuers(c)
    webs = [issuer for issuer in known if not issuer.did.startswith("did:key:")]
    if not webs:
        raise DidKeyCannotRotate("no issuer of this node has a history")
    for issuer in webs:
        history = parse_history(await history_of(c, issuer.did), issuer.did)
        if history.state(key).compromised_since != since:
            signer = usable_keys(node, issuer, "credential")[-1]
            by = method_of(document_of(issuer), signer)
            await log_event(node, c, issuer, key, (signer, by), since)
    await record_change(c, node, "declare compromised", key, "")
    return LogDeclaration(key, since, tuple(issuer.did for issuer in webs))


def _past(node: Node, since: datetime) -> datetime:
    since = since.replace(microsecond=0)
    if since > node.instant():
        raise CompromiseAhead(f"found {format_instant(since)}, want {node.now()} or before")
    return since


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


async def _withdraw(
    node: Node, c: AsyncConnection, issuer: Issuer, entry: KeyEntry
) -> None:
    """Take a key out of what may assert; it stays in `verificationMethod`."""
    document = document_of(issuer)
    key = decode_multikey(entry.public)
    in_use = {name: k for name, k in keys_in_use(document).items() if k != key}
    if len(in_use) < len(keys_in_use(document)):
        await save_document(node, c, issuer, in_use)


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
