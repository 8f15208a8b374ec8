"""What the judge makes of a pack: whom it lists, for what, and whom it denies."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from anchoring.cosignature import WitnessKey, WitnessQuorum, cosign, with_cosignatures
from credentials.evidence import Evidence, Missing
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Check, Report
from credentials.trust_pack.belief import PackBelief, believe
from credentials.trust_pack.manifest import Federation, FederationMalformed
from credentials.trust_pack.parts import DenyList
from credentials.trust_pack.rules import Denial
from did.multikey import encode_multikey
from primitives.ed25519 import SoftwareSigner
from tests.support.credentials_support import (
    DAY,
    INDEX,
    ISSUER,
    NOW,
    REVOCATIONS,
    SIGNER,
    STRANGER,
    did_document,
    had,
    signed,
    status_list,
    unsigned,
)
from tests.support.trust_packs import (
    ANCHORED,
    HAD,
    contents,
    federation,
    issuer_part,
    pack,
    status_part,
)

KEY = encode_multikey(SIGNER.public_key)
ANCHOR_TIME = NOW - DAY
NO_POLICY = Policy()
RECEIPT = Evidence(receipt=had(ANCHORED.receipt))


def belief(**changes: Any) -> PackBelief:
    return believe(pack(contents(**changes)))


def report(
    found: PackBelief,
    document: Any = ANCHORED.document,
    *,
    known: Evidence = RECEIPT,
    mine: Policy = NO_POLICY,
    as_of: datetime = NOW,
) -> Report:
    return judge(document, found.evidence(known, document), found.policy(mine), as_of)


def check(name: str, said: Report) -> Check:
    return next(check for check in said.checks if check.name == name)


def test_a_pack_is_enough_to_judge_with() -> None:
    found = report(belief())
    assert [
        (c.name, c.result.value) for c in found.checks if c.result.value != "passed"
    ] == []
    listed = check("issuer-listed", found)
    assert listed.detail.startswith("listed as The Example School by trust pack 1 of ph (")
    assert listed.detail.endswith(") as of 2026-11-22T07:59:00Z")
    assert listed.required
    assert check("status", found).source.startswith("trust pack 1 of ph (")
    assert check("status", found).obtained_at == HAD
    assert found.outcome.value == "valid"


def test_without_the_pack_nothing_is_known() -> None:
    found = judge(ANCHORED.document, RECEIPT, Policy(), NOW)
    assert found.outcome.value == "undetermined"


def test_an_old_pack_says_so_in_the_verdict() -> None:
    now = NOW + 60 * DAY
    listed = check("issuer-listed", report(belief(), as_of=now))
    assert (listed.result.value, listed.code) == ("passed", "pack-stale")
    assert listed.detail.endswith(
        "; the trust pack is old, it was fresh until 2026-12-22T07:59:00Z"
    )


def test_an_issuer_that_no_list_names_is_not_determined() -> None:
    found = replace(belief(), names={})
    assert check("issuer-listed", report(found)).code == "issuer-not-listed"


def test_the_verifiers_own_list_comes_first() -> None:
    mine = Policy(issuers={ISSUER: "As I know it"}, contracts=frozenset({"eip155:1:0xab"}))
    policy = belief(contracts=("eip155:1:0xcd",)).policy(mine)
    assert policy.issuers[ISSUER] == "As I know it"
    assert policy.contracts == {"eip155:1:0xab"}
    assert belief(contracts=("eip155:1:0xcd",)).policy(Policy()).contracts == {
        "eip155:1:0xcd"
    }


def test_what_was_looked_up_comes_before_what_is_packed() -> None:
    newer = had(status_list(INDEX), "web")
    known = replace(RECEIPT, status_lists={REVOCATIONS: newer})
    assert check("status", report(belief(), known=known)).code == "revoked"
    lost = Missing("fetch-failed", "no answer")
    known = replace(RECEIPT, status_lists={REVOCATIONS: lost})
    assert check("status", report(belief(), known=known)).result.value == "passed"


def test_a_revocation_in_the_pack_is_final() -> None:
    found = believe(pack(contents(status_part(INDEX))))
    assert check("status", report(found, as_of=NOW + 90 * DAY)).code == "revoked"


def scoped(*scope: str) -> PackBelief:
    return believe(pack(contents(issuer_part(scope=scope))))


def award(kind: Any) -> Any:
    subject = {"id": "did:example:learner", "achievement": {"achievementType": kind}}
    return {"type": ["VerifiableCredential"], "credentialSubject": subject}


@pytest.mark.parametrize(
    ("scope", "kind", "code"),
    [
        ((), "Diploma", ""),
        (("Diploma",), "Diploma", ""),
        (("Certificate", "Diploma"), "Diploma", ""),
        (("Certificate",), "Diploma", "award-out-of-scope"),
        (("Certificate",), 7, "award-out-of-scope"),
        (("VerifiableCredential",), "Diploma", ""),
    ],
)
def test_an_issuer_is_listed_for_its_awards_alone(
    scope: tuple[str, ...], kind: object, code: str
) -> None:
    # Unsigned: only the one check is asked about here.
    listed = check("issuer-listed", report(scoped(*scope), unsigned(**award(kind))))
    assert listed.code == code
    assert listed.result.value == ("undetermined" if code else "passed")


def test_a_scope_speaks_of_the_packs_own_issuers_alone() -> None:
    other = unsigned(issuer="did:web:other.example")
    mine = Policy(issuers={"did:web:other.example": "Another"})
    listed = check("issuer-listed", report(scoped("Diploma"), other, mine=mine))
    assert (listed.result.value, listed.detail) == ("passed", "listed as Another")


def denied(
    what: str, since: datetime | None = None, *, receipt: bool = True
) -> tuple[str, str, str]:
    denial = Denial("closed by the ministry", since)
    deny = (
        DenyList(keys={KEY: denial})
        if what == "key"
        else DenyList(issuers={ISSUER: denial})
    )
    name = "issuer-key" if what == "key" else "issuer-listed"
    found = report(belief(deny=deny), known=RECEIPT if receipt else Evidence())
    line = check(name, found)
    return line.result.value, line.code, found.outcome.value


@pytest.mark.parametrize(
    ("what", "code"), [("key", "key-denied"), ("issuer", "issuer-withdrawn")]
)
def test_what_a_pack_denies_is_rejected(what: str, code: str) -> None:
    assert denied(what) == ("failed", code, "rejected")
    assert denied(what, ANCHOR_TIME) == ("failed", code, "rejected")


@pytest.mark.parametrize("what", ["key", "issuer"])
def test_what_was_anchored_before_a_denial_still_counts(what: str) -> None:
    since = ANCHOR_TIME + timedelta(seconds=1)
    assert denied(what, since)[:2] == ("passed", "")
    # The key has signed the status list too, and that is nowhere anchored.
    assert denied(what, since)[2] == ("valid" if what == "issuer" else "undetermined")
    # A holder without a receipt is no forger.
    lost = ("undetermined", "anchor-not-shown", "undetermined")
    assert denied(what, since, receipt=False) == lost


def test_another_key_is_not_denied() -> None:
    other = encode_multikey(STRANGER.public_key)
    deny = DenyList(keys={other: Denial("stolen")})
    assert report(belief(deny=deny)).outcome.value == "valid"


def test_a_denied_issuer_stays_denied_on_the_verifiers_own_list() -> None:
    deny = DenyList(issuers={ISSUER: Denial("closed")})
    mine = Policy(issuers={ISSUER: "As I know it"})
    assert check("issuer-listed", report(belief(deny=deny), mine=mine)).code == (
        "issuer-withdrawn"
    )


def test_a_key_that_is_newer_than_the_pack_is_not_called_a_forgery() -> None:
    late = signed(
        signer=STRANGER, method=f"{ISSUER}#key-2", created=NOW + DAY, document=None
    )
    later = NOW + 2 * DAY
    proof = check("proof", report(belief(), late, as_of=later))
    assert (proof.result.value, proof.code) == ("undetermined", "did-document-older")
    early = signed(signer=STRANGER, method=f"{ISSUER}#key-2", created=NOW - DAY)
    proof = check("proof", report(belief(), early, as_of=later))
    assert proof.result.value == "failed"


def test_an_anchor_of_the_pack_counts_for_that_event_alone() -> None:
    assert check("anchor", report(belief())).result.value == "passed"
    (anchor,) = ANCHORED.receipt.anchors
    moved = replace(anchor, timestamp=anchor.timestamp - DAY)
    receipt = replace(ANCHORED.receipt, anchors=(moved,))
    found = report(belief(), known=Evidence(receipt=had(receipt)))
    assert check("anchor", found).code == "anchor-not-shown"


def test_a_contract_that_the_federation_does_not_name_does_not_count() -> None:
    other = belief(
        contracts=("eip155:11155111:0x0000000000000000000000000000000000000001",)
    )
    assert check("anchor", report(other)).code == "contract-not-accepted"
    assert federation().contracts == ()


def test_an_anchor_of_the_pack_is_of_its_own_record_alone() -> None:
    """The same event, claimed for another record of the same log."""
    raw = ANCHORED.receipt.record
    receipt = replace(ANCHORED.receipt, record=raw.replace(b'"tiles":{}', b'"tiles": {}'))
    assert receipt.record != raw
    found = belief().evidence(Evidence(receipt=had(receipt)), ANCHORED.document)
    assert found.sightings == {}
    assert len(belief().evidence(RECEIPT, ANCHORED.document).sightings) == 1


def test_the_blocks_of_a_pack_are_attested() -> None:
    (anchor,) = ANCHORED.receipt.anchors
    blocks = belief().policy(Policy()).attested_blocks
    assert [*blocks] == [("eip155:11155111", anchor.block_hash)]
    assert belief().policy(Policy()).contracts == {anchor.contract}


def test_a_bundle_does_not_come_before_the_pack() -> None:
    """A holder brings a document with a key of his own, and an older list."""
    forged = had(did_document(STRANGER))
    brought = replace(RECEIPT, did_documents={ISSUER: forged})
    found = belief().before(brought, ANCHORED.document)
    (document,) = found.did_documents.values()
    assert not isinstance(document, Missing)
    assert document.source.startswith("trust pack 1 of ph (")
    revoked = believe(pack(contents(status_part(INDEX))))
    brought = replace(RECEIPT, status_lists={REVOCATIONS: had(status_list())})
    said = judge(
        ANCHORED.document,
        revoked.before(brought, ANCHORED.document),
        revoked.policy(NO_POLICY),
        NOW,
    )
    assert check("status", said).code == "revoked"


WITNESS = SoftwareSigner(bytes([7]) * 32)
WITNESS_KEY = WitnessKey("w.example", WITNESS.public_key)


def witnessed() -> Evidence:
    """Return a receipt that a witness has cosigned, and that no chain anchors."""
    proof = ANCHORED.receipt.tlog_proof
    text = proof.checkpoint.partition("\n\n")[0] + "\n"
    line = str(cosign(text, "w.example", WITNESS, NOW - DAY))
    note = with_cosignatures(proof.checkpoint, [line])
    receipt = replace(
        ANCHORED.receipt, tlog_proof=replace(proof, checkpoint=note), anchors=()
    )
    return Evidence(receipt=had(receipt))


def test_the_witnesses_of_the_federation_count() -> None:
    quorum = WitnessQuorum((WITNESS_KEY,), 1)
    found = report(belief(witnesses=quorum), known=witnessed())
    assert check("anchor", found).code == "checkpoint-witnessed"
    assert check("anchor", report(belief(), known=witnessed())).code == "no-witnesses"


def test_the_verifiers_own_witnesses_come_first() -> None:
    other = WitnessKey("v.example", SoftwareSigner(bytes([8]) * 32).public_key)
    mine = Policy(witnesses=WitnessQuorum((other,), 1))
    theirs = belief(witnesses=WitnessQuorum((WITNESS_KEY,), 1))
    found = report(theirs, known=witnessed(), mine=mine)
    assert check("anchor", found).code == "witnesses-too-few"


def test_a_federation_with_witnesses_is_written_in_one_spelling() -> None:
    other = WitnessKey("v.example", SoftwareSigner(bytes([8]) * 32).public_key)
    keys = sorted((WITNESS_KEY, other), key=str)
    made = federation(witnesses=WitnessQuorum(tuple(keys), 2))
    assert Federation.parse(made.to_bytes()) == made
    for old, new in (('"threshold":2}', '"threshold":3}'), ("w.example", "w example")):
        raw = made.to_bytes().replace(old.encode(), new.encode())
        assert raw != made.to_bytes()
        with pytest.raises(FederationMalformed):
            Federation.parse(raw)
