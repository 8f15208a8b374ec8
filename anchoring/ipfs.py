"""A Kubo node over its RPC: blocks go in, are pinned, and are read back.

The client, ipfshttpclient, is synchronous, so each call runs in a thread. What Kubo says a
block's CID is, is compared with our own calculation and never taken over.
"""

import asyncio
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

# The client's own variant of `requests` passes arguments that urllib3 is going to refuse;
# without it, it uses the plain library. Read when it is imported.
os.environ.setdefault("PY_IPFS_HTTP_CLIENT_PATCH_REQUESTS", "no")

import ipfshttpclient
from ipfshttpclient.exceptions import Error, ErrorResponse

from anchoring.blocks import (
    MAX_BLOCK_BYTES,
    BlockTooLarge,
    CidMismatch,
    require_cid,
)
from anchoring.record import is_record_cid
from primitives.errors import Misconfigured, Undetermined

TIMEOUT_SECONDS: Final = 10.0
"""For each answer. A pin that would have to search the network for a block fails."""

_CHUNK_BYTES: Final = 64 * 1024

T = TypeVar("T")


class IpfsUnreachable(Undetermined):
    """The Kubo node gave no usable answer; the block may or may not be stored."""

    code = "ipfs-unreachable"
    hint = "start Kubo, and look at ipfs_api in patunay.toml; the node tries again"


class IpfsRefused(Undetermined):
    """The Kubo node answered with an error."""

    code = "ipfs-refused"
    hint = "look into the log of the Kubo node"


class IpfsAddressInvalid(Misconfigured):
    """Not the HTTP address of a Kubo node's RPC."""

    code = "ipfs-address-invalid"
    hint = "give an address such as http://127.0.0.1:5001"


class Kubo:
    """One Kubo node: a `BlockPublisher` and a `BlockSource`. Use by one task at a time."""

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Open nothing yet.

        Raises:
            IpfsAddressInvalid: `url` is no `http://host:port` or `https://host:port`.
        """
        # Not `connect`: that refuses every Kubo since 2021 for its version's number.
        self._client = ipfshttpclient.Client(
            _multiaddr(url), timeout=timeout_seconds, session=True
        )
        # A proxy named in the environment is for the web, not for a node's own Kubo.
        self._client._client._session.trust_env = False  # noqa: SLF001 - no other way
        self._url = url

    async def put(self, cid: str, block: bytes) -> None:
        """Store one block; see `BlockPublisher.put`.

        Raises:
            CidMismatch: Kubo calculates another CID.
            IpfsUnreachable: No usable answer.
            IpfsRefused: Kubo says no.
        """
        require_cid(block, cid)
        codec = "dag-json" if is_record_cid(cid) else "raw"
        options = {"cid-codec": codec, "mhtype": "sha2-256"}
        found = await self._call(
            lambda: _key(self._client.block.put(io.BytesIO(block), opts=options))
        )
        if found != cid:
            raise CidMismatch(f"found {str(found)[:80]!r} at {self._url}, want {cid}")

    async def pin(self, cid: str) -> None:
        """Pin a record and all that it links; see `BlockPublisher.pin`.

        Raises:
            IpfsUnreachable: No usable answer, or a linked block is not there.
            IpfsRefused: Kubo says no.
        """
        await self._call(lambda: self._client.pin.add(cid))

    async def get(self, cid: str) -> bytes:
        """Return what Kubo holds or finds under `cid`, not verified.

        Raises:
            BlockTooLarge: It goes on beyond `MAX_BLOCK_BYTES`.
            IpfsUnreachable: No usable answer in time.
            IpfsRefused: Kubo says no.
        """
        return await self._call(lambda: _read_block(self._client, cid))

    async def close(self) -> None:
        """Give back sockets."""
        await asyncio.to_thread(self._client.close)

    async def _call(self, ask: Callable[[], T]) -> T:
        def in_thread() -> T:
            with _typed_errors(self._url):
                return ask()

        return await asyncio.to_thread(in_thread)


@contextmanager
def _typed_errors(url: str) -> Iterator[None]:
    try:
        yield
    except ErrorResponse as e:
        raise IpfsRefused(f"{url}: {str(e)[:200]}") from e
    except (Error, OSError, AssertionError) as e:
        # OSError is also what `requests` raises while a body is read; the client asserts
        # that an answer has the form that it knows.
        raise IpfsUnreachable(f"{url}: {str(e)[:200]}") from e


def _key(answer: Any) -> str:
    """Return the CID in Kubo's answer to `block/put`."""
    found = answer.as_json()
    return str(found.get("Key")) if isinstance(found, dict) else str(found)


def _read_block(client: Any, cid: str) -> bytes:
    """Return a block, of which no more than the limit is ever held.

    The client's own `block.get` reads all there is, in one piece.
    """
    closables, chunks = client._client._request(  # noqa: SLF001 - see above
        "POST",
        "block/get",
        [("arg", cid)],
        auth=None,
        data=None,
        headers=None,
        timeout=None,
        chunk_size=_CHUNK_BYTES,
    )
    block = bytearray()
    try:
        for chunk in chunks:
            block += chunk
            if len(block) > MAX_BLOCK_BYTES:
                raise BlockTooLarge(f"{cid}: found over {MAX_BLOCK_BYTES} bytes")
    finally:
        for closable in closables:
            closable.close()
    return bytes(block)


def _multiaddr(url: str) -> str:
    """Return an HTTP address as the client wants it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as e:
        raise IpfsAddressInvalid(f"found {url[:80]!r}: {e}") from e
    plain = parts.path in {"", "/"} and not (parts.query or parts.fragment)
    if parts.scheme not in {"http", "https"} or not host or parts.username or not plain:
        raise IpfsAddressInvalid(f"found {url[:80]!r}, want http://host:port")
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    kind = "ip6" if ":" in host else "ip4" if host.replace(".", "").isdigit() else "dns"
    return f"/{kind}/{host}/tcp/{port}/{parts.scheme}"
