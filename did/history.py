"""The history of a DID: every version of its document, and every event about its keys.

    {"version": 1, "did", "versions": [{"version", "did", "document", "previous", "time"}],
     "events": [key events]}

Each version names the one before it by digest, so that none can be changed or left out
between two others. The chain alone shows no time, and not that the end is there: each
document and each event is a leaf of the log, and the log is what is anchored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from did.document import DidDocument, parse_did_document
from did.key_event import KeyEvent, fold_events, parse_event
from did.key_state import NO_EVENTS, KeyState
from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.ed25519 import PublicKey
from primitives.errors import Malformed, PatunayError, Rejected, Undetermined
from primitives.hashing import sha256
from primitives.instants import InstantMalformed, format_instant, parse_second

MAX_VERSIONS: Final = 512
"""Of one DID; a rotation a month for forty years."""

MAX_EVENTS: Final = 1_024

_FIELDS: Final = frozenset({"version", "did", "versions", "events"})
_VERSION_FIELDS: Final = frozenset({"version", "did", "document", "previous", "time"})


class DidHistoryMalformed(Malformed):
    """The JSON is not a history in its one spelling."""

    code = "did-history-malformed"


class DidHistoryBroken(Rejected):
    """The versions are not one unbroken chain of one DID."""

    code = "did-history-broken"


class DidVersionNotFound(Undetermined):
    """The DID had no document at the time asked about, as far as its history tells."""

    code = "did-version-not-found"
    hint = "ask for a time after the first version"


@dataclass(frozen=True, slots=True)
class DidVersion:
    """One version of a DID document."""

    number: int
    """From 1 on."""

    document: JsonObject

    previous: str | None
    """`version_digest` of the version before; None in the first."""

    time: datetime
    """From when on it held: the issuer's own word."""

    def to_json(self, did: str) -> JsonObject:
        """Return the version as it is published."""
        return {
            "version": self.number,
            "did": did,
            "document": self.document,
            "previous": self.previous,
            "time": format_instant(self.time),
        }


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """When a key was the one to sign with; all of it the issuer's own word."""

    key: str
    """Verification method."""

    start: datetime
    """Time of the first version that lets it assert."""

    end: datetime | None
    """When it was rotated, or left `assertionMethod`; None while it is in use."""

    compromised_since: datetime | None


@dataclass(frozen=True, slots=True)
class DidHistory:
    """A history whose chain, and whose events' signatures, hold. Use `parse_history`."""

    did: str
    versions: tuple[DidVersion, ...]
    """Oldest first; at least one."""

    events: tuple[KeyEvent, ...]
    states: Mapping[str, KeyState] = field(default_factory=dict)
    """What the events come to, by key; a key without event is not in it."""

    def state(self, key: str) -> KeyState:
        """Return what the events say of `key`: nothing, if none names it."""
        return self.states.get(key, NO_EVENTS)

    def document_at(self, time: datetime) -> DidVersion:
        """Return the version that held at `time`.

        Raises:
            DidVersionNotFound: `time` is before the first.
        """
        held = [version for version in self.versions if version.time <= time]
        if not held:
            raise DidVersionNotFound(
                f"{self.did} begins at {format_instant(self.versions[0].time)},"
                f" found {format_instant(time)}"
            )
        return held[-1]

    def periods(self) -> tuple[KeyPeriod, ...]:
        """Return the period of every key that was ever let assert, in order of start."""
        starts: dict[str, datetime] = {}
        ends: dict[str, datetime] = {}
        for version in self.versions:
            document = parse_did_document(version.document, self.did)
            usable = {str(url) for url in document.relationships["assertionMethod"]}
            for key in sorted(usable):
                starts.setdefault(key, version.time)
            for key in starts.keys() - usable:
                ends.setdefault(key, version.time)
        return tuple(
            self._period(key, start, ends.get(key)) for key, start in starts.items()
        )

    def _period(self, key: str, start: datetime, left: datetime | None) -> KeyPeriod:
        state = self.state(key)
        ended = [time for time in (left, state.rotated_at) if time is not None]
        return KeyPeriod(key, start, min(ended, default=None), state.compromised_since)


def version_digest(version: Mapping[str, Json]) -> str:
    """Return the SHA-256 of a version's JCS form, in hexadecimal."""
    return sha256(canonicalize(version)).hex()


