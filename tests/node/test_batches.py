import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from node.access import create_token, require
from node.acting import handling
from node.approvals import (
    Approval,
    ApprovalRequired,
    ApproverUnnamed,
    Batch,
    BatchDecided,
    SamePerson,
)
from node.batches import BatchReport, approve_batch, issue_rows, reject_batch
from node.daemon import SigningJob
from node.home import Home
from node.issuance import issue_document
from node.node import MAIN, Node
from node.permissions import Action, IssuerRefused, Role, RoleRefused
from node.setup import add_issuer
from node.signing import sign_drafts
from node.storage.batches import (
    BatchUnknown,
    batch_drafts,
    count_signed,
    list_batches,
    require_batch,
)
from tests.support.api import problem_of
from tests.support.nodes import (
    Client,
    HandClock,
    client_of,
    issue,
    learners,
    make_home_here,
    opened,
    query,
    template,
)


@pytest.fixture
async def strict(tmp_path: Path, clock: HandClock) -> AsyncIterator[Node]:
    """A node that asks for two people."""
    home = await make_home_here(tmp_path / "node", clock, batch_approval=True)
    async with opened(home, clock) as node:
        yield node


async def person(node: Node, name: str, *roles: Role, **bound: Any) -> dict[str, str]:
    _, secret = await create_token(node, name, roles, **bound)
    return {"Authorization": f"Bearer {secret}"}


async def drafted_by(node: Node, header: dict[str, str], count: int = 2) -> BatchReport:
    with handling("draft-request"):
        await require(node, header, Action.BATCH_DRAFT)
        return await issue(node, count)


async def approved_by(node: Node, header: dict[str, str], batch: str) -> Batch:
    with handling("approve-request"):
        await require(node, header, Action.BATCH_APPROVE)
        return await approve_batch(node, batch)


async def batch_of(node: Node, batch: str) -> Batch:
    async with node.reading() as c:
        return await require_batch(c, batch)


def signed(home: Home) -> int:
    sql = "SELECT count(*) FROM credentials WHERE signed_at IS NOT NULL"
    return int(query(home, sql)[0][0])


async def test_without_the_setting_a_batch_is_signed_at_once(
    node: Node, home: Home
) -> None:
    report = await issue(node, 2)
    found = await batch_of(node, report.batch)
    assert (found.approval, found.size, found.issuer) == (Approval.UNNEEDED, 2, "main")
    assert (found.template, found.template_version) == (
        "als-lifeskills-communication",
        "2025.1",
    )
    assert report.waiting == {}
    assert signed(home) == 2
    with pytest.raises(BatchDecided):
        await reject_batch(node, report.batch, "too late")


async def test_a_batch_is_signed_after_another_has_approved_it(
    strict: Node, clock: HandClock
) -> None:
    clerk = await person(strict, "clerk", Role.DRAFTER)
    registrar = await person(strict, "registrar", Role.APPROVER)
    report = await drafted_by(strict, clerk)
    assert report.waiting == dict.fromkeys(report.issued, report.batch)
    assert await sign_drafts(strict) == 0
    assert signed(strict.home) == 0
    clock.advance(60)
    decided = await approved_by(strict, registrar, report.batch)
    assert decided == await batch_of(strict, report.batch)
    assert decided.approval is Approval.APPROVED
    assert decided.decided_at == strict.now()
    assert decided.decided_by is not None
    assert (decided.drafted_by.name, decided.decided_by.name) == ("clerk", "registrar")
    assert await SigningJob(strict).tick() == 2
    assert await SigningJob(strict).tick() == 0
    assert signed(strict.home) == 2
    async with strict.reading() as c:
        assert await count_signed(c, report.batch) == 2


async def test_the_digest_is_over_the_drafts_in_the_order_of_their_ids(
    strict: Node,
) -> None:
    report = await issue(strict, 3)
    async with strict.reading() as c:
        drafts = await batch_drafts(c, report.batch)
    assert [name for name, _ in drafts] == sorted(report.issued)
    every = b"".join(
        hashlib.sha256(str(body).encode()).digest() for _, body in sorted(drafts)
    )
    found = await batch_of(strict, report.batch)
    assert found.digest == hashlib.sha256(every).hexdigest()


async def test_whoever_drafted_cannot_approve(strict: Node) -> None:
    both = await person(strict, "clerk", Role.DRAFTER, Role.APPROVER)
    report = await drafted_by(strict, both)
    with pytest.raises(SamePerson):
        await approved_by(strict, both, report.batch)
    with pytest.raises(ApproverUnnamed):
        await approve_batch(strict, report.batch)
    assert (await batch_of(strict, report.batch)).approval is Approval.WAITING
    refused = [
        (entry["action"], entry["outcome"], entry["objects"])
        for (body,) in query(strict.home, "SELECT body FROM audit_entries")
        if (entry := json.loads(body))["outcome"] != "done"
    ]
    what = [f"batch:{report.batch}"]
    assert sorted(refused) == [
        ("batch.approve", "approval-needs-token", what),
        ("batch.approve", "approval-same-person", what),
    ]


async def test_only_an_approver_of_that_issuer_approves(strict: Node) -> None:
    await add_issuer(strict, "north", "North")
    report = await issue(strict, 1)
    signer = await person(strict, "signer", Role.SIGNER, Role.ADMIN)
    with pytest.raises(RoleRefused):
        await approved_by(strict, signer, report.batch)
    bound = await person(strict, "north", Role.APPROVER, issuers=["north"])
    with pytest.raises(IssuerRefused):
        await approved_by(strict, bound, report.batch)
    assert (await batch_of(strict, report.batch)).approval is Approval.WAITING


