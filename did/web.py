"""did:web identifiers to URLs and back.

See <https://w3c-ccg.github.io/did-method-web/>. Nothing is ever unquoted: the one escape
with a meaning is `%3A` before a port, and a path is made of plain characters only. So
there is no second spelling that a proxy, a file system or a browser could read otherwise.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from did.host import DidIpLiteral, DidPortInvalid, check_host, is_ip_literal, parse_port
from did.identifier import MAX_DID_CHARACTERS, DidMalformed, DidTooLong
from primitives.errors import Malformed

_PREFIX = "did:web:"
_PORT_SIGN = "%3A"
_DOCUMENT = "did.json"
_WELL_KNOWN = ".well-known"

_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")
_DOCUMENT_URL = re.compile(r"https?://([^/:]+(?::[^/:]*)?)/(.+)", re.DOTALL)

Scheme: TypeAlias = Literal["https", "http"]
"""`http` is for a node on this machine; the method itself knows only `https`."""


class DidPathInvalid(Malformed):
    """A path segment that is empty, a dot segment, or holds an escape."""

    code = "did-path-invalid"


@dataclass(frozen=True, slots=True)
class DidWeb:
    """A did:web in parts; `parse_did_web(str(d)) == d` always holds."""

    host: str
    """Lower-case ASCII name; never an IP address. Punycode shows as `xn--`."""

    port: int | None
    """None where the DID names none."""

    path: tuple[str, ...] = ()
    """Segments, each of letters, digits, `.`, `-` and `_`."""

    def __post_init__(self) -> None:
        check_host(self.host)
        if self.port is not None:
            parse_port(str(self.port))
        for segment in self.path:
            _check_segment(segment)
        if len(str(self)) > MAX_DID_CHARACTERS:
            raise DidTooLong(
                f"found {len(str(self))} characters, want at most {MAX_DID_CHARACTERS}"
            )

    @classmethod
    def for_host(cls, authority: str, *segments: str) -> "DidWeb":
        """Build from `host` or `host:port` and path segments.

        Raises:
            DidHostInvalid: As `check_host`.
            DidPortInvalid: As `parse_port`.
            DidPathInvalid: As `parse_did_web`.
        """
        if is_ip_literal(authority):
            raise DidIpLiteral(f"found the address {authority!r}, want a name")
        host, colon, port = authority.partition(":")
        return cls(host, parse_port(port) if colon else None, segments)

    @classmethod
    def for_document_url(cls, url: str) -> "DidWeb":
        """Return the did:web whose document is at `url`.

        Raises:
            DidMalformed: Not an http(s) URL that ends in `/did.json`.
            DidHostInvalid: As `check_host`.
            DidPathInvalid: As `parse_did_web`; query and fragment too.
        """
        match = _DOCUMENT_URL.fullmatch(url) if len(url) <= MAX_DID_CHARACTERS else None
        if match is None:
            raise DidMalformed(f"found {url[:80]!r}, want https://host/…/{_DOCUMENT}")
        *segments, last = match[2].split("/")
        if last != _DOCUMENT or not segments:
            raise DidMalformed(f"found {url[:80]!r}, want https://host/…/{_DOCUMENT}")
        return cls.for_host(match[1], *([] if segments == [_WELL_KNOWN] else segments))

    def document_url(self, scheme: Scheme = "https") -> str:
        """Return where the DID document is read: `…/did.json`."""
        authority = self.host if self.port is None else f"{self.host}:{self.port}"
        folder = "/".join(self.path or (_WELL_KNOWN,))
        return f"{scheme}://{authority}/{folder}/{_DOCUMENT}"

    @property
    def is_international(self) -> bool:
        """Whether the name is punycode, which may look like another name when shown."""
        return any(label.startswith("xn--") for label in self.host.split("."))

    def __str__(self) -> str:
        """Return the DID."""
        authority = (
            self.host if self.port is None else f"{self.host}{_PORT_SIGN}{self.port}"
        )
        return _PREFIX + ":".join((authority, *self.path))


@lru_cache(maxsize=256)  # a text's meaning never changes; an issuer's comes back often
def parse_did_web(text: str) -> DidWeb:
    """Read a did:web such as `did:web:example.edu%3A8443:issuers:north`.

    Raises:
        DidTooLong: Over 2,048 characters.
        DidMalformed: Another method.
        DidIpLiteral: An IPv4 or IPv6 address where a name has to be.
        DidIdnNotAscii: A name with letters beyond ASCII.
        DidHostInvalid: Any other host, see `check_host`.
        DidPortInvalid: Not `%3A` and a decimal number from 1 to 65535.
        DidPathInvalid: A segment that is empty, `.` or `..`, or with any other character
            than letters, digits, `.`, `-` and `_`; every escape among them.
    """
    if len(text) > MAX_DID_CHARACTERS:
        raise DidTooLong(f"found {len(text)} characters, want at most {MAX_DID_CHARACTERS}")
    rest = text.removeprefix(_PREFIX)
    if rest == text:
        raise DidMalformed(f"found {text[:40]!r}, want did:web:<host>")
    _refuse_ipv6(rest)
    authority, *segments = rest.split(":")
    _refuse_escapes(authority.replace(_PORT_SIGN, ""))
    host, sign, port = authority.partition(_PORT_SIGN)
    return DidWeb(host, parse_port(port) if sign else None, tuple(segments))


def _refuse_ipv6(rest: str) -> None:
    """Name an IPv6 address for what it is; its colons would be taken for a path."""
    plain = re.sub("%3a", ":", rest, flags=re.IGNORECASE)
    plain = re.sub("%5b|%5d", "", plain, flags=re.IGNORECASE)
    if is_ip_literal(plain) or plain.startswith("["):
        raise DidIpLiteral(f"found the address {rest[:64]!r}, want a name")


def _refuse_escapes(authority: str) -> None:
    """Refuse what is left of `%` once the port's own sign is gone."""
    if _PORT_SIGN.lower() in authority:
        raise DidPortInvalid(f"found {authority[:64]!r}, want %3A before a port")
    if "%" in authority or "/" in authority or "?" in authority or "#" in authority:
        raise DidPathInvalid(
            f"found {authority[:64]!r}, want no escape but %3A before a port"
        )


def _check_segment(segment: str) -> None:
    if _SEGMENT.fullmatch(segment) is None or segment in {".", ".."}:
        raise DidPathInvalid(
            f"found segment {segment[:64]!a}, want letters, digits, '.', '-' and '_'"
        )
