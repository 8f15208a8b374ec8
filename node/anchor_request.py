"""Asking the daemon for an anchor before one is due."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from node.audit_log import record
from node.node import Node
from node.permissions import Action
from node.storage import ledger

ANCHOR_NOW: Final = "anchor-now"


async def request_anchor(node: Node) -> int:
    """Ask for a batch with all that is queued now; return the log's size with it.

    Asking twice is asking once.

    Raises:
        RoleRefused, IssuerRefused: Whoever acts may not ask.
    """
    async with node.writing() as c:
        return await request_within(node, c)


async def request_within(node: Node, c: AsyncConnection) -> int:
    """Do what `request_anchor` does, in the caller's write transaction.

    Raises:
        RoleRefused, IssuerRefused: Whoever acts may not ask.
    """
    waiting, _ = await ledger.queue_state(c)
    wanted = await ledger.log_length(c) + waiting
    await ledger.save_request(c, ANCHOR_NOW, node.now())
    await record(c, node, Action.ANCHOR_RUN, facts={"size": wanted})
    return wanted
