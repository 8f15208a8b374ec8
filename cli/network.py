"""The web, opened when it is first asked.

aiohttp takes a third of a second to import, and most files that are verified need nothing
from the network.
"""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from did.resolver import Resolution
from primitives.clock import Clock

if TYPE_CHECKING:
    from did.fetch import PublicFetcher

_ACCEPT: Final = "application/vc, application/vc+ld+json, application/json"


class Network:
    """Resolves did:web and fetches public documents; an asynchronous context manager."""

    def __init__(self, clock: Clock, *, allow_loopback: bool) -> None:
        self._clock = clock
        self._allow_loopback = allow_loopback
        self._open = AsyncExitStack()
        self._fetcher: PublicFetcher | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    async def resolve(self, did: str) -> Resolution:
        """Return the document of a did:web; see `DidWebResolver.resolve`."""
        from did.fetch import DidWebResolver  # noqa: PLC0415 - imports aiohttp

        return await DidWebResolver(await self._connected(), self._clock).resolve(did)

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        """Return what is at `url`; see `PublicFetcher.get`."""
        fetcher = await self._connected()
        fetched = await fetcher.get(url, max_bytes=max_bytes, accept=_ACCEPT)
        return fetched.body

    async def _connected(self) -> "PublicFetcher":
        from did.fetch import PublicFetcher  # noqa: PLC0415 - imports aiohttp

        if self._fetcher is None:
            self._fetcher = await self._open.enter_async_context(
                PublicFetcher(allow_loopback_http=self._allow_loopback)
            )
        return self._fetcher
