"""What a credential says is shown harmlessly, and cut to size; a cut is told."""

from typing import Any

from credentials.model import parse_credential
from node.web.claims import MAX_ROWS, MAX_TEXT, Claims, claims_of
from node.web.rendering import page_words
from primitives.wording.words import Language
from tests.support.credentials_support import unsigned


def claims(**changes: Any) -> Claims:
    credential = parse_credential(unsigned(**changes))
    return claims_of(credential, page_words(Language.ENGLISH))


def subject(**members: Any) -> Any:
    return {"id": "did:example:learner", **members}


def facts(found: Claims) -> dict[str, str]:
    return {fact.title: fact.text for fact in found.facts}


def test_names_what_people_look_for() -> None:
    described = {"id": "urn:x:level", "name": "Certified level"}
    achievement = {
        "name": "Welding",
        "achievementType": "Certificate",
        "criteria": {"narrative": "Three joints"},
        "resultDescription": [described],
    }
    found = claims(
        credentialSubject=subject(
            name="Ana Peña",
            achievement=achievement,
            creditsEarned=3,
            result=[
                {"resultDescription": "urn:x:level", "value": "NC II"},
                {"achievedLevel": "https://x.example/levels#good"},
            ],
        )
    )
    assert found.title == "Farm Data Collection"
    assert found.recipient == "Ana Peña"
    assert facts(found) == {
        "Given to": "Ana Peña",
        "Kind": "Certificate",
        "What had to be shown": "Three joints",
        "Credits": "3",
        "Certified level": "NC II",
        "Result": "good",
        "In force from": "1 January 2026",
        "In force until": "1 January 2030",
    }


def test_a_hashed_identity_is_no_name() -> None:
    identity = {"identityType": "name", "identityHash": "sha256$00", "hashed": True}
    assert claims(credentialSubject=subject(identifier=[identity])).recipient == ""
    identity = {**identity, "identityHash": "Ana", "hashed": False}
    assert claims(credentialSubject=subject(identifier=[identity])).recipient == "Ana"


def test_of_several_people_none_is_the_one() -> None:
    found = claims(credentialSubject=[subject(name="Ana"), {"name": "Ben"}])
    assert (found.recipient, facts(found)["Given to"]) == ("", "Ana; Ben")


def test_every_value_but_the_proof_is_listed_under_its_own_name() -> None:
    found = claims(credentialSubject=subject(a=[1, True, None], b={"c": "d"}), proof={})
    rows = {row.path: row.text for row in found.rows}
    assert rows["credentialSubject / a 1"] == "1"
    assert rows["credentialSubject / a 2"] == "true"
    assert rows["credentialSubject / b / c"] == "d"
    assert not any(path.startswith(("proof", "@context")) for path in rows)
    assert not found.is_cut


def test_hides_what_turns_a_text_around_and_cuts_what_is_huge() -> None:
    found = claims(credentialSubject=subject(name="\u202eanA\u0000\n" + "x" * 100_000))
    assert found.recipient.startswith("anA xxx")
    assert len(found.recipient) == MAX_TEXT + 1
    assert found.recipient.endswith("…")


def test_a_picture_is_named_and_not_drawn() -> None:
    found = claims(credentialSubject=subject(image="DATA:image/png;base64,AAAA"))
    assert "DATA:image/png;base64, …" in [row.text for row in found.rows]


def test_says_that_more_is_there_than_is_listed() -> None:
    exact = MAX_ROWS - len(claims().rows)
    assert not claims(credentialSubject=subject(name="A", a=[*range(exact)])).is_cut
    found = claims(credentialSubject=subject(name="A", a=[*range(exact + 1)]))
    assert (len(found.rows), found.is_cut) == (MAX_ROWS, True)