def build_history(
    did: str,
    documents: Iterable[tuple[JsonObject, datetime]],
    events: Iterable[JsonObject] = (),
) -> JsonObject:
    """Return the history of `did` from its documents and key events, oldest first."""
    versions: list[Json] = []
    previous: str | None = None
    for number, (document, time) in enumerate(documents, start=1):
        version = DidVersion(number, document, previous, time).to_json(did)
        previous = version_digest(version)
        versions.append(version)
    return {"version": 1, "did": did, "versions": versions, "events": list(events)}


def parse_history(raw: JsonObject, did: str) -> DidHistory:
    """Return the history of `did`, its chain and its signatures verified.

    Args:
        raw: From anywhere.
        did: That was asked about; never taken from `raw`.

    Raises:
        DidHistoryMalformed: A member of another form, or over a limit.
        DidHistoryBroken: The versions are no chain, of another DID, or one verification
            method has held two keys.
        PatunayError: As `fold_events` and `parse_did_document`.
    """
    _refuse_fields(raw, _FIELDS)
    if type(raw["version"]) is not int or raw["version"] != 1:
        raise DidHistoryMalformed(f"found version {raw['version']!r:.24}, want 1")
    if raw["did"] != did:
        raise DidHistoryBroken(f"found {str(raw['did'])[:80]!r}, want {did[:80]!r}")
    versions = _parse_versions(_array(raw, "versions", MAX_VERSIONS), did)
    events = tuple(parse_event(item) for item in _array(raw, "events", MAX_EVENTS))
    keys, log_keys = _keys_of(versions, did)
    states = fold_events(did, events, keys, log_keys)
    return DidHistory(did, versions, events, states)


def _parse_versions(items: Sequence[Json], did: str) -> tuple[DidVersion, ...]:
    if not items:
        raise DidHistoryMalformed("found no version, want at least one")
    versions: list[DidVersion] = []
    previous: str | None = None
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            raise DidHistoryMalformed(f"found a {type(item).__name__}, want a version")
        version = _parse_version(item)
        if (version.number, version.previous, item["did"]) != (number, previous, did):
            raise DidHistoryBroken(f"version {number} does not follow the one before it")
        if versions and version.time < versions[-1].time:
            raise DidHistoryBroken(f"version {number} is older than the one before it")
        versions.append(version)
        previous = version_digest(item)
    return tuple(versions)


def _parse_version(item: JsonObject) -> DidVersion:
    _refuse_fields(item, _VERSION_FIELDS)
    number, document = item["version"], item["document"]
    previous, time = item["previous"], item["time"]
    if type(number) is not int or not isinstance(document, dict):
        raise DidHistoryMalformed("want a number as version, and an object as document")
    if not isinstance(previous, str | None) or not isinstance(time, str):
        raise DidHistoryMalformed("want previous as text or null, and time as text")
    try:
        return DidVersion(number, document, previous, parse_second(time))
    except InstantMalformed as e:
        raise DidHistoryMalformed(f"time: {e}") from e


def _keys_of(
    versions: Iterable[DidVersion], did: str
) -> tuple[dict[str, PublicKey], frozenset[str]]:
    keys: dict[str, PublicKey] = {}
    log_keys: set[str] = set()
    for version in versions:
        document = parse_did_document(version.document, did)
        for name, key in _own_keys(document):
            if keys.setdefault(name, key) != key:
                raise DidHistoryBroken(f"{name} has held two keys")
        service = document.log_service()
        if service is not None:
            log_keys.add(service.vkey)
    return keys, frozenset(log_keys)


def _own_keys(document: DidDocument) -> Iterable[tuple[str, PublicKey]]:
    """Yield the DID's own Ed25519 keys that may assert; no other signs an event."""
    for url, method in document.methods.items():
        if url.did != document.id or method.controller != str(document.id):
            continue
        if url not in document.relationships["assertionMethod"]:
            continue
        try:
            key = method.public_key()
        except PatunayError:
            continue
        yield str(url), key


def _refuse_fields(raw: Mapping[str, Json], wanted: frozenset[str]) -> None:
    if raw.keys() != wanted:
        odd = ", ".join(sorted(raw.keys() ^ wanted))
        raise DidHistoryMalformed(f"fields missing or unknown: {odd[:200]}")


def _array(raw: JsonObject, name: str, limit: int) -> list[Json]:
    items = raw[name]
    if not isinstance(items, list) or len(items) > limit:
        raise DidHistoryMalformed(f"{name}: want an array of at most {limit}")
    return items
