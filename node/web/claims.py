"""What a credential says, to be shown: its well-known facts by name, and then all of it.

Everything here is a stranger's. It is cut to size, on one line, without characters that
turn the text around; an address is shown as text and never leads anywhere, and a picture
is named and not drawn.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from credentials.model import Credential
from credentials.quoting import shown
from primitives.canonical_json import Json, JsonObject
from primitives.wording.words import Words, phrase

MAX_ROWS: Final = 200
"""Values that are listed; an Open Badge of the examples has some 60."""

MAX_TEXT: Final = 1200
"""Characters of one value: the longest criteria of the examples have 420."""

_MOST_SUBJECTS: Final = 8
_MOST_RESULTS: Final = 12
_MOST_PATH: Final = 200

_NOT_LISTED: Final = frozenset({"@context", "proof"})


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a credential says, with a name that people know it by."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One value of the document, under its own names."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a credential says."""

    title: str
    """Empty where it has none."""

    recipient: str
    """Empty where it names nobody, or several."""

    issuer: str
    """What the issuer calls itself; empty where it does not."""

    facts: tuple[Fact, ...]
    rows: tuple[Row, ...]

    is_cut: bool
    """Whether the document has more values than are listed."""


def claims_of(credential: Credential, words: Words) -> Claims:
    """Return what `credential` says."""
    subjects = [*objects_in(credential.document.get("credentialSubject"))][:_MOST_SUBJECTS]
    names = [name for subject in subjects if (name := recipient_of(subject))]
    rows = _rows(credential.document)
    listed = tuple(islice(rows, MAX_ROWS))
    return Claims(
        title=shown(credential.name or "", MAX_TEXT),
        recipient=names[0] if len(subjects) == len(names) == 1 else "",
        issuer=shown(credential.issuer_name or "", MAX_TEXT),
        facts=tuple(_facts(credential, subjects, names, words)),
        rows=listed,
        is_cut=next(rows, None) is not None,
    )


def _facts(
    credential: Credential, subjects: list[JsonObject], names: list[str], words: Words
) -> Iterator[Fact]:
    if names:
        yield Fact(words.say("Given to"), "; ".join(names))
    for subject in subjects:
        ratings: dict[str, str] = {}
        for achievement in objects_in(subject.get("achievement")):
            yield from _achievement(achievement, words)
            ratings |= _rating_names(achievement)
        for title, name in _SUBJECT:
            if text := _text(subject.get(name)):
                yield Fact(words.say(title), text)
        for result in [*objects_in(subject.get("result"))][:_MOST_RESULTS]:
            value = _text(result.get("value")) or _last(_text(result.get("achievedLevel")))
            if value:
                title = ratings.get(_text(result.get("resultDescription")), "")
                yield Fact(title or words.say("Result"), value)
    for title, when in (
        (phrase("In force from"), credential.valid_from),
        (phrase("In force until"), credential.valid_until),
    ):
        if when is not None:
            yield Fact(words.say(title), words.day(when))


_ACHIEVEMENT: Final = (
    (phrase("Kind"), "achievementType"),
    (phrase("About"), "description"),
    (phrase("Field of study"), "fieldOfStudy"),
)

_SUBJECT: Final = (
    (phrase("Credits"), "creditsEarned"),
    (phrase("Term"), "term"),
    (phrase("Licence number"), "licenseNumber"),
    (phrase("Remarks"), "narrative"),
)


def _achievement(achievement: JsonObject, words: Words) -> Iterator[Fact]:
    for title, name in _ACHIEVEMENT:
        if text := _text(achievement.get(name)):
            yield Fact(words.say(title), text)
    for criteria in objects_in(achievement.get("criteria")):
        if text := _text(criteria.get("narrative")):
            yield Fact(words.say("What had to be shown"), text)


def _rating_names(achievement: JsonObject) -> dict[str, str]:
    """Return what an achievement calls its ratings, by their ids."""
    return {
        _text(described.get("id")): _text(described.get("name"))
        for described in [*objects_in(achievement.get("resultDescription"))][:_MOST_RESULTS]
    }


def recipient_of(subject: JsonObject) -> str:
    """Return whom a subject is about, in clear; empty where it says only an id."""
    plain = _text(subject.get("name"))
    if plain:
        return plain
    for identifier in objects_in(subject.get("identifier")):
        if identifier.get("hashed") is False and identifier.get("identityType") == "name":
            return _text(identifier.get("identityHash"))
    return ""


def _rows(document: Mapping[str, Json]) -> Iterator[Row]:
    """Yield every value but the proof's, in the order of the document."""
    pending: list[tuple[str, Json]] = [
        (name, value) for name, value in document.items() if name not in _NOT_LISTED
    ][::-1]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            inner = [(f"{path} / {name}", below) for name, below in value.items()]
        elif isinstance(value, list):
            inner = [
                (f"{path} {n}" if len(value) > 1 else path, below)
                for n, below in enumerate(value, start=1)
            ]
        else:
            yield Row(shown(path, _MOST_PATH), _text(value))
            continue
        pending += inner[::-1]


def objects_in(value: Json) -> Iterator[JsonObject]:
    """Yield the objects of a value that may be one, a list of some, or something else."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item


def _text(value: Json) -> str:
    """Return a value as it is shown; empty for one that is no single value."""
    if isinstance(value, str):
        if value[:5].lower() == "data:":
            return f"{shown(value.partition(',')[0], 60)}, …"
        return shown(value, MAX_TEXT)
    if isinstance(value, bool):
        return "true" if value else "false"
    return shown(str(value), MAX_TEXT) if isinstance(value, int | float) else ""


def _last(address: str) -> str:
    """Return what an address ends with, which is how levels are named."""
    return address.rpartition("/")[2].rpartition("#")[2] or address
