"""What a printed report says, and in which order."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from credentials.evidence import Evidence
from credentials.judge import judge
from credentials.policy import Policy
from credentials.presentation import judge_presentation, sign_presentation
from credentials.report import Report
from credentials.trust_pack.belief import believe
from node.printed.content import MAX_SECTIONS, Frame, Judged, print_report
from node.printed.parts import PrintedReport, Tone
from primitives.canonical_json import JsonObject
from primitives.errors import Malformed, Misconfigured, Rejected, Undetermined
from primitives.wording.words import Language
from tests.support.bundles import Kit, kit
from tests.support.credentials_support import (
    DAY,
    ISSUER,
    METHOD,
    NOW,
    SIGNER,
    policy,
    signed,
    status_list,
    unsigned,
)
from tests.support.foreign import blockcerts, certificate
from tests.support.trust_packs import pack

FRAME = Frame(
    made=NOW,
    as_of=NOW,
    version="9.9",
    office="Tanggapan ng Pagkilala",
    required=frozenset({"proof", "issuer-key"}),
    issuers={ISSUER: "The Example School"},
    pack=None,
    offline=True,
)


def judged(made: Kit | None = None, **changes: Any) -> Judged:
    made = made or kit()
    report = judge(
        made.bundle.credential, made.bundle.judged(), made.policy(**changes), NOW
    )
    return Judged("diploma.json", made.bundle.credential, report)


def printed(
    *what: Judged, language: Language = Language.ENGLISH, **changes: Any
) -> PrintedReport:
    return print_report(what, replace(FRAME, **changes), language)


def test_a_good_document_is_valid_as_signed_by_whom_and_as_of_when() -> None:
    (section,) = printed(judged()).sections
    assert section.tone is Tone.GOOD
    assert section.verdict == f"Valid as signed by The Example School ({ISSUER})."
    assert section.sentences == (
        "Not taken back as of 21 November 2026 (1 day old).",
        "Whether it was taken back after that is not known.",
        "It existed on or before 21 November 2026.",
    )


def test_the_same_in_filipino() -> None:
    report = printed(judged(), language=Language.FILIPINO)
    (section,) = report.sections
    assert (report.language, report.title) == ("fil", "Ulat ng pagsusuri")
    assert (
        section.verdict == f"May bisa, ayon sa nilagdaan ng The Example School ({ISSUER})."
    )
    assert section.sentences[0] == (
        "Hindi binawi hanggang noong 21 Nobyembre 2026 (1 araw na ang nakaraan)."
    )


def test_each_fact_says_that_it_is_the_documents_own() -> None:
    (section,) = printed(judged()).sections
    facts = {fact.label: fact.value for fact in section.facts}
    assert facts["Given to, as it says"] == "Ana Peña"
    assert facts["Award, as it says"] == "Farm Data Collection"
    assert facts["Issuer, as it says"] == "Example School"
    assert len(facts["SHA-256 (RFC 8785)"]) == 64


def test_each_check_has_its_evidence_its_day_and_its_source() -> None:
    (section,) = printed(judged()).sections
    rows = {row.exact.partition(":")[0]: row for row in section.rows}
    assert rows["status"].evidence == (
        "the issuer's list",
        "from https://school.example/status/revocation",
        "as of 21 November 2026, 08:00 UTC (1 day old)",
        "may change",
    )
    assert rows["proof"].evidence == ("the document itself", "cannot change any more")
    assert rows["issuer-key"].text.endswith(
        "Whether the key was stolen since, this file cannot show."
    )
    assert "(key-as-logged)" in rows["issuer-key"].exact


def test_a_revoked_document_is_not_to_be_accepted() -> None:
    made = kit(lists=status_list(94_567))
    (section,) = printed(judged(made)).sections
    assert section.tone is Tone.BAD
    assert section.verdict.startswith("Do not accept it: The Example School")
    assert section.verdict.endswith("signed it, and has taken it back for good.")


def test_an_issuer_whom_nobody_names_is_never_called_valid() -> None:
    made = kit()
    open_policy = replace(made.policy(), issuers={}, has_trust_list=False)
    report = judge(made.bundle.credential, made.bundle.judged(), open_policy, NOW)
    one = Judged("x.json", made.bundle.credential, report)
    (section,) = printed(one, issuers={}).sections
    assert report.outcome.value == "valid"
    assert section.tone is Tone.OPEN
    assert section.verdict == (
        f"The signature of {ISSUER} holds, but nobody whom the office trusts names that"
        " issuer."
    )


def test_a_changed_document_is_not_what_its_issuer_signed() -> None:
    made = kit()
    document = {**made.bundle.credential, "name": "Doctor of Everything"}
    report = judge(document, made.bundle.judged(), made.policy(), NOW)
    (section,) = printed(Judged("x.json", document, report)).sections
    assert section.tone is Tone.BAD
    assert section.verdict.startswith("Do not accept it: it is not what")


def test_what_could_not_be_looked_up_may_be_good() -> None:
    report = judge(signed(), Evidence(), policy(), NOW)
    (section,) = printed(Judged("x.json", signed(), report)).sections
    assert section.tone is Tone.OPEN
    assert section.verdict == "It could not be checked in full. It may be good."
    assert section.sentences[0].startswith("Not settled: Is its text unchanged?")


def test_a_foreign_certificate_is_said_to_be_unchanged_and_no_more() -> None:
    document = blockcerts(certificate())
    report = judge(document, Evidence(), Policy(), NOW)
    (section,) = printed(Judged("x.json", document, report)).sections
    assert section.tone is Tone.OPEN
    assert section.verdict.startswith("No word of it was changed, but whether its issuer")


@pytest.mark.parametrize(
    ("error", "tone", "sentence"),
    [
        (Malformed("x"), Tone.PLAIN, "This file cannot be read as a credential."),
        (Undetermined("x"), Tone.PLAIN, "This file is of a kind that is not read here. "),
        (Rejected("x"), Tone.BAD, "Do not accept it: this file was damaged or changed."),
        (Misconfigured("x"), Tone.PLAIN, "This file could not be opened."),
    ],
)
def test_a_file_without_a_report_says_why(error: Any, tone: Tone, sentence: str) -> None:
    (section,) = printed(Judged("x.json", None, error)).sections
    assert section.tone is tone
    assert section.verdict.startswith(sentence)
    assert section.sentences == (f"x ({error.code})",)


def test_of_many_the_worst_stands_first() -> None:
    good, bad = judged(), judged(kit(lists=status_list(94_567)))
    broken = Judged("broken.json", None, Malformed("no JSON"))
    unknown = Judged("later.json", signed(), judge(signed(), Evidence(), policy(), NOW))
    report = printed(good, unknown, broken, bad)
    assert report.overview is not None
    assert report.overview.sentence == (
        "4 documents were checked. 3 need attention: they stand first."
    )
    tones = [line.tone for line in report.overview.lines]
    assert tones == [Tone.BAD, Tone.PLAIN, Tone.OPEN, Tone.GOOD]
    assert [section.tone for section in report.sections] == tones
    assert [line.mark for line in report.overview.lines] == ["d1", "d2", "d3", "d4"]
    first = report.overview.lines[0]
    assert first.what == "Ana Peña; Farm Data Collection"
    assert first.why.endswith("signed it, and has taken it back for good.")
    assert report.overview.lines[2].why == (
        "Is its text unchanged? It could not be looked up here."
    )
    assert report.overview.lines[1].why.endswith("as a credential. no JSON (malformed)")


def test_all_good_says_so() -> None:
    report = printed(judged(), judged())
    assert report.overview is not None
    assert report.overview.sentence == "2 documents were checked. All of them are valid."


def test_of_very_many_only_the_worst_have_a_section() -> None:
    report = printed(*[judged()] * (MAX_SECTIONS + 3))
    assert report.overview is not None
    assert len(report.sections) == MAX_SECTIONS
    assert len(report.overview.lines) == MAX_SECTIONS + 3
    assert report.overview.lines[-1].mark == ""
    assert report.overview.note.startswith("The first 200 documents follow")


def test_the_pack_is_named_with_its_whole_digest_and_how_long_it_is_fresh() -> None:
    held = pack()
    rules = believe(held).rules
    about = {fact.label: fact.value for fact in printed(judged(), pack=rules).about}
    assert about["SHA-256 of the trust pack"] == held.digest
    assert about["Trust pack"] == held.name
    assert about["Trust pack fresh until"] == "22 December 2026, 07:59 UTC"
    assert about["Network"] == "not used"
    assert about["Verified by"] == "Tanggapan ng Pagkilala"
    assert about["What the office requires"] == (
        "Is its text unchanged? Is it signed with the issuer's key?"
    )


def test_words_of_a_stranger_cannot_turn_or_stretch_the_report() -> None:
    name = "A\u202eevil\n\n" + "x" * 5000
    made = kit(signed(unsigned(name=name)))
    (section,) = printed(judged(made)).sections
    value = next(f.value for f in section.facts if f.label == "Award, as it says")
    assert "\u202e" not in value
    assert "\n" not in value
    assert len(value) < 1300


def test_a_presentation_has_a_row_for_each_check_of_each_credential() -> None:
    document = sign_presentation(
        [signed()],
        SIGNER,
        verification_method=METHOD,
        created=NOW - timedelta(hours=1),
        challenge=None,
        domain=None,
    )
    report = judge_presentation(document, {}, policy(), NOW, challenge=None, domain=None)
    (section,) = printed(Judged("p.json", document, report)).sections
    assert len(section.rows) == 7 + 7
    assert section.verdict.startswith(("It could not be", "Do not accept it"))


def test_age_counts_from_the_moment_asked_about() -> None:
    made = kit()
    report: Report = judge(
        made.bundle.credential, made.bundle.judged(), made.policy(), NOW + 30 * DAY
    )
    document: JsonObject = made.bundle.credential
    (section,) = printed(Judged("x.json", document, report)).sections
    assert "(31 days old)." in section.sentences[0]
