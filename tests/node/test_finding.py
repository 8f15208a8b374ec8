"""Finding credentials by what they say: whoever writes a name need not write it exactly."""

import json
from typing import Any

import pytest

from node.finding import SearchTooShort, exactly, find_by_words, label_of
from node.issuance import issue_document
from node.node import Node
from node.setup import add_issuer
from node.storage import text_search
from primitives.canonical_json import JsonObject
from tests.support.credentials_support import STRANGER_DID

ON_BOTH_STORES = True

UUID = "6F2B1D1C-7F0E-4F0A-9D3A-5B7F2C1E8A90"
NAMES = ("Josefina Peñaflor Catacutan", "ANA MUÑOZ", "Ana Muñoz", "José 100% O'Neil", "Ben")


async def issue_to(node: Node, name: str, slug: str = "main", **more: Any) -> JsonObject:
    request: JsonObject = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "name": "Farm Data Collection",
        "credentialSubject": {"name": name, **more},
    }
    return await issue_document(node, request, slug)


async def found(node: Node, asked: str, issuers: tuple[str, ...] = ()) -> list[str]:
    """Return whom the credentials are for that are found, sorted."""
    async with node.reading() as c:
        looked = await find_by_words(c, asked, issuers, None, 25)
        texts = await text_search.documents_of(c, looked.uuids)
    return sorted(label_of(text)[0] for text in texts.values())


ASKED: dict[str, tuple[str, ...]] = {
    "catacutan josefina": NAMES[:1],
    "penaflor": NAMES[:1],
    "PEÑAFLOR": NAMES[:1],
    "muñoz": NAMES[1:3],
    "Munoz ana": NAMES[1:3],
    "josé neil": NAMES[3:4],
    "100%": NAMES[3:4],
    "o'neil": NAMES[3:4],
    "be%": (),
    "b_n": (),
    "farm data": NAMES,
    # It stands in the document, but nobody is called so.
    "VerifiableCredential": (),
    "Josefina Muñoz": (),
    '"}': (),
}


async def test_finds_names_and_titles_however_they_are_written(node: Node) -> None:
    for name in NAMES:
        await issue_to(node, name)
    for asked, names in ASKED.items():
        assert await found(node, asked) == sorted(names), asked


async def test_finds_whom_a_credential_is_about_by_did(node: Node) -> None:
    await issue_to(node, "Ana", id=STRANGER_DID)
    await issue_to(node, "Ben")
    assert await found(node, STRANGER_DID) == ["Ana"]


async def test_looks_at_so_many_and_goes_on_where_it_ended(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await issue_to(node, f"Ana {number}")
    await issue_to(node, "Ben")
    for bound in ("MAX_LOOKED_AT", "MAX_CANDIDATES"):
        with monkeypatch.context() as patched:
            patched.setattr(text_search, bound, 2)
            seen: list[str] = []
            place, rounds = None, 0
            async with node.reading() as c:
                while rounds == 0 or place is not None:
                    looked = await find_by_words(c, "ana", (), place, 25)
                    place, rounds = looked.more, rounds + 1
                    seen += looked.uuids
                    assert len(looked.uuids) <= 2
        assert len(seen) == len(set(seen)) == 5
        assert rounds >= 3
    async with node.reading() as c:
        first = await find_by_words(c, "ana", (), None, 2)
        second = await find_by_words(c, "ana", (), first.more, 25)
    assert (len(first.uuids), len(second.uuids), second.more) == (2, 3, None)


async def test_a_bound_token_finds_those_of_its_issuers_alone(node: Node) -> None:
    await add_issuer(node, "north", "North")
    await issue_to(node, "Ana")
    await issue_to(node, "Ana North", "north")
    assert await found(node, "ana", ("north",)) == ["Ana North"]


async def test_refuses_what_would_find_anything(node: Node) -> None:
    for asked in ("a b", " ", "x" * 201, " ".join(["ab"] * 9)):
        with pytest.raises(SearchTooShort):
            await found(node, asked)


@pytest.mark.parametrize(
    ("asked", "name", "digest"),
    [
        ("0" * 64, None, bytes(32)),
        (
            "6F2B1D1C-7F0E-4F0A-9D3A-5B7F2C1E8A90",
            "6F2B1D1C-7F0E-4F0A-9D3A-5B7F2C1E8A90",
            None,
        ),
        ("urn:uuid:x", "urn:uuid:x", None),
        ("https://school.example/1", "https://school.example/1", None),
    ],
)
def test_an_id_and_a_digest_are_looked_for_exactly(
    asked: str, name: str | None, digest: bytes | None
) -> None:
    wanted = exactly(asked)
    assert wanted is not None
    assert (wanted.name, wanted.digest) == (name, digest)


def test_words_are_no_id() -> None:
    assert exactly("Ana Muñoz") is None
    assert exactly("0" * 63) is None


def test_a_credential_without_names_has_no_label() -> None:
    assert label_of("{}") == ("", "")
    assert label_of(json.dumps({"name": 5, "credentialSubject": [1, {"name": []}]})) == (
        "",
        "",
    )
