"""Which host names may stand in a did:web or in a URL that is fetched.

Resolvers read `2130706433`, `0x7f.1` and full-width digits as 127.0.0.1, so a name is
judged by its spelling before any resolver sees it. Where it leads is judged afterwards,
by did/address.py.
"""

import ipaddress
import re
import unicodedata

from primitives.errors import Malformed

MAX_HOST_CHARACTERS = 253
"""RFC 1035 section 2.3.4, in text form."""

MAX_PORT = 65_535

LOCALHOST = "localhost"

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")


class DidHostInvalid(Malformed):
    """No lower-case, fully qualified name of letters, digits and hyphens."""

    code = "did-host-invalid"


class DidIpLiteral(DidHostInvalid):
    """An IP address where a name has to be."""

    code = "did-ip-literal"


class DidIdnNotAscii(DidHostInvalid):
    """An international name in its own letters."""

    code = "did-idn-not-ascii"
    hint = "write the name in its ASCII form, xn--…"


class DidPortInvalid(Malformed):
    """Not a decimal number from 1 to 65535 without leading zero."""

    code = "did-port-invalid"


def check_host(host: str) -> None:
    """Return if `host` is a fully qualified name or `localhost`; raise otherwise.

    Raises:
        DidIpLiteral: An IPv4 or IPv6 address.
        DidIdnNotAscii: Letters beyond ASCII.
        DidHostInvalid: Upper case, underscore, empty label, trailing dot, one label
            only, a name that ends in a number, or over `MAX_HOST_CHARACTERS`.
    """
    if len(host) > MAX_HOST_CHARACTERS:
        raise DidHostInvalid(
            f"found {len(host)} characters, want at most {MAX_HOST_CHARACTERS}"
        )
    if not host.isascii():
        raise _beyond_ascii(host)
    if is_ip_literal(host):
        raise DidIpLiteral(f"found the address {host!r}, want a name")
    if host == LOCALHOST:
        return
    labels = host.split(".")
    if len(labels) == 1 or any(_LABEL.fullmatch(label) is None for label in labels):
        raise DidHostInvalid(f"found {host[:64]!r}, want a name like example.edu")
    # "127.1" and "0x7f.1" are addresses to a resolver. No top-level domain is a number.
    if _NUMBER.fullmatch(labels[-1]):
        raise DidHostInvalid(f"found {host[:64]!r}, which ends in a number, want a name")


def parse_port(text: str) -> int:
    """Return the port that `text` names.

    Raises:
        DidPortInvalid: Not decimal, a leading zero, 0, or over 65535.
    """
    if _PORT.fullmatch(text) is None or int(text) > MAX_PORT:
        raise DidPortInvalid(f"found port {text[:16]!r}, want 1 to {MAX_PORT}")
    return int(text)


def is_ip_literal(host: str) -> bool:
    """Tell whether `host` is an IP address in standard form, brackets or not."""
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _beyond_ascii(host: str) -> DidHostInvalid:
    # Circled or full-width letters and digits are no language: they only hide ASCII.
    if unicodedata.normalize("NFKC", host).isascii():
        return DidHostInvalid(f"found {host[:64]!a}, want plain ASCII letters and digits")
    return DidIdnNotAscii(f"found {host[:64]!a}, want its ASCII form")
