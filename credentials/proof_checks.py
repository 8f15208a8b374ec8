"""Is it a credential, signed as it stands, by its issuer, and in its period?

Pure functions of values, as `credentials.checks` says.
"""

from datetime import datetime

from credentials.case import (
    Case,
    document_of,
    key_state,
    method_of,
    passed,
    source_of,
)
from credentials.clock_check import has_passed, newest_known, require_plausible
from credentials.data_integrity import Proof, verify_proof, verify_recurring_proof
from credentials.evidence import EvidenceMissing, Missing, Origin
from credentials.proof_chain import ancestors
from credentials.report import Check
from did.document import VerificationMethodNotAuthorised
from did.identifier import DidUrl
from did.key_state import NO_EVENTS, KeyState
from primitives.errors import PatunayError, Rejected, Undetermined
from primitives.instants import format_instant

AS_LOGGED = "key-as-logged"
"""Remark: the DID document is of some day that the issuer's log has seen, from a bundle."""


_NO_HISTORY = Missing(
    "not-looked-up",
    "its key is withdrawn, and the issuer's key history, which says why, was not given",
    "ask for a new bundle, or allow look-ups",
)
_AS_LOGGED_WORDS = "as its log had it; a theft declared later is not known"


class NotYetValid(Rejected):
    """`validFrom` lies ahead."""

    code = "not-yet-valid"


class NotYetSigned(Rejected):
    """By its own date it was signed after the moment asked about."""

    code = "not-yet-signed"


class Expired(Rejected):
    """`validUntil` has passed."""

    code = "expired"


class ProofExpired(Rejected):
    """The proof's own `expires` has passed."""

    code = "proof-expired"


class ProofFromTheFuture(Rejected):
    """The proof's `created` lies ahead."""

    code = "proof-created-in-future"


class IssuerKeyMismatch(Rejected):
    """The proof was made with a key of somebody else than the issuer."""

    code = "issuer-key-mismatch"


def check_structure(case: Case) -> Check:
    """The document follows the VC Data Model."""
    credential = case.readable()
    detail = f"a credential of type {', '.join(credential.types)}"
    if credential.unknown_resources:
        detail += f"; relatedResource not compared: {credential.unknown_resources}"
    return passed("structure", detail)


def check_proof(case: Case) -> Check:
    """Every proof that can be read is a signature over this very document.

    1. There is a proof, and at least one can be read.
    2. None that can be read is wrong: a set with one false member is false.
    3. Each is the signature of the key that it names, over the document in safe mode.
    4. None is expired, or made in the future.
    5. A proof that builds on others counts only if those hold too.
    Whose key it is asks `check_issuer_key`.
    """
    unread: Undetermined | None = None
    held: list[Proof] = []
    for proof in case.proofs():
        try:
            held.append(_check_one_proof(proof, case))
        except Undetermined as e:
            unread = e
    ids = {proof.options.get("id") for proof in held}
    suites = [p.cryptosuite for p in held if ancestors(case.document, p.previous) <= ids]
    if not suites and unread is not None:
        raise unread
    remark = unread.code if unread is not None else ""
    return passed("proof", f"signature holds ({', '.join(suites)})", code=remark)


def check_issuer_key(case: Case) -> Check:
    """Each key that signed is one that the issuer's DID document lets assert.

    Or let assert, until it was declared compromised: `credentials.key_standing` has that
    rule. Takes the issuer from the credential and its keys from the DID document: never
    the other way round.
    """
    issuer = case.readable().issuer
    named: list[str] = []
    remarks: list[tuple[str, str]] = []
    for proof in case.proofs():
        if isinstance(proof, PatunayError):
            continue
        method = method_of(proof)
        if str(method.did) != issuer:
            raise IssuerKeyMismatch(f"found a key of {method.did}, want one of {issuer}")
        remarks.append(_check_issuer_method(method, issuer, case))
        named.append(str(method))
    if not named:
        raise EvidenceMissing(
            Missing("proof-unread", "no proof names a key that can be read")
        )
    code, words = max(remarks)
    detail = f"{named[0]} may sign for {issuer}" + (f"; {words}" if words else "")
    return passed("issuer-key", detail, source_of(issuer, case), code=code)


