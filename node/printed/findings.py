"""What each code of a check means, in a sentence for somebody who is no programmer.

Many codes have one sentence: which rule of JSON a file breaks helps nobody who reads paper.
The code itself and the exact words stand beside it, in small print.
"""

from collections.abc import Mapping
from typing import Final

from primitives.wording.words import phrase

_SENTENCES: Final[Mapping[str, tuple[str, ...]]] = {
    # How it is built
    phrase("It breaks a rule of the standard for credentials."): (
        *("context-missing", "datetime-malformed", "encoding-malformed", "id-malformed"),
        *("instant-malformed", "issuer-malformed", "period-invalid", "status-malformed"),
        *("structure-invalid", "subject-missing", "text-malformed", "type-missing"),
        *("typed-object-malformed", "related-resource-malformed", "presentation-invalid"),
        "presentation-too-large",
    ),
    phrase(
        "The file is not well formed, so that programs may read it in different ways."
    ): (
        *("json-duplicate-key", "json-malformed", "json-not-object", "json-not-unicode"),
        *("json-not-utf8", "json-number-unsafe", "json-too-deep", "json-too-large"),
        "json-too-many-nodes",
    ),
    phrase("It is written in a way that cannot be read safely."): (
        *("canonicalization-limit", "context-forbidden", "context-malformed"),
        *("context-redefinition", "jsonld-feature-unsupported", "jsonld-malformed"),
        "not-canonicalizable",
    ),
    phrase("It uses words that this program does not know the meaning of."): (
        "context-unknown",
    ),
    phrase("It has words that no signature covers: anybody may have added them."): (
        "unsigned-term",
    ),
    phrase("A file that it refers to is not the one that it was made with."): (
        "related-resource-mismatch",
    ),
    phrase("It is in a form that this program does not read. It may be good."): (
        *("credential-enveloped", "format-not-supported", "proof-suite-unsupported"),
        *("proof-unread", "key-type-unsupported", "did-method-unsupported"),
        "status-type-unsupported",
    ),
    # The signature
    phrase("The signature does not hold: the text was changed, or another key signed."): (
        *("proof-invalid", "signature-rejected"),
    ),
    phrase("The text is not the one that was made: something in it was changed."): (
        *("document-hash-mismatch", "merkle-path-mismatch"),
    ),
    phrase("The signature is not written as the standard asks."): (
        *("merkle-proof-malformed", "open-attestation-malformed", "proof-context-mismatch"),
        *("proof-malformed", "proof-value-malformed"),
    ),
    phrase("It has no signature."): ("proof-missing",),
    phrase("A signature that another one builds on is missing."): ("proof-chain-broken",),
    phrase("The signature is dated later than the day asked about."): (
        *("proof-created-in-future", "not-yet-signed"),
    ),
    phrase("The period of the signature itself has passed."): ("proof-expired",),
    phrase("The signature was made for another purpose."): ("proof-purpose-mismatch",),
    # The issuer's key
    phrase("The key belongs to somebody else than the document says."): (
        *("holder-key-mismatch", "issuer-key-mismatch"),
    ),
    phrase("The key was stolen, and nothing shows that it was signed before that."): (
        "key-compromised-unanchored",
    ),
    phrase("The key was stolen later. It is shown that this was signed before."): (
        "key-compromised-anchored-before",
    ),
    phrase("The office that made the trust pack has blocked this key."): ("key-denied",),
    phrase("The key cannot be used safely."): (
        *("jwk-malformed", "key-malformed", "key-not-prime-order", "multikey-malformed"),
    ),
    phrase("The issuer does not let this key sign credentials."): (
        *("verification-method-not-authorised", "verification-method-not-found"),
    ),
    phrase("The key is newer than what is known here of the issuer's keys."): (
        "did-document-older",
    ),
    phrase("Nobody whom the office trusts confirms the issuer's keys."): (
        *("did-document-unproven", "did-history-unproven", "log-not-bound"),
    ),
    phrase("What is known of the issuer's keys is damaged, or contradicts itself."): (
        *("compromise-moved-later", "did-document-id-mismatch", "did-document-malformed"),
        *("did-history-broken", "did-history-malformed", "did-history-unusable"),
        *("did-key-conflict", "did-vm-duplicate", "did-vm-foreign", "node-file-damaged"),
        *("key-event-chain-broken", "key-event-malformed", "key-event-signer-refused"),
    ),
    phrase("The issuer's identifier is not well formed."): (
        *("did-host-invalid", "did-idn-not-ascii", "did-ip-literal", "did-key-malformed"),
        *("did-malformed", "did-path-invalid", "did-port-invalid", "did-too-long"),
        "did-url-malformed",
    ),
    phrase("That the key was still the issuer's when it signed is only claimed."): (
        "time-only-claimed",
    ),
    phrase("Whether the key was stolen since, this file cannot show."): ("key-as-logged",),
    phrase("By the issuer's own history, the key came into use later."): (
        "key-listed-later",
    ),
    phrase("Whether the key was in use on the day asked about is not known."): (
        "key-then-unknown",
    ),
    # What could not be had
    phrase("It could not be looked up here."): (
        *("did-not-found", "did-unreachable", "did-version-not-found", "evidence-missing"),
        *("fetch-address-refused", "fetch-encoding-refused", "fetch-failed"),
        *("fetch-not-found", "fetch-redirect-refused", "fetch-timeout", "fetch-tls-failed"),
        *("fetch-too-large", "fetch-url-refused", "not-looked-up", "status-list-not-found"),
    ),
    phrase("This is never asked here. Ask the issuer, or the system that it comes from."): (
        *("dns-not-asked", "issuer-profile-not-asked", "revocation-not-asked"),
        *("store-not-asked", "transaction-not-asked"),
    ),
    phrase("The clock of this machine cannot be right."): ("clock-implausible",),
    # Its period and status
    phrase("Its period has passed."): ("expired",),
    phrase("Its period has not begun."): ("not-yet-valid",),
    phrase("The issuer has taken it back for good."): ("revoked",),
    phrase("It was in force on the day asked about, and was taken back later."): (
        "revoked-later",
    ),
    phrase("It is taken back by now. Whether it was so on that day is not known."): (
        "revoked-when-unknown",
    ),
    phrase("The issuer has suspended it. It may come into force again."): ("suspended",),
    phrase("Whether it was suspended on the day asked about is not known."): (
        "suspension-then-unknown",
    ),
    phrase("What is known of its status is too old to decide."): (
        *("status-list-stale", "status-stale"),
    ),
    phrase("What is known of its status is not new, but is still accepted."): (
        "status-aged",
    ),
    phrase("The issuer's list of what was taken back cannot be used."): (
        *("status-encoding-invalid", "status-entry-malformed", "status-index-out-of-range"),
        *("status-issuer-mismatch", "status-list-id-mismatch", "status-list-proof-invalid"),
        *("status-list-too-long", "status-list-too-short", "status-list-unusable"),
        *("status-purpose-mismatch", "status-undated"),
    ),
    # Who the issuer is
    phrase("Nobody whom the office trusts names this issuer. Anyone can use any name."): (
        "issuer-not-listed",
    ),
    phrase(
        "The office that made the trust pack does not recognise this issuer any more."
    ): ("issuer-withdrawn",),
    phrase("The issuer is recognised, but not for such an award."): (
        *("award-out-of-scope", "award-type-not-accepted"),
    ),
    phrase("The trust pack is past the day until which it is fresh."): ("pack-stale",),
    phrase("The issuer was listed only after the day asked about."): ("listed-later",),
    phrase("Whether the issuer was listed on the day asked about is not known."): (
        "listing-then-unknown",
    ),
    # Its age
    phrase("Nothing was given or found that shows since when it exists."): (
        *("anchor-not-shown", "not-yet-anchored"),
    ),
    phrase("It is shown to exist only since after the day asked about."): (
        "anchored-later",
    ),
    phrase("The evidence of its age is not accepted by the policy of the office."): (
        *("anchor-unconfirmed", "block-not-attested", "contract-not-accepted"),
        *("no-witnesses", "witnesses-too-few"),
    ),
    phrase("It stands on a network for trials, of which anybody can set the clock."): (
        "no-time-evidence",
    ),
    phrase("The evidence of its age does not belong to this document."): (
        *("leaf-not-found", "receipt-mismatch", "root-mismatch"),
    ),
    phrase("The evidence of its age is damaged or false."): (
        *("checkpoint-malformed", "checkpoint-signature-invalid", "checkpoint-unsigned"),
        *("checkpoint-unknown-origin", "cid-malformed", "cosignature-invalid"),
        *("entry-malformed", "receipt-malformed", "record-malformed"),
        "tlog-proof-malformed",
    ),
    phrase("The log that shows its age can no longer be believed: its key was stolen."): (
        "log-key-compromised",
    ),
    phrase("The office's own list confirms the record of the chain."): ("block-attested",),
    phrase("Independent witnesses confirm it, without a chain."): ("checkpoint-witnessed",),
    # Presentations
    phrase("The answer is to another question than the one that was asked."): (
        *("presentation-challenge-mismatch", "presentation-domain-mismatch"),
    ),
    phrase("The credential is not about whoever shows it, as far as it says."): (
        "holder-not-bound",
    ),
    phrase("At least one of the credentials is not in order."): (
        "presented-credential-rejected",
    ),
    phrase("At least one of the credentials could not be checked in full."): (
        "presented-credential-undetermined",
    ),
    phrase("Two of the credentials have one number, and differ."): (
        "credential-id-conflict",
    ),
}

