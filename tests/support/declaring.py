"""Declaring keys compromised, where a test knows which kind of key it is."""

from datetime import datetime

from node.compromise import Declaration, LogDeclaration, declare
from node.node import LOG_KEY, Node


async def declare_compromised(node: Node, name: str, since: datetime) -> Declaration:
    """Declare an issuer's key compromised."""
    made = await declare(node, name, since)
    assert isinstance(made, Declaration)
    return made


async def declare_log_compromised(node: Node, since: datetime) -> LogDeclaration:
    """Declare the log's key compromised."""
    made = await declare(node, LOG_KEY, since)
    assert isinstance(made, LogDeclaration)
    return made
