"""IPFS blocks: whoever delivers the bytes, they are compared with their CID before use.

A gateway, a Kubo node and a CAR file are read through one protocol, `BlockSource`, and none
of them is trusted: `fetch_block` is the only way in. Records and what they link are written
through another, `BlockPublisher`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

from anchoring.record import MAX_RECORD_BYTES, cid_digest
from primitives.errors import Malformed, Rejected, Undetermined
from primitives.hashing import sha256

MAX_BLOCK_BYTES = MAX_RECORD_BYTES
"""Largest block: what every IPFS node passes on. Records, lists and tiles stay below."""

Fetch: TypeAlias = Callable[[str, int], Awaitable[bytes]]
"""Gives the bytes at a URL, at most so many, or raises."""


class CidMismatch(Rejected):
    """The bytes are not those that the CID names."""

    code = "cid-mismatch"
    hint = "get the block from another gateway, or from a CAR file"


class BlockTooLarge(Malformed):
    """More bytes than IPFS nodes pass on as one block."""

    code = "block-too-large"


class BlockNotFound(Undetermined):
    """The place that was asked does not have the block."""

    code = "block-not-found"
    hint = "get the block from another gateway, or from a CAR file"


class BlockSource(Protocol):
    """A place to read blocks from; nothing that it returns has been verified."""

    async def get(self, cid: str) -> bytes:
        """Return what the place holds under `cid`, in bounded size.

        Raises:
            PatunayError: It has no such block, or gave no usable answer.
        """
        ...


class BlockPublisher(Protocol):
    """A place that keeps blocks and hands them to whoever asks for their CID."""

    async def put(self, cid: str, block: bytes) -> None:
        """Store one block; storing it again changes nothing.

        Raises:
            CidMismatch: The place calculates another CID from these bytes.
            Undetermined: No usable answer; it may or may not have been stored.
        """
        ...

    async def pin(self, cid: str) -> None:
        """Keep a block, and all that it links, for good; again changes nothing.

        Raises:
            Undetermined: No usable answer.
        """
        ...


def require_cid(block: bytes, cid: str) -> None:
    """Return if `block` is what `cid` names; raise otherwise.

    Raises:
        CidMalformed: Not a CID of the kinds that records use.
        BlockTooLarge: Over `MAX_BLOCK_BYTES`.
        CidMismatch: Other bytes.
    """
    wanted = cid_digest(cid)
    if len(block) > MAX_BLOCK_BYTES:
        raise BlockTooLarge(f"found {len(block)} bytes, want at most {MAX_BLOCK_BYTES}")
    found = sha256(block)
    if found != wanted:
        raise CidMismatch(f"found SHA-256 {found.hex()}, want {wanted.hex()} for {cid}")


async def fetch_block(source: BlockSource, cid: str) -> bytes:
    """Return the block that `cid` names, verified.

    Raises:
        PatunayError: As `require_cid` and `BlockSource.get`.
    """
    block = await source.get(cid)
    require_cid(block, cid)
    return block


class GatewayBlocks:
    """Reads blocks from an IPFS gateway, whoever runs it: `/ipfs/CID?format=raw`."""

    def __init__(self, address: str, fetch: Fetch) -> None:
        """Take the address, without `/ipfs`, and what fetches over HTTP."""
        self._address = address.rstrip("/")
        self._fetch = fetch

    async def get(self, cid: str) -> bytes:
        """Return what the gateway sends for `cid`; see `BlockSource`."""
        return await self._fetch(f"{self._address}/ipfs/{cid}?format=raw", MAX_BLOCK_BYTES)


class HeldBlocks:
    """Blocks in memory, such as those of a CAR file."""

    def __init__(self, blocks: Mapping[str, bytes]) -> None:
        self._blocks = blocks

    async def get(self, cid: str) -> bytes:
        """Return the block; see `BlockSource`.

        Raises:
            BlockNotFound: It is not among them.
        """
        block = self._blocks.get(cid)
        if block is None:
            raise BlockNotFound(f"found no block {cid} among {len(self._blocks)}")
        return block
