"""One function for each question that is asked of a presentation, as `credentials.checks`.

A check returns its answer or raises. `credentials.presentation` makes a report of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from credentials.case import Case, document_of, method_of
from credentials.data_integrity import AUTHENTICATION, Proof
from credentials.evidence import EvidenceMissing, Missing
from credentials.jsonld.active_context import is_absolute_iri
from credentials.jsonld.loader import VC_V1, VC_V2
from credentials.kinds import types_of
from credentials.proof_chain import proof_entries
from credentials.proof_checks import check_proof
from credentials.report import Check, Outcome, Report, Result
from did.identifier import DidUrl
from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.errors import Malformed, PatunayError, Rejected, Undetermined
from primitives.hashing import sha256

MAX_CREDENTIALS: Final = 32
"""Credentials in one presentation: a record of study has some 20."""


ID_CONFLICT: Final = "credential-id-conflict"
"""Remark: two credentials have one id and differ, and each is signed."""


class PresentationTooLarge(Malformed):
    """Over `MAX_CREDENTIALS`."""

    code = "presentation-too-large"
    hint = "present fewer credentials at a time"


class PresentationInvalid(Rejected):
    """The document parses, and is no presentation of the data model."""

    code = "presentation-invalid"


class CredentialEnveloped(Undetermined):
    """A part is secured by an envelope, such as a JWT, which Patunay does not read."""

    code = "credential-enveloped"
    hint = "it is not thereby false; ask for the credential with a Data Integrity proof"


class HolderKeyMismatch(Rejected):
    """The presentation was signed with a key of somebody else than its holder."""

    code = "holder-key-mismatch"


class PresentationChallengeMismatch(Rejected):
    """The proof answers another challenge than the verifier's, or none."""

    code = "presentation-challenge-mismatch"
    hint = "it may be an old presentation sent again; ask for one with your challenge"


class PresentationDomainMismatch(Rejected):
    """The proof was made for another verifier than this one, or for nobody."""

    code = "presentation-domain-mismatch"
    hint = "it may have been meant for somebody else; ask for one with your domain"


class HolderNotBound(Undetermined):
    """A credential is not about whoever presents it, as far as its ids can tell."""

    code = "holder-not-bound"
    hint = "ask in another way whether the holder is the one that the credential is about"


class PresentedCredentialRejected(Rejected):
    """At least one of the credentials is false or not in force."""

    code = "presented-credential-rejected"


class PresentedCredentialUndetermined(Undetermined):
    """At least one of the credentials could not be checked, and none is rejected."""

    code = "presented-credential-undetermined"
    hint = "the credential's own report says what could not be checked"


def document_digest(document: JsonObject) -> str:
    """Return the SHA-256 (hex) of the document's JCS bytes."""
    return sha256(canonicalize(document)).hex()


def presented_credentials(document: JsonObject) -> tuple[JsonObject, ...]:
    """Return the credentials that can be judged, each once, by `document_digest`.

    Raises:
        PresentationTooLarge: There are over `MAX_CREDENTIALS`, readable or not.
    """
    entries = _members(document)
    if len(entries) > MAX_CREDENTIALS:
        raise PresentationTooLarge(
            f"found {len(entries)} credentials, want at most {MAX_CREDENTIALS}"
        )
    found = [e for e in entries if isinstance(e, dict) and not _is_enveloped(e)]
    by_digest = {document_digest(each): each for each in found}
    return tuple(by_digest[digest] for digest in sorted(by_digest))


@dataclass(frozen=True, slots=True)
class Hearing:
    """All that a check of the presentation may look at."""

    case: Case
    challenge: str | None
    domain: str | None
    reports: tuple[Report, ...]
    credentials: tuple[JsonObject, ...]

    def read_proofs(self) -> tuple[Proof, ...]:
        """Return the proofs that can be read, at least one."""
        found = tuple(p for p in self.case.proofs() if isinstance(p, Proof))
        if not found:
            raise EvidenceMissing(
                Missing("proof-unread", "no proof names a key that can be read")
            )
        return found

    def holders(self) -> frozenset[str]:
        """Return who claims to present: the holder named, or else the keys' own DIDs."""
        named = _named_holder(self.case.document)
        if named is not None:
            return frozenset({named})
        try:
            proofs = self.read_proofs()
            return frozenset(
                str(DidUrl.parse(proof.verification_method).did) for proof in proofs
            )
        except PatunayError:
            return frozenset()  # the checks of proof and key say why


def _check_structure(hearing: Hearing) -> Check:
    """The document is a presentation of the data model, version 2 or 1.1 (4.13)."""
    document = hearing.case.document
    contexts = document.get("@context")
    first = contexts[0] if isinstance(contexts, list) and contexts else contexts
    if first not in (VC_V2, VC_V1):
        raise PresentationInvalid(f"found first context {str(first)[:80]}, want {VC_V2}")
    types = types_of(document)
    if "EnvelopedVerifiablePresentation" in types:
        raise CredentialEnveloped("the presentation stands in an envelope")
    if "VerifiablePresentation" not in types:
        raise PresentationInvalid("want VerifiablePresentation among the types")
    for name in ("id", "holder"):
        value = _named_holder(document) if name == "holder" else document.get(name)
        if name in document and not (isinstance(value, str) and is_absolute_iri(value)):
            raise PresentationInvalid(f"{name} is not one absolute URL")
    entries = _members(document)
    if not all(isinstance(entry, dict | str) for entry in entries):
        raise PresentationInvalid("verifiableCredential holds what is no credential")
    if any(isinstance(entry, str) or _is_enveloped(entry) for entry in entries):
        raise CredentialEnveloped("at least one credential stands in an envelope")
    return _passed("structure", f"a presentation of {len(entries)} credentials")


