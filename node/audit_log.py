"""Writing down who did what, in the transaction of what was done; and reading it.

An act that is not allowed is not kept either: `record` checks once more, so that a caller
who forgot to ask cannot do it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from node.acting import current_actor, current_request
from node.audit_chain import DONE, START, Act, Flaw, Head, find_flaws, next_entry
from node.node import Node
from node.permissions import Action, check_permission
from node.storage.audit_log import append_entries, lock_head, read_entries, read_head
from primitives.errors import Rejected

_CHUNK: Final = 1000
"""Entries that are in memory at once while the log is checked."""

_NO_FACTS: Final[Mapping[str, str | int]] = MappingProxyType({})


@dataclass(slots=True)
class AuditLogReport:
    """What was looked at, and what does not hold together."""

    head: Head = START
    """The last entry that was found."""

    flaws: list[Flaw] = field(default_factory=list)


async def record(
    c: AsyncConnection,
    node: Node,
    action: Action,
    *objects: str,
    issuer: str = "",
    facts: Mapping[str, str | int] = _NO_FACTS,
) -> None:
    """Write down what whoever acts now has done, in the transaction that does it.

    Args:
        c: The write transaction of the act itself; nobody else records before it ends.
        node: Its clock says when.
        action: What was done.
        objects: To what: ids and digests such as `credential:UUID`, never personal data.
        issuer: Slug, where one issuer is concerned.
        facts: What else there is to say; never personal data.

    Raises:
        RoleRefused, IssuerRefused: As `check_permission`. The transaction MUST end there.
    """
    act = act_done(node, action, *objects, issuer=issuer, facts=facts)
    await record_acts(c, node, [act])


def act_done(
    node: Node,
    action: Action,
    *objects: str,
    issuer: str = "",
    facts: Mapping[str, str | int] = _NO_FACTS,
) -> Act:
    """Return what `record` writes down, for a transaction that is yet to come.

    Raises:
        RoleRefused, IssuerRefused: As `check_permission`.
    """
    check_permission(current_actor(), action, issuer)
    return _act(node, action, objects, issuer, facts, DONE)


async def record_acts(c: AsyncConnection, node: Node, acts: Sequence[Act]) -> None:
    """Write down what was done, in this order, in the transaction that does it.

    Args:
        c: The write transaction of the acts themselves.
        node: Its clock says when: now.
        acts: From `act_done`.
    """
    if not acts:
        return
    head, entries = await lock_head(c), []
    for act in acts:
        entries.append(next_entry(head, replace(act, at=node.now())))
        head = Head(entries[-1].sequence, entries[-1].digest)
    await append_entries(c, entries)


async def record_signed(c: AsyncConnection, node: Node, objects: tuple[str, ...]) -> None:
    """Write down that credentials were signed on which somebody else has decided.

    What allows it is the recorded decision: who carries it out needs no permission.
    """
    issued = Action.CREDENTIAL_ISSUE
    await record_acts(c, node, [_act(node, issued, objects, "", _NO_FACTS, DONE)])


async def record_refusal(
    node: Node, action: Action, error: Rejected, *objects: str, issuer: str = ""
) -> None:
    """Write down that whoever acts now was refused, in a transaction of its own."""
    async with node.writing() as c:
        refused = _act(node, action, objects, issuer, _NO_FACTS, error.code)
        await record_acts(c, node, [refused])


@asynccontextmanager
async def refusals_recorded(
    node: Node, action: Action, *objects: str
) -> AsyncIterator[None]:
    """Write down what is refused inside, and let the error go on."""
    try:
        yield
    except Rejected as e:
        await record_refusal(node, action, e, *objects)
        raise


async def check_audit_log(node: Node, pinned: Head | None = None) -> AuditLogReport:
    """Return where the log does not hold together; changes nothing.

    Args:
        node: Open; need not be unlocked.
        pinned: A head that was written down elsewhere: its entry has to be there still.
    """
    report = AuditLogReport()
    # One snapshot: others may be adding to it.
    async with node.reading() as c:
        stored = await read_head(c)
        while rows := await read_entries(c, report.head.sequence, _CHUNK):
            for found in find_flaws(rows, report.head, pinned):
                if isinstance(found, Flaw):
                    report.flaws.append(found)
                else:
                    report.head = found
    if stored != report.head:
        detail = f"found {report.head.sequence} as the last entry, want {stored.sequence}"
        report.flaws.append(Flaw(stored.sequence, "audit-head-mismatch", detail))
    if pinned is not None and pinned.sequence > report.head.sequence:
        detail = f"found {report.head.sequence} as the last entry, want the pinned one"
        report.flaws.append(Flaw(pinned.sequence, "audit-entry-missing", detail))
    return report


def _act(
    node: Node,
    action: Action,
    objects: tuple[str, ...],
    issuer: str,
    facts: Mapping[str, str | int],
    outcome: str,
) -> Act:
    actor = current_actor()
    return Act(
        node.now(),
        actor.name,
        actor.token,
        action,
        objects,
        issuer,
        outcome,
        current_request(),
        facts,
    )
