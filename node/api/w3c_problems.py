"""The names that W3C standards have for what a check of the report finds.

Other programs read `type` of a problem, so that member carries the standard's URL; our own
`code` stands beside it, and says more. Sections of the standards:
<https://www.w3.org/TR/vc-data-model-2.0/#problem-details>,
<https://www.w3.org/TR/vc-data-integrity/#processing-errors>,
<https://www.w3.org/TR/vc-bitstring-status-list/#processing-errors>,
<https://www.w3.org/TR/cid-1.0/#processing-errors>.
"""

from collections.abc import Mapping
from typing import Final

from credentials.model import StructureInvalid
from credentials.report import Check
from node.api.problems import problem

_VCDM: Final = "https://www.w3.org/TR/vc-data-model#"
_SECURITY: Final = "https://w3id.org/security#"
_STATUS: Final = "https://www.w3.org/ns/credentials/status-list#"

PARSING: Final = f"{_VCDM}PARSING_ERROR"
CRYPTOGRAPHIC: Final = f"{_VCDM}CRYPTOGRAPHIC_SECURITY_ERROR"
MALFORMED_VALUE: Final = f"{_VCDM}MALFORMED_VALUE_ERROR"
RANGE: Final = f"{_VCDM}RANGE_ERROR"
PROOF_VERIFICATION: Final = f"{_SECURITY}PROOF_VERIFICATION_ERROR"
PROOF_TRANSFORMATION: Final = f"{_SECURITY}PROOF_TRANSFORMATION_ERROR"
INVALID_DOMAIN: Final = f"{_SECURITY}INVALID_DOMAIN_ERROR"
INVALID_CHALLENGE: Final = f"{_SECURITY}INVALID_CHALLENGE_ERROR"
STATUS_RETRIEVAL: Final = f"{_STATUS}STATUS_RETRIEVAL_ERROR"
STATUS_VERIFICATION: Final = f"{_STATUS}STATUS_VERIFICATION_ERROR"
STATUS_LIST_LENGTH: Final = f"{_STATUS}STATUS_LIST_LENGTH_ERROR"
METHOD: Final = f"{_SECURITY}INVALID_VERIFICATION_METHOD"
METHOD_URL: Final = f"{_SECURITY}INVALID_VERIFICATION_METHOD_URL"
RELATIONSHIP: Final = f"{_SECURITY}INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"
DOCUMENT: Final = f"{_SECURITY}INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"
DOCUMENT_ID: Final = f"{_SECURITY}INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"

DEFAULT: Final = PROOF_VERIFICATION