FINDINGS: Final[Mapping[str, str]] = {
    code: sentence for sentence, codes in _SENTENCES.items() for code in codes
}
"""The sentence of each code."""

OTHER: Final = phrase("See the exact words beside this.")
"""For a code that a later release may give, so that a report is made all the same."""

PASSED: Final[Mapping[str, str]] = {
    "structure": phrase("It is built as the standard asks."),
    "proof": phrase("No word of it was changed since it was signed or sealed."),
    "issuer-key": phrase("The key that signed is the issuer's."),
    "dates": phrase("It is in its period."),
    "status": phrase("It was not taken back, as far as its issuer has said."),
    "issuer-listed": phrase("The office's list names this issuer."),
    "anchor": phrase("A public record shows since when it exists."),
    "holder-key": phrase("The key that signed is the holder's."),
    "challenge": phrase("It answers the question that was asked."),
    "domain": phrase("It was made for whoever asked."),
    "holder-binding": phrase("The credentials are about whoever shows them."),
    "credentials": phrase("All of the credentials are valid."),
}
"""What it means that a check passed without a remark."""

NOT_APPLICABLE: Final[Mapping[str, str]] = {
    "status": phrase("Its issuer keeps no list of what was taken back."),
    "challenge": phrase("Nothing was asked."),
    "domain": phrase("Nothing was asked."),
}

DOES_NOT_APPLY: Final = phrase("This does not apply to it.")

QUESTIONS: Final[Mapping[str, str]] = {
    "structure": phrase("Is it built as a credential?"),
    "proof": phrase("Is its text unchanged?"),
    "issuer-key": phrase("Is it signed with the issuer's key?"),
    "dates": phrase("Is it in its period?"),
    "status": phrase("Was it taken back?"),
    "issuer-listed": phrase("Does the office know the issuer?"),
    "anchor": phrase("Since when is it shown to exist?"),
    "holder-key": phrase("Is it signed with the holder's key?"),
    "challenge": phrase("Does it answer what was asked?"),
    "domain": phrase("Was it made for whoever asked?"),
    "holder-binding": phrase("Is it about whoever shows it?"),
    "credentials": phrase("Are all of the credentials valid?"),
}

EVIDENCE: Final[Mapping[str, str]] = {
    "credential": phrase("the document itself"),
    "did-document": phrase("the issuer's published keys"),
    "status-list": phrase("the issuer's list"),
    "list": phrase("the office's list"),
    "receipt": phrase("the receipt"),
}
"""What decided, by the slug in `Check.evidence`."""
