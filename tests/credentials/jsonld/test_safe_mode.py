"""What a signature does not cover is refused, when signing and when verifying."""

from collections.abc import Callable
from typing import Any

import pytest

from credentials.data_integrity import (
    Proof,
    add_proof,
    default_engine,
    parse_proofs,
    verify_proof,
    without_proof,
)
from credentials.jsonld.active_context import RESERVED_VOCABULARIES
from credentials.jsonld.loader import KNOWN, OB_V3, VC_V1, VC_V2
from credentials.jsonld.quads import Engine
from credentials.judge import judge
from credentials.report import Outcome, Result
from credentials.status_list import build_entry
from primitives.canonical_json import Json
from primitives.errors import PatunayError
from tests.support.credentials_support import (
    INDEX,
    METHOD,
    NOW,
    REVOCATIONS,
    SIGNER,
    SUITES,
    SUSPENSIONS,
    evidence,
    had,
    policy,
    signed,
    status_list,
    unsigned,
)

CRED = "https://www.w3.org/2018/credentials#"
SECURITY = "https://w3id.org/security#"
XSD = "http://www.w3.org/2001/XMLSchema#"
X = "https://terms.example/"
EXAMPLES_V2 = "https://www.w3.org/ns/credentials/examples/v2"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"

Change = dict[str, Any]


def with_context(*more: Any, **changes: Any) -> Change:
    return {"@context": [VC_V2, *more], **changes}


def subject(**members: Any) -> Change:
    return {"credentialSubject": {"id": "did:example:learner", **members}}


REFUSED: dict[str, tuple[Change, str]] = {
    "undefined property": ({"honours": "summa cum laude"}, "unsigned-term"),
    "undefined property that is null": ({"honours": None}, "unsigned-term"),
    "undefined property inside": (subject(gpa=4), "unsigned-term"),
    "undefined type": ({"type": ["VerifiableCredential", "Degree"]}, "unsigned-term"),
    "undefined type inside": (subject(type="Degree"), "unsigned-term"),
    "keyword as a type": ({"type": ["VerifiableCredential", "@json"]}, "unsigned-term"),
    "relative id": (subject(about={"id": "x"}), "unsigned-term"),
    "relative subject": ({"credentialSubject": {"id": "x"}}, "unsigned-term"),
    "blank node as a property": (subject(**{"_:b": 1}), "unsigned-term"),
    "looks like a keyword": (subject(**{"@foo": 1}), "unsigned-term"),
    "looks like a keyword, as a type": (subject(type="@foo"), "unsigned-term"),
    "language": (subject(**{"@language": "en"}), "jsonld-feature-unsupported"),
    "graph": ({"@graph": [{"id": "urn:x"}]}, "jsonld-feature-unsupported"),
    "included": ({"@included": [{"id": "urn:x"}]}, "jsonld-feature-unsupported"),
    "reverse": ({"@reverse": {}}, "jsonld-feature-unsupported"),
    "space in an IRI": ({"credentialSubject": {"id": "urn:a b"}}, "unsigned-term"),
    "N-Quads in an IRI": (
        {"credentialSubject": {"id": "urn:a> <urn:p> <urn:o> .\n<urn:b"}},
        "unsigned-term",
    ),
    "unknown context": (with_context(f"{X}v1"), "context-unknown"),
    "context over http": (with_context("http://terms.example/"), "context-unknown"),
    "context in a file": (with_context("file:///etc/passwd"), "context-unknown"),
    "context in a data URL": (with_context("data:application/json,{}"), "context-unknown"),
    "@vocab": (with_context({"@vocab": X}), "context-forbidden"),
    "@base": (with_context({"@base": X}), "context-forbidden"),
    "@import": (with_context({"@import": VC_V2}), "context-forbidden"),
    "@propagate": (with_context({"@propagate": False}), "context-forbidden"),
    "@language in a context": (with_context({"@language": "en"}), "context-forbidden"),
    "null context": (with_context(None), "context-forbidden"),
    "null context inside": (subject(**{"@context": None}), "context-forbidden"),
    "protected term": (with_context({"id": f"{X}id"}), "context-redefinition"),
    "two inline contexts": (
        with_context({"gpa": f"{X}gpa"}, {"gpa": f"{X}other/gpa"}),
        "context-redefinition",
    ),
    "type of the data model": (
        with_context({"VerifiableCredential": f"{X}VerifiableCredential"}),
        "context-redefinition",
    ),
    "member of the data model": (
        with_context({"@protected": True, "issuer": f"{X}issuer"}),
        "context-redefinition",
    ),
    "version 1.1 after version 2": (with_context(VC_V1), "context-redefinition"),
    "another name for a keyword": (with_context({"kind": "@type"}), "context-forbidden"),
    "scoped inline context": (
        with_context({"a": {"@id": f"{X}a", "@context": {"b": f"{X}b"}}}),
        "context-forbidden",
    ),
    "undefined inline term": (with_context({"a": None}), "context-forbidden"),
}


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("name", REFUSED)
def test_refuses_to_sign(name: str, suite: str) -> None:
    change, code = REFUSED[name]
    with pytest.raises(PatunayError) as e:
        signed(unsigned(**change), suite=suite)
    assert e.value.code == code


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("name", REFUSED)
def test_refuses_to_verify(name: str, suite: str) -> None:
    change, code = REFUSED[name]
    document = {**signed(suite=suite), **change}
    (proof,) = parse_proofs(document)
    assert isinstance(proof, Proof)
    with pytest.raises(PatunayError) as e:
        verify_proof(document, proof, SIGNER.public_key)
    assert e.value.code == code


