"""What the checking walk refuses is what the walk that spells quads refuses."""

from collections import Counter
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest

from credentials.jsonld.quads import Engine
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError
from primitives.strict_json import parse_json
from tests.equality import seeded_document
from tests.support.random_documents import CONTEXTS
from tests.support.standards import SHARED

ENGINE = Engine(CONTEXTS)
FILES = sorted(
    [
        *SHARED.glob("domain/examples/*.json"),
        *SHARED.glob("standards/vc-di-eddsa/TestVectors/**/*.json"),
    ]
)
ODD: tuple[Any, ...] = (
    *(None, True, 0, 1.5, 1e400, "", "relative", "https://a.example/x y", "_:x", "urn:a:1"),
    *("Thing", "plain", [], {}, [[]], ["a", ["b"]], [None, "a", {}], {"id": "relative"}),
    *({"@value": "a"}, {"@value": []}, {"@value": 1, "id": "x"}, {"@list": ["a", [1]]}),
    *({"@list": [], "id": "urn:a"}, {"@set": ["a"]}, {"id": "urn:a:2"}, {"@none": "a"}),
    *({"@value": "a", "@language": "no tag"}, {"@value": "a", "@type": "undefined"}),
    *({"@value": {"a": float("inf")}, "@type": "@json"}, {"en": 1}, {"en": ["a", None]}),
    *({"type": "undefined"}, {"type": [1]}, {"type": [{}]}, {"type": None}, {"id": 1}),
    *({"@context": "https://unknown.example/"}, {"@context": {"a": "urn:a"}, "a": 1}),
)
NAMES = (
    *("undefined", "id", "@id", "type", "@type", "@graph", "@reverse", "plain", "link"),
    *("texts", "ranked", "raw", "inside", "day", "urn:a:3", "proof", "word", "@context"),
)


def answer(of: Any, document: JsonObject) -> str:
    try:
        of(document)
    except PatunayError as e:
        return e.code
    return "signed"


def altered(document: JsonObject, random: Random) -> Any:
    """Return a copy of `document` with one thing in it replaced."""
    made: Any = deepcopy(document)
    places: list[Any] = [made]
    for place in places:
        inner = place.values() if isinstance(place, dict) else place
        places += [item for item in inner if isinstance(item, dict | list) and item]
    place = random.choice(places)
    if isinstance(place, list):
        place[random.randrange(len(place))] = deepcopy(random.choice(ODD))
    else:
        names = [random.choice([*place]), random.choice([*place]), random.choice(NAMES)]
        place[random.choice(names)] = deepcopy(random.choice(ODD))
    return made


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_official_documents(path: Path) -> None:
    document: Any = parse_json(path.read_bytes())
    assert answer(ENGINE.check, document) == answer(ENGINE.quads, document)


def test_random_documents_and_what_an_attacker_makes_of_them() -> None:
    random = Random(2026)
    answers: Counter[str] = Counter()
    for seed in range(900):
        document = seeded_document(seed)
        for each in (document, altered(document, random), altered(document, random)):
            wanted = answer(ENGINE.quads, each)
            # Warm or cold, what one walk left in the tables changes nothing for the other.
            assert answer(ENGINE.check, each) == wanted, (seed, each)
            assert answer(Engine(CONTEXTS).check, each) == wanted, (seed, each)
            answers[wanted] += 1
    assert {"signed", "unsigned-term", "jsonld-malformed", "context-unknown"} <= set(
        answers
    )
    assert {"jsonld-feature-unsupported", "not-canonicalizable"} <= set(answers)
    assert answers["signed"] < 0.8 * answers.total()
