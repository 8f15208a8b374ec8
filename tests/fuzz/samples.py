"""Valid documents, and some honestly signed ones that are not in force, to start from."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from anchoring.memory import MemoryAnchor
from credentials.data_integrity import PROOF_TYPE, make_proof
from credentials.jsonld.loader import VC_V1
from credentials.presentation import sign_presentation
from credentials.proof_chain import signed_document
from credentials.status_list import build_entry
from node.issuance import issue_document
from node.node import Node
from primitives.canonical_json import Json, JsonObject
from primitives.errors import PatunayError
from tests.support.credentials_support import (
    DAY,
    INDEX,
    ISSUER,
    METHOD,
    NOW,
    REVOCATIONS,
    SIGNER,
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    SUSPENSIONS,
    did_document,
    signed,
    status_list,
    unsigned,
)
from tests.support.nodes import anchor, document_of, issue
from tests.support.standards import SHARED

TAKEN_BACK: Final = "https://school.example/status/taken-back"
SUITES: Final = ("eddsa-rdfc-2022", "eddsa-jcs-2022")
CHALLENGE: Final = "tell me again"
DOMAIN: Final = "ministry.example"

DOCUMENTS: Final[dict[str, JsonObject]] = {ISSUER: did_document()}
LISTS: Final[dict[str, JsonObject]] = {
    REVOCATIONS: status_list(),
    SUSPENSIONS: status_list(url=SUSPENSIONS, purpose="suspension"),
    TAKEN_BACK: status_list(INDEX, url=TAKEN_BACK),
}


@dataclass(frozen=True)
class Sample:
    """One document as it was signed, or one request."""

    name: str
    kind: str
    """`credential`, `presentation` or `request` (to issue)."""

    document: JsonObject
    is_valid: bool = True
    """Whether it verifies as it is."""


def _set_of_proofs() -> JsonObject:
    bare = unsigned()
    return {**bare, "proof": [signed(bare, suite=suite)["proof"] for suite in SUITES]}


def _chain() -> JsonObject:
    document = unsigned()
    made: list[Json] = []
    for name, previous in (("urn:uuid:a", ()), ("urn:uuid:b", ("urn:uuid:a",))):
        options: dict[str, Json] = {
            "id": name,
            "type": PROOF_TYPE,
            "cryptosuite": SUITES[0],
            "created": "2026-11-21T08:00:00Z",
            "verificationMethod": METHOD,
            "proofPurpose": "assertionMethod",
        }
        if previous:
            options["previousProof"] = [*previous]
        whole = signed_document({**document, "proof": made}, previous)
        made.append(make_proof(whole, SIGNER, options))
    return {**document, "proof": made}


def credentials() -> Iterator[Sample]:
    """Yield credentials of issuers with keys that are the same in every run."""
    both = [
        build_entry(REVOCATIONS, INDEX, "revocation"),
        build_entry(SUSPENSIONS, INDEX, "suspension"),
    ]
    for suite in SUITES:
        yield Sample(f"plain {suite}", "credential", signed(suite=suite))
        two = unsigned(credentialStatus=both)
        yield Sample(f"two lists {suite}", "credential", signed(two, suite=suite))
        own = unsigned(issuer=STRANGER_DID, credentialStatus=...)
        by_key = signed(own, suite=suite, signer=STRANGER, method=STRANGER_METHOD)
        yield Sample(f"did:key {suite}", "credential", by_key)
        lost = unsigned(credentialStatus=build_entry(TAKEN_BACK, INDEX, "revocation"))
        yield Sample(f"revoked {suite}", "credential", signed(lost, suite=suite), False)
    past = unsigned(validUntil="2026-10-01T00:00:00Z")
    yield Sample("expired", "credential", signed(past), False)
    yield Sample("set of proofs", "credential", _set_of_proofs())
    yield Sample("chain of proofs", "credential", _chain())
    yield Sample("status list", "credential", LISTS[REVOCATIONS])
    yield Sample("version 1.1", "credential", signed(_version_1()))


def _version_1() -> JsonObject:
    dates = {"validFrom": ..., "validUntil": ..., "name": ..., "credentialStatus": ...}
    contexts = [VC_V1, "https://w3id.org/security/data-integrity/v2"]
    subject = {"id": "did:example:learner"}
    document = unsigned(
        **{"@context": contexts}, **dates, issuer=ISSUER, credentialSubject=subject
    )
    return {**document, "issuanceDate": "2026-01-01T00:00:00Z"}


def examples() -> Iterator[Sample]:
    """Yield the domain's example credentials, signed here, where they are present."""
    for path in sorted((SHARED / "domain" / "examples").glob("*.json")):
        document = json.loads(path.read_bytes())
        if "credentialSubject" not in document:
            continue
        issuer = document["issuer"]
        named = {**issuer, "id": ISSUER} if isinstance(issuer, dict) else ISSUER
        left = ("proof", "credentialStatus", "validUntil")
        bare = {name: value for name, value in document.items() if name not in left}
        bare["validFrom"] = "2026-01-01T00:00:00Z"
        suite = SUITES[len(path.name) % 2]
        try:
            made = signed({**bare, "issuer": named}, suite=suite)
        except PatunayError:
            continue  # an example of what is not accepted
        yield Sample(f"{path.stem} {suite}", "credential", made)


async def of_node(node: Node) -> list[Sample]:
    """Return credentials that the node itself issues, in its log and anchored."""
    (uuid,) = (await issue(node, 1)).issued
    found = [Sample("own badge", "credential", await document_of(node, uuid))]
    for suite in SUITES:
        request: JsonObject = {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "credentialSubject": {"id": STRANGER_DID, "name": "Ana Peña"},
        }
        made = await issue_document(node, request, None, cryptosuite=suite)
        found.append(Sample(f"own {suite}", "credential", made))
    await anchor(node, MemoryAnchor())
    return found


def presentations(members: list[Sample]) -> Iterator[Sample]:
    """Yield presentations of some credentials, with and without what makes them fresh."""
    for count, (challenge, domain) in enumerate(((CHALLENGE, DOMAIN), (None, None)) * 2):
        made = sign_presentation(
            [each.document for each in members[count : 2 * count]],
            STRANGER,
            verification_method=STRANGER_METHOD,
            created=NOW - DAY / 24,
            challenge=challenge,
            domain=domain,
        )
        yield Sample(f"presentation of {count}", "presentation", made)


def requests(members: list[Sample]) -> Iterator[Sample]:
    """Yield requests to issue, most of which a mutation makes malformed."""
    for suite in SUITES:
        plain = unsigned(issuer=..., id=..., credentialStatus=...)
        body: dict[str, Any] = {"credential": plain, "options": {"cryptosuite": suite}}
        yield Sample(f"request {suite}", "request", body)
    badge = next(each for each in members if each.name == "own badge").document
    left = ("proof", "credentialStatus", "id")
    bare = {name: value for name, value in badge.items() if name not in left}
    yield Sample("request of a badge", "request", {"credential": bare})


def checked(sample: Sample, *, outcome: str) -> Sample:
    """Return the sample, once it came to what it has to come to."""
    if (outcome == "valid") is not sample.is_valid:
        raise AssertionError(f"{sample.name} is {outcome} as it is")
    return replace(sample)