def _check_holder_key(hearing: Hearing) -> Check:
    """Each key that signed is the holder's, whose DID document lets it authenticate."""
    holder = _named_holder(hearing.case.document)
    for proof in hearing.read_proofs():
        method = method_of(proof)
        did = str(method.did)
        if holder is not None and did != holder:
            raise HolderKeyMismatch(f"found a key of {did}, want one of {holder[:80]}")
        document_of(did, hearing.case).method_for(str(method), AUTHENTICATION)
    if holder is None:
        _refuse_own_credentials(hearing)
    return _passed("holder-key", f"signed by {', '.join(sorted(hearing.holders()))}")


def _refuse_own_credentials(hearing: Hearing) -> None:
    """Who presents its own words under no other proof has to be the `holder` (4.13.4)."""
    for credential in hearing.credentials:
        if proof_entries(credential):  # signed as anybody's, and judged so
            continue
        issuer = credential.get("issuer")
        name = text_or_none(issuer.get("id") if isinstance(issuer, dict) else issuer)
        if name in hearing.holders():
            raise PresentationInvalid("the presenter's own unsigned words, and no holder")


def _check_challenge(hearing: Hearing) -> Check:
    """Each proof signs the challenge that this verifier gave out."""
    if hearing.challenge is None:
        return _not_asked("challenge", "no challenge was given: it may be an old answer")
    for proof in hearing.read_proofs():
        found = proof.options.get("challenge")
        if found != hearing.challenge:
            raise PresentationChallengeMismatch(
                f"found challenge {str(found)[:80]!r}, want the one that was given"
            )
    return _passed("challenge", "answers the challenge that was given")


def _check_domain(hearing: Hearing) -> Check:
    """Each proof was made for this verifier, and for nobody else."""
    if hearing.domain is None:
        return _not_asked("domain", "no domain was given: it may be meant for others")
    for proof in hearing.read_proofs():
        found = proof.options.get("domain")
        if (found if isinstance(found, list) else [found]) != [hearing.domain]:
            raise PresentationDomainMismatch(
                f"found domain {str(found)[:80]!r}, want {hearing.domain[:80]!r}"
            )
    return _passed("domain", f"made for {hearing.domain[:80]}")


def _check_holder_binding(hearing: Hearing) -> Check:
    """Each credential is about the holder. Often it need not be: a parent may present."""
    total = len(hearing.credentials)
    if not total:
        return _not_asked("holder-binding", "there is no credential")
    bound = sum(is_bound(each, hearing.holders()) for each in hearing.credentials)
    if bound < total:
        raise HolderNotBound(f"found {bound} of {total} credentials about the holder")
    return _passed("holder-binding", "every credential is about the holder")


def _check_credentials(hearing: Hearing) -> Check:
    """Each credential is valid by the policy."""
    outcomes = [report.outcome for report in hearing.reports]
    if not outcomes:
        return _not_asked("credentials", "there is no credential that can be read")
    valid = f"found {outcomes.count(Outcome.VALID)} of {len(outcomes)} credentials valid"
    if Outcome.REJECTED in outcomes:
        raise PresentedCredentialRejected(valid)
    if Outcome.UNDETERMINED in outcomes:
        raise PresentedCredentialUndetermined(valid)
    ids = [text_or_none(each.get("id")) for each in hearing.credentials]
    if any(ids.count(name) > 1 for name in ids if name is not None):
        # Each is listed once, so these differ: keep them, one issuer signed both.
        words = f"{valid}; two with the same id differ"
        return _passed("credentials", words, code=ID_CONFLICT)
    return _passed("credentials", valid)


CHECKS_OF_PRESENTATION: Final[Mapping[str, Callable[[Hearing], Check]]] = {
    "structure": _check_structure,
    "proof": lambda hearing: check_proof(hearing.case),
    "holder-key": _check_holder_key,
    "challenge": _check_challenge,
    "domain": _check_domain,
    "holder-binding": _check_holder_binding,
    "credentials": _check_credentials,
}

PRESENTATION_CHECKS: Final = tuple(CHECKS_OF_PRESENTATION)
"""Every check of a presentation, in the order of the report."""

NOT_REQUIRED: Final = frozenset({"holder-binding"})


def _members(document: JsonObject) -> list[Json]:
    found = document.get("verifiableCredential")
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _is_enveloped(entry: Json) -> bool:
    return isinstance(entry, dict) and "EnvelopedVerifiableCredential" in types_of(entry)


def _named_holder(document: JsonObject) -> str | None:
    found = document.get("holder")
    return text_or_none(found.get("id") if isinstance(found, dict) else found)


def is_bound(credential: JsonObject, holders: frozenset[str]) -> bool:
    """Tell whether one of the credential's subjects is one of `holders`, by id."""
    subject = credential.get("credentialSubject")
    subjects = subject if isinstance(subject, list) else [subject]
    ids = {text_or_none(s.get("id")) for s in subjects if isinstance(s, dict)}
    return bool(ids & holders)


def text_or_none(value: Json) -> str | None:
    """Return `value` if it is a text."""
    return value if isinstance(value, str) else None


def _passed(name: str, detail: str, *, code: str = "") -> Check:
    return Check(name, Result.PASSED, code=code, detail=detail)


def _not_asked(name: str, detail: str) -> Check:
    return Check(name, Result.NOT_APPLICABLE, detail=detail)
