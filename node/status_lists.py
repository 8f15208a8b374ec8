"""The node's status lists: places in them, their signatures, and their files.

Index i of a list and index `twin(i)` are never both given out, and their bits are set
together, so that readers who count bits from either end of a byte see the same
(docs/adr/0013-twin-bits.md).
"""

import secrets
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.entry import EntryKind
from credentials.data_integrity import add_proof
from credentials.status_list import (
    MIN_ENTRIES,
    REVOCATION,
    build_entry,
    build_list_credential,
    twin,
)
from node.node import Node, signing_key, status_key
from node.publishing import publish_status_list
from node.storage import ledger, statuses
from node.storage.registry import Issuer
from node.storage.restorations import first_sequence
from primitives.canonical_json import JsonObject, canonicalize
from primitives.hashing import sha256

USABLE_ENTRIES: Final = MIN_ENTRIES // 2 * 9 // 10
"""Credentials of a list before the next list is begun. Half, because of the twins; and
not the last tenth, because a random choice among few places tells who came last."""


@dataclass(frozen=True, slots=True)
class Place:
    """One credential's index, and the lists in which it counts."""

    lists: tuple[tuple[str, str], ...]
    """Purpose and URL; at least one."""

    index: int

    @property
    def url(self) -> str:
        """URL of the first list."""
        return self.lists[0][1]

    @property
    def entries(self) -> tuple[JsonObject, ...]:
        """What stands in the credential, an entry for each list."""
        return tuple(build_entry(url, self.index, purpose) for purpose, url in self.lists)


async def allot_places(
    node: Node,
    c: AsyncConnection,
    issuer: Issuer,
    name: str,
    purposes: Sequence[str],
    wanted: int,
) -> list[Place]:
    """Return `wanted` random, unused places in the issuer's lists of that name.

    The next lists are begun where the present ones are full. The caller MUST store the
    places in the same transaction.
    """
    known = await statuses.lists_named(c, issuer.slug, name)
    newest = max((sequence for _, sequence in known), default=1)
    sequence = max(newest, await first_sequence(c))
    places: list[Place] = []
    while len(places) < wanted:
        used = await statuses.used_indexes(c, issuer.slug, name, sequence)
        room = min(USABLE_ENTRIES - len(used), wanted - len(places))
        if room > 0:
            lists = []
            for purpose in purposes:
                url = known.get((purpose, sequence))
                if url is None:
                    url = await begin_list(node, c, issuer, name, sequence, purpose)
                lists.append((purpose, url))
            places += [Place(tuple(lists), index) for index in random_indexes(used, room)]
        sequence += 1
    return places


def random_indexes(used: Container[int], wanted: int) -> list[int]:
    """Choose at random, so that an index tells nothing about who came when.

    Never one whose twin is taken.
    """
    chosen: dict[int, None] = {}
    while len(chosen) < wanted:
        index = secrets.randbelow(MIN_ENTRIES)
        other = twin(index)
        if not (index in used or other in used or index in chosen or other in chosen):
            chosen[index] = None
    return list(chosen)


def list_url(node: Node, issuer: str, name: str, sequence: int, purpose: str) -> str:
    """Return the URL of a list that is begun now."""
    suffix = "" if purpose == REVOCATION else f"-{purpose}"
    return f"{node.config.base_url}/status/{issuer}/{name}-{sequence}{suffix}"


async def begin_list(
    node: Node, c: AsyncConnection, issuer: Issuer, name: str, sequence: int, purpose: str
) -> str:
    """Sign and publish an empty list, and queue it for the log; return its URL."""
    url = list_url(node, issuer.slug, name, sequence, purpose)
    body = sign_list(node, issuer, url, purpose, ())
    await ledger.save_status_list(
        c,
        {
            "url": url,
            "issuer": issuer.slug,
            "name": name,
            "sequence": sequence,
            "purpose": purpose,
            "document": body.decode(),
            "created_at": node.now(),
        },
    )
    await log_list(node, c, url, body)
    # The file may be there before the commit: it names no credential yet, and an equal
    # run after a crash replaces it.
    publish_status_list(node.home, node.config, url, body)
    return url


def sign_list(
    node: Node, issuer: Issuer, url: str, purpose: str, marked: Iterable[int]
) -> bytes:
    """Return the signed list credential, as JCS, with exactly the bits `marked` set.

    Raises:
        NodeSealed: The keys are not unlocked.
    """
    signer, method = signing_key(node, issuer, status_key(issuer.slug))
    document = build_list_credential(
        url=url,
        issuer=issuer.did,
        purpose=purpose,
        revoked=marked,
        valid_from=node.instant(),
    )
    signed = add_proof(document, signer, verification_method=method, created=node.instant())
    return canonicalize(signed)


async def log_list(node: Node, c: AsyncConnection, url: str, body: bytes) -> None:
    """Keep a list's bytes, and queue them for the log."""
    digest, now = sha256(body), node.now()
    await ledger.save_document(c, digest, EntryKind.STATUS_LIST, body.decode(), now)
    await ledger.enqueue(c, [(EntryKind.STATUS_LIST, digest, url)], now)


async def publish_lists(node: Node, urls: Iterable[str] | None = None) -> None:
    """Write the files of the lists at `urls`, or of all, as the database has them now."""
    # As a writer: who reads a version and is then overtaken would publish an old one over
    # a newer, and a revocation would be gone until the next start.
    async with node.writing() as c:
        current = dict(await ledger.all_status_lists(c))
        for url in current if urls is None else urls:
            publish_status_list(node.home, node.config, url, current[url].encode())
