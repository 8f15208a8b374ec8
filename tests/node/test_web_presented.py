"""What the page says of a presentation: its holder first, and each credential by itself."""

from typing import Any

import pytest

from credentials.evidence import Evidence, Missing
from credentials.policy import Policy
from credentials.presentation import judge_presentation, sign_presentation
from credentials.presentation_checks import presented_credentials
from node.web.headlines import Tone
from node.web.presented import Asked, PresentationAnswer, presentation_answer
from node.web.rendering import page_words
from primitives.canonical_json import JsonObject
from primitives.wording.words import Language
from tests.support.credentials_support import (
    INDEX,
    ISSUER,
    NOW,
    REVOCATIONS,
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    evidence,
    had,
    policy,
    signed,
    status_list,
    unsigned,
)

HOLDER = {"id": STRANGER_DID, "name": "Ana Peña"}
ASKED = Asked("a challenge", "ministry.example")
FOR_YOU = "Was it made for you, and just now?"
WHO, INSIDE, ABOUT = "Who shows it?", "What is in it?", "Are they about whoever shows them?"
OUT_OF_REACH = Missing("fetch-timeout", "no answer", "")


def credential(number: int = 1, **changes: Any) -> JsonObject:
    members: dict[str, Any] = {"id": f"urn:uuid:{number}", "credentialSubject": HOLDER}
    return signed(unsigned(**members | changes))


def presented(*credentials: JsonObject, **options: Any) -> JsonObject:
    made = sign_presentation(
        credentials or (credential(),),
        STRANGER,
        verification_method=STRANGER_METHOD,
        created=NOW,
        challenge=ASKED.challenge,
        domain=ASKED.domain,
    )
    return {name: v for name, v in {**made, **options}.items() if v is not ...}


def answer(
    document: JsonObject | None = None,
    asked: Asked = ASKED,
    found: Evidence | None = None,
    rules: Policy | None = None,
    language: Language = Language.ENGLISH,
) -> PresentationAnswer:
    document, rules = document or presented(), rules or policy()
    known = found or evidence()
    report = judge_presentation(
        document,
        lambda _: known,
        rules,
        NOW,
        challenge=asked.challenge or None,
        domain=asked.domain or None,
    )
    members = presented_credentials(document)
    return presentation_answer(report, members, rules.issuers, asked, page_words(language))


def said(found: PresentationAnswer) -> dict[str, str]:
    return {line.question: line.text for line in found.lines}


def test_calls_good_what_its_holder_signed_for_whoever_asked() -> None:
    found = answer(presented(credential(1), credential(2)))
    assert (found.tone, found.headline) == (
        Tone.GOOD,
        "Genuine, in force, and made for you",
    )
    assert said(found) == {
        INSIDE: "2 credentials. All of it is genuine and in force.",
        WHO: f"Whoever holds the key {STRANGER_DID}.",
        FOR_YOU: "Yes. It answers the challenge that you gave.",
        ABOUT: "Yes. Each of them names the key that signed.",
    }
    assert [member.answer.headline for member in found.members] == (
        ["Genuine and in force"] * 2
    )


@pytest.mark.parametrize("asked", [Asked(), Asked(domain=ASKED.domain)])
def test_never_says_that_it_was_made_for_somebody_who_did_not_ask(asked: Asked) -> None:
    found = answer(asked=asked)
    assert found.tone is Tone.CARE
    assert "find out whether this was made for you" in found.headline
    words = said(found)[FOR_YOU]
    assert words.startswith("It was made for ministry" if asked.domain else "Not known.")


def test_a_good_credential_of_somebody_else_is_told() -> None:
    other = credential(2, credentialSubject={"id": "did:example:other"})
    found = answer(presented(credential(1), other))
    assert found.tone is Tone.CARE
    assert "find out whom they are about" in found.headline
    assert said(found)[ABOUT].startswith("1 of 2 name the key that signed.")


