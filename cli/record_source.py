"""Where `patunay verify --record-source` reads anchor records and what they link."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from anchoring.blocks import GatewayBlocks, HeldBlocks
from anchoring.car import MAX_CAR_BYTES, parse_car
from cli.files import read_file
from node.record_evidence import RecordSource

_RPC_PATH: Final = "/api/v0"

_DEADLINE_SECONDS: Final = 30.0
"""A gateway may have to look for a block at other nodes first."""


def is_address(place: str) -> bool:
    """Tell whether `place` is on the web, and no file."""
    return place.startswith(("https://", "http://"))


@asynccontextmanager
async def open_records(place: str, *, allow_loopback: bool) -> AsyncIterator[RecordSource]:
    """Give the source that `place` is.

    A CAR file; the address of a gateway, with or without `/ipfs/CID`; or that of a Kubo
    node's RPC, which ends in `/api/v0`.

    Raises:
        CarMalformed, CidMismatch: The file is none, or was changed.
        IpfsAddressInvalid: Not the address of an RPC.
        PatunayError: As `read_file`.
    """
    if not is_address(place):
        car = parse_car(read_file(Path(place), max_bytes=MAX_CAR_BYTES))
        yield RecordSource(HeldBlocks(car.blocks), car.roots[0], place)
    elif place.endswith(_RPC_PATH):
        from anchoring.ipfs import Kubo  # noqa: PLC0415 - its client takes a while to import

        kubo = Kubo(place.removesuffix(_RPC_PATH))
        try:
            yield RecordSource(kubo, None, place)
        finally:
            await kubo.close()
    else:
        async with _gateway(place, allow_loopback=allow_loopback) as source:
            yield source


@asynccontextmanager
async def _gateway(place: str, *, allow_loopback: bool) -> AsyncIterator[RecordSource]:
    from did.fetch import PublicFetcher  # noqa: PLC0415 - imports aiohttp

    address, _, head = place.partition("/ipfs/")
    async with PublicFetcher(
        allow_loopback_http=allow_loopback, deadline_seconds=_DEADLINE_SECONDS
    ) as fetcher:

        async def fetch(url: str, max_bytes: int) -> bytes:
            accept = "application/vnd.ipld.raw"
            return (await fetcher.get(url, max_bytes=max_bytes, accept=accept)).body

        yield RecordSource(GatewayBlocks(address, fetch), head.rstrip("/") or None, place)
