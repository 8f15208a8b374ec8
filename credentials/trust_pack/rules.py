"""What a verified pack adds to a verifier's policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Denial:
    """A key or an issuer that is not to be believed any more."""

    reason: str
    """For people."""

    since: datetime | None = None
    """What is shown to be anchored before still counts; None: nothing does."""


@dataclass(frozen=True, slots=True)
class PackRules:
    """Whom a pack lists, for what, and whom it denies."""

    name: str
    """Federation, version and digest, for people."""

    issued: datetime
    """As of when all of it holds."""

    expires: datetime
    """From when on what is concluded carries a remark."""

    newest: datetime
    """The latest moment that anything in it is of."""

    digest: str = ""
    """SHA-256 of its manifest, in hexadecimal."""

    issuers: frozenset[str] = frozenset()
    """DIDs that it lists."""

    first_seen: Mapping[str, datetime] = field(default_factory=dict)
    """DID to since when the offices know it."""

    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """DID to the award types that its issuer is recognised for; absent means all."""

    denied_keys: Mapping[str, Denial] = field(default_factory=dict)
    """By Multikey."""

    denied_issuers: Mapping[str, Denial] = field(default_factory=dict)
    """By DID."""
