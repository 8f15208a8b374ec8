"""What the values of settings have to be, and what is said where they are not."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, Final

from node.hosts import Authority
from primitives.errors import Misconfigured

MAX_PORT: Final = 65_535

_ORIGIN: Final = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


class ConfigInvalid(Misconfigured):
    """The configuration file cannot be honoured as it stands."""

    code = "config-invalid"
    hint = "docs/configuration.md lists every setting"


class IpfsApiExposed(ConfigInvalid):
    """The RPC of the Kubo node is not on the loopback interface."""

    code = "ipfs-api-exposed"
    hint = "let Kubo's RPC listen on 127.0.0.1: whoever reaches it controls that node"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that ends a message about a misspelt name, or nothing."""
    close = get_close_matches(name, known, n=1)
    return f", did you mean {close[0]}?" if close else ""


def require_known(table: Mapping[str, Any], known: set[str], prefix: str) -> None:
    """Return if each name is known: a misspelt one would leave its default in force."""
    for name in table:
        if name not in known:
            asked = did_you_mean(name, known)
            raise ConfigInvalid(f"{prefix}{name} is not a setting{asked}")


def require_types(table: Mapping[str, Any], owner: type[Any], prefix: str) -> None:
    """Return if each value has the type of its field."""
    wanted: dict[str, Any] = {f.name: f.type for f in fields(owner)}
    for name, value in table.items():
        if type(value) is not wanted[name]:
            found = type(value).__name__
            raise ConfigInvalid(
                f"{prefix}{name}: found {found}, want {wanted[name].__name__}"
            )


def require_loopback(url: str) -> None:
    """Return if `url` is `http://host:port` of this machine, and no more."""
    scheme, _, text = url.partition("://")
    authority = Authority.parse(text)
    if scheme not in {"http", "https"} or authority is None:
        raise ConfigInvalid(f"ipfs_api: found {url[:80]!r}, want http://127.0.0.1:5001")
    if not authority.is_loopback:
        raise IpfsApiExposed(f"ipfs_api: found host {authority.name}, want a loopback one")


def require_hosts(name: str, hosts: str, *, port: bool = False) -> None:
    """Return if `hosts` are hosts, with a space between; with ports if `port` is set."""
    for text in hosts.split():
        found = Authority.parse(text)
        if found is None or (found.port is not None and not port):
            wanted = "host or host:port" if port else "host"
            raise ConfigInvalid(f"{name}: found {text[:80]!r}, want {wanted}")


def require_origins(origins: Iterable[str]) -> None:
    """Return if each is an origin, as a browser writes it."""
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigInvalid(
                f"cors_origins: found {origin[:80]!r}, want such as "
                "https://portal.example, in lower case and without a path"
            )


def require_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Return if `value` is one of those `known`."""
    if value not in known:
        raise ConfigInvalid(f"{name}: found {value[:40]!r}, want {', '.join(known)}")


def require_range(name: str, value: int, low: int, high: int) -> None:
    """Return if `value` is between both, inclusive."""
    if not low <= value <= high:
        raise ConfigInvalid(f"{name}: found {value}, want {low} to {high}")