def test_each_credential_has_an_answer_of_its_own() -> None:
    false = {**credential(2), "name": "Summa cum laude"}
    past = credential(3, validUntil="2026-02-01T00:00:00Z")
    found = answer(presented(credential(1), false, past))
    assert (found.tone, found.headline) == (
        Tone.BAD,
        "Not every credential in it is to be accepted",
    )
    assert said(found)[INSIDE] == "3 credentials. 1 is genuine and in force."
    assert sorted(member.answer.headline for member in found.members) == [
        "Do not accept this: the signature does not hold",
        "Genuine and in force",
        "Its period is over",
    ]
    vouched = {member.answer.headline: member.vouched for member in found.members}
    assert not vouched["Do not accept this: the signature does not hold"]


@pytest.mark.parametrize(
    ("document", "headline", "who"),
    [
        (
            presented(proof=...),
            "Nobody signed this presentation",
            "Nobody signed it. So it does not show who does.",
        ),
        (
            presented(id="urn:uuid:9"),
            "Do not accept this presentation: its signature does not hold",
            f"It names {STRANGER_DID}. That is not shown.",
        ),
        (
            presented(holder="did:example:thief"),
            "Do not accept this presentation: its signature does not hold",
            "It names did:example:thief. That is not shown.",
        ),
    ],
)
def test_what_its_holder_did_not_sign_is_not_said_to_be_shown_by_anybody(
    document: JsonObject, headline: str, who: str
) -> None:
    found = answer(document)
    assert (found.tone, found.headline) == (Tone.BAD, headline)
    assert said(found).keys() == {INSIDE, WHO}
    assert said(found)[WHO] == who
    # That does not make the credentials false: whoever presents them might not be known.
    assert [member.answer.tone for member in found.members] == [Tone.GOOD]


@pytest.mark.parametrize(
    ("changes", "tone", "headline"),
    [
        (
            {"asked": Asked("another challenge")},
            Tone.BAD,
            "Do not accept this presentation: it was not made for you",
        ),
        (
            {"asked": Asked(ASKED.challenge, "another.example")},
            Tone.BAD,
            "Do not accept this presentation: it was not made for you",
        ),
        (
            {"found": evidence(status_lists={REVOCATIONS: had(status_list(INDEX), "web")})},
            Tone.BAD,
            "Not every credential in it is to be accepted",
        ),
        (
            {"found": evidence(did_documents={ISSUER: OUT_OF_REACH})},
            Tone.OPEN,
            "Not everything in it could be checked",
        ),
        (
            {"rules": Policy()},
            Tone.CARE,
            "Signed and unchanged, but find out who signed the credentials",
        ),
        (
            {"document": {"type": ["VerifiablePresentation"], "verifiableCredential": 5}},
            Tone.BAD,
            "This is not a presentation that can be checked",
        ),
    ],
)
def test_says_what_is_the_matter(changes: Any, tone: Tone, headline: str) -> None:
    found = answer(**changes)
    assert (found.tone, found.headline) == (tone, headline)


def test_an_empty_presentation_is_not_called_genuine() -> None:
    document = sign_presentation(
        [],
        STRANGER,
        verification_method=STRANGER_METHOD,
        created=NOW,
        challenge=ASKED.challenge,
        domain=ASKED.domain,
    )
    found = answer(document)
    assert (found.tone, found.headline) == (Tone.CARE, "There is no credential in it")
    assert ABOUT not in said(found)


def test_what_stands_in_an_envelope_keeps_the_rest_from_being_all() -> None:
    envelope = {"type": "EnvelopedVerifiableCredential", "id": "data:,x"}
    found = answer(presented(verifiableCredential=[credential(), envelope]))
    assert "All of it" not in said(found)[INSIDE]
    assert found.tone is not Tone.GOOD


def test_everything_is_said_in_filipino_too() -> None:
    english, filipino = answer(), answer(language=Language.FILIPINO)
    assert filipino.headline == "Tunay, may bisa, at ginawa para sa inyo"
    pairs = zip(english.lines, filipino.lines, strict=True)
    assert all(a.question != b.question and a.text != b.text for a, b in pairs)
    assert all(row.question not in map(str, english.rows) for row in filipino.rows)
