"""A filled template is held against the engine, which walks each document as a whole."""

from copy import deepcopy
from functools import cache
from random import Random
from typing import Any

import pytest
import rfc8785

from credentials.data_integrity import add_proof, batch_engine
from credentials.jsonld.batch import MAX_LINES, MAX_TEMPLATES, BatchEngine, Template
from credentials.jsonld.quads import Engine
from credentials.jsonld.recurring import RecurringEngine
from credentials.jsonld.scope import UnsignedTerm
from primitives.errors import PatunayError
from primitives.strict_json import parse_json_object
from tests.support.credentials_support import METHOD, NOW, SIGNER
from tests.support.random_documents import CONTEXTS, TERMS_URL, X, random_document
from tests.support.standards import shared

V2 = "https://www.w3.org/ns/credentials/v2"
TEMPLATES = 60
FILLS = 150

NASTY = (
    *("", "a", '"', "\\", '\\"', "\n", "\r\n", "\x00", "\x1f", "\x7f", "\x80", "\u2028"),
    *("Peña", "ñ\u0303", "𐐷", "a\u00a0b", "\ufeff", "007", "true", "null", "@id", "@json"),
    *('x" .\n<urn:a> <urn:b> "c', "_:x", "_:y", "_:c14n0", "_:", "<urn:x>", "urn:a b"),
    *(
        "urn:n:1",
        "urn:n:2",
        "https://n.example/3#a",
        f"{X}y",
        "urn:x>",
        "ex:short",
        "ex://x",
    ),
    *(
        "Thing",
        "noted",
        "Scoped",
        "plain",
        "did:example:issuer",
        "urn:new",
        "https://new.x/",
    ),
    *("x" * 300, "urn:" + "x" * 300, "2026-01-01T00:00:00Z", "fil", "é:x", "1:x"),
)


@cache
def engine() -> Engine:
    return Engine(CONTEXTS)


Outcome = tuple[str, str]


def outcome(one: Engine, document: dict[str, Any]) -> tuple[Outcome, Outcome]:
    """Return what comes of the document as N-Quads, and as JSON."""
    try:
        body = one.checked_json(document)
    except PatunayError as e:
        checked = e.code, str(e)
    else:
        assert body == rfc8785.dumps(document)
        checked = "checked", ""
    try:
        return ("canonical", one.canonicalize(document)), checked
    except PatunayError as e:
        return (e.code, str(e)), checked