async def test_a_drafter_issues_nothing_where_one_person_is_enough(
    node: Node, home: Home
) -> None:
    clerk = await person(node, "clerk", Role.DRAFTER)
    with pytest.raises(RoleRefused, match="found role drafter, want signer"):
        await drafted_by(node, clerk)
    assert query(home, "SELECT count(*) FROM credentials") == [(0,)]
    assert query(home, "SELECT count(*) FROM batches") == [(0,)]


async def test_what_was_rejected_is_never_signed_and_can_be_drafted_again(
    strict: Node,
) -> None:
    first = await issue(strict, 2)
    decided = await reject_batch(strict, first.batch, " wrong year ")
    assert (decided.approval, decided.reason) == (Approval.REJECTED, "wrong year")
    assert await sign_drafts(strict) == 0
    kept = query(strict.home, "SELECT draft, row_key FROM credentials")
    assert kept == [(None, None)] * 2
    approver = await person(strict, "registrar", Role.APPROVER)
    with pytest.raises(BatchDecided):
        await approved_by(strict, approver, first.batch)
    second = await issue(strict, 2)
    assert second.earlier == []
    assert set(second.issued).isdisjoint(first.issued)
    await approved_by(strict, approver, second.batch)
    assert await sign_drafts(strict) == 2
    places = query(strict.home, "SELECT status_list, status_index FROM credentials")
    assert len(set(places)) == 4
    assert "wrong year" not in str(query(strict.home, "SELECT body FROM audit_entries"))


async def test_a_run_again_drafts_nothing_twice_and_says_what_waits(strict: Node) -> None:
    first = await issue(strict, 2)
    again = await issue(strict, 3)
    assert again.earlier == first.issued
    assert len(again.issued) == 1
    assert again.waiting == {
        **dict.fromkeys(first.issued, first.batch),
        **dict.fromkeys(again.issued, again.batch),
    }
    approver = await person(strict, "registrar", Role.APPROVER)
    await approved_by(strict, approver, first.batch)
    assert await sign_drafts(strict) == 2
    last = await issue(strict, 3)
    assert (last.issued, last.batch) == ([], "")
    assert last.waiting == dict.fromkeys(again.issued, again.batch)


async def test_approved_drafts_are_signed_after_a_crash_by_whoever_starts_next(
    strict: Node, clock: HandClock
) -> None:
    report = await issue(strict, 2)
    approver = await person(strict, "registrar", Role.APPROVER)
    await approved_by(strict, approver, report.batch)
    async with opened(strict.home, clock) as restarted:
        assert await sign_drafts(restarted) == 2


async def test_a_sealed_node_signs_once_it_is_unsealed(
    strict: Node, clock: HandClock
) -> None:
    report = await issue(strict, 1)
    approver = await person(strict, "registrar", Role.APPROVER)
    async with opened(strict.home, clock, sealed=True) as sealed:
        await approved_by(sealed, approver, report.batch)
        assert await SigningJob(sealed).tick() == 0
    assert await SigningJob(strict).tick() == 1


async def test_nothing_is_issued_by_itself_where_two_people_are_asked_for(
    strict: Node,
) -> None:
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:localhost%3A8460",
        "credentialSubject": {"id": "did:example:learner"},
    }
    with pytest.raises(ApprovalRequired):
        await issue_document(strict, dict(document), None)  # type: ignore[arg-type]
    signer = await person(strict, "portal", Role.SIGNER)
    async with client_of(strict) as client:
        told = await ask(client, document, signer)
    assert told["code"] == "approval-required"


async def ask(
    client: Client, document: dict[str, Any], header: dict[str, str]
) -> dict[str, Any]:
    response = await client.post(
        "/credentials/issue", json={"credential": document}, headers=header
    )
    return await problem_of(response, 403)


async def test_batches_are_listed_in_order_and_page_by_page(
    strict: Node, clock: HandClock
) -> None:
    made = []
    for count in (1, 2, 3):
        made.append((await issue(strict, count)).batch)
        clock.advance(1)
    await reject_batch(strict, made[1], "no")
    async with strict.reading() as c:
        every = [b.id for b in await list_batches(c, limit=10)]
        first = [b.id for b in await list_batches(c, limit=2)]
        rest = [b.id for b in await list_batches(c, after=first[-1], limit=2)]
        waiting = [b.id for b in await list_batches(c, Approval.WAITING, limit=10)]
        with pytest.raises(BatchUnknown):
            await list_batches(c, after="x", limit=1)
    assert every == [*first, *rest] == made
    assert waiting == [made[0], made[2]]


async def test_a_batch_that_is_not_there_is_unknown(strict: Node) -> None:
    for name in ("x", "0" * 36, "\n" * 1000):
        with pytest.raises(BatchUnknown):
            await approve_batch(strict, name)


async def test_rows_of_a_bound_drafter_are_for_its_issuer_alone(strict: Node) -> None:
    await add_issuer(strict, "north", "North")
    bound = await person(strict, "clerk", Role.DRAFTER, issuers=["north"])
    with handling("request-1"):
        await require(strict, bound, Action.BATCH_DRAFT)
        with pytest.raises(IssuerRefused):
            await issue(strict, 1)
        report = await issue_rows(strict, template(), learners(1), "north")
    assert (await batch_of(strict, report.batch)).issuer == "north"
    assert MAIN == "main"
