"""Evidence bundles: one spelling, bounded, and believed no further than their proofs."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from credentials.bundle import (
    MAX_HISTORY_PROOFS,
    MAX_PARTS,
    Bundle,
    BundleMalformed,
    encode_bundle,
    make_bundle,
    parse_bundle,
)
from credentials.evidence import Evidence
from credentials.judge import judge
from credentials.kinds import MAX_BUNDLE_BYTES, is_bundle, looks_like_bundle
from credentials.policy import Policy
from credentials.report import Outcome, Report, Result
from did.document import build_did_document
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError
from primitives.strict_json import MAX_DOCUMENT_BYTES
from tests.support.bundles import altered, fields, kit, resealed
from tests.support.credentials_support import (
    DAY,
    INDEX,
    ISSUER,
    METHOD,
    NOW,
    REVOCATIONS,
    STRANGER,
    had,
    signed,
    status_list,
    unsigned,
)

KIT = kit()
RAW = encode_bundle(KIT.bundle)
PARTS: JsonObject = json.loads(RAW)


def report(bundle: Bundle | None = None, demands: Policy | None = None) -> Report:
    found = bundle or parse_bundle(RAW)
    return judge(found.credential, found.judged(), demands or KIT.policy(), NOW)


def answer(name: str, *args: Any) -> tuple[Result, str]:
    found = report(*args).check(name)
    return found.result, found.code


def refused(raw: bytes) -> str:
    with pytest.raises(PatunayError) as caught:
        parse_bundle(raw)
    return caught.value.code


def test_a_bundle_is_valid_with_a_policy_alone() -> None:
    found = report()
    assert found.outcome is Outcome.VALID
    assert [(c.name, c.result.value, c.code) for c in found.checks] == [
        ("structure", "passed", ""),
        ("proof", "passed", ""),
        ("issuer-key", "passed", "key-as-logged"),
        ("dates", "passed", ""),
        ("status", "passed", ""),
        ("issuer-listed", "passed", ""),
        ("anchor", "passed", "block-attested"),
    ]


def test_what_is_written_is_read_as_the_same_bundle() -> None:
    again = parse_bundle(RAW)
    assert encode_bundle(again) == RAW
    assert again.credential == KIT.bundle.credential
    assert again.contexts == KIT.bundle.contexts
    assert again.evidence.did_proofs == KIT.bundle.evidence.did_proofs
    assert is_bundle(PARTS)
    assert looks_like_bundle(RAW)
    assert not is_bundle(signed())


def test_what_was_not_had_is_not_in_it() -> None:
    raw = encode_bundle(make_bundle(signed(), Evidence()))
    found = parse_bundle(raw)
    assert found.evidence == Evidence()
    assert answer("issuer-key", found) == (Result.UNDETERMINED, "not-looked-up")


@pytest.mark.parametrize(
    "path", list(fields(PARTS)), ids=lambda path: "-".join(map(str, path))[:80]
)
def test_every_field_altered_is_refused_as_damage(path: tuple[str | int, ...]) -> None:
    raw = json.dumps(
        altered(PARTS, path), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert refused(raw.encode()) in {"bundle-altered", "bundle-malformed"}


NOT_EVIDENCE = {
    # Said by whoever made the bundle, and never part of an answer but as what it says.
    "source",
    "obtainedAt",
    # No proof of a block has them; the anchor is bound by digest, block and contract.
    "transaction",
    "logIndex",
}


@pytest.mark.parametrize(
    "path",
    [p for p in fields(PARTS) if p != ("digest",)],
    ids=lambda path: "-".join(map(str, path))[:80],
)
def test_no_field_altered_by_a_forger_is_accepted(path: tuple[str | int, ...]) -> None:
    required = frozenset({*KIT.policy().required, "anchor"})
    demands = KIT.policy(required=required)
    assert report(None, demands).outcome is Outcome.VALID
    try:
        bundle = parse_bundle(resealed(altered(PARTS, path)))
    except PatunayError:
        return
    found = report(bundle, demands)
    if path[-1] in NOT_EVIDENCE:
        answers = [(c.name, c.result, c.code, c.detail) for c in found.checks]
        assert answers == [
            (c.name, c.result, c.code, c.detail) for c in report(None, demands).checks
        ]
        return
    assert found.outcome is not Outcome.VALID
    assert all(c.code for c in found.checks if c.required and c.result is not Result.PASSED)


def edited(**members: Any) -> bytes:
    parts = {**PARTS, **members}
    return resealed({name: value for name, value in parts.items() if value is not ...})


DID_PART: Any = PARTS["didDocuments"][0]  # type: ignore[index]
HISTORY_PART: Any = {
    "name": ISSUER,
    "value": {},
    "source": "https://school.example/did-history.json",
    "obtainedAt": "2026-11-22T08:00:00Z",
    "tlogProofs": [],
}
MANY = MAX_PARTS + 1
MALFORMED: dict[str, tuple[bytes, str]] = {
    "an unknown member": (edited(trust=[]), "the bundle: members missing or unknown"),
    "a missing member": (edited(statusLists=...), "the bundle: members missing or"),
    "another version": (edited(version=2), "found version 2, want 1"),
    "a version that is true": (edited(version=True), "found version True, want 1"),
    "no JSON": (b"PK", "json-malformed: "),
    "no object": (b"[]", "the bundle: "),
    "a repeated member": (RAW[:-1] + b',"version":1}', "json-duplicate-key: "),
    "another spelling": (json.dumps(PARTS, indent=1).encode(), "spelling than JCS"),
    "a newline at the end": (RAW + b"\n", "found another spelling than JCS"),
    "a credential that is a list": (edited(credential=[]), "credential: "),
    "too many parts": (edited(didDocuments=[DID_PART] * MANY), "didDocuments: want an"),
    "parts that are no array": (edited(didDocuments={}), "didDocuments: want an array"),
    "one DID twice": (
        edited(didDocuments=[DID_PART, DID_PART]),
        "its parts are not in their one order and spelling",
    ),
    "an unknown member of a part": (
        edited(didDocuments=[{**DID_PART, "trusted": True}]),
        "didDocuments: members missing or unknown: trusted",
    ),
    "an unknown member of a list": (
        edited(statusLists=[{**DID_PART}]),
        "statusLists: members missing or unknown: tlogProof",
    ),
    "an unknown member of a history": (
        edited(histories=[{**HISTORY_PART, "trusted": True}]),
        "histories: members missing or unknown: trusted",
    ),
    "proofs that are no array": (
        edited(histories=[{**HISTORY_PART, "tlogProofs": {}}]),
        f"tlogProofs: want an array of at most {MAX_HISTORY_PROOFS}",
    ),
    "too many proofs": (
        edited(histories=[{**HISTORY_PART, "tlogProofs": [None] * 257}]),
        "tlogProofs: want an array of at most 256",
    ),
    "no time": (
        edited(didDocuments=[{**DID_PART, "obtainedAt": "yesterday"}]),
        "didDocuments: found 'yesterday'",
    ),
    "a time in another zone": (
        edited(didDocuments=[{**DID_PART, "obtainedAt": "2026-11-22T16:00:00+08:00"}]),
        "its parts are not in their one order and spelling",
    ),
    "a source that is a number": (
        edited(didDocuments=[{**DID_PART, "source": 1}]),
        "source: ",
    ),
    "too large": (b'{"contexts":{' + b" " * (20 << 20), "json-too-large: "),
    "a credential that is too large": (
        edited(credential={"x": "a" * MAX_DOCUMENT_BYTES}),
        f"credential: want at most {MAX_DOCUMENT_BYTES} bytes",
    ),
    "a part that is too large": (
        edited(didDocuments=[{**DID_PART, "value": {"x": "a" * (4 << 20)}}]),
        "didDocuments: found over 4194304 bytes in one part",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_bundle_in_its_one_spelling_is_refused(name: str) -> None:
    raw, words = MALFORMED[name]
    with pytest.raises(BundleMalformed) as caught:
        parse_bundle(raw)
    assert words in str(caught.value)


def test_what_no_reader_would_take_is_not_written() -> None:
    def written(text: object) -> bytes:
        bundle = make_bundle({**KIT.bundle.credential, "x": text}, Evidence())  # type: ignore[dict-item]
        return encode_bundle(bundle)

    with pytest.raises(BundleMalformed, match=r"^it cannot be written: "):
        written(float("nan"))
    with pytest.raises(BundleMalformed, match=f" bytes, want at most {MAX_BUNDLE_BYTES}$"):
        written("a" * MAX_BUNDLE_BYTES)


def test_a_context_of_another_revision_is_told_from_a_broken_bundle() -> None:
    contexts: Any = PARTS["contexts"]
    other = dict.fromkeys(contexts, "00" * 32)
    assert refused(edited(contexts=other)) == "bundle-context-mismatch"
    assert refused(edited(contexts={})) == "bundle-context-mismatch"


def test_a_bundle_that_carries_its_own_trust_is_not_believed() -> None:
    assert refused(edited(issuers=[{"did": ISSUER, "name": "x"}])) == "bundle-malformed"
    unknown = Policy(logs={}, issuers={})
    assert answer("issuer-key", None, unknown) == (Result.UNDETERMINED, "log-not-bound")


def test_a_forged_did_document_in_a_bundle_proves_nothing() -> None:
    # Everything is consistent, but the log never had this DID document.
    forged = build_did_document(
        ISSUER, assertion_keys={"key-1": STRANGER.public_key}, withdrawn_keys={}
    )
    made = signed(unsigned(credentialStatus=...), signer=STRANGER, method=METHOD)
    genuine = kit().bundle.evidence
    found = replace(genuine, did_documents={ISSUER: had(forged)})
    bundle = parse_bundle(encode_bundle(make_bundle(made, found)))
    assert report(bundle).outcome is Outcome.UNDETERMINED
    assert answer("issuer-key", bundle) == (Result.UNDETERMINED, "did-document-unproven")
    bare = parse_bundle(encode_bundle(make_bundle(made, replace(found, did_proofs={}))))
    assert answer("issuer-key", bare) == (Result.UNDETERMINED, "did-document-unproven")


def test_a_status_list_is_as_old_as_its_signature_says_whatever_the_bundle_says() -> None:
    tomorrow = had(status_list(), REVOCATIONS)
    later = replace(tomorrow, obtained_at=NOW + 400 * DAY)
    found = parse_bundle(encode_bundle(kit(status_lists={REVOCATIONS: later}).bundle))
    assert report(found).check("status").obtained_at == NOW - DAY


@pytest.mark.parametrize(
    ("days", "wanted"),
    [
        (5, (Result.PASSED, "")),
        (6, (Result.PASSED, "status-aged")),
        (88, (Result.PASSED, "status-aged")),
        (89, (Result.UNDETERMINED, "status-stale")),
    ],
)
def test_a_status_that_cannot_be_asked_for_again_grows_old(
    days: int, wanted: tuple[Result, str]
) -> None:
    # The list was signed a day before `NOW`, and a second more makes it older.
    as_of = NOW + days * DAY + timedelta(seconds=1)
    found = parse_bundle(RAW)
    line = judge(found.credential, found.judged(), KIT.policy(), as_of).check("status")
    assert (line.result, line.code) == wanted


def test_the_office_decides_how_old_is_too_old_and_which_awards_it_accepts() -> None:
    strict = KIT.policy(accepted_status_age=timedelta(hours=23))
    assert answer("status", None, strict) == (Result.UNDETERMINED, "status-stale")
    fits = KIT.policy(award_types=frozenset({"VerifiableCredential", "Diploma"}))
    assert answer("issuer-listed", None, fits) == (Result.PASSED, "")
    other = KIT.policy(award_types=frozenset({"Diploma"}))
    assert report(None, other).outcome is Outcome.UNDETERMINED
    refused_by = (Result.UNDETERMINED, "award-type-not-accepted")
    assert answer("issuer-listed", None, other) == refused_by


def test_a_status_list_without_a_date_is_of_no_known_day() -> None:
    undated = {**status_list(), "proof": {"type": "DataIntegrityProof"}}
    found = parse_bundle(encode_bundle(kit(lists=undated).bundle))
    assert answer("status", found) == (Result.UNDETERMINED, "status-undated")


SCHOOL = "The Example School (did:web:school.example)"
NAME = "“Farm Data Collection”"


@pytest.mark.parametrize(
    ("changes", "days", "wanted"),
    [
        (
            {},
            0,
            (
                f"{NAME}: Valid as signed by {SCHOOL}."
                " Not revoked as of 21 November 2026 (1 day ago)."
                " Anchored on or before 21 November 2026."
                " Whether its key was stolen since is not known."
                " Current status is not known offline."
            ),
        ),
        (
            {},
            200,
            (
                f"{NAME}: Signed by {SCHOOL}. Whether it was revoked is not known:"
                " known as of 2026-11-21T08:00:00Z, 201 days ago; 90 accepted."
                " Anchored on or before 21 November 2026."
                " Whether its key was stolen since is not known."
            ),
        ),
        (
            {"lists": status_list(INDEX)},
            0,
            (
                f"{NAME}: Signed by {SCHOOL}. Revoked by its issuer, as of 21 November 2026"
                " (1 day ago); that is final. Anchored on or before 21 November 2026."
                " Whether its key was stolen since is not known."
            ),
        ),
        (
            {
                "receipt": Evidence().receipt,
                "credential": signed(unsigned(credentialStatus=...)),
            },
            0,
            (
                f"{NAME}: Valid as signed by {SCHOOL}. Its issuer keeps no status for it."
                " Whether its key was stolen since is not known."
            ),
        ),
    ],
    ids=["recent", "old", "revoked", "no receipt and no status"],
)
def test_the_summary_says_as_of_when_each_thing_is_known(
    changes: Any, days: int, wanted: str
) -> None:
    made = kit(**changes)
    found = parse_bundle(encode_bundle(made.bundle))
    as_of = NOW + days * DAY
    assert judge(found.credential, found.judged(), made.policy(), as_of).summary == wanted


def test_what_is_revoked_stays_revoked() -> None:
    found = parse_bundle(encode_bundle(kit(lists=status_list(INDEX)).bundle))
    assert answer("status", found) == (Result.FAILED, "revoked")
