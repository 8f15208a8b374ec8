"""What a node knows of itself, read from its static files: Evidence with source `own-node`.

Imports no database and no network library, so that `patunay verify` starts fast.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from anchoring.note import VerifierKey
from credentials.evidence import OWN_NODE, Lookup, Missing, Obtained
from did.resolver import DidNotFound
from node.config import Config
from node.home import Home
from node.publishing import StatusUrlForeign, did_document_file, status_list_file
from primitives.canonical_json import Json, JsonObject
from primitives.clock import Clock
from primitives.errors import PatunayError
from primitives.strict_json import parse_json_object


@dataclass(frozen=True, slots=True)
class OwnNode:
    """A node's own DID documents, status lists and log key. Trusted: it is one's own."""

    home: Home
    config: Config
    clock: Clock
    issuers: Mapping[str, str]
    """DID to slug."""

    names: Mapping[str, str]
    """DID to name."""

    vkey: VerifierKey

    @classmethod
    def load(cls, home: Home, clock: Clock) -> "OwnNode":
        """Read what the node says of itself.

        Raises:
            JsonMalformed: The file `public/node.json` is damaged; `patunay serve` and
                `patunay issue` write it anew.
        """
        described = parse_json_object((home.public / "node.json").read_bytes(), 4 << 20)
        issuers = [i for i in _array(described.get("issuers")) if isinstance(i, dict)]
        log = described.get("log")
        vkey = log.get("vkey") if isinstance(log, dict) else None
        return cls(
            home,
            home.config(),
            clock,
            {str(i["did"]): str(i["slug"]) for i in issuers},
            {str(i["did"]): str(i["name"]) for i in issuers},
            VerifierKey.parse(str(vkey)),
        )

    def did_document(self, did: str) -> Lookup[JsonObject] | None:
        """Return one of the node's own DID documents, or None for a stranger's."""
        slug = self.issuers.get(did)
        if slug is None:
            return None
        try:
            raw = did_document_file(self.home, slug).read_bytes()
        except FileNotFoundError:
            return Missing.because(DidNotFound(f"the file of {did} is gone from public/"))
        return self._obtained(raw)

    def status_list(self, url: str) -> Lookup[JsonObject] | None:
        """Return one of the node's own status lists, or None for a stranger's."""
        try:
            file = status_list_file(self.home, self.config, url)
        except StatusUrlForeign:
            return None
        try:
            return self._obtained(file.read_bytes())
        except FileNotFoundError:
            return Missing("status-list-not-found", f"this node has no list {url}")

    def _obtained(self, raw: bytes) -> Lookup[JsonObject]:
        when: datetime = self.clock.now()
        try:
            return Obtained(parse_json_object(raw, 4 << 20), OWN_NODE, when)
        except PatunayError as e:
            return Missing.because(e)


def _array(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
