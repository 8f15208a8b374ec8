import time
from typing import Any

import pytest

from credentials.jsonld.active_context import JsonldUnsupported, is_absolute_iri
from credentials.jsonld.canon import canonicalize_quads
from credentials.jsonld.context_processing import MAX_PREFIXES, ContextMalformed
from credentials.jsonld.literals import JsonldMalformed, escape
from credentials.jsonld.quads import Engine
from credentials.jsonld.scope import (
    MAX_REMEMBERED,
    MAX_REMEMBERED_CONTEXTS,
    UnsignedTerm,
)
from credentials.jsonld.walk import MAX_SCOPES
from primitives.canonical_json import Json, NotCanonicalizable
from tests.support.random_documents import CONTEXTS, TERMS_URL, XSD, X

ENGINE = Engine(CONTEXTS)
V2 = "https://www.w3.org/ns/credentials/v2"


def document(**members: Any) -> dict[str, Any]:
    return {"@context": [V2, TERMS_URL], "id": "urn:n", **members}


def lines(**members: Any) -> list[str]:
    """Return the N-Quads about <urn:n>, without subject and full stop."""
    found = canonicalize_quads(ENGINE.quads(document(**members))).split("\n")[:-1]
    return [line.removeprefix("<urn:n> ").removesuffix(" .") for line in found]


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        # JSON-LD 1.1 API section 8.2.2 and XML Schema's canonical double.
        (1, f'"1"^^<{XSD}integer>'),
        (-0.0, f'"0"^^<{XSD}integer>'),
        (1e20, f'"100000000000000000000"^^<{XSD}integer>'),
        (1e21, f'"1.0E21"^^<{XSD}double>'),
        (0.1, f'"1.0E-1"^^<{XSD}double>'),
        (5.3, f'"5.3E0"^^<{XSD}double>'),
        (True, f'"true"^^<{XSD}boolean>'),
        ("", '""'),
        ({"@value": 1, "@type": f"{XSD}double"}, f'"1.0E0"^^<{XSD}double>'),
        ({"@value": "a", "@language": "fil-PH"}, '"a"@fil-ph'),
        ({"@value": "a", "@type": f"{XSD}string"}, '"a"'),
        ({"@value": [1, None], "@type": "@json"}, None),
    ],
)
def test_spells_a_literal(value: Json, literal: str | None) -> None:
    if literal is None:
        literal = '"[1,null]"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>'
    assert lines(plain=value) == [f"<{X}plain> {literal}"]


NOTHING: list[Json] = [None, [], [None], {"@value": None}, [[], [None, []]]]


@pytest.mark.parametrize("value", NOTHING)
def test_what_holds_nothing_gives_nothing(value: Json) -> None:
    assert lines(plain=value) == []


def test_null_is_a_json_value_where_json_is_wanted() -> None:
    datatype = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON"
    assert lines(raw=None) == [f'<{X}raw> "null"^^<{datatype}>']
    assert lines(raw=[]) == [f'<{X}raw> "[]"^^<{datatype}>']


def test_a_null_is_no_list() -> None:
    for value in (None, {"@value": None}):
        assert lines(ranked=value) == []


