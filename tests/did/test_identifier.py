import pytest

from did.identifier import MAX_DID_CHARACTERS, Did, DidUrl
from primitives.errors import Malformed

KEY = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        "did:web:example.edu%3A8443:issuers:north",
        # DID Core 3.1: an empty part before a colon is allowed, one at the end is not.
        "did:example::a",
        "did:example:" + "a" * (MAX_DID_CHARACTERS - len("did:example:")),
    ],
)
def test_reads_and_writes_the_same_did(text: str) -> None:
    assert str(Did.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "did:",
        "did:web:",
        "did::x",
        "DID:web:example.edu",
        "did:Web:example.edu",
        "did:web:example.edu:",
        "did:web:example.edu#key-1",
        "did:web:example.edu/path",
        "did:web:example.edu?q",
        "did:web:example.edu\n",
        " did:web:example.edu",
        "did:web:exa mple",
        "did:web:a%2",
        "did:web:a%zz",
        "did:web:ñ.example",
        "did:web:٣",
    ],
)
def test_refuses_what_is_no_did(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        Did.parse(text)
    assert caught.value.code == "did-malformed"


@pytest.mark.parametrize("length", [MAX_DID_CHARACTERS + 1, 50_000])
def test_refuses_a_did_over_the_limit(length: int) -> None:
    with pytest.raises(
        Malformed, match=f"found {length} characters, want at most"
    ) as caught:
        Did.parse("did:key:z" + "6" * (length - len("did:key:z")))
    assert caught.value.code == "did-too-long"


def test_resolves_a_relative_reference_against_its_document() -> None:
    base = Did.parse("did:web:example.edu")
    assert str(DidUrl.resolve("#key-1", base)) == "did:web:example.edu#key-1"
    assert DidUrl.resolve("did:web:other.example#k", base).did == Did(
        "web", "other.example"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("did:web:example.edu", "did-url-malformed"),
        ("did:web:example.edu#", "did-url-malformed"),
        ("did:web:example.edu/path#key-1", "did-url-malformed"),
        ("did:web:example.edu?versionId=1#key-1", "did-url-malformed"),
        ("did:web:example.edu#key 1", "did-url-malformed"),
        ("did:web:example.edu#a#b", "did-url-malformed"),
        ("did:web:example.edu#" + "a" * 257, "did-url-malformed"),
        ("#key-1", "did-malformed"),
        ("https://example.edu/#key-1", "did-url-malformed"),
        ("did:web:example.edu#" + "a" * 5_000, "did-too-long"),
    ],
)
def test_refuses_what_names_no_verification_method(text: str, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        DidUrl.parse(text)
    assert caught.value.code == code


def test_reads_and_writes_the_same_did_url() -> None:
    text = f"{KEY}#{KEY.removeprefix('did:key:')}"
    assert str(DidUrl.parse(text)) == text
