"""Batches: rows of a registrar's file, drafted together, and signed once that is allowed.

    drafted    the drafts and their batch are stored in one transaction
    approved   by another person than who drafted it, where the node asks for two
    signed     by `sign_drafts`, in chunks, whoever runs it

A crash between any two is settled by the next run, or by the daemon, with the same code.
"""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.data_integrity import batch_engine
from credentials.registrar import Finding, RegistrarFile, Row, row_key
from credentials.template import CredentialTemplate, RowNotIssuable, build_credential
from node.acting import current_actor
from node.approvals import (
    SIGNABLE,
    Approval,
    Batch,
    Person,
    check_approval,
    check_waiting,
    kept_reason,
)
from node.audit_log import record, refusals_recorded
from node.failpoints import failpoint
from node.node import Node
from node.permissions import Action, check_permission
from node.signing import (
    Origin,
    Progress,
    make_draft,
    no_progress,
    sign_drafts,
    signing_key_of,
)
from node.status_lists import Place, allot_places
from node.storage import batches, ledger
from node.storage.ledger import Draft
from node.storage.registry import Issuer, require_issuer
from primitives.canonical_json import JsonObject
from primitives.errors import Rejected
from primitives.hashing import sha256

_URN = "urn:uuid:"
_BATCH_ID = re.compile(r"[0-9a-f-]{36}", re.ASCII)


ENDED = frozenset({"done", "rejected", "cancelled"})
"""States of `batch_state` that nothing leads out of."""


class BatchEnded(Rejected):
    """Nothing of the batch is left to be stopped."""

    code = "batch-ended"
    hint = "what is signed is taken back by revoking it"


@dataclass(slots=True)
class BatchReport:
    """What became of a registrar's file."""

    issued: list[str] = field(default_factory=list)
    """UUIDs of the credentials that are new, in the order of the file."""

    earlier: list[str] = field(default_factory=list)
    """UUIDs of those that an earlier run had issued or drafted."""

    findings: list[Finding] = field(default_factory=list)
    """Why the other rows were not issued; notes too."""

    held: int = 0
    """Rows that were not issued."""

    batch: str = ""
    """Id of the batch of what is new; empty where nothing is."""

    waiting: dict[str, str] = field(default_factory=dict)
    """Of the UUIDs above, those that wait for approval, each with the id of its batch."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be issued, in whose name."""

    template: CredentialTemplate
    file: RegistrarFile
    slug: str
    """Of the issuer."""

    cryptosuite: str | None = None
    """Instead of the issuer's own."""

    batch_id: str | None = None
    """Of a batch that was uploaded; without it, a new one is made."""


async def issue_rows(
    node: Node,
    template: CredentialTemplate,
    file: RegistrarFile,
    slug: str,
    *,
    cryptosuite: str | None = None,
    progress: Progress = no_progress,
) -> BatchReport:
    """Issue each row of `file` that can be issued and was not issued before.

    Where the node asks for two people, they are drafted, and wait for approval. Without
    `cryptosuite`, in the issuer's own.

    Raises:
        IssuerUnknown: No issuer goes by `slug`.
        NodeSealed: The keys are not unlocked.
        RoleRefused, IssuerRefused: Whoever acts may not.
    """
    async with node.reading() as c:
        signing_key_of(node, await require_issuer(c, slug))
    async with node.writing() as c:
        order = Order(template, file, slug, cryptosuite)
        report, documents = await draft_rows(node, c, order)
    failpoint("drafts-stored")
    await sign_drafts(node, progress=progress, documents=documents)
    async with node.reading() as c:
        names = {*report.issued, *report.earlier}
        unsigned = await batches.find_unsigned(c, names)
    report.waiting = {name: batch for name, batch in unsigned.items() if batch is not None}
    return report


async def approve_batch(node: Node, batch_id: str) -> Batch:
    """Approve a batch that another has drafted; it is signed afterwards.

    By `sign_drafts`: the daemon calls it by itself.

    Raises:
        BatchUnknown: There is none of that id.
        BatchDecided, ApproverUnnamed, SamePerson: As `check_approval`.
        RoleRefused, IssuerRefused: Whoever acts may not approve.
    """
    async with _deciding(node, batch_id) as c:
        before = await batches.require_batch(c, batch_id)
        check_approval(before, current_actor())
        return await _decide(node, c, before, Approval.APPROVED, "")


async def reject_batch(node: Node, batch_id: str, reason: str) -> Batch:
    """Let a batch never be signed, and forget what was drafted in it.

    Raises:
        RejectionMalformed: The reason cannot be kept.
        BatchUnknown: There is none of that id.
        BatchDecided: It does not wait for approval.
        RoleRefused, IssuerRefused: Whoever acts may not reject.
    """
    kept = kept_reason(reason)
    async with _deciding(node, batch_id) as c:
        before = await batches.require_batch(c, batch_id)
        check_waiting(before)
        decided = await _decide(node, c, before, Approval.REJECTED, kept)
        await batches.withdraw_drafts(c, batch_id)
        return decided


@asynccontextmanager
async def _deciding(node: Node, batch_id: str) -> AsyncIterator[AsyncConnection]:
    """Give a write transaction; a refusal is recorded after it has ended."""
    what = f"batch:{batch_id}" if _BATCH_ID.fullmatch(batch_id) else "batch"
    async with (
        refusals_recorded(node, Action.BATCH_APPROVE, what),
        node.writing() as c,
    ):
        yield c


async def _decide(
    node: Node, c: AsyncConnection, before: Batch, approval: Approval, reason: str
) -> Batch:
    decided = replace(
        before,
        approval=approval,
        decided_at=node.now(),
        decided_by=Person.of(current_actor()),
        reason=reason,
    )
    await batches.save_decision(c, decided)
    facts = {"decision": str(approval), **_facts(before)}
    what = f"batch:{before.id}"
    await record(c, node, Action.BATCH_APPROVE, what, issuer=before.issuer, facts=facts)
    return decided