def leaves(value: Any) -> list[tuple[Any, Any]]:
    """Return holder and key of each text but for contexts and types."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if key in ("@context", "type"):
            continue
        if isinstance(item, str):
            found.append((value, key))
        elif isinstance(item, dict | list):
            found += leaves(item)
    return found


def filled(base: dict[str, Any], random: Random) -> dict[str, Any]:
    document = deepcopy(base)
    places = leaves(document)
    for holder, key in random.sample(places, min(len(places), random.choice((1, 1, 3)))):
        holder[key] = random.choice(NASTY)
    return document


@pytest.mark.parametrize("block", range(6))
def test_a_filled_template_is_byte_for_byte_what_the_engine_says(block: int) -> None:
    """Errors too: what the engine refuses, it refuses in a batch for the same reason."""
    hits = 0
    for seed in range(block * TEMPLATES // 6, (block + 1) * TEMPLATES // 6):
        random = Random(seed)
        base = random_document(random)
        batch, recurring = BatchEngine(engine()), RecurringEngine(engine())
        batch.canonicalize(base)
        (learned,) = batch._templates
        for _ in range(2):
            assert outcome(recurring, base) == outcome(batch, base)
        for _ in range(FILLS):
            document = filled(base, random)
            changes = learned.changes(document)
            wanted = outcome(engine(), document)
            if changes is not None:
                assert ("canonical", learned.fill(changes)) == wanted[0], f"seed {seed}"
                hits += 1
            assert outcome(batch, document) == wanted, f"seed {seed}"
            assert outcome(recurring, document) == wanted, f"seed {seed}"
    assert hits > 150


EXAMPLES = (
    "als-communication",
    "green-irrigation",
    "stack-agri-survey",
    "recognition-full",
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_real_credential_is_filled_and_not_walked(name: str) -> None:
    base = parse_json_object(shared("domain", "examples", f"{name}.json").read_bytes())
    base.pop("proof", None)
    random = Random(name)
    places = [(holder, key) for holder, key in leaves(base) if key != "id"]
    batch, recurring = BatchEngine(Engine()), RecurringEngine(Engine())
    alone = Engine()
    hits = 0
    for _ in range(200):
        for holder, key in random.sample(places, 6):
            holder[key] = f"{random.choice(NASTY)}{random.random()}"
        base["id"] = f"urn:uuid:{random.getrandbits(128):032x}"
        wanted = outcome(alone, base)
        hits += any(each.changes(base) is not None for each in batch._templates)
        assert outcome(batch, base) == wanted
        assert outcome(recurring, base) == wanted
    assert hits


def document(**members: Any) -> dict[str, Any]:
    return {"@context": [V2, TERMS_URL], "id": "urn:n", **members}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Python calls each of these pairs equal, or the shape differs, or what it means.
        ({"plain": 1}, {"plain": True}),
        ({"plain": [0, "a"]}, {"plain": [False, "b"]}),
        ({"real": 0.0}, {"real": -0.0}),
        ({"plain": 1}, {"plain": 1.0}),
        ({"raw": [1]}, {"raw": [1.0]}),
        ({"plain": {"@value": 1}}, {"plain": {"@value": True}}),
        ({"raw": {"a": 1}}, {"raw": {"a": True}}),
        ({"plain": 1}, {"plain": 2}),
        ({"plain": "a"}, {"plain": 1}),
        ({"plain": "a"}, {"plain": None}),
        ({"link": None}, {"link": "no-iri"}),
        ({"plain": "a"}, {"plain": ["a", "b"]}),
        ({"plain": ["a"]}, {"plain": ["a", "a"]}),
        ({"plain": ["a", "b"]}, {"plain": ["b", "b"]}),
        ({"plain": ["a", "a"]}, {"plain": ["a", "b"]}),
        ({"ranked": ["a", "b"]}, {"ranked": ["b", "a"]}),
        ({"plain": {"@list": ["a"]}}, {"plain": {"@list": ["b"]}}),
        ({"plain": "a"}, {"free": "a"}),
        ({"plain": "a"}, {"plain": "a", "free": "a"}),
        ({"type": "Thing"}, {"type": "Scoped"}),
        ({"type": "urn:n"}, {"type": "urn:o"}),
        ({"free": {"type": "Thing"}}, {"free": {"type": "Other"}}),
        ({"free": {"type": ["Thing"]}}, {"free": {"type": ["Scoped"]}}),
        (
            {"free": {"@context": {"own": f"{X}own"}, "own": "a"}},
            {"free": {"@context": {"own": f"{X}other"}, "own": "a"}},
        ),
        ({"word": "Thing"}, {"word": "noted"}),
        ({"texts": {"en": "a"}}, {"texts": {"fil": "a"}}),
        ({"filipino": "a"}, {"filipino": "b"}),
        ({"raw": {"a": "b"}}, {"raw": {"a": "c"}}),
        ({"plain": {"@value": "a"}}, {"plain": {"@value": "b"}}),
        ({"plain": {"id": "urn:a"}}, {"plain": {"id": "urn:b"}}),
        ({"plain": {"id": "urn:a", "free": 1}}, {"plain": {"id": "urn:n", "free": 1}}),
        ({"plain": {"id": "_:a", "free": 1}}, {"plain": {"id": "_:b", "free": 1}}),
        ({"rankedLinks": ["urn:a"]}, {"rankedLinks": ["urn:b"]}),
        (
            {"ranked": [{"id": "urn:a", "free": 1}]},
            {"ranked": [{"id": "urn:b", "free": 1}]},
        ),
        ({"id": "urn:a", "free": {"plain": "x"}}, {"id": "urn:b", "free": {"plain": "x"}}),
        ({"id": "urn:a", "link": "urn:a"}, {"id": "urn:b", "link": "urn:a"}),
        ({"@context": [V2, TERMS_URL]}, {"@context": [TERMS_URL, V2]}),
    ],
)
def test_what_differs_otherwise_goes_to_the_engine(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    for one in (BatchEngine(engine()), RecurringEngine(engine())):
        for members in (before, before, after, after, before, after):
            wanted = outcome(engine(), document(**members))
            assert outcome(one, document(**members)) == wanted


def test_two_nodes_that_come_to_share_an_id_are_one() -> None:
    def pair(one: str, other: str) -> dict[str, Any]:
        return document(
            plain={"id": one, "day": "x", "free": {"day": "y"}},
            noted={"id": other, "day": "z"},
        ) | {"@context": [V2, TERMS_URL, {"noted": f"{X}inline/noted"}]}

    batch = BatchEngine(engine())
    for ids in (
        ("urn:a", "urn:b"),
        ("urn:c", "urn:c"),
        ("urn:b", "urn:a"),
        ("urn:d", "urn:e"),
    ):
        assert batch.canonicalize(pair(*ids)) == engine().canonicalize(pair(*ids))
    # The second is a shape of its own, and so is one that takes the other's name.
    assert len(batch._templates) == 3


def test_one_object_in_two_places_is_filled_in_neither() -> None:
    shared_node = {"plain": "a", "free": "b"}
    base = document(plain=shared_node, free=shared_node)
    batch = BatchEngine(engine())
    batch.canonicalize(base)
    changed = document(plain={"plain": "x", "free": "b"}, free={"plain": "a", "free": "y"})
    assert batch.canonicalize(changed) == engine().canonicalize(changed)


def test_a_document_that_its_owner_changes_changes_no_template() -> None:
    base = document(plain="a")
    batch = BatchEngine(engine())
    first = batch.canonicalize(base)
    base["plain"] = "b"
    assert batch.canonicalize(base) == engine().canonicalize(base) != first


def test_keeps_a_few_templates() -> None:
    batch = BatchEngine(engine())
    for count in range(10):
        batch.canonicalize(document(plain=["a"] * count))
    assert len(batch._templates) == MAX_TEMPLATES


def test_safe_mode_holds_in_a_batch() -> None:
    batch = BatchEngine(engine())

    def digested(document: dict[str, Any]) -> bytes:
        return batch.digest_recurring(lambda e, d: e.canonicalize(d).encode(), document)

    for use in (batch.canonicalize, batch.check, batch.checked_json, digested):
        use(document(link="urn:a"))
        for members in ({"link": "no-iri"}, {"link": "urn:a", "honours": "summa"}):
            with pytest.raises(UnsignedTerm):
                use(document(**members))


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_a_proof_of_a_batch_is_the_same_proof(suite: str) -> None:
    engine = batch_engine()
    for i in range(5):
        unsigned: dict[str, Any] = {
            "@context": [V2],
            "id": f"urn:uuid:{i}",
            "type": ["VerifiableCredential"],
            "name": f"Learner {i}",
            "issuer": "did:example:issuer",
            "credentialSubject": {"id": f"did:example:{i}"},
        }
        one, other = (
            add_proof(
                unsigned,
                SIGNER,
                verification_method=METHOD,
                created=NOW,
                cryptosuite=suite,
                engine=each,
            )
            for each in (engine, None)
        )
        assert one == other
    assert len(engine._templates) == 1


def test_lines_of_a_long_node_are_not_looked_for_among_each_other() -> None:
    """That would take the square of their number."""
    texts = [f"{n}" for n in range(MAX_LINES + 1)]
    learned = Template(document(plain=texts), engine())
    assert learned.changes(document(plain=["new", *texts[1:]])) is None
    few = Template(document(plain=texts[:9]), engine())
    assert few.changes(document(plain=["new", *texts[1:9]])) is not None
