"""The `PatunayLog` entry of a DID document: where to look for a log and its anchors.

It never says what to believe. Whoever takes over a domain can name a chain of his own;
which chains count comes from the verifier's policy or trust pack.
"""

import re
from dataclasses import dataclass

from did.service_type import SERVICE_TYPE
from primitives.canonical_json import Json, JsonObject
from primitives.errors import Malformed

_FRAGMENT = "log"

MAX_LOG_ANCHORS = 32
"""Contracts of one log; superseded ones stay listed."""

MAX_ANCHOR_ACCOUNTS = 128
"""Accounts of one contract; superseded ones stay listed."""

_MAX_URL_CHARACTERS = 2_048
_LOG_URL = re.compile(r"https?://[A-Za-z0-9._~:/%-]+/")

# C2SP signed-note: name, key id, base64 of type and key. A name holds no space and no plus.
_VKEY = re.compile(r"[^\s+]{1,256}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{1,128}={0,2}")

# CAIP-10 over the CAIP-2 name space of EVM chains.
_ACCOUNT = re.compile(r"eip155:[1-9][0-9]{0,31}:0x[0-9a-fA-F]{40}")


class LogServiceMalformed(Malformed):
    """A service of type `PatunayLog` that does not have its fixed form."""

    code = "did-log-service-malformed"


@dataclass(frozen=True, slots=True)
class LogAnchor:
    """A contract, and the accounts whose events in it belong to the log."""

    contract: str
    """CAIP-10, such as `eip155:11155111:0xAb…`."""

    accounts: tuple[str, ...]
    """CAIP-10; superseded accounts stay listed."""

    def __post_init__(self) -> None:
        if len(self.accounts) > MAX_ANCHOR_ACCOUNTS:
            raise LogServiceMalformed(
                f"found {len(self.accounts)} accounts, want at most {MAX_ANCHOR_ACCOUNTS}"
            )
        for account in (self.contract, *self.accounts):
            if _ACCOUNT.fullmatch(account) is None:
                raise LogServiceMalformed(
                    f"found account {account[:80]!r}, want eip155:<chain>:0x<40 hex digits>"
                )


@dataclass(frozen=True, slots=True)
class PatunayLogService:
    """What an issuer says of its own log. A claim, not evidence."""

    log: str
    """URL under which the log's tiles are served; ends in a slash."""

    vkey: str
    """C2SP verifier key of the log's checkpoints, `name+hash+key`."""

    anchors: tuple[LogAnchor, ...] = ()

    def __post_init__(self) -> None:
        if len(self.log) > _MAX_URL_CHARACTERS or _LOG_URL.fullmatch(self.log) is None:
            raise LogServiceMalformed(f"found log {self.log[:80]!r}, want https://…/")
        if _VKEY.fullmatch(self.vkey) is None:
            raise LogServiceMalformed(f"found vkey {self.vkey[:80]!r}, want name+hash+key")
        if len(self.anchors) > MAX_LOG_ANCHORS:
            raise LogServiceMalformed(
                f"found {len(self.anchors)} anchors, want at most {MAX_LOG_ANCHORS}"
            )

    @classmethod
    def parse(cls, entry: JsonObject) -> "PatunayLogService":
        """Read one entry of `service`; its `id` is not looked at.

        Raises:
            LogServiceMalformed: Another type, or any member not of its fixed form.
        """
        if entry.get("type") != SERVICE_TYPE:
            raise LogServiceMalformed(f"found another type, want {SERVICE_TYPE}")
        endpoint = _object(entry.get("serviceEndpoint"), "serviceEndpoint")
        return cls(
            log=_text(endpoint.get("log"), "log"),
            vkey=_text(endpoint.get("vkey"), "vkey"),
            anchors=tuple(
                _parse_anchor(item) for item in _array(endpoint.get("anchors"), "anchors")
            ),
        )

    def to_json(self, did: str) -> JsonObject:
        """Return the entry for the document of `did`."""
        return {
            "id": f"{did}#{_FRAGMENT}",
            "type": SERVICE_TYPE,
            "serviceEndpoint": {
                "log": self.log,
                "vkey": self.vkey,
                "anchors": [
                    {"contract": anchor.contract, "accounts": list(anchor.accounts)}
                    for anchor in self.anchors
                ],
            },
        }


def _parse_anchor(value: Json) -> LogAnchor:
    anchor = _object(value, "anchor")
    accounts = _array(anchor.get("accounts"), "accounts")
    return LogAnchor(
        contract=_text(anchor.get("contract"), "contract"),
        accounts=tuple(_text(account, "account") for account in accounts),
    )


def _object(value: Json, name: str) -> JsonObject:
    if not isinstance(value, dict):
        raise LogServiceMalformed(f"found {name} of {type(value).__name__}, want an object")
    return value


def _array(value: Json, name: str) -> list[Json]:
    if not isinstance(value, list):
        raise LogServiceMalformed(f"found {name} of {type(value).__name__}, want an array")
    return value


def _text(value: Json, name: str) -> str:
    if not isinstance(value, str):
        raise LogServiceMalformed(f"found {name} of {type(value).__name__}, want a string")
    return value
