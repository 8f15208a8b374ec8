"""A reader of N-Quads, for the official canonicalization tests alone."""

import re

from credentials.jsonld.dataset import Quad
from credentials.jsonld.literals import escape

_IRI = r"<[^>]*>"
_BLANK = r"_:[^\s]+"
_LITERAL = rf'"(?:[^"\\]|\\.)*"(?:\^\^{_IRI}|@[A-Za-z0-9-]+)?'
_LINE = re.compile(
    rf"\s*({_IRI}|{_BLANK})\s+({_IRI})\s+({_IRI}|{_BLANK}|{_LITERAL})"
    rf"\s*({_IRI}|{_BLANK})?\s*\.\s*(?:#.*)?"
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_SHORT = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
_STRING_TYPE = "^^<http://www.w3.org/2001/XMLSchema#string>"


def read_nquads(text: str) -> set[Quad]:
    """Return the quads of `text`, each spelled as canonical N-Quads spells it."""
    quads = set()
    for line in text.split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"found {line!r}, want a quad")
        subject, predicate, value, graph = match.groups()
        quads.add((_plain(subject), _plain(predicate), _object(value), _plain(graph or "")))
    return quads


def _plain(term: str) -> str:
    return _ESCAPE.sub(_unescaped, term)


def _object(value: str) -> str:
    if not value.startswith('"'):
        return _plain(value)
    end = value.rindex('"')
    suffix = value[end + 1 :]
    text = escape(_plain(value[1:end]))
    return f'"{text}"' + ("" if suffix == _STRING_TYPE else _plain(suffix))


def _unescaped(match: re.Match[str]) -> str:
    short, long, letter = match.groups()
    if letter is not None:
        return _SHORT.get(letter, letter)
    return chr(int(short or long, 16))