OPTIONS: dict[str, tuple[Change, str]] = {
    "undefined": ({"honours": "x"}, "unsigned-term"),
    "null": ({"honours": None}, "unsigned-term"),
    "relative id": ({"id": "x"}, "unsigned-term"),
    "undefined type": ({"type": ["DataIntegrityProof", "Degree"]}, "unsigned-term"),
    "relative method": ({"verificationMethod": "key-1"}, "unsigned-term"),
    "N-Quads in a method": ({"verificationMethod": "urn:a> <urn:b"}, "unsigned-term"),
    "whole IRI": ({f"{SECURITY}nonce": "x"}, "jsonld-feature-unsupported"),
    "keyword": ({"@id": "urn:x"}, "jsonld-feature-unsupported"),
    "context": ({"@context": [VC_V2, {"@vocab": X}]}, "proof-context-mismatch"),
}


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("name", OPTIONS)
def test_refuses_proof_options(name: str, suite: str) -> None:
    change, code = OPTIONS[name]
    document = signed(suite=suite)
    (proof,) = parse_proofs(document)
    assert isinstance(proof, Proof)
    changed = Proof(
        proof.cryptosuite,
        proof.verification_method,
        proof.purpose,
        proof.created,
        proof.expires,
        proof.signature,
        {**proof.options, **change},
    )
    if name == "context" and suite == "eddsa-rdfc-2022":
        # 3.2.5: rdfc reads its options in the document's context, whatever they say.
        verify_proof(document, changed, SIGNER.public_key)
        return
    with pytest.raises(PatunayError) as e:
        verify_proof(document, changed, SIGNER.public_key)
    assert e.value.code == code


# The attacks below leave the signed quads as they are. Each one changes what our own
# judge, or a person, reads.

EXPIRED = "2026-06-01T00:00:00Z"


def victim() -> dict[str, Any]:
    """Return a credential that is revoked, suspended and out of date."""
    statuses = [
        build_entry(REVOCATIONS, INDEX, "revocation"),
        build_entry(SUSPENSIONS, INDEX, "suspension"),
    ]
    return signed(
        unsigned(
            **{"@context": [VC_V2, {"gpa": f"{X}gpa", "rank": f"{X}rank"}]},
            validUntil=EXPIRED,
            credentialStatus=statuses,
            credentialSubject={"id": "did:example:learner", "gpa": 4, "rank": 1},
        )
    )


def renamed(old: str, new: str, value: Any = ...) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        before = document.pop(old)
        document[new] = before if value is ... else value

    return change


