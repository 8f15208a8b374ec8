"""Two people for one batch: whoever drafts it, and another who approves it.

Functions of values. `node.batches` keeps what they decide on.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.permissions import Actor
from primitives.errors import Malformed, Rejected

MAX_REASON_CHARACTERS: Final = 500


class Approval(StrEnum):
    """Where a batch stands."""

    CHECKED = "checked"
    """A file was uploaded and checked; nothing is drafted from it yet."""

    UNNEEDED = "unneeded"
    """The node asks for no second person."""

    WAITING = "waiting"
    """Drafted, and signed by nobody before it is approved."""

    APPROVED = "approved"
    REJECTED = "rejected"
    """Signed never; its rows may be drafted again."""

    CANCELLED = "cancelled"
    """What was not signed by then never is; its rows may be drafted again."""


SIGNABLE: Final = (Approval.UNNEEDED, Approval.APPROVED)


class ApprovalRequired(Rejected):
    """At this node a credential is signed only after a second person has approved it."""

    code = "approval-required"
    hint = "draft it as a batch, and let another approve that"


class SamePerson(Rejected):
    """Whoever drafted a batch cannot approve it."""

    code = "approval-same-person"
    hint = "let somebody else approve it, with a token of his own"


class ApproverUnnamed(Rejected):
    """Who approves has to show a token: the machine's user may be anybody."""

    code = "approval-needs-token"
    hint = "name the file of an approver's token with --token-file"


class BatchDecided(Rejected):
    """The batch was approved or rejected before, or needs no approval."""

    code = "batch-already-decided"
    hint = "`patunay batch show ID` says how and by whom"


class RejectionMalformed(Malformed):
    """The reason is empty, too long, or holds characters that cannot be seen."""

    code = "rejection-reason-malformed"
    hint = f"give one line of text, of at most {MAX_REASON_CHARACTERS} characters"


@dataclass(frozen=True, slots=True)
class Person:
    """Who drafted or decided, as far as the node can tell people apart."""

    name: str
    token: str
    """Id of the token; empty for the command line without one."""

    @classmethod
    def of(cls, actor: Actor) -> "Person":
        """Return who acts."""
        return cls(actor.name, actor.token)


@dataclass(frozen=True, slots=True)
class Batch:
    """Credentials that were decided on together."""

    id: str
    issuer: str
    """Slug."""

    template: str
    template_version: str
    size: int
    """Credentials in it."""

    digest: str
    """SHA-256 of what was drafted: the digests of the drafts in the order of UUIDs."""

    drafted_at: str
    drafted_by: Person
    approval: Approval
    decided_at: str | None = None
    decided_by: Person | None = None
    reason: str = ""
    """Of a rejection. It never leaves the node."""


def check_approval(batch: Batch, actor: Actor) -> None:
    """Return if `actor`, whose role is checked elsewhere, may approve `batch`.

    Two tokens of one person are two people here: whoever creates tokens answers for that.

    Raises:
        BatchDecided: It does not wait for approval.
        ApproverUnnamed: The actor shows no token.
        SamePerson: He drafted it.
    """
    check_waiting(batch)
    if not actor.token:
        raise ApproverUnnamed(f"found {actor.name}, want a token")
    if actor.token == batch.drafted_by.token:
        raise SamePerson(f"batch {batch.id} was drafted with the same token")


def check_waiting(batch: Batch) -> None:
    """Return if `batch` may still be approved or rejected.

    Raises:
        BatchDecided: It may not.
    """
    if batch.approval is not Approval.WAITING:
        raise BatchDecided(f"found batch {batch.id} {batch.approval}, want it waiting")


def kept_reason(reason: str) -> str:
    """Return the reason of a rejection as it is stored.

    Raises:
        RejectionMalformed: It cannot be.
    """
    kept = reason.strip()
    if not 0 < len(kept) <= MAX_REASON_CHARACTERS or not kept.isprintable():
        raise RejectionMalformed(f"found a reason of {len(kept)} characters")
    return kept
