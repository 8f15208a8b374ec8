"""Whom this node knows: logs that it witnesses, its own log's witnesses and calendars."""

from collections.abc import Mapping
from dataclasses import dataclass

from anchoring.cosignature import MAX_WITNESSES, WitnessKey, WitnessQuorumInvalid
from anchoring.note import VerifierKey
from anchoring.ots import MAX_CALENDARS
from node.hosts import Authority
from primitives.errors import Malformed

MAX_WITNESSED_LOGS = 1_000
"""Rows in the witness's table, and keys in its configuration."""


_MAX_URL = 255
"""Characters of a calendar's URL: it is a key in the database."""


class PeerMalformed(Malformed):
    """A peer in the configuration is not of the documented form."""

    code = "peer-malformed"


class CalendarMalformed(Malformed):
    """A calendar in the configuration is no HTTPS URL."""

    code = "calendar-malformed"


@dataclass(frozen=True, slots=True)
class WitnessPeer:
    """A witness that this node's log asks to cosign."""

    key: WitnessKey

    url: str
    """Below which `add-checkpoint` is, without final slash."""


def parse_witnesses(text: str) -> tuple[WitnessPeer, ...]:
    """Return the witnesses in `vkey@URL vkey@URL …`.

    Raises:
        PeerMalformed: Another form, or one key twice.
        VerifierKeyMalformed, KeyRefused: A vkey is no cosignature/v1 key.
    """
    peers = tuple(map(_peer, text.split()))
    if len({peer.key.public_key for peer in peers}) != len(peers):
        raise WitnessQuorumInvalid("found one witness's key twice, want each once")
    if len(peers) > MAX_WITNESSES:
        raise PeerMalformed(f"found {len(peers)} witnesses, want at most {MAX_WITNESSES}")
    return peers


def parse_logs(text: str) -> Mapping[str, VerifierKey]:
    """Return the logs in `vkey vkey …`, by origin.

    Raises:
        PeerMalformed: Over the limit, or one origin twice.
        VerifierKeyMalformed, KeyRefused: A vkey is no log's key.
    """
    keys = tuple(map(VerifierKey.parse, text.split()))
    logs = {key.name: key for key in keys}
    if len(logs) != len(keys) or len(keys) > MAX_WITNESSED_LOGS:
        raise PeerMalformed(
            f"found {len(keys)} logs with {len(logs)} names,"
            f" want each once, at most {MAX_WITNESSED_LOGS}"
        )
    return logs


def parse_calendars(text: str) -> tuple[str, ...]:
    """Return the URLs in `URL URL …`, without final slash.

    Raises:
        CalendarMalformed: Another form, one twice, or over `MAX_CALENDARS`. Without TLS
            only this machine is asked.
    """
    urls = tuple(url.rstrip("/") for url in text.split())
    if len(set(urls)) != len(urls) or len(urls) > MAX_CALENDARS:
        raise CalendarMalformed(
            f"found {len(urls)} calendars, want each once, at most {MAX_CALENDARS}"
        )
    for url in urls:
        scheme, _, rest = url.partition("://")
        authority = Authority.parse(rest.partition("/")[0])
        plain = scheme == "http" and authority is not None and authority.is_loopback
        if authority is None or len(url) > _MAX_URL or not (scheme == "https" or plain):
            raise CalendarMalformed(f"found calendar {url[:80]!r}, want https://host")
    return urls


def _peer(text: str) -> WitnessPeer:
    vkey, at, url = text.partition("@")
    if not at or not url.startswith(("https://", "http://")):
        raise PeerMalformed(f"found witness {text[:80]!r}, want vkey@https://host/path")
    return WitnessPeer(WitnessKey.parse(vkey), url.rstrip("/"))
