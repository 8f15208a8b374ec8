"""The histories of this node's DIDs as they were published, after a restoration.

A record carries the DID documents of its day and no key event. That a key was rotated, or
declared compromised, stands in `did-history.json`; so do the times of versions. What counts
of such a file is what the log has a leaf of: the times alone are its own word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from anchoring.entry import EntryKind, decode_entry
from did.history import parse_history
from node.node import Node
from node.published_log import LogPlace, PublishedLog, PublishedLogIncomplete
from node.publishing import did_history_file
from node.storage.registry import list_issuers
from primitives.canonical_json import JsonObject, canonicalize
from primitives.errors import PatunayError
from primitives.hashing import Digest, sha256
from primitives.instants import format_instant
from primitives.strict_json import parse_json_object

_HISTORY_BYTES: Final = 16 << 20
"""As many versions and events as a history may have, of a few kilobytes each."""

_OTHER_ISSUER: Final = ":issuers:"


@dataclass(frozen=True, slots=True)
class Histories:
    """What was read of them."""

    documents: Mapping[Digest, bytes] = field(default_factory=dict)
    """DID documents and key events, by digest."""

    times: Mapping[Digest, str] = field(default_factory=dict)
    """Since when each of those documents is said to hold; none lies ahead."""


async def read_histories(
    node: Node, log: PublishedLog, place: LogPlace, held: int
) -> Histories:
    """Return the histories of every issuer that is known here, or that the log names.

    Args:
        node: Restored.
        log: As it was published.
        place: Where its files are.
        held: Entries whose documents are at hand.

    Raises:
        PublishedLogIncomplete: A key event is nowhere: a key that was declared compromised
            would be good again.
    """
    documents: dict[Digest, bytes] = {}
    times: dict[Digest, str] = {}
    for slug in sorted(await _slugs(node, log)):
        path = did_history_file(node.home, slug).relative_to(node.home.public)
        try:
            raw = await place.fetch(f"{place.site}/{path}", _HISTORY_BYTES)
            _take(parse_json_object(raw, _HISTORY_BYTES), node, documents, times)
        except PatunayError:
            continue  # whether anything of it is missing is seen below
    for index, entry in enumerate(log.entries[held:], held):
        kind, digest = decode_entry(entry)
        if kind is EntryKind.KEY_EVENT and digest not in documents:
            raise PublishedLogIncomplete(
                f"found no did-history.json with the key event of leaf {index}"
            )
    return Histories(documents, times)


async def _slugs(node: Node, log: PublishedLog) -> set[str]:
    async with node.reading() as c:
        known = await list_issuers(c)
    found = {issuer.slug for issuer in known if not issuer.did.startswith("did:key:")}
    for body in log.documents.values():
        name = str(parse_json_object(body, _HISTORY_BYTES).get("id"))
        if name.startswith("did:web:") and _OTHER_ISSUER in name:
            found.add(name.rpartition(":")[2])
    return found


def _take(
    history: JsonObject,
    node: Node,
    documents: dict[Digest, bytes],
    times: dict[Digest, str],
) -> None:
    parsed = parse_history(history, str(history.get("did")))
    for version in parsed.versions:
        body = canonicalize(version.document)
        documents[sha256(body)] = body
        times[sha256(body)] = format_instant(min(version.time, node.instant()))
    for event in parsed.events:
        body = canonicalize(event.document)
        documents[sha256(body)] = body
