"""How often whoever asks may ask: by address for everybody, by token for those known."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.api.admission import ALWAYS
from node.api.problems import Handler
from node.config_tables import LimitsConfig
from node.limits import RateLimit, asking_address


@dataclass(slots=True)
class Limits:
    """The counters of this process."""

    addresses: RateLimit
    tokens: RateLimit
    behind_proxy: bool

    @classmethod
    def of(cls, config: LimitsConfig) -> "Limits":
        """Return the counters that a configuration asks for."""
        addresses = RateLimit(config.address_per_minute)
        return cls(addresses, RateLimit(config.token_per_minute), config.behind_proxy)


LIMITS: Final = web.AppKey("LIMITS", Limits)


@web.middleware
async def limits_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the request for the address that it comes from."""
    limits = request.app[LIMITS]
    if request.path not in ALWAYS:
        told = request.headers.getall("X-Forwarded-For", []) if limits.behind_proxy else ()
        peer = request.transport.get_extra_info("peername") if request.transport else None
        address = asking_address(
            peer[0] if peer else "", ",".join(told), behind_proxy=limits.behind_proxy
        )
        if address:
            limits.addresses.check(address)
    return await handler(request)
