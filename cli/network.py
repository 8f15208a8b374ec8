"""The web, opened when it is first asked.

aiohttp takes a third of a second to import, and most files that are verified need nothing
from the network.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import click

from primitives.clock import Clock, SystemClock

if TYPE_CHECKING:
    from did.fetch import PublicFetcher
    from did.resolver import Resolution

_ACCEPT: Final = "application/vc, application/vc+ld+json, application/json"


class Surroundings(NamedTuple):
    """What a command finds outside of its files, as the context object of click."""

    clock: Clock = SystemClock()

    fetcher: "Callable[[], PublicFetcher] | None" = None
    """Makes what reads the web, instead of one by the command's own options."""

    @classmethod
    def of(cls, context: click.Context) -> "Surroundings":
        """Return those that the program was started with, or else the usual ones."""
        return context.find_object(cls) or cls()


class Network:
    """Resolves did:web and fetches public documents; an asynchronous context manager."""

    def __init__(
        self,
        clock: Clock,
        *,
        allow_loopback: bool,
        make_fetcher: "Callable[[], PublicFetcher] | None" = None,
    ) -> None:
        """Take the settings; nothing is opened before something is asked for.

        Args:
            clock: Says when an answer was had.
            allow_loopback: As `PublicFetcher` has it.
            make_fetcher: Instead of a `PublicFetcher` of that setting alone.
        """
        self._clock = clock
        self._make_fetcher = make_fetcher
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

    async def resolve(self, did: str) -> "Resolution":
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
            made = (
                self._make_fetcher()
                if self._make_fetcher is not None
                else PublicFetcher(allow_loopback_http=self._allow_loopback)
            )
            self._fetcher = await self._open.enter_async_context(made)
        return self._fetcher
