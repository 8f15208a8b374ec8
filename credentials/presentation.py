"""Presentations: credentials that a holder shows to one verifier, at one moment.

See <https://www.w3.org/TR/vc-data-model-2.0/#verifiable-presentations>. Signing, reading
and judging; pure functions of values. A presentation is judged apart from its credentials:
good credentials say nothing about who sends them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeAlias

from credentials.case import Case
from credentials.data_integrity import (
    AUTHENTICATION,
    DEFAULT_SUITE,
    PROOF_TYPE,
    make_proof,
)
from credentials.evidence import Evidence
from credentials.jsonld.loader import VC_V2
from credentials.judge import judge
from credentials.policy import Policy
from credentials.presentation_checks import (
    CHECKS_OF_PRESENTATION,
    NOT_REQUIRED,
    Hearing,
    document_digest,
    is_bound,
    presented_credentials,
    text_or_none,
)
from credentials.report import Check, Outcome, Report, Result, conclude
from did.identifier import DidUrl
from primitives.canonical_json import Json, JsonObject
from primitives.ed25519 import Signer
from primitives.errors import PatunayError, Undetermined
from primitives.instants import format_instant

EvidenceOf: TypeAlias = Callable[[JsonObject], Evidence] | Mapping[str, Evidence]
"""Gives what was looked up for a document; a mapping is by `document_digest`."""


@dataclass(frozen=True, slots=True)
class PresentedCredential:
    """One credential of a presentation, judged."""

    digest: str
    """`document_digest` of the credential."""

    id: str | None
    is_bound: bool
    """Whether one of its subjects is the holder, by id."""

    report: Report

    def to_json(self) -> JsonObject:
        """Return it as every interface shows it."""
        return {
            "id": self.id,
            "digest": self.digest,
            "holderBound": self.is_bound,
            "report": self.report.to_json(),
        }


@dataclass(frozen=True, slots=True)
class PresentationReport:
    """Every check of the presentation itself, and the report on each credential."""

    checks: tuple[Check, ...]
    holder: str | None
    """Who presents: the `holder` member, or else the DID of the one key that signed. A
    claim, unless the checks `proof` and `holder-key` passed."""

    credentials: tuple[PresentedCredential, ...]
    """By digest: no signature need cover the order in the presentation."""

    summary: str
    """One plain sentence, safe to show to anyone."""

    as_of: datetime
    """Aware."""

    def __bool__(self) -> NoReturn:
        """Refuse `if report:`; three outcomes do not fit in a boolean."""
        raise TypeError("use PresentationReport.outcome")

    @property
    def outcome(self) -> Outcome:
        """Failed beats undetermined beats passed; only required checks count."""
        return conclude(check for check in self.checks if check.required)

    def check(self, name: str) -> Check:
        """Return the check called `name`; KeyError if there is none."""
        return {check.name: check for check in self.checks}[name]

    def to_json(self) -> JsonObject:
        """Return the report as every interface shows it."""
        return {
            "version": 1,
            "outcome": self.outcome.value,
            "holder": self.holder,
            "summary": self.summary,
            "as_of": format_instant(self.as_of),
            "checks": [check.to_json() for check in self.checks],
            "credentials": [member.to_json() for member in self.credentials],
        }


def sign_presentation(
    credentials: Sequence[JsonObject],
    signer: Signer,
    *,
    verification_method: str,
    created: datetime,
    challenge: str | None,
    domain: str | None,
) -> JsonObject:
    """Return a presentation of `credentials` by the DID that `verification_method` is of.

    Args:
        credentials: Secured ones, at most `MAX_CREDENTIALS`; none only shows the key.
        signer: Holds the key that `verification_method` names.
        verification_method: DID URL; the DID document lets it authenticate.
        created: Aware; written in whole seconds, in UTC.
        challenge: From the verifier; without one anybody can send the presentation again.
        domain: The verifier that it is meant for.

    Raises:
        PresentationTooLarge: Too many credentials.
        UnsignedTerm: A term that no signature would cover.
        PatunayError: Whatever else safe mode refuses; see `Engine.quads`.
    """
    document: JsonObject = {
        "@context": [VC_V2],
        "type": ["VerifiablePresentation"],
        "holder": str(DidUrl.parse(verification_method).did),
        "verifiableCredential": [*credentials],
    }
    presented_credentials(document)
    options: dict[str, Json] = {
        "type": PROOF_TYPE,
        "cryptosuite": DEFAULT_SUITE,
        "created": format_instant(created),
        "verificationMethod": verification_method,
        "proofPurpose": AUTHENTICATION,
    }
    if challenge is not None:
        options["challenge"] = challenge
    if domain is not None:
        options["domain"] = domain
    return {**document, "proof": make_proof(document, signer, options)}


def judge_presentation(  # noqa: PLR0913 - each is another thing that a verifier knows
    document: JsonObject,
    evidence_of: EvidenceOf,
    policy: Policy,
    as_of: datetime,
    *,
    challenge: str | None,
    domain: str | None,
    clock: datetime | None = None,
) -> PresentationReport:
    """Return what can be said about a presentation and each of its credentials.

    Args:
        document: A JSON object, read by `primitives.strict_json`; the party under test.
        evidence_of: What was looked up about the presentation (its holder's DID document)
            and about each of `presented_credentials`.
        policy: What the verifier demands of the credentials, and whom it believes.
        as_of: Aware.
        challenge: That the verifier gave out for this one answer. None asks for none, and
            then the presentation may be an old one.
        domain: The verifier's own name, as the proof has to state it.
        clock: As for `judge`.

    Raises:
        PresentationTooLarge: There are over `MAX_CREDENTIALS`.
    """
    found = presented_credentials(document)
    hearing = Hearing(
        Case(
            document,
            _evidence(document, evidence_of),
            policy,
            as_of,
            AUTHENTICATION,
            clock=clock,
        ),
        challenge,
        domain,
        tuple(
            judge(each, _evidence(each, evidence_of), policy, as_of, clock=clock)
            for each in found
        ),
        found,
    )
    checks = tuple(_run(name, hearing) for name in CHECKS_OF_PRESENTATION)
    holders = hearing.holders()
    members = tuple(
        PresentedCredential(
            digest=document_digest(each),
            id=text_or_none(each.get("id")),
            is_bound=is_bound(each, holders),
            report=report,
        )
        for each, report in zip(found, hearing.reports, strict=True)
    )
    holder = min(holders) if len(holders) == 1 else None
    return PresentationReport(checks, holder, members, _summary(checks, members), as_of)


def _run(name: str, hearing: Hearing) -> Check:
    try:
        found = CHECKS_OF_PRESENTATION[name](hearing)
    except PatunayError as e:
        failed = not isinstance(e, Undetermined)
        result = Result.FAILED if failed else Result.UNDETERMINED
        found = Check(name, result, code=e.code, detail=str(e), hint=e.hint)
    return found._replace(required=name not in NOT_REQUIRED)


def _summary(checks: Sequence[Check], members: Sequence[PresentedCredential]) -> str:
    """Say it in one sentence that holds up when it is read alone."""
    required = [check for check in checks if check.required]
    outcome = conclude(required)
    if outcome is Outcome.VALID:
        unbound = sum(not member.is_bound for member in members)
        about = "" if not unbound else f"; {unbound} of them not about the holder"
        return f"A presentation of {len(members)} credentials, all valid{about}."
    wanted = Result.FAILED if outcome is Outcome.REJECTED else Result.UNDETERMINED
    reason = next(check.detail for check in required if check.result is wanted)
    if outcome is Outcome.REJECTED:
        return f"This presentation does not hold: {reason}."
    return (
        f"This presentation could not be checked, which does not make it false: {reason}."
    )


def _evidence(document: JsonObject, evidence_of: EvidenceOf) -> Evidence:
    if isinstance(evidence_of, Mapping):
        return evidence_of.get(document_digest(document), Evidence())
    return evidence_of(document)