def check_dates(case: Case) -> Check:
    """The moment asked about lies in the credential's own period."""
    credential = case.readable()
    start, end = credential.valid_from, credential.valid_until
    if end is not None and has_passed(end, case):
        raise Expired(f"valid until {format_instant(end)}")
    require_plausible(case)
    latest = case.as_of + case.policy.clock_skew
    if start is not None and latest < start:
        raise NotYetValid(f"valid from {format_instant(start)} on")
    signed = _signed_at(case) if case.asked else None
    if signed is not None and latest < signed:
        raise NotYetSigned(f"signed {format_instant(signed)}, after the moment asked about")
    until = f"until {format_instant(end)}" if end is not None else "without end date"
    return passed("dates", f"in its period, {until}")


def _signed_at(case: Case) -> datetime | None:
    """Return when the first proof was made, by its own word; None if none says it."""
    try:
        proofs = case.proofs()
    except PatunayError:  # the check of the proof says what is wrong
        return None
    times = [
        proof.created
        for proof in proofs
        if isinstance(proof, Proof) and proof.created is not None
    ]
    return min(times, default=None)


def _check_one_proof(proof: Proof | PatunayError, case: Case) -> Proof:
    """Return the proof if it holds, or raise what is wrong with it."""
    if isinstance(proof, PatunayError):
        raise proof
    _check_proof_dates(proof, case)
    method = method_of(proof)
    key = document_of(str(method.did), case).methods.get(method)
    if key is None:
        _require_later_document(str(method.did), proof, case)
        raise IssuerKeyMismatch(f"{method.did} names no key {method}")
    if case.recurring is not None:
        verify_recurring_proof(case.recurring, proof, key.public_key())
    else:
        verify_proof(case.document, proof, key.public_key())
    return proof


def _require_later_document(did: str, proof: Proof, case: Case) -> None:
    """Return if the DID document was had after the proof says it was made.

    Raises:
        EvidenceMissing: An older one cannot tell a newer key from one that never was.
    """
    found = source_of(did, case)
    if found is None or proof.created is None or found.obtained_at >= proof.created:
        return
    when = format_instant(found.obtained_at)
    raise EvidenceMissing(
        Missing(
            "did-document-older",
            f"{proof.verification_method} is no key of {did} as of {when}",
            "get the issuer's DID document of a later day, or a newer trust pack",
        )
    )


def _check_proof_dates(proof: Proof, case: Case) -> None:
    if proof.expires is not None:
        if has_passed(proof.expires, case):
            raise ProofExpired(f"found expires {format_instant(proof.expires)}")
        require_plausible(case)
    latest = newest_known(case) or case.latest
    if proof.created is not None and proof.created > latest + case.policy.clock_skew:
        require_plausible(case)
        raise ProofFromTheFuture(
            f"by its own date it was signed {format_instant(proof.created)}, which lies"
            f" ahead of {format_instant(latest)}"
        )


def _check_issuer_method(method: DidUrl, issuer: str, case: Case) -> tuple[str, str]:
    """Return what is to be remarked about a key of the issuer, if it may sign."""
    document = document_of(issuer, case)
    state = key_state(issuer, str(method), case)
    try:
        document.method_for(str(method), "assertionMethod")
    except VerificationMethodNotAuthorised:
        history = case.evidence.histories.get(issuer)
        if history is None and document.log_service() is not None:
            history = _NO_HISTORY  # an issuer with a log has one
        if state.compromised_since is None and isinstance(history, Missing):
            # Only the history could tell a stolen key from one that never might.
            raise EvidenceMissing(history) from None
        if state.compromised_since is None:
            raise
    named = document.methods.get(method)
    if named is not None and case.policy.pack is not None:
        # Here and below: few keys are asked about, and the others load less.
        from credentials.denials import require_key_not_denied  # noqa: PLC0415

        require_key_not_denied(named.public_key(), issuer, case)
    code, words = _judge_replaced(state, issuer, case)
    if code:
        return code, words
    found, more = source_of(issuer, case), ""
    if case.asked and found is not None:  # a did:key is its key, at any time
        from credentials.key_then import key_then  # noqa: PLC0415

        code, more = key_then(str(method), issuer, found, case)
    if found is not None and found.origin is Origin.BUNDLE:
        code = AS_LOGGED
        more = "; ".join(part for part in (more, _AS_LOGGED_WORDS) if part)
    return code, "; ".join(part for part in (words, more) if part)


def _judge_replaced(state: KeyState, issuer: str, case: Case) -> tuple[str, str]:
    """Return what is to be remarked about a key that was replaced or stolen."""
    if state == NO_EVENTS:
        return "", ""
    from credentials.denials import key_question  # noqa: PLC0415
    from credentials.key_standing import judge_key  # noqa: PLC0415

    return judge_key(state, key_question(issuer, case))
