"""How often one address, or one token, may ask: a bucket for each, in memory.

A bucket holds what may be asked at once and fills again steadily. Every process counts for
itself, and forgets when it ends.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from primitives.errors import Undetermined

MAX_BUCKETS: Final = 50_000
"""Addresses or tokens that are remembered, some 10 MB; of more, those that asked longest
ago are forgotten, as if they had asked nothing."""

_BURST_SECONDS: Final = 10
"""What may be asked at once is what fills in this time."""

_IPV6_PREFIX_BITS: Final = 64
"""Whoever has one address of such a network has all of them."""


_MAX_ADDRESS_CHARACTERS: Final = 64
"""Of an address and its zone; whatever is longer is none."""


class RateLimited(Undetermined):
    """Too many requests in too short a time."""

    code = "http-rate-limited"
    hint = "wait as long as Retry-After says"

    def __init__(self, message: str, *, wait_seconds: float) -> None:
        super().__init__(message)
        self.wait_seconds = max(1, math.ceil(wait_seconds))
        """Whole seconds, at least 1."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    """When `left` was true, by the monotonic clock."""


class RateLimit:
    """Lets everybody ask so many times a minute."""

    def __init__(
        self, per_minute: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Count nothing yet.

        Args:
            per_minute: 0 lets everybody ask as often as they like.
            monotonic: Seconds of a clock that nobody sets.
        """
        self._rate = per_minute / 60
        self._most = max(1.0, self._rate * _BURST_SECONDS)
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def check(self, name: str) -> None:
        """Count one request of `name`, if it may be made.

        Raises:
            RateLimited: It may not yet.
        """
        if self._rate == 0:
            return
        now = self._monotonic()
        bucket = self._buckets.pop(name, None) or _Bucket(self._most, now)
        left = min(self._most, bucket.left + (now - bucket.at) * self._rate)
        allowed = left >= 1
        self._buckets[name] = _Bucket(left - 1 if allowed else left, now)
        while len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        if not allowed:
            wait = (1 - left) / self._rate
            raise RateLimited(
                f"found over {self._rate * 60:g} requests a minute", wait_seconds=wait
            )


def asking_address(peer: str, forwarded_for: str, *, behind_proxy: bool) -> str:
    """Return by what name whoever asks is counted; empty where nobody is to be.

    Args:
        peer: Address of the other end of the connection.
        forwarded_for: The header of that name; may be empty. Anybody can write anything
            before the last comma; the last entry is the nearest proxy's.
        behind_proxy: Whether there is a proxy, which writes that header.

    A connection from this machine itself is not counted: it is a proxy's, or the
    operator's own.
    """
    last = forwarded_for.rpartition(",")[2].strip() if behind_proxy else ""
    named = _counted_as(last) if len(last) <= _MAX_ADDRESS_CHARACTERS else None
    return (_counted_as(peer) if named is None else named) or ""


@lru_cache(maxsize=1024)
def _counted_as(text: str) -> str | None:
    """Return the name of an address; empty for this machine's, None for no address."""
    address = _parse(text)
    if address is None:
        return None
    if address.is_loopback:
        return ""
    if isinstance(address, IPv6Address):
        return str(int(address) >> (128 - _IPV6_PREFIX_BITS))
    return str(address)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found