def inline(*definitions: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        document["@context"] = [*document["@context"], *definitions]

    return change


def wrapped(name: str, keyword: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        document[name] = {keyword: document[name]}

    return change


def all_of(*changes: Callable[[dict[str, Any]], None]) -> Any:
    def change(document: dict[str, Any]) -> None:
        for each in changes:
            each(document)

    return change


DATE = {"@value": EXPIRED, "@type": f"{XSD}dateTime"}


def swap_labels(document: dict[str, Any]) -> None:
    document["@context"] = [VC_V2, {"gpa": f"{X}rank", "rank": f"{X}gpa"}]
    document["credentialSubject"] = {"id": "did:example:learner", "gpa": 1, "rank": 4}


def in_a_graph(document: dict[str, Any]) -> None:
    members = [name for name in document if name not in ("@context", "proof")]
    document["@graph"] = [{name: document.pop(name) for name in members}]


ATTACKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "status under its whole IRI": renamed("credentialStatus", f"{CRED}credentialStatus"),
    "end under its whole IRI": renamed("validUntil", f"{CRED}validUntil", DATE),
    "status under an inline name": all_of(
        inline({"standing": {"@id": f"{CRED}credentialStatus", "@type": "@id"}}),
        renamed("credentialStatus", "standing"),
    ),
    "end under an inline name": all_of(
        inline({"end": {"@id": f"{CRED}validUntil", "@type": f"{XSD}dateTime"}}),
        renamed("validUntil", "end"),
    ),
    "end under an inline compact IRI": all_of(
        inline({"c": CRED}), renamed("validUntil", "c:validUntil", DATE)
    ),
    "end inside an inline prefix": all_of(
        inline({"c": {"@id": f"{CRED}valid", "@prefix": True}}),
        renamed("validUntil", "c:Until", DATE),
    ),
    "name under an inline name": all_of(
        inline({"title": "https://schema.org/name"}), renamed("name", "title")
    ),
    "name under its whole IRI": renamed("name", "https://schema.org/name"),
    "id under its keyword": renamed("id", "@id"),
    "type under its keyword": renamed("type", "@type"),
    "issuer in a set": wrapped("issuer", "@set"),
    "status in a set": wrapped("credentialStatus", "@set"),
    "end in a set": wrapped("validUntil", "@set"),
    "subject in a set": wrapped("credentialSubject", "@set"),
    "end as a typed value": renamed("validUntil", "validUntil", DATE),
    "end in an array": renamed("validUntil", "validUntil", [EXPIRED]),
    "status in two arrays": lambda d: d.update(credentialStatus=[d["credentialStatus"]]),
    "issuer in an array": lambda d: d.update(issuer=[d["issuer"]]),
    "labels swapped": swap_labels,
    "abbreviated subject": all_of(
        inline({"learner": {"@id": "did:example:", "@prefix": True}}),
        lambda d: d["credentialSubject"].update(id="learner:learner"),
    ),
    "subject under its keyword": lambda d: d.update(
        credentialSubject={
            "@id": "did:example:learner",
            **{k: v for k, v in d["credentialSubject"].items() if k != "id"},
        }
    ),
    "all of it in a graph": in_a_graph,
}


def bad_evidence() -> Any:
    return evidence(
        status_lists={
            REVOCATIONS: had(status_list(INDEX)),
            SUSPENSIONS: had(status_list(INDEX, url=SUSPENSIONS, purpose="suspension")),
        }
    )


def test_the_victim_is_authentic_and_not_in_force() -> None:
    report = judge(victim(), bad_evidence(), policy(), NOW)
    assert report.authenticity is Outcome.VALID
    assert report.check("status").code == "revoked"
    assert report.check("dates").code == "expired"


@pytest.mark.parametrize("name", ATTACKS)
def test_no_other_spelling_of_what_was_signed_is_authentic(name: str) -> None:
    document = victim()
    ATTACKS[name](document)
    report = judge(document, bad_evidence(), policy(), NOW)
    assert report.authenticity is not Outcome.VALID
    assert report.outcome is not Outcome.VALID


def lax_quads(document: dict[str, Any]) -> Any:
    """What PyLD would sign, which keeps none of our rules on spelling."""
    from tests.support.pyld_oracle import oracle_nquads  # noqa: PLC0415 - needed here only

    return oracle_nquads(without_proof(document))


# PyLD 3.3 forgets a term's datatype inside @set, against section 5.1.2 step 13.4.10.
@pytest.mark.parametrize("name", [name for name in ATTACKS if name != "end in a set"])
def test_the_attacks_are_real(name: str) -> None:
    document = victim()
    before = lax_quads(document)
    ATTACKS[name](document)
    assert lax_quads(document) == before


def test_one_id_for_two_status_entries_would_mix_them_up() -> None:
    statuses = victim()["credentialStatus"]
    swapped = [
        {**statuses[0], "statusPurpose": "suspension"},
        {**statuses[1], "statusPurpose": "revocation"},
    ]
    one, other = (
        unsigned(credentialStatus=[{**entry, "id": "urn:status"} for entry in entries])
        for entries in (statuses, swapped)
    )
    assert default_engine().quads(one) == default_engine().quads(other)
    report = judge(signed(one), evidence(), policy(), NOW)
    assert report.check("structure").code == "status-malformed"


@pytest.mark.parametrize("vocabulary", RESERVED_VOCABULARIES)
def test_an_inline_context_has_no_say_in_the_reserved_vocabularies(vocabulary: str) -> None:
    """Version 1.1 calls the end `expirationDate`, which version 2 does not know."""
    definition = {"expirationDate": f"{vocabulary}expirationDate"}
    for change in (
        with_context(definition, expirationDate=EXPIRED),
        {f"{vocabulary}expirationDate": EXPIRED},
        {"type": ["VerifiableCredential", f"{vocabulary}Expired"]},
    ):
        with pytest.raises(PatunayError) as e:
            signed(unsigned(**change))
        assert e.value.code == "jsonld-feature-unsupported"


def test_the_proof_cannot_hide_its_own_end() -> None:
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
        "expiration": EXPIRED,
    }
    definition = {"@id": f"{SECURITY}expiration", "@type": f"{XSD}dateTime"}
    context: list[Json] = [VC_V2, {"expiration": definition}]
    with pytest.raises(PatunayError) as e:
        default_engine().quads({"@context": context, **options})
    assert e.value.code == "jsonld-feature-unsupported"


