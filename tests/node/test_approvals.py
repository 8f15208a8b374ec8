from dataclasses import replace

import pytest

from node.approvals import (
    Approval,
    ApproverUnnamed,
    Batch,
    BatchDecided,
    Person,
    RejectionMalformed,
    SamePerson,
    check_approval,
    kept_reason,
)
from node.permissions import Actor, Role

APPROVER = Actor("registrar", frozenset({Role.APPROVER}), "token-2")
BATCH = Batch(
    "1",
    "main",
    "als",
    "2025.1",
    2,
    "ab" * 32,
    "2026-03-02T08:00:00Z",
    Person("clerk", "token-1"),
    Approval.WAITING,
)


def test_another_token_may_approve() -> None:
    check_approval(BATCH, APPROVER)
    check_approval(replace(BATCH, drafted_by=Person("command line: x", "")), APPROVER)


def test_the_token_that_drafted_may_not_approve_whatever_its_name() -> None:
    with pytest.raises(SamePerson, match="batch 1 was drafted with the same token"):
        check_approval(BATCH, replace(APPROVER, token="token-1"))


@pytest.mark.parametrize("drafted_by", [BATCH.drafted_by, Person("command line: x", "")])
def test_whoever_shows_no_token_may_not_approve(drafted_by: Person) -> None:
    nameless = Actor("command line: x", frozenset(Role))
    with pytest.raises(ApproverUnnamed, match="found command line: x, want a token"):
        check_approval(replace(BATCH, drafted_by=drafted_by), nameless)


@pytest.mark.parametrize("approval", set(Approval) - {Approval.WAITING})
def test_what_does_not_wait_is_not_approved(approval: Approval) -> None:
    with pytest.raises(BatchDecided, match=f"found batch 1 {approval}, want it waiting"):
        check_approval(replace(BATCH, approval=approval), APPROVER)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\nb", "a\u202eb"])
def test_a_reason_that_cannot_be_shown_is_refused(reason: str) -> None:
    with pytest.raises(RejectionMalformed):
        kept_reason(reason)
    assert kept_reason(" wrong year ") == "wrong year"