def test_an_empty_list_is_something() -> None:
    nil = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>"
    empty: list[Json] = [[], {"@list": []}]
    for value in empty:
        assert lines(ranked=value) == [f"<{X}ranked> {nil}"]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        # RDF 1.2 N-Quads, canonical form. PyLD leaves all but \t\n\r"\\ as they are.
        ("\x00\x07\x1f\x7f", "\\u0000\\u0007\\u001F\\u007F"),
        ("\b\t\n\f\r", "\\b\\t\\n\\f\\r"),
        ('"\\', '\\"\\\\'),
        ("\x80\x9f\xa0ñ\u2028𐐷", "\x80\x9f\xa0ñ\u2028𐐷"),
    ],
)
def test_escapes_as_canonical_n_quads_do(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@pytest.mark.parametrize(
    "iri",
    [
        *("urn:x y", "urn:x>", "urn:x<y", 'urn:"', "urn:{x}", "urn:x\\u0020", "urn:`"),
        *("urn:\n", "urn:x|y", "urn:x^y", "urn:\x00"),
        *("x", "", "//a.example/", "#a", "1:x", ":x", "é:x"),
    ],
)
def test_no_iri_can_end_its_line_early(iri: str) -> None:
    assert not is_absolute_iri(iri)
    for members in ({"id": iri}, {"link": iri}, {"type": iri}, {"plain": {"id": iri}}):
        with pytest.raises(UnsignedTerm) as e:
            ENGINE.quads(document(**members))
        assert e.value.code == "unsigned-term"


@pytest.mark.parametrize("name", ["link", "word", "id"])
def test_what_looks_like_a_keyword_names_nothing(name: str) -> None:
    with pytest.raises(UnsignedTerm, match="'@foo'"):
        lines(**{name: "@foo"})


def test_a_language_cannot_end_its_line_early() -> None:
    for tag in ("en .\n<urn:x>", "", "en_PH", "a" * 9):
        with pytest.raises(JsonldMalformed, match="language tag"):
            ENGINE.quads(document(plain={"@value": "x", "@language": tag}))
        with pytest.raises(JsonldMalformed, match="language tag"):
            ENGINE.quads(document(texts={tag: "x"}))


@pytest.mark.parametrize(
    "members",
    [
        {"type": 1},
        {"type": [None]},
        {"id": 1},
        {"id": ["urn:x"]},
        {"plain": {"@value": {}}},
        {"plain": {"@value": []}},
        {"plain": {"@value": "x", "@type": 1}},
        {"plain": {"@value": "x", "@type": f"{XSD}date", "@language": "en"}},
        {"plain": {"@value": 1, "@language": "en"}},
        {"plain": {"@value": "x", "name": "y"}},
        {"plain": {"@list": [], "name": "y"}},
        {"texts": {"en": 1}},
    ],
)
def test_refuses_what_json_ld_does_not_allow(members: dict[str, Any]) -> None:
    with pytest.raises(JsonldMalformed) as e:
        ENGINE.quads(document(**members))
    assert e.value.code == "jsonld-malformed"


@pytest.mark.parametrize(
    "members",
    [
        {"@graph": []},
        {"@included": []},
        {"@reverse": {}},
        {"@index": "x"},
        {"@nest": {}},
        {"@language": "en"},
        {"@value": "x"},
        {"plain": {"@set": []}},
        {"ranked": {"@set": []}},
        {"ranked": [[1]]},
        {"plain": {"@list": [[1]]}},
        {"verifiableCredential": "urn:x", "type": "VerifiablePresentation"},
    ],
)
def test_refuses_a_feature_outside_the_subset(members: dict[str, Any]) -> None:
    with pytest.raises(JsonldUnsupported) as e:
        ENGINE.quads(document(**members))
    assert e.value.code == "jsonld-feature-unsupported"
    assert "not thereby false" in e.value.hint


@pytest.mark.parametrize(
    ("context", "error"),
    [
        (1, ContextMalformed),
        ([True], ContextMalformed),
        ({"@version": 1.0}, ContextMalformed),
        ({"t": 1}, ContextMalformed),
        ({"t": {"@id": 1}}, ContextMalformed),
        ({"t": "no-iri"}, ContextMalformed),
        ({"": "urn:x"}, ContextMalformed),
        ({"@foo": "urn:x"}, ContextMalformed),
        ({"t": {"@id": "urn:x", "foo": 1}}, ContextMalformed),
        ({"a": "b:x", "b": "a:x"}, ContextMalformed),
        ({"t": {"@id": "urn:x", "@type": "no-iri"}}, ContextMalformed),
        ({"t": {"@id": "urn:x", "@language": 1}}, ContextMalformed),
        ({"t": {"@reverse": "urn:x"}}, JsonldUnsupported),
        *(
            ({"t": {"@id": "urn:x", "@container": container}}, error)
            for container, error in (
                ("@index", JsonldUnsupported),
                (["@id", "@set"], JsonldUnsupported),
                ("set", ContextMalformed),
                (None, ContextMalformed),
                ({"@set": ["@set"]}, ContextMalformed),
                ([1], ContextMalformed),
                (["@set", "@set", "@set"], ContextMalformed),
                (["@list", "@set"], ContextMalformed),
                (["@graph", "@language"], ContextMalformed),
            )
        ),
        ({"t": {"@id": "urn:x", "@prefix": "true"}}, ContextMalformed),
        ({"t:u": {"@id": "urn:x", "@prefix": True}}, ContextMalformed),
        ({"t/u": {"@id": "urn:x", "@prefix": True}}, ContextMalformed),
        ({"t": {"@id": "urn:x", "@nest": "n"}}, JsonldUnsupported),
    ],
)
def test_refuses_a_context(context: Json, error: type[Exception]) -> None:
    with pytest.raises(error):
        ENGINE.quads({"@context": [V2, context]})


@pytest.mark.parametrize("keyword", ["@base", "@import", "@propagate", "@direction"])
def test_a_held_context_may_not_use_what_is_outside_the_subset(keyword: str) -> None:
    engine = Engine({"urn:context": {keyword: "urn:x"}})
    with pytest.raises(JsonldUnsupported, match=keyword):
        engine.quads({"@context": "urn:context"})


def test_a_number_that_is_none_is_refused() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(JsonldMalformed):
            ENGINE.quads(document(plain=value))
        with pytest.raises(NotCanonicalizable):
            ENGINE.quads(document(raw=value))


def test_a_node_mentioned_twice_is_one_node() -> None:
    inner = {"id": "_:x", "bag": [1]}
    once = lines(plain=[inner], free=[{"id": "_:x"}])
    assert lines(plain=[inner], free=[inner]) == once


def test_remembers_no_more_contexts_than_its_limit() -> None:
    engine = Engine({f"urn:{i}": {"t": f"urn:t:{i}#t"} for i in range(200)})
    for i in range(200):
        assert engine.quads({"@context": f"urn:{i}", "t": 1})
    remembered = engine.first._memory.local.cache_info()
    assert remembered.currsize == MAX_REMEMBERED_CONTEXTS


def test_remembers_no_more_shapes_of_nodes_than_its_limit() -> None:
    terms = {f"t{i}": f"urn:t#{i}" for i in range(12)}
    engine = Engine({"urn:context": {**terms, "id": "@id", "type": "@type"}})
    document: dict[str, Any] = {"@context": "urn:context"}
    shapes = engine.first._memory.shapes
    for chosen in range(MAX_REMEMBERED + 100):
        document = {"@context": "urn:context"}
        document |= {name: "a" for i, name in enumerate(terms) if chosen >> i & 1}
        assert len(engine.quads(document)) == chosen.bit_count()
        assert len(shapes) == 1 + chosen % MAX_REMEMBERED
    engine.check(document)
    before = dict(shapes)
    # What the document makes up is not kept: whole IRIs as members, and as types.
    engine.check({"@context": "urn:context", "urn:made-up": "a"})
    engine.check({"@context": "urn:context", "type": "urn:made-up"})
    assert shapes == before


@pytest.mark.parametrize(
    "members", [{"id": "ex:y"}, {"link": "ex:y"}, {"plain": {"id": "ex:y"}}]
)
def test_an_identifier_is_written_out(members: dict[str, Any]) -> None:
    """No signature covers the prefix, and whoever reads the JSON sees another name."""
    with pytest.raises(JsonldUnsupported, match=f"want the whole IRI: {X}y"):
        ENGINE.quads(document(**members))


def test_the_work_for_a_document_is_bounded() -> None:
    scopes = [{"@context": {f"t{i}": f"urn:t#t{i}"}} for i in range(MAX_SCOPES + 1)]
    assert lines(plain=scopes[: MAX_SCOPES - 1])
    with pytest.raises(JsonldUnsupported, match=f"over {MAX_SCOPES} combinations"):
        lines(plain=scopes)


def test_made_up_types_bring_nothing_to_work_out() -> None:
    nodes = [{"type": ["Scoped", f"urn:t:{i}"]} for i in range(MAX_SCOPES * 2)]
    assert len(lines(plain=nodes)) == 3 * len(nodes)


def test_ten_thousand_terms_are_each_looked_at_once() -> None:
    terms = {f"t{i}": f"urn:t#t{i}" for i in range(10_000)}
    start = time.thread_time()
    ENGINE.quads({"@context": [V2, terms], "id": "urn:n", **dict.fromkeys(terms, "x")})
    assert time.thread_time() - start < 2  # 0.1 s, and minutes if each looks at all


@pytest.mark.parametrize("length", [MAX_PREFIXES + 2, 10_000])
def test_prefixes_of_prefixes_have_an_end(length: int) -> None:
    terms = {f"t{i}": f"t{i + 1}:t{i}" for i in range(length)}
    with pytest.raises(JsonldUnsupported, match="prefixes of prefixes"):
        ENGINE.quads({"@context": [V2, {**terms, f"t{length}": "urn:x:"}]})
    del terms["t0"], terms["t1"]
    if length < 100:
        ENGINE.quads({"@context": [V2, {**terms, f"t{length}": "urn:x:"}]})