def test_what_an_issuer_may_do() -> None:
    """Own terms inline, whole IRIs of its own, and another vocabulary's `…Value`."""
    context = {"x": X, "gpa": "x:gpa", "Degree": "x:Degree", "source": "x:sourceValue"}
    document = signed(
        unsigned(
            **with_context(context),
            type=["VerifiableCredential", "Degree", f"{X}other#Kind"],
            credentialSubject={
                "id": "did:example:learner",
                "gpa": 4,
                "source": "a",
                f"{X}rank": 1,
            },
        )
    )
    assert judge(document, evidence(), policy(), NOW).outcome is Outcome.VALID


@pytest.mark.parametrize(
    "definition",
    [
        {"gpa": f"{X}rank"},
        {"rank": f"{X}gpa#x"},
        {"g": f"{X}gpa"},
        {"gpaValue": f"{X}gpa"},
        {"gpa": f"{X}agpa"},
    ],
)
def test_an_inline_name_is_bound_to_its_iri(definition: dict[str, str]) -> None:
    name = next(iter(definition))
    change = with_context(definition, credentialSubject={"id": "urn:x", name: 1})
    with pytest.raises(PatunayError, match="want the word of a bundled context") as e:
        signed(unsigned(**change))
    assert e.value.code == "jsonld-feature-unsupported"


def test_a_swapped_context_is_refused_where_the_terms_are_not_protected() -> None:
    """As measured with PyLD: two held contexts that swap two labels, one signature."""
    contexts: dict[str, Json] = {
        **KNOWN,
        "urn:one": {"@protected": True, "gpa": f"{X}gpa", "rank": f"{X}rank"},
        "urn:two": {"gpa": f"{X}rank", "rank": f"{X}gpa"},
    }
    engine = Engine(contexts)
    document = unsigned(**with_context("urn:one"), **subject(gpa=4, rank=1))
    made = add_proof(
        document, SIGNER, verification_method=METHOD, created=NOW, engine=engine
    )
    (proof,) = parse_proofs(made)
    assert isinstance(proof, Proof)
    verify_proof(made, proof, SIGNER.public_key, engine=engine)
    swapped = {**made, **with_context("urn:one", "urn:two"), **subject(gpa=1, rank=4)}
    with pytest.raises(PatunayError) as e:
        verify_proof(swapped, proof, SIGNER.public_key, engine=engine)
    assert e.value.code == "context-redefinition"


def test_empty_and_null_members_are_as_good_as_absent() -> None:
    document = signed()
    for name, value in (("evidence", []), ("description", None), ("termsOfUse", [])):
        report = judge({**document, name: value}, evidence(), policy(), NOW)
        assert report.check("proof").result is Result.PASSED
    jcs = signed(suite="eddsa-jcs-2022")
    report = judge({**jcs, "evidence": []}, evidence(), policy(), NOW)
    assert report.check("proof").code == "signature-rejected"


def test_adding_a_bundled_context_gives_nothing_a_new_meaning() -> None:
    document = signed()
    for url in (OB_V3, DATA_INTEGRITY, EXAMPLES_V2):
        changed = {**document, "@context": [VC_V2, url]}
        assert judge(changed, evidence(), policy(), NOW).outcome is Outcome.VALID
