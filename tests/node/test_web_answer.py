"""What the page says in plain words: never more than the report does."""

from typing import Any

import pytest

from credentials.evidence import Evidence, Missing
from credentials.judge import judge
from credentials.model import parse_credential
from credentials.policy import Policy
from credentials.report import Report
from node.web.answer import Answer, answer_of
from node.web.headlines import Tone
from node.web.rendering import page_words
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError
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

UNCHECKED = "What could not be checked?"
OUT_OF_REACH = Missing("fetch-timeout", "no answer", "")
ENGLISH = page_words(Language.ENGLISH)


def answer(
    document: JsonObject | None = None,
    found: Evidence | None = None,
    rules: Policy | None = None,
    language: Language = Language.ENGLISH,
) -> Answer:
    document = document or signed()
    rules = rules or policy()
    report = judge(document, found or evidence(), rules, NOW)
    return answer_of(report, read(document), rules.issuers, page_words(language))


def read(document: JsonObject) -> Any:
    try:
        return parse_credential(document)
    except PatunayError:
        return None


def line(found: Answer, question: str) -> str:
    return next(line.text for line in found.lines if line.question == question)


def revoked() -> Evidence:
    return evidence(status_lists={REVOCATIONS: had(status_list(INDEX), "web")})


def test_calls_genuine_what_somebody_known_signed() -> None:
    found = answer()
    assert (found.tone, found.headline) == (Tone.GOOD, "Genuine and in force")
    assert line(found, "Who says so?") == "The Example School. This site knows this issuer."
    assert line(found, "What is it?") == "“Farm Data Collection”"


def test_never_calls_genuine_what_a_stranger_signed() -> None:
    document = signed(
        unsigned(
            issuer={"id": STRANGER_DID, "name": "Ministry of Education"},
            credentialStatus=...,
        ),
        signer=STRANGER,
        method=STRANGER_METHOD,
    )
    found = answer(document, Evidence(), Policy())
    assert found.tone is Tone.CARE
    assert "find out who signed it" in found.headline
    who = line(found, "Who says so?")
    assert who.startswith(f"Whoever holds the key {STRANGER_DID}.")
    assert "calls itself “Ministry of Education”; nobody known here confirms that" in who


def test_names_a_stranger_by_its_website() -> None:
    who = line(answer(rules=Policy()), "Who says so?")
    assert who.startswith("Whoever runs the website school.example.")


@pytest.mark.parametrize(
    ("changes", "tone", "headline"),
    [
        ({"found": revoked()}, Tone.BAD, "Taken back: do not accept this"),
        (
            {"found": evidence(status_lists={REVOCATIONS: OUT_OF_REACH})},
            Tone.OPEN,
            "Signed, but whether it still holds is not known",
        ),
        (
            {"found": evidence(did_documents={ISSUER: OUT_OF_REACH})},
            Tone.OPEN,
            "It could not be checked",
        ),
        (
            {"document": {**signed(), "name": "Summa cum laude"}},
            Tone.BAD,
            "Do not accept this: the signature does not hold",
        ),
        (
            {"document": signed(signer=STRANGER, method=STRANGER_METHOD)},
            Tone.BAD,
            "Do not accept this: the issuer it names did not sign it",
        ),
        (
            {"document": signed(unsigned(validUntil="2026-02-01T00:00:00Z"))},
            Tone.BAD,
            "Its period is over",
        ),
        (
            {"document": signed(unsigned(validFrom="2027-01-01T00:00:00Z"))},
            Tone.BAD,
            "Its period has not begun",
        ),
        (
            {"document": {"type": "Assertion", "badge": "https://school.example/b"}},
            Tone.OPEN,
            "This kind of file is not read here",
        ),
        (
            {"document": {**signed(), "issuer": 5}},
            Tone.BAD,
            "This is not a credential that can be checked",
        ),
    ],
)
def test_says_what_is_the_matter(changes: Any, tone: Tone, headline: str) -> None:
    found = answer(**changes)
    assert (found.tone, found.headline) == (tone, headline)


def test_what_nobody_signed_is_not_said_to_be_in_force() -> None:
    found = answer({**signed(), "name": "Summa cum laude"})
    assert [one.question for one in found.lines] == ["What is it?", "Who says so?"]
    assert all(one.tone is not Tone.GOOD for one in found.lines)
    assert line(found, "What is it?") == "It calls itself “Summa cum laude”."


def test_says_what_could_not_be_checked_and_whether_that_matters() -> None:
    nothing = answer()
    left = next(
        one for one in nothing.lines if one.question == "What could not be checked?"
    )
    # No receipt was given: how old it is decides nothing.
    assert left.text == "How old it is."
    assert left.advice == "The answer above does not depend on this."
    found = answer(found=evidence(status_lists={REVOCATIONS: OUT_OF_REACH}))
    left = next(one for one in found.lines if one.question == UNCHECKED)
    assert left.text == "Whether it was taken back; How old it is."
    assert left.advice == "Without this there is no sure answer."


def test_a_proven_age_is_said_by_day() -> None:
    report = judge(signed(), evidence(), policy(), NOW)
    checks = [
        c._replace(result=report.check("proof").result, since=NOW)
        if c.name == "anchor"
        else c
        for c in report.checks
    ]
    shown = answer_of(
        Report(tuple(checks), report.standing, report.summary, NOW),
        read(signed()),
        policy().issuers,
        ENGLISH,
    )
    assert line(shown, "Since when is it proven to exist?") == (
        "Since 22 November 2026 or before."
    )


def test_the_same_is_said_in_filipino() -> None:
    found = answer(language=Language.FILIPINO, found=revoked())
    assert found.headline == "Binawi na: huwag itong tanggapin"
    assert line(found, "Binawi ba ito?") == "Oo. Binawi na ito ng nagbigay."
    english = {row.text for row in answer(found=revoked()).rows}
    assert {row.text for row in found.rows} & english == set()


def test_a_hostile_name_stays_in_its_quotes() -> None:
    document = signed(unsigned(name="x” was signed by the Ministry. “\u202egnp.exe"))
    text = line(answer(document), "What is it?")
    assert text == "“x' was signed by the Ministry. ' gnp.exe”"
