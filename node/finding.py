"""Finding credentials by a name or a title, as people write them."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.quoting import shown
from node.storage.search import Wanted
from node.storage.text_search import Candidate, Place, look_for
from node.web.claims import objects_in, recipient_of
from primitives.canonical_json import Json
from primitives.errors import Malformed
from primitives.strict_json import parse_json_object

MAX_WORDS: Final = 8
MAX_CHARACTERS: Final = 200
_MIN_CHARACTERS: Final = 2

_MOST_HOLDERS: Final = 3
_MOST_LABEL: Final = 120

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_IDS: Final = ("urn:", "https://", "http://")


class SearchTooShort(Malformed):
    """The words that are looked for are too short, or too many."""

    code = "search-words-malformed"
    hint = "write a name or a part of one, of at least 2 letters"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found by its words."""

    uuids: tuple[str, ...]
    """Newest first."""

    more: Place | None
    """Where to go on; None if everything was looked at."""


def exactly(asked: str) -> Wanted | None:
    """Return the one credential that `asked` names by its id or digest; None if words."""
    folded = asked.lower()
    if _DIGEST.fullmatch(folded):
        return Wanted(digest=bytes.fromhex(folded))
    is_id = _UUID.fullmatch(folded) or folded.startswith(_IDS)
    return Wanted(name=asked) if is_id else None


async def find_by_words(
    c: AsyncConnection,
    asked: str,
    issuers: Collection[str],
    before: Place | None,
    most: int,
) -> Found:
    """Return up to `most` credentials whose title, holder or subject has all the words.

    Args:
        c: For reading.
        asked: As somebody has typed it; the order of the words does not matter, nor do
            capitals and the marks of letters.
        issuers: Slugs; empty for all.
        before: Where to go on; None at the beginning.
        most: At least 1.

    Raises:
        SearchTooShort: There is no word of `_MIN_CHARACTERS`, or there are too many.
    """
    words = unicodedata.normalize("NFC", asked).split()
    longest = max(map(len, words), default=0)
    if len(words) > MAX_WORDS or len(asked) > MAX_CHARACTERS or longest < _MIN_CHARACTERS:
        raise SearchTooShort(
            f"found {len(words)} words of up to {longest} letters, want 1 to {MAX_WORDS}"
        )
    look = await look_for(c, words, issuers, before)
    wanted = [_folded(word) for word in words]
    found: list[Candidate] = []
    for candidate in look.candidates:
        if len(found) == most:
            return Found(tuple(one.uuid for one in found), found[-1].place)
        names = _folded(" ".join(_names(candidate.document)))
        if all(word in names for word in wanted):
            found.append(candidate)
    return Found(tuple(one.uuid for one in found), look.end)


def label_of(text: str) -> tuple[str, str]:
    """Return for whom a credential is, and its title; empty where it names none.

    Args:
        text: Its document, JSON.
    """
    document = parse_json_object(text.encode())
    holders = map(recipient_of, objects_in(document.get("credentialSubject")))
    names = "; ".join(name for name in islice(holders, _MOST_HOLDERS) if name)
    return shown(names, _MOST_LABEL), shown(_text(document.get("name")), _MOST_LABEL)


def _names(text: str) -> Iterator[str]:
    """Yield what a credential is known by: its title, its holders, their ids."""
    document = parse_json_object(text.encode())
    yield _text(document.get("name"))
    for subject in objects_in(document.get("credentialSubject")):
        yield recipient_of(subject)
        yield _text(subject.get("id"))
        for achievement in objects_in(subject.get("achievement")):
            yield _text(achievement.get("name"))


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _folded(text: str) -> str:
    """Return text without capitals and without the marks of its letters."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