async def draft_rows(
    node: Node, c: AsyncConnection, order: Order
) -> tuple[BatchReport, dict[str, JsonObject]]:
    """Draft the rows that can be issued and were not before; return them by UUID too.

    In the caller's write transaction.

    Raises:
        IssuerUnknown: No issuer goes by the slug.
        RoleRefused, IssuerRefused: Whoever acts may not.
    """
    template, file = order.template, order.file
    report = BatchReport(findings=list(file.findings), held=len(file.held))
    issuer = await require_issuer(c, order.slug)
    known = await ledger.find_row_keys(c, order.slug, template.template_id)
    keyed = [(row, known.get(row_key(row))) for row in file.rows]
    report.earlier = [earlier for _, earlier in keyed if earlier is not None]
    new = [row for row, earlier in keyed if earlier is None]
    policy = template.policy
    places = await allot_places(
        node, c, issuer, policy.status_list, (policy.status_purpose,), len(new)
    )
    # Beside the event loop: a file may have many rows, and others are served meanwhile.
    placed = list(zip(new, places, strict=True))
    batch_id = order.batch_id or str(uuid.uuid4())
    drafts, documents = await asyncio.to_thread(
        _make_drafts, node, order, issuer, placed, batch_id, report
    )
    if drafts or order.batch_id is not None:
        await _save_batch(node, c, order, batch_id, drafts)
        report.batch = batch_id
    report.issued = [draft.uuid for draft in drafts]
    return report, documents


def _make_drafts(
    node: Node,
    order: Order,
    issuer: Issuer,
    placed: Sequence[tuple[Row, Place]],
    batch_id: str,
    report: BatchReport,
) -> tuple[list[Draft], dict[str, JsonObject]]:
    """Return the drafts of rows, and their documents by UUID; tell `report` of the rest."""
    template, suite = order.template, order.cryptosuite or issuer.cryptosuite
    drafts, documents = [], {}
    engine = batch_engine()
    for row, place in placed:
        try:
            document = _document(node, template, row, issuer, place)
        except RowNotIssuable as e:
            report.findings += e.findings
            report.held += 1
            continue
        origin = Origin(template.template_id, row_key(row), batch_id)
        draft = make_draft(document, issuer, suite, place, origin=origin, engine=engine)
        documents[draft.uuid] = document
        drafts.append(draft)
    return drafts, documents


async def _save_batch(
    node: Node, c: AsyncConnection, order: Order, batch_id: str, drafts: list[Draft]
) -> None:
    template, slug = order.template, order.slug
    needed = node.config.batch_approval and bool(drafts)
    actor = current_actor()
    if not needed:
        check_permission(actor, Action.CREDENTIAL_ISSUE, slug)
    batch = Batch(
        batch_id,
        slug,
        template.template_id,
        template.version,
        len(drafts),
        _digest(drafts),
        node.now(),
        Person.of(actor),
        Approval.WAITING if needed else Approval.UNNEEDED,
    )
    if order.batch_id is None:
        await batches.save_batch(c, batch)
    else:
        await batches.replace_batch(c, batch)
    await ledger.save_drafts(c, drafts, node.now())
    what = (f"batch:{batch.id}", f"template:{template.template_id}@{template.version}")
    await record(c, node, Action.BATCH_DRAFT, *what, issuer=slug, facts=_facts(batch))


async def cancel_batch(node: Node, c: AsyncConnection, batch_id: str) -> Batch:
    """Let what is not signed of a batch never be signed; in the caller's transaction.

    What is signed stays as it is: it may be in somebody's hands. Its rows are free again.

    Raises:
        BatchUnknown: There is none of that id.
        BatchEnded: All of it is signed, or it was rejected or cancelled.
        RoleRefused, IssuerRefused: Whoever acts may not draft.
    """
    before = await batches.require_batch(c, batch_id)
    signed = await batches.count_signed(c, batch_id)
    if batch_state(before, signed) in ENDED:
        state = batch_state(before, signed)
        raise BatchEnded(f"found batch {batch_id} {state}, want one that goes on")
    decided = replace(
        before,
        approval=Approval.CANCELLED,
        decided_at=node.now(),
        decided_by=Person.of(current_actor()),
    )
    await batches.save_decision(c, decided)
    await batches.withdraw_drafts(c, batch_id)
    facts = {"change": "cancel", "signed": signed, **_facts(before)}
    what = f"batch:{batch_id}"
    await record(c, node, Action.BATCH_DRAFT, what, issuer=before.issuer, facts=facts)
    return decided


def batch_state(batch: Batch, signed: int) -> str:
    """Return where a batch stands: `signing` and `done` besides the words of `Approval`.

    Args:
        batch: As it is stored.
        signed: How many of its credentials are.
    """
    if batch.approval in SIGNABLE:
        return "done" if signed == batch.size else "signing"
    return str(batch.approval)


def _facts(batch: Batch) -> dict[str, str | int]:
    return {"credentials": batch.size, "sha256": batch.digest}


def _digest(drafts: Iterable[Draft]) -> str:
    in_order = sorted(drafts, key=lambda draft: draft.uuid)
    return sha256(b"".join(bytes.fromhex(d.draft_sha256) for d in in_order)).hex()


def _document(
    node: Node, template: CredentialTemplate, row: Row, issuer: Issuer, place: Place
) -> JsonObject:
    return build_credential(
        template,
        row,
        credential_id=f"{_URN}{uuid.uuid4()}",
        issuer_did=issuer.did,
        issued_at=node.instant(),
        status_entry=place.entries[0],
    )
