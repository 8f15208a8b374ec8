"""Which names this node answers to: what stands against DNS rebinding.

A page of another site can let its own name lead to this machine, and its scripts may then
read what this node answers to that name. The browser still sends the page's name as
`Host`, so a node that answers to its own names alone gives such a page nothing. Headers
that a proxy adds, such as `X-Forwarded-Host`, are not looked at: whoever sends a request
could write them.
"""

import ipaddress
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self
from urllib.parse import urlsplit

from did.host import LOCALHOST
from primitives.errors import Rejected

_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII)

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class HostRefused(Rejected):
    """The request is for a host that this node does not answer to."""

    code = "host-refused"
    hint = "ask under the node's own name, or list this one under `allowed_hosts`"


class OriginRefused(Rejected):
    """A browser page of another site sends this request."""

    code = "origin-refused"
    hint = "ask from the node's own pages, or list the page's origin under `cors_origins`"


@dataclass(frozen=True, slots=True)
class Authority:
    """A host, with its port where one is named."""

    name: str
    """Lower case; an IPv6 address in brackets."""

    port: int | None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `host` or `host:port`; None if it is neither."""
        match = _HOST.fullmatch(text.lower())
        if match is None:
            return None
        return cls(match[1], int(match[2]) if match[2] is not None else None)

    @property
    def is_loopback(self) -> bool:
        """Whether it can only be this machine, whatever DNS says."""
        if self.name == LOCALHOST:
            return True
        try:
            return ipaddress.ip_address(self.name.strip("[]")).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class OwnHosts:
    """The hosts that a node answers to."""

    domain: str
    """With `:port` where it is not 443."""

    public_url: str

    listen_host: str
    """Address that the daemon listens on."""

    allowed: tuple[str, ...] = ()
    """More of them; one without a port stands for any port."""

    def check(self, values: Sequence[str], *, port: int, scheme: str = "http") -> None:
        """Return if a request is for this node; raise otherwise.

        Args:
            values: Its `Host` headers, as received.
            port: That it came in at.
            scheme: In which it came: says what port is meant where none is named.

        Raises:
            HostRefused: None, several, no host name, or the name of somebody else.
        """
        if len(values) != 1:
            shown = ", ".join(values)[:120]
            raise HostRefused(f"found Host {shown!r}, want one host name")
        why = _refusal(self, values[0], port, scheme)
        if why:
            raise HostRefused(why)

    def answers_to(self, found: Authority, *, port: int, scheme: str) -> bool:
        """Tell whether a request for `found`, which came in at `port`, is for this node."""
        asked = found.port if found.port is not None else _DEFAULT_PORTS[scheme]
        if asked == port and (found.is_loopback or found.name == self._listening):
            return True
        return any(_covers(own, found) for own in self._named())

    def check_origin(self, value: str, *, port: int, others: Collection[str]) -> None:
        """Return if a page of that origin may send requests that change something.

        Args:
            value: The header `Origin`, which browsers set and pages cannot.
            port: That the request came in at.
            others: Origins that are allowed besides the node's own.

        Raises:
            OriginRefused: It is another site's, or no page says whose.
        """
        if value in others:
            return
        scheme, separator, authority = value.partition("://")
        try:
            if separator and scheme in _DEFAULT_PORTS:
                self.check([authority], port=port, scheme=scheme)
                return
        except HostRefused:
            pass
        raise OriginRefused(f"found Origin {value[:120]!r}, want none or {self.public_url}")

    @property
    def _listening(self) -> str:
        return f"[{self.listen_host}]" if ":" in self.listen_host else self.listen_host

    def _named(self) -> list[Authority]:
        """Return the names that the operator has given, with the ports that count."""
        own = [Authority.parse(t) for t in (self.domain, urlsplit(self.public_url).netloc)]
        more = [Authority.parse(text) for text in self.allowed]
        # A proxy often hands its own name on without the port, or with another one. What
        # else listens at `localhost` is not this node, so there the port counts.
        anywhere = [Authority(a.name, None) for a in own if a and not a.is_loopback]
        return [*anywhere, *(a for a in (*own, *more) if a is not None)]


@lru_cache(maxsize=256)
def _refusal(own: OwnHosts, value: str, port: int, scheme: str) -> str:
    """Return what is wrong with a `Host` header; nothing, if the node answers to it."""
    found = Authority.parse(value)
    if found is None:
        return f"found Host {value[:120]!r}, want one host name"
    if not own.answers_to(found, port=port, scheme=scheme):
        return f"found Host {value[:120]!r}, want {own.domain}"
    return ""


def _covers(own: Authority, found: Authority) -> bool:
    return own.name == found.name and own.port in (None, found.port)
