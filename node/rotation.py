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
    history_of,
    keys_in_use,
    method_of,
    named_keys,
    usable_keys,
)
from node.node import Node, credential_key, keys_like, status_key
from node.permissions import Action
from node.setup import log_document, new_key, publish_all
from node.storage import ledger
from node.storage.registry import (
    Issuer,
    require_issuer,
    update_document,
)
from primitives.canonical_json import canonicalize
from primitives.ed25519 import PublicKey
from primitives.errors import Misconfigured, Rejected
from primitives.hashing import sha256

OTHER_ROLE: Final[Mapping[Role, Role]] = {"credential": "status", "status": "credential"}


class DidKeyCannotRotate(Misconfigured):
    """A did:key is its key: another key would be another identity."""

    code = "did-key-cannot-rotate"
    hint = "add an issuer with a did:web, and issue in its name from now on"


class KeyNotCurrent(Rejected):
    """The key that was to be replaced does not sign any more."""

    code = "key-not-current"
    hint = "look which key signs now: somebody else may have replaced it just before"


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


async def rotate(
    node: Node,
    slug: str,
    role: Role = "credential",
    *,
    on_token: bool | None = None,
    instead_of: str | None = None,
) -> Rotation:
    """Give an issuer a new key, with which it signs from now on; publish its document.

    Raises:
        PatunayError: As `rotate_within`.
    """
    async with node.writing() as c:
        made = await rotate_within(
            node, c, slug, role, on_token=on_token, instead_of=instead_of
        )
    await publish_all(node)
    return made


async def rotate_within(
    node: Node,
    c: AsyncConnection,
    slug: str,
    role: Role = "credential",
    *,
    on_token: bool | None = None,
    instead_of: str | None = None,
) -> Rotation:
    """Do so in the caller's transaction; its document is published by `publish_all`.

    The old key stays in the DID document: what it has signed stays good.

    Args:
        node: Its keys are unlocked.
        c: For writing.
        slug: Of the issuer.
        role: What the key is for.
        on_token: Whether the new key is to be on the node's token; None is where the old
            one is.
        instead_of: Id of the key that signs now, as whoever asks believes; None for
            whichever it is.

    Raises:
        KeyNotCurrent: Another one than `instead_of` does.
        HsmNotConfigured: It is to be on a token, and there is none.
        DidKeyCannotRotate: The issuer is a did:key.
        IssuerUnknown: There is none of that slug.
        NodeSealed: The keys are not unlocked.
    """
    issuer = await require_rotatable(c, slug)
    current = [entry.label.key_id for entry in usable_keys(node, issuer, role)][-1:]
    if instead_of is not None and [instead_of] != current:
        found = current[0] if current else "none"
        raise KeyNotCurrent(f"found {found} in use, want {instead_of}")
    made = await replace_key(node, c, issuer, role, on_token)
    await record_change(c, node, "rotate", made.old, issuer.slug)
    return made


async def record_change(
    c: AsyncConnection, node: Node, change: str, key: str, slug: str
) -> None:
    """Write down that a key was replaced or declared compromised."""
    facts = {"change": change}
    await record(c, node, Action.KEY_CHANGE, f"key:{key}", issuer=slug, facts=facts)


async def require_rotatable(c: AsyncConnection, slug: str) -> Issuer:
    """Return the issuer of that slug.

    Raises:
        IssuerUnknown: There is none.
        DidKeyCannotRotate: It is a did:key.
    """
    issuer = await require_issuer(c, slug)
    if issuer.did.startswith("did:key:"):
        raise DidKeyCannotRotate(f"{issuer.did} is its key")
    return issuer


async def replace_key(
    node: Node, c: AsyncConnection, issuer: Issuer, role: Role, on_token: bool | None
) -> Rotation:
    """Make a key, put it into the issuer's document, and sign that it follows the old one.

    `on_token` as in `rotate_within`. Nobody checks here whether whoever acts may do so.
    """
    usable = usable_keys(node, issuer, role)
    there = bool(usable and usable[-1].token) if on_token is None else on_token
    keys, new = _with_new_key(node, issuer, role, on_token=there)
    node.home.save_keystore(keys.seal())
    node.unlocked = keys
    document = document_of(issuer)
    number = max(_numbers(named_keys(document), role), default=0) + 1
    added = {f"{role}-{number}": decode_multikey(new.public)}
    await save_document(node, c, issuer, {**keys_in_use(document), **added})
    method = f"{issuer.did}#{role}-{number}"
    vouchers = usable_keys(node, issuer, OTHER_ROLE[role])
    signer = (
        (vouchers[-1], method_of(document, vouchers[-1])) if vouchers else (new, method)
    )
    key = f"{issuer.did}#{role}-{max(_numbers(keys_in_use(document), role))}"
    await log_event(node, c, issuer, key, signer)
    return Rotation(issuer.slug, issuer.did, key, method, new.label.key_id)


def _numbers(names: Iterable[str], role: Role) -> list[int]:
    """Return the numbers of a role's keys; a restored key store may know fewer."""
    parts = [name.rpartition("-") for name in names]
    return [int(number) for kind, _, number in parts if kind == role and number.isdigit()]


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


async def save_document(
    node: Node, c: AsyncConnection, issuer: Issuer, in_use: Mapping[str, PublicKey]
) -> None:
    """Store and log the issuer's document, in which the keys `in_use` may assert.

    Every other key that it names stays in it, and may not.
    """
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


async def log_event(
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
