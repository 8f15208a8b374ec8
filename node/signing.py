"""Signing: from a draft, or a document, to a signed credential with its place in the queue.

    drafted   the draft is stored, with its UUID and its place in a status list
    signed    the signed document is stored, and queued for the log, in one transaction

A crash between the two is settled by `sign_drafts`, which is also what runs normally.
"""

import asyncio
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.entry import EntryKind
from credentials.data_integrity import SUITES, add_proof, batch_engine
from credentials.jsonld.quads import Engine
from node.audit_log import record_signed
from node.failpoints import failpoint
from node.node import Node, credential_key, signing_key
from node.status_lists import Place
from node.storage import batches, ledger
from node.storage.ledger import Draft, Unsigned
from node.storage.registry import Issuer, list_issuers
from node.webhooks import Event, Happened, tell
from primitives.canonical_json import JsonObject, canonicalize
from primitives.ed25519 import Signer
from primitives.hashing import Digest, sha256
from primitives.strict_json import parse_json_object

CHUNK = 300
"""Credentials signed in one transaction: others wait for its lock for 0.2 s or so."""

Content: TypeAlias = JsonObject | str
"""An unsigned document as this process has just stored it, or as it was read: JSON."""

URN = "urn:uuid:"
_UUID_URN = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)

Progress = Callable[[str, int, int], None]
"""Told the step's name, how many are done, and of how many."""


def no_progress(step: str, done: int, total: int) -> None:
    """Tell nobody."""
    del step, done, total


@dataclass(frozen=True, slots=True)
class Origin:
    """The row of a registrar's file, and the batch, that a draft was made of."""

    template: str
    """Id."""

    row_key: str
    batch: str
    """Id."""


def make_draft(
    document: JsonObject,
    issuer: Issuer,
    cryptosuite: str,
    place: Place,
    *,
    origin: Origin | None = None,
    engine: Engine | None = None,
) -> Draft:
    """Return the draft of a complete unsigned document that has its place in a list.

    Args:
        document: Complete.
        issuer: Who will sign.
        cryptosuite: In which.
        place: In status lists.
        origin: None for what was issued by itself.
        engine: Of a batch; refuses at once what it would refuse to sign.

    Raises:
        PatunayError: As `Engine.checked_json`, where an engine is given.
    """
    body = canonicalize(document) if engine is None else engine.checked_json(document)
    name = str(document["id"])
    is_uuid = _UUID_URN.fullmatch(name) is not None
    return Draft(
        uuid=name.removeprefix(URN) if is_uuid else str(uuid.uuid4()),
        id=name,
        issuer=issuer.slug,
        cryptosuite=cryptosuite,
        draft=body.decode(),
        draft_sha256=sha256(body).hex(),
        status_list=place.url,
        status_index=place.index,
        template=origin.template if origin is not None else None,
        row_key=origin.row_key if origin is not None else None,
        batch=origin.batch if origin is not None else None,
    )


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
        (d.uuid, sign(node, d.cryptosuite, keys[d.issuer], contents[d.uuid], engine))
        for d in drafts
    ]


def signing_key_of(node: Node, issuer: Issuer) -> tuple[Signer, str]:
    """Return the signer of an issuer's credentials, and the method that it signs as.

    Raises:
        NodeSealed: The keys are not unlocked.
    """
    return signing_key(node, issuer, credential_key(issuer.slug))


def sign(
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
    await queue_signed(node, c, [(name, sha256(body)) for name, body in bodies])


async def queue_signed(
    node: Node, c: AsyncConnection, signed: Sequence[tuple[str, Digest]]
) -> None:
    """Queue signed credentials, UUID and digest, for the log, and tell webhooks of them."""
    queued = [(EntryKind.CREDENTIAL, digest, name) for name, digest in signed]
    await ledger.enqueue(c, queued, node.now())
    told = (
        Happened(Event.ISSUED, name, {"uuid": name, "digest": digest.hex()})
        for name, digest in signed
    )
    await tell(node, c, told)
