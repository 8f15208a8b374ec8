"""Contexts that are held may do what an inline one may not; PyLD reads them alike."""

from typing import Any

import pytest

from credentials.jsonld.active_context import JsonldUnsupported
from credentials.jsonld.context_processing import ContextMalformed, ContextRedefinition
from credentials.jsonld.loader import KNOWN, VC_V2
from credentials.jsonld.quads import Engine
from primitives.canonical_json import Json
from tests.support.pyld_oracle import oracle_nquads

HELD = "https://held.example/"
BASIC = {"id": "@id", "type": "@type"}


def engine(context: Json) -> Engine:
    return Engine({**KNOWN, HELD: context})


def same_as_pyld(context: Json, *, after: Any = (), **members: Any) -> str:
    document = {"@context": [*after, HELD], **members}
    made = engine(context)
    found = made.canonicalize(document)
    assert found == oracle_nquads(document, made.contexts)
    return found


@pytest.mark.parametrize(
    ("context", "error", "words"),
    [
        ({"@vocab": "relative"}, ContextMalformed, "@vocab"),
        ({"@vocab": 1}, ContextMalformed, "@vocab"),
        ({"@language": 1}, ContextMalformed, "@language must be text"),
        ({"t": {"@type": "@id"}}, ContextMalformed, "'t' has no IRI"),
        ({"t": {"@id": "@foo"}}, ContextMalformed, "'t' has no absolute IRI"),
        ({"t": "@graph"}, JsonldUnsupported, "'t' as another name for @graph"),
        ({"t": {"@id": "urn:t", "@type": 1}}, ContextMalformed, "@type of 't' must be"),
        ({"t": {"@id": "urn:t", "@type": "@foo"}}, ContextMalformed, "@type of 't' is no"),
    ],
)
def test_refuses_a_held_context(context: Json, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        engine(context).quads({"@context": HELD})


def test_a_null_context_may_not_undefine_protected_terms() -> None:
    with pytest.raises(ContextRedefinition, match="undefine protected terms"):
        engine([None, BASIC]).quads({"@context": [VC_V2, HELD]})


def test_a_null_context_undefines_what_nothing_protects() -> None:
    found = same_as_pyld([{"t": "urn:before"}, None, {"t": "urn:t"}], t="a")
    assert found == '_:c14n0 <urn:t> "a" .\n'


def test_a_property_may_undefine_protected_terms_in_its_own_values() -> None:
    context = {"t": {"@id": "urn:t", "@context": [None, {"issuer": "urn:other"}]}}
    found = same_as_pyld(context, after=(VC_V2,), t={"issuer": "a", "urn:u": "b"})
    assert '<urn:other> "a"' in found


@pytest.mark.parametrize(
    ("context", "line"),
    [
        ({"@vocab": "urn:v:"}, '<urn:v:t> "a"'),
        ({"t": "urn:t", "@language": "fil"}, '<urn:t> "a"@fil'),
        ([{"@language": "fil"}, {"t": "urn:t", "@language": None}], '<urn:t> "a"'),
        ([{"@vocab": "urn:v:"}, {"@vocab": None, "t": "urn:t"}], '<urn:t> "a"'),
    ],
)
def test_reads_the_vocabulary_and_the_language(context: Json, line: str) -> None:
    assert same_as_pyld(context, t="a") == f"_:c14n0 {line} .\n"


def test_a_prefix_may_be_defined_after_the_term_that_needs_it() -> None:
    found = same_as_pyld({"p:t": {"@type": "@id"}, "p": "urn:p:"}, **{"p:t": "urn:a"})
    assert found == "_:c14n0 <urn:p:t> <urn:a> .\n"
