"""A publisher of blocks in memory that can be told to fail."""

from collections.abc import Callable
from dataclasses import dataclass, field

from anchoring.blocks import BlockNotFound, require_cid
from anchoring.ipfs import IpfsUnreachable
from anchoring.record import is_record_cid, parse_record


@dataclass
class BlockShelf:
    """Keeps what it is given; pins only what it has in full, as Kubo does."""

    blocks: dict[str, bytes] = field(default_factory=dict)
    pins: list[str] = field(default_factory=list)
    calls: int = 0
    fails_from: int | None = None
    """Number of the call from which on none is answered."""

    fails_after_work: bool = False
    """Whether the work is done all the same, and only its answer is lost."""

    async def put(self, cid: str, block: bytes) -> None:
        self._answer_or_fail(lambda: self._put(cid, block))

    async def pin(self, cid: str) -> None:
        self._answer_or_fail(lambda: self._pin(cid))

    async def get(self, cid: str) -> bytes:
        if cid not in self.blocks:
            raise BlockNotFound(f"found no block {cid}")
        return self.blocks[cid]

    def _put(self, cid: str, block: bytes) -> None:
        require_cid(block, cid)
        self.blocks[cid] = block

    def _pin(self, cid: str) -> None:
        assert is_record_cid(cid)
        record = parse_record(self.blocks[cid])
        wanted = {link.cid for link in record.links if link.pinned}
        assert wanted <= self.blocks.keys()
        self.pins.append(cid)

    def _answer_or_fail(self, work: Callable[[], None]) -> None:
        self.calls += 1
        failing = self.fails_from is not None and self.calls >= self.fails_from
        if not failing or self.fails_after_work:
            work()
        if failing:
            raise IpfsUnreachable("no answer, as it was told")
