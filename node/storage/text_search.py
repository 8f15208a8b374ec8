"""Finding credentials by what they say: a bounded look, the newest first.

There is no index of names: it would be a second place where they lie. One look goes over
at most `MAX_LOOKED_AT` credentials, in the order of an index, and says where it ended.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.schema import credentials

MAX_LOOKED_AT: Final = 20_000
"""Credentials of one look: some 80 MB of documents, 0.1 to 0.5 s of one core."""

MAX_CANDIDATES: Final = 200
"""Documents that one look reads out of the database."""

Place = tuple[str, str]
"""Time and UUID of a credential: where it stands among all."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A credential whose document has all the words somewhere."""

    uuid: str
    created_at: str
    document: str
    """JSON; unsigned while it is a draft."""

    @property
    def place(self) -> Place:
        """Where it stands among all credentials."""
        return self.created_at, self.uuid


@dataclass(frozen=True, slots=True)
class Look:
    """What one look has found."""

    candidates: tuple[Candidate, ...]
    """Newest first."""

    end: Place | None
    """The last credential that was looked at; None if there are none older."""


async def look_for(
    c: AsyncConnection,
    words: Sequence[str],
    issuers: Collection[str],
    before: Place | None,
) -> Look:
    """Return the credentials whose documents have all `words`, in capitals or not.

    An n stands for an ñ as well. Letters with other marks match themselves, and any other.

    Args:
        c: For reading.
        words: Some; each of a length that the caller has bounded.
        issuers: Slugs; empty for all.
        before: Where the look before has ended; None for the first.
    """
    made, name = credentials.c.created_at, credentials.c.uuid
    text = func.coalesce(credentials.c.document, credentials.c.draft)
    window = select(name, made, text.label("document"))
    if issuers:
        window = window.where(credentials.c.issuer.in_(issuers))
    if before is not None:
        at, last = before
        window = window.where(or_(made < at, and_(made == at, name < last)))
    window = window.order_by(made.desc(), name.desc())
    looked_at = window.limit(MAX_LOOKED_AT).subquery()
    found = select(looked_at).where(*(_has(looked_at.c.document, word) for word in words))
    rows = await c.execute(
        found.order_by(looked_at.c.created_at.desc(), looked_at.c.uuid.desc()).limit(
            MAX_CANDIDATES
        )
    )
    candidates = tuple(Candidate(row.uuid, row.created_at, row.document) for row in rows)
    if len(candidates) == MAX_CANDIDATES:
        return Look(candidates, candidates[-1].place)
    places = window.with_only_columns(made, name).offset(MAX_LOOKED_AT - 1).limit(1)
    last_row = (await c.execute(places)).one_or_none()
    return Look(candidates, (last_row[0], last_row[1]) if last_row is not None else None)


async def documents_of(c: AsyncConnection, uuids: Collection[str]) -> dict[str, str]:
    """Return the documents (JSON) of a few credentials by UUID; of drafts, unsigned."""
    text = func.coalesce(credentials.c.document, credentials.c.draft)
    query = select(credentials.c.uuid, text).where(credentials.c.uuid.in_(uuids))
    rows = await c.execute(query)
    return {row[0]: row[1] for row in rows}


def _has(text: ColumnElement[str], word: str) -> ColumnElement[bool]:
    return or_(*(func.lower(text).like(one, escape="!") for one in _patterns(word)))


def _patterns(word: str) -> list[str]:
    """Return patterns of which one fits whatever way the word is written.

    SQLite makes no capital letter beyond ASCII small, so those stand for any letter.
    """
    spelt = json.dumps(word.lower(), ensure_ascii=False)[1:-1]
    plain = [_escaped(letter) if letter.isascii() else "_" for letter in spelt]
    found = ["".join(plain)]
    for place, letter in enumerate(plain):
        if letter == "n":
            found += ["".join([*plain[:place], n, *plain[place + 1 :]]) for n in "ñÑ"]
    return [f"%{one}%" for one in found]


def _escaped(letter: str) -> str:
    return f"!{letter}" if letter in "!%_" else letter
