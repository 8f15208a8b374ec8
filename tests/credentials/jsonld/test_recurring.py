"""What is remembered of strangers' documents is bounded, and changes no answer.

That every answer is the engine's is held in `test_batch`, on documents at random.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import rfc8785

from credentials.jsonld.batch import MAX_TEMPLATES, Template
from credentials.jsonld.loader import ContextUnknown
from credentials.jsonld.look_alikes import TakesLonger, hurried
from credentials.jsonld.quads import Engine
from credentials.jsonld.recurring import (
    LEARNS_EVERY,
    MAX_LEARNT_CHARACTERS,
    MAX_OUTLINES,
    RecurringEngine,
)
from credentials.jsonld.scope import UnsignedTerm
from primitives.canonical_json import Json, JsonObject
from primitives.errors import PatunayError
from tests.support.random_documents import CONTEXTS, TERMS_URL

V2 = "https://www.w3.org/ns/credentials/v2"


def made() -> RecurringEngine:
    return RecurringEngine(Engine(CONTEXTS))


def document(**members: Any) -> JsonObject:
    return {"@context": [V2, TERMS_URL], "id": "urn:n", **members}


def templates(engine: RecurringEngine) -> int:
    return sum(map(len, kept(engine)))


def kept(engine: RecurringEngine) -> list[tuple[Template, ...]]:
    memories = (engine._quads, engine._json)
    return [each.templates for one in memories for each in one.outlines.values()]


def test_the_second_of_a_kind_is_learnt_and_the_third_needs_no_engine() -> None:
    engine = made()
    for count, text in enumerate("abc"):
        assert templates(engine) == (count > 1)
        engine.checked_json(document(plain=text))
    engine._engine = Engine({})  # knows no context
    body = engine.checked_json(document(plain="d"))
    assert body == rfc8785.dumps(document(plain="d"))
    with pytest.raises(ContextUnknown):
        engine.checked_json(document(free="d"))


def test_safe_mode_holds_for_what_comes_back() -> None:
    engine = made()
    for use in (engine.canonicalize, engine.checked_json):
        for _ in range(3):
            use(document(link="urn:a"))
        for members in ({"link": "no-iri"}, {"link": "urn:a", "honours": "summa"}):
            with pytest.raises(UnsignedTerm):
                use(document(**members))


def test_what_is_refused_is_not_learnt() -> None:
    engine = made()
    for _ in range(5):
        with pytest.raises(UnsignedTerm):
            engine.checked_json(document(honours="summa"))
    assert not kept(engine)


def test_of_shapes_that_never_come_back_few_are_learnt() -> None:
    engine = made()
    for count in range(1, MAX_OUTLINES):
        engine.checked_json(document(plain=["a"] * count))
    assert templates(engine) == 0
    for count in range(2 * LEARNS_EVERY):
        engine.checked_json(document(type=f"urn:type:{count}"))
    assert templates(engine) == 2


def test_two_shapes_in_turn_are_both_learnt() -> None:
    engine = made()
    shapes = [document(plain=["a"]), document(plain=["a", "b"])]
    for _ in range(2):
        for each in shapes:
            engine.checked_json(each)
    engine._engine = Engine({})  # knows no context
    for _ in range(2):
        for each in shapes:
            assert engine.checked_json(each) == rfc8785.dumps(each)


def test_what_fits_the_outline_and_no_template_is_for_the_engine() -> None:
    engine = made()
    for _ in range(3):
        engine.checked_json(document(free={"plain": [{"link": "urn:a"}]}))
    with pytest.raises(UnsignedTerm):
        engine.checked_json(document(free={"plain": [{"link": "no-iri"}]}))


def test_documents_of_many_names_are_not_outlined() -> None:
    engine = made()
    many = {f"urn:name:{n}": "a" for n in range(600)}
    for _ in range(3):
        assert engine.checked_json(document(**many)) == rfc8785.dumps(document(**many))
    assert not kept(engine)


def test_outlines_have_a_bound() -> None:
    engine = made()
    for count in range(MAX_OUTLINES + 1):
        engine.checked_json(document(plain=["a"] * count))
    assert len(kept(engine)) == 1


def test_names_inside_a_node_are_of_its_outline() -> None:
    engine = made()
    for members in ({"plain": "a"}, {"day": "a"}):
        engine.checked_json(document(free=members))
    assert len(kept(engine)) == 2


def test_long_documents_are_not_learnt() -> None:
    engine = made()
    for _ in range(3):
        engine.checked_json(document(plain="a" * MAX_LEARNT_CHARACTERS))
    assert templates(engine) == 0


@pytest.mark.parametrize("types", [1, ["Thing", None], {"a": "b"}, [["Thing"]]])
def test_a_type_that_is_no_text_is_refused_as_ever(types: Any) -> None:
    for use in (made().canonicalize, made().checked_json):
        with pytest.raises(PatunayError) as refusal:
            use(document(type=types))
        assert refusal.value.code == "jsonld-malformed"


def test_numbers_that_need_the_slow_encoder_are_not_learnt() -> None:
    engine = made()
    for _ in range(3):
        assert engine.checked_json(document(real=1.0)) == rfc8785.dumps(document(real=1.0))
    assert templates(engine) == 0


MANY = 300


def alike(*texts: str) -> JsonObject:
    """Return a document of blank nodes that nothing but these texts tells apart."""
    return document(plain=[{"plain": "a", "free": text} for text in texts])


def test_how_long_look_alikes_take_is_counted_however_often_they_come() -> None:
    engine = made()
    for text in "abc":
        wanted = Engine(CONTEXTS).canonicalize(alike(text, text))
        assert engine.canonicalize(alike(text, text)) == wanted
    assert templates(engine) == 1
    with hurried(1), pytest.raises(TakesLonger):
        engine.canonicalize(alike("a", "a"))


def test_look_alikes_that_take_long_are_not_learnt() -> None:
    engine = made()
    for _ in range(3):
        engine.canonicalize(alike(*"a" * MANY))
        assert templates(engine) == 0


def test_nodes_that_come_to_look_alike_are_counted_too() -> None:
    engine = made()
    for count in range(3):
        engine.canonicalize(alike(*(f"{count} {n}" for n in range(MANY))))
    assert templates(engine) == 1
    with hurried(1), pytest.raises(TakesLonger):
        engine.canonicalize(alike(*"a" * MANY))
    wanted = Engine(CONTEXTS).canonicalize(alike(*"a" * MANY))
    engine._engine = CountingEngine(CONTEXTS)
    assert engine.canonicalize(alike(*"a" * MANY)) == wanted
    assert engine._engine.asked == 1


class CountingEngine(Engine):
    """Counts how often it is asked."""

    asked = 0

    def canonicalize(self, document: Mapping[str, Json]) -> str:
        self.asked += 1
        return super().canonicalize(document)


def test_threads_may_share_it() -> None:
    engine = made()
    documents = [
        document(plain=f"{n}", **{("free", "day")[n % 2]: n % 5 * "x"}) for n in range(400)
    ]
    wanted = list(map(Engine(CONTEXTS).canonicalize, documents))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(engine.canonicalize, documents)) == wanted
    assert templates(engine) <= MAX_OUTLINES * MAX_TEMPLATES
