"""Which IP addresses are on the public internet.

`ipaddress.is_global` says yes to `64:ff9b::7f00:1`, `2002:7f00:1::`, `::127.0.0.1`,
`fec0::1` and multicast, each of which can lead back to this machine or its network. So
the networks are listed here.
See <https://www.iana.org/assignments/iana-ipv4-special-registry/> and
<https://www.iana.org/assignments/iana-ipv6-special-registry/>.
"""

import ipaddress

from primitives.errors import Undetermined

_LOOPBACK = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128")))

_NOT_PUBLIC = {
    ipaddress.ip_network(network): name
    for network, name in {
        "0.0.0.0/8": "this network",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "carrier-grade NAT",
        "127.0.0.0/8": "loopback",
        "169.254.0.0/16": "link-local",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "protocol assignments",
        "192.0.2.0/24": "documentation",
        "192.88.99.0/24": "6to4 relay",
        "192.168.0.0/16": "private",
        "198.18.0.0/15": "benchmarking",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
        "::1/128": "loopback",
        "::ffff:0:0/96": "IPv4-mapped",
        "::/96": "IPv4-compatible",
        "64:ff9b::/96": "NAT64",
        "64:ff9b:1::/48": "local NAT64",
        "100::/64": "discard-only",
        "2001::/32": "Teredo",
        "2001::/23": "protocol assignments",
        "2001:db8::/32": "documentation",
        "2002::/16": "6to4",
        "3ffe::/16": "the former 6bone",
        "3fff::/20": "documentation",
        "5f00::/16": "segment routing",
        "fc00::/7": "unique local",
        "fe80::/10": "link-local",
        "fec0::/10": "site-local",
        "ff00::/8": "multicast",
    }.items()
}

# RFC 4291 section 2.4: all global unicast addresses assigned so far.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


class FetchAddressRefused(Undetermined):
    """The host leads to an address that is not on the public internet."""

    code = "fetch-address-refused"
    hint = "Patunay reads other people's documents from public addresses only"


def check_public_address(address: str, *, allow_loopback: bool = False) -> None:
    """Return if a connection to `address` may be made; raise otherwise.

    Args:
        address: An address as `getaddrinfo` gives it; a zone is allowed.
        allow_loopback: Let 127.0.0.0/8 and ::1 pass, for a node on this machine.

    Raises:
        FetchAddressRefused: Not public, or not an address at all.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError as e:
        raise FetchAddressRefused(f"found {address[:64]!r}, want an IP address") from e
    if allow_loopback and any(ip in network for network in _LOOPBACK):
        return
    for network, name in _NOT_PUBLIC.items():
        if ip in network:
            raise FetchAddressRefused(
                f"found {address} ({name}, {network}), want a public address"
            )
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _GLOBAL_UNICAST:
        raise FetchAddressRefused(f"found {address}, want one in {_GLOBAL_UNICAST}")
