"""The chain of the audit log: what an entry is, and what shows that one was changed.

Each entry holds the digest of the one before it, and its own digest is the SHA-256 of its
canonical JSON. Who changes, removes or reorders entries has to change all that follow, and
the head with them; a head that was written down elsewhere still shows it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from primitives.canonical_json import JsonObject, canonicalize
from primitives.errors import Malformed, PatunayError
from primitives.hashing import sha256
from primitives.strict_json import parse_json_object

NOTHING_BEFORE: Final = "0" * 64
"""What the first entry has in the place of a digest."""

DONE: Final = "done"

_HEAD: Final = re.compile(r"(\d{1,15}):([0-9a-f]{64})", re.ASCII)


class AuditHeadMalformed(Malformed):
    """The text is no head of an audit log."""

    code = "audit-head-malformed"
    hint = "give it as `patunay audit-log check` prints it: the number, a colon, the digest"


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of the log, or one that was the last."""

    sequence: int
    """1 and one more with each entry; 0 while there is none."""

    digest: str
    """SHA-256, 64 lower-case hexadecimal digits."""

    def __str__(self) -> str:
        """Return the head as it is written down elsewhere."""
        return f"{self.sequence}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Return the head that `str` wrote.

        Raises:
            AuditHeadMalformed: It is none.
        """
        match = _HEAD.fullmatch(text)
        if match is None:
            raise AuditHeadMalformed(f"found {text[:80]!r}, want NUMBER:DIGEST")
        return cls(int(match[1]), match[2])


@dataclass(frozen=True, slots=True)
class Act:
    """What was done, or refused, and by whom."""

    at: str
    actor: str
    """Name of a token, or `command line: USER`."""

    token: str
    """Its id; empty for who acted without one."""

    action: str
    objects: tuple[str, ...]
    """Ids and digests, such as `credential:UUID`: never personal data."""

    issuer: str = ""
    """Slug; empty where no single issuer is concerned."""

    outcome: str = DONE
    """`done`, or the code of what refused it."""

    request: str = ""
    facts: Mapping[str, str | int] = field(default_factory=lambda: MappingProxyType({}))
    """What else there is to say of it, in words of the program: never personal data."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A row of the log."""

    sequence: int
    body: str
    """Canonical JSON."""

    digest: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """One place where the log does not hold together."""

    sequence: int
    code: str
    detail: str


def next_entry(before: Head, act: Act) -> StoredEntry:
    """Return the entry for `act` that follows `before`."""
    document: JsonObject = {
        "version": 1,
        "sequence": before.sequence + 1,
        "at": act.at,
        "actor": {"name": act.actor, "token": act.token},
        # Not the enumeration's member: the fast encoder leaves those to the slow one.
        "action": str(act.action),
        "objects": list(act.objects),
        "issuer": act.issuer,
        "outcome": act.outcome,
        "request": act.request,
        "facts": dict(act.facts),
        "previous": before.digest,
    }
    body = canonicalize(document)
    return StoredEntry(before.sequence + 1, body.decode(), sha256(body).hex())


def find_flaws(
    rows: Iterable[StoredEntry], before: Head, pinned: Head | None = None
) -> Iterator[Flaw | Head]:
    """Yield what does not hold together in rows that follow `before`; last, their head.

    Args:
        rows: In the order of their numbers.
        before: The head of what was checked already; `START` at first.
        pinned: A head that was written down elsewhere.
    """
    for row in rows:
        yield from _flaws_of(row, before)
        if pinned is not None and pinned.sequence == row.sequence:
            yield from _compare(row.sequence, row.digest, pinned.digest)
        before = Head(row.sequence, row.digest)
    yield before


START: Final = Head(0, NOTHING_BEFORE)


def _flaws_of(row: StoredEntry, before: Head) -> Iterator[Flaw]:
    if row.sequence != before.sequence + 1:
        detail = f"found entry {row.sequence} after {before.sequence}"
        yield Flaw(row.sequence, "audit-entry-missing", detail)
    if sha256(row.body.encode()).hex() != row.digest:
        detail = "the entry is not the one that its digest was made of"
        yield Flaw(row.sequence, "audit-entry-changed", detail)
    try:
        entry = parse_json_object(row.body.encode())
    except PatunayError as e:
        yield Flaw(row.sequence, "audit-entry-changed", str(e))
        return
    if entry.get("sequence") != row.sequence:
        detail = f"found entry {str(entry.get('sequence'))[:20]} in the place of this one"
        yield Flaw(row.sequence, "audit-entry-moved", detail)
    if entry.get("previous") != before.digest:
        detail = "it follows another entry than the one before it"
        yield Flaw(row.sequence, "audit-chain-broken", detail)


def _compare(sequence: int, found: str, pinned: str) -> Iterator[Flaw]:
    if found != pinned:
        detail = f"found digest {found[:16]}…, want {pinned[:16]}… as it was written down"
        yield Flaw(sequence, "audit-head-mismatch", detail)