_CODES: Final[Mapping[str, tuple[str, ...]]] = {
    PARSING: (
        "json-malformed",
        "json-too-large",
        "json-not-utf8",
        "json-duplicate-key",
        "json-too-deep",
        "json-too-many-nodes",
        "json-number-unsafe",
        "json-not-unicode",
        "json-not-object",
    ),
    MALFORMED_VALUE: (
        *StructureInvalid.CODES,
        "presentation-invalid",
        "presentation-too-large",
        "structure-invalid",
        "encoding-malformed",
        "instant-malformed",
    ),
    RANGE: ("expired", "not-yet-signed", "not-yet-valid", "status-index-out-of-range"),
    CRYPTOGRAPHIC: (
        "checkpoint-signature-invalid",
        "checkpoint-unsigned",
        "leaf-not-found",
        "receipt-mismatch",
        "root-mismatch",
    ),
    PROOF_VERIFICATION: (
        "key-not-prime-order",
        "proof-chain-broken",
        "proof-context-mismatch",
        "proof-created-in-future",
        "proof-expired",
        "proof-invalid",
        "proof-missing",
        "proof-purpose-mismatch",
        "proof-suite-unsupported",
        "proof-unread",
        "proof-value-malformed",
        "signature-rejected",
        # What follows has no name of its own in any of the standards.
        "anchor-not-shown",
        "anchor-unconfirmed",
        "anchored-later",
        "award-out-of-scope",
        "award-type-not-accepted",
        "block-not-attested",
        "checkpoint-malformed",
        "checkpoint-unknown-origin",
        "cid-malformed",
        "clock-implausible",
        "contract-not-accepted",
        "cosignature-invalid",
        "credential-enveloped",
        "did-document-older",
        "dns-not-asked",
        "document-hash-mismatch",
        "entry-malformed",
        "evidence-missing",
        "format-not-supported",
        "holder-not-bound",
        "issuer-not-listed",
        "issuer-profile-not-asked",
        "issuer-withdrawn",
        "key-denied",
        "log-key-compromised",
        "log-not-bound",
        "merkle-path-mismatch",
        "merkle-proof-malformed",
        "no-time-evidence",
        "no-witnesses",
        "not-looked-up",
        "not-yet-anchored",
        "open-attestation-malformed",
        "presented-credential-rejected",
        "presented-credential-undetermined",
        "proof-malformed",
        "receipt-malformed",
        "record-malformed",
        "revocation-not-asked",
        "store-not-asked",
        "tlog-proof-malformed",
        "transaction-not-asked",
        "witnesses-too-few",
    ),
    PROOF_TRANSFORMATION: (
        "canonicalization-limit",
        "context-forbidden",
        "context-malformed",
        "context-redefinition",
        "context-unknown",
        "jsonld-feature-unsupported",
        "jsonld-malformed",
        "not-canonicalizable",
        "unsigned-term",
    ),
    INVALID_CHALLENGE: ("presentation-challenge-mismatch",),
    INVALID_DOMAIN: ("presentation-domain-mismatch",),
    STATUS_RETRIEVAL: ("status-list-not-found",),
    STATUS_VERIFICATION: (
        "revoked",
        "revoked-when-unknown",
        "suspended",
        "suspension-then-unknown",
        "status-encoding-invalid",
        "status-entry-malformed",
        "status-issuer-mismatch",
        "status-list-id-mismatch",
        "status-list-proof-invalid",
        "status-list-stale",
        "status-list-too-long",
        "status-list-unusable",
        "status-stale",
        "status-undated",
        "status-purpose-mismatch",
        "status-type-unsupported",
    ),
    STATUS_LIST_LENGTH: ("status-list-too-short",),
    METHOD: (
        "did-key-conflict",
        "did-key-malformed",
        "did-vm-foreign",
        "holder-key-mismatch",
        "issuer-key-mismatch",
        "jwk-malformed",
        "key-compromised-unanchored",
        "key-malformed",
        "key-type-unsupported",
        "multikey-malformed",
        "verification-method-not-found",
    ),
    METHOD_URL: (
        "did-host-invalid",
        "did-idn-not-ascii",
        "did-ip-literal",
        "did-malformed",
        "did-method-unsupported",
        "did-path-invalid",
        "did-port-invalid",
        "did-too-long",
        "did-url-malformed",
    ),
    RELATIONSHIP: ("verification-method-not-authorised",),
    DOCUMENT: (
        "compromise-moved-later",
        "did-document-malformed",
        "did-document-unproven",
        "did-history-unproven",
        "did-history-broken",
        "did-history-malformed",
        "did-history-unusable",
        "did-not-found",
        "did-unreachable",
        "did-version-not-found",
        "did-vm-duplicate",
        "fetch-address-refused",
        "fetch-encoding-refused",
        "fetch-failed",
        "fetch-not-found",
        "fetch-redirect-refused",
        "fetch-timeout",
        "fetch-tls-failed",
        "fetch-too-large",
        "fetch-url-refused",
        "key-event-chain-broken",
        "key-event-malformed",
        "key-event-signer-refused",
        "node-file-damaged",
    ),
    DOCUMENT_ID: ("did-document-id-mismatch",),
}

TYPES: Final[Mapping[str, str]] = {
    code: kind for kind, codes in _CODES.items() for code in codes
}
"""The standard's URL by our code."""


def problem_type(code: str, check: str) -> str:
    """Return the `type` of a problem that the named check of the report found.

    What keeps a list from being fetched keeps a DID document too: the check tells which.
    """
    if check == "status" and code.startswith("fetch-"):
        return STATUS_RETRIEVAL
    return TYPES.get(code, DEFAULT)


def check_problem(check: Check) -> dict[str, str]:
    """Return a check that did not pass as a problem, in the standard's words and ours."""
    told = problem(check.code, check.detail, check.hint)
    return {**told, "type": problem_type(check.code, check.name)}
