"""Every code that a report can show has a sentence, in both languages."""

import re

import pytest

from credentials.anchor_times import BLOCK_ATTESTED, WITNESSED
from credentials.dating import _EVIDENCE
from credentials.issuer_listing import LISTED_LATER, LISTING_THEN_UNKNOWN, PACK_STALE
from credentials.key_standing import ANCHORED_BEFORE, TIME_ONLY_CLAIMED
from credentials.key_then import KEY_LISTED_LATER, KEY_THEN_UNKNOWN
from credentials.policy import CHECK_NAMES
from credentials.presentation_checks import ID_CONFLICT, PRESENTATION_CHECKS
from credentials.proof_checks import AS_LOGGED
from credentials.status_check import STATUS_AGED
from credentials.status_timeline import REVOKED_LATER
from node.api.w3c_problems import TYPES
from node.printed.findings import EVIDENCE, FINDINGS, PASSED, QUESTIONS
from primitives.wording.words import Area, Language, words_in
from tests.architecture.documents import DOCS, first_cells, read

REMARKS = {
    *(AS_LOGGED, ANCHORED_BEFORE, BLOCK_ATTESTED, ID_CONFLICT, KEY_LISTED_LATER),
    *(KEY_THEN_UNKNOWN, LISTED_LATER, LISTING_THEN_UNKNOWN, PACK_STALE, REVOKED_LATER),
    *(STATUS_AGED, TIME_ONLY_CLAIMED, WITNESSED),
}
"""What a check that passed can say beside."""


def test_every_code_of_a_check_has_its_sentence_and_no_other() -> None:
    assert sorted((TYPES.keys() | REMARKS) - FINDINGS.keys()) == []
    assert sorted(FINDINGS.keys() - TYPES.keys() - REMARKS) == []


def test_each_of_these_codes_is_documented() -> None:
    text = read(DOCS / "errors.md") + read(DOCS / "verifying.md") + read(DOCS / "keys.md")
    named = {*first_cells(text), *re.findall(r"`([a-z0-9-]+)`", text)}
    assert sorted(FINDINGS.keys() - named) == []


def test_every_check_has_its_question_and_what_it_means_to_pass() -> None:
    names = {*CHECK_NAMES, *PRESENTATION_CHECKS}
    assert names == QUESTIONS.keys() == PASSED.keys()
    assert EVIDENCE.keys() == set(_EVIDENCE.values())


@pytest.mark.parametrize("language", list(Language))
def test_each_sentence_is_said_in_the_language(language: Language) -> None:
    words = words_in(language, Area.REPORT)
    said = {text: words.say(text) for text in (*FINDINGS.values(), *QUESTIONS.values())}
    assert all(said.values())
    same = [text for text, translated in said.items() if text == translated]
    assert same == ([] if language is Language.FILIPINO else list(said))
