"""Whether the node can do its work now, and what keeps it from it."""

import asyncio
import os
from dataclasses import dataclass
from typing import Final

from node.disk import StorageFailed
from node.node import LEADING, Node
from node.storage import ledger
from node.storage.leases import find_lease
from primitives.errors import Undetermined

DATABASE_SECONDS: Final = 2.0
"""How long the database may take to answer."""

FREE_BYTES: Final = 64 << 20
"""Least space on the disk: a batch of 10,000 credentials takes about that much."""


class NotReady(Undetermined):
    """The node runs, and something keeps it from doing its work."""

    code = "not-ready"
    hint = "`checks` in the answer names what is wrong"

    def __init__(self, checks: "tuple[ReadinessCheck, ...]") -> None:
        self.checks = checks
        wrong = [f"{c.name}: {c.detail}" for c in checks if c.required and not c.ok]
        super().__init__("; ".join(wrong))


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    required: bool = True
    """Whether the node is not ready without it."""


async def require_ready(node: Node) -> tuple[ReadinessCheck, ...]:
    """Return what was looked at, if the node is ready.

    Raises:
        NotReady: It is not.
    """
    checks = (_keys(node), await _database(node), _disk(node), await _lease(node))
    if not all(check.ok for check in checks if check.required):
        raise NotReady(checks)
    return checks


def _keys(node: Node) -> ReadinessCheck:
    if node.unlocked is None:
        return ReadinessCheck("keys", ok=False, detail="sealed: run `patunay unseal`")
    return ReadinessCheck("keys", ok=True, detail="in memory")


async def _database(node: Node) -> ReadinessCheck:
    try:
        async with asyncio.timeout(DATABASE_SECONDS), node.reading() as c:
            await ledger.log_length(c)
    except StorageFailed as e:
        return ReadinessCheck("database", ok=False, detail=f"{e.code}: {e}")
    except TimeoutError:
        late = f"no answer in {DATABASE_SECONDS:g} seconds"
        return ReadinessCheck("database", ok=False, detail=late)
    return ReadinessCheck("database", ok=True, detail="answers")


def _disk(node: Node) -> ReadinessCheck:
    if node.home.disk.failure is not None:
        return ReadinessCheck("disk", ok=False, detail="failed: the node ends")
    found = os.statvfs(node.home.root)
    free = found.f_bavail * found.f_frsize
    if found.f_flag & os.ST_RDONLY:
        return ReadinessCheck("disk", ok=False, detail="read-only")
    words = f"found {free >> 20} MiB free, want {FREE_BYTES >> 20}"
    return ReadinessCheck("disk", ok=free >= FREE_BYTES, detail=words)


async def _lease(node: Node) -> ReadinessCheck:
    # Not required: another process takes it over, and meanwhile all others go on serving.
    try:
        async with asyncio.timeout(DATABASE_SECONDS), node.reading() as c:
            lease = await find_lease(c, LEADING)
    except (StorageFailed, TimeoutError):
        return ReadinessCheck("lease", ok=False, required=False, detail="not known")
    held = lease is not None and not lease.is_over
    words = "held" if held else "no process anchors"
    return ReadinessCheck("lease", ok=held, required=False, detail=words)
