"""The checks and the sentence for each format of another system."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from credentials.case import Case
from credentials.checks import CHECKS
from credentials.foreign.blockcerts import BLOCKCERTS_CHECKS
from credentials.foreign.formats import Format, FormatNotSupported
from credentials.foreign.open_attestation import OPEN_ATTESTATION_CHECKS, OpenAttestation
from credentials.model import Credential
from credentials.quoting import quoted
from credentials.report import Check, Result
from primitives.errors import PatunayError


@dataclass(frozen=True, slots=True)
class ForeignSuite:
    """How a format is judged."""

    format: Format

    checks: Mapping[str, Callable[[Case], Check]]
    """By the same names as those of any credential, in their order."""

    def summarise(self, case: Case, checks: Mapping[str, Check]) -> str:
        """Say what the checks came to: never more than that the text is unchanged."""
        kind = self.format.value
        if not self.format.is_read:
            return f"Patunay does not read {kind}; that does not make it false."
        name, issuer = _claims(case)
        for check in (checks["structure"], checks["proof"]):
            if check.result is Result.FAILED:
                return f"{name} is not what was issued: {check.detail}."
            if check.result is Result.UNDETERMINED:
                return (
                    f"{name} could not be checked, which does not make it false: "
                    f"{check.detail}."
                )
        return (
            f"{name}, {kind}, is unchanged since it was hashed; that {issuer} issued it, "
            "and that it still holds, could not be checked here."
        )


def foreign_suite(kind: Format) -> ForeignSuite:
    """Return how documents of this kind are judged."""
    if kind is Format.BLOCKCERTS_3:
        return ForeignSuite(kind, BLOCKCERTS_CHECKS)
    if kind is Format.OPEN_ATTESTATION_2:
        return ForeignSuite(kind, OPEN_ATTESTATION_CHECKS)
    return ForeignSuite(kind, dict.fromkeys(CHECKS, partial(_refuse, kind)))


def _refuse(kind: Format, case: Case) -> Check:
    del case
    raise FormatNotSupported(f"{kind.value} is not read by this release")


def _claims(case: Case) -> tuple[str, str]:
    """Return the document's own words for itself and its issuer, quoted as claims."""
    if isinstance(case.credential, Credential):
        found = case.credential
        own_name, issuer = found.name or "", found.issuer_name or found.issuer
    else:
        own_name, issuer = _open_attestation_claims(case)
    name = quoted(own_name) if own_name else "This document"
    return name, f"{quoted(issuer)} (its own claim)" if issuer else "somebody"


def _open_attestation_claims(case: Case) -> tuple[str, str]:
    try:
        found = OpenAttestation.parse(case.document)
    except PatunayError:
        return "", ""
    return found.claim("name"), found.issuers[0].name if found.issuers else ""
