"""One function for each question that is asked of a credential. Pure functions of values.

A check returns its answer, or raises: `Undetermined` when it could not be made, any other
`PatunayError` when it was made and the credential did not hold. `credentials.judge` turns
both into a line of the report, and runs every check whatever the others found.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

from anchoring.backend import Sighting
from anchoring.entry import EntryKind, entry_of
from anchoring.merkle import RootMismatch
from anchoring.note import VerifierKey
from anchoring.receipt import Receipt, verify_receipt
from credentials.anchor_times import sight_anchor
from credentials.data_integrity import ASSERTION, Proof, parse_proofs, verify_proof
from credentials.evidence import Evidence, EvidenceMissing, Lookup, Missing, Obtained
from credentials.key_standing import KeyQuestion, judge_key, require_log_key
from credentials.model import Credential, parse_credential
from credentials.policy import Policy
from credentials.proof_chain import ancestors
from credentials.quoting import quoted
from credentials.report import Check, Result
from credentials.status_list import (
    CREDENTIAL_TYPE,
    MESSAGE,
    REVOCATION,
    Entry,
    StatusListUnusable,
    parse_entry,
    read_ttl,
    read_value,
)
from did.document import (
    DidDocument,
    VerificationMethodNotAuthorised,
    parse_did_document,
)
from did.history import parse_history
from did.identifier import DidUrl
from did.key import DidKey, did_key_document
from did.key_event import KeyState
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError, Rejected, Undetermined
from primitives.instants import format_instant

T = TypeVar("T")


class NotYetValid(Rejected):
    """`validFrom` lies ahead."""

    code = "not-yet-valid"


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


class Revoked(Rejected):
    """The issuer took the credential back, for ever."""

    code = "revoked"


class Suspended(Rejected):
    """The issuer suspended the credential, for now."""

    code = "suspended"


class StatusIssuerMismatch(StatusListUnusable):
    """The status list is of somebody else than the credential's issuer."""

    code = "status-issuer-mismatch"


class StatusListIdMismatch(StatusListUnusable):
    """The list that was found is not the list that was asked for."""

    code = "status-list-id-mismatch"


class StatusListProofInvalid(StatusListUnusable):
    """The list's own signature does not hold."""

    code = "status-list-proof-invalid"


class StatusListStale(StatusListUnusable):
    """The list is past its own `validUntil` or `ttl`, or not yet valid."""

    code = "status-list-stale"
    hint = "look the list up again, or ask the issuer whether it is still in force"


class DidHistoryUnusable(Undetermined):
    """What stands in the place of the issuer's key history is none, or a broken one."""

    code = "did-history-unusable"
    hint = "ask the issuer to repair its did-history.json"


class IssuerNotListed(Undetermined):
    """Nobody whom the verifier trusts has named this issuer."""

    code = "issuer-not-listed"
    hint = "compare the DID with one that you had from the provider itself"


class LogNotBound(Undetermined):
    """No log is known to be this issuer's."""

    code = "log-not-bound"
    hint = "name the issuer's log key in the trust list"


class LeafNotFound(Undetermined):
    """The receipt is of another document: a wallet may have added something to this one."""

    code = "leaf-not-found"
    hint = "ask for the credential exactly as it was issued"


@dataclass(frozen=True, slots=True)
class Case:
    """All that a check may look at."""

    document: JsonObject
    evidence: Evidence
    policy: Policy
    as_of: datetime
    """Aware."""

    purpose: str = ASSERTION
    """What its proofs have to have been made for."""

    credential: Credential | PatunayError = field(init=False)
    """The document typed, or the rule of the data model that it breaks."""

    _proofs: tuple[Proof | PatunayError, ...] | PatunayError = field(init=False)

    def __post_init__(self) -> None:
        """Read the document once, for all the checks."""
        try:
            read: Credential | PatunayError = parse_credential(self.document)
        except PatunayError as e:
            read = e
        object.__setattr__(self, "credential", read)
        try:
            found: tuple[Proof | PatunayError, ...] | PatunayError = parse_proofs(
                self.document, self.purpose
            )
        except PatunayError as e:
            found = e
        object.__setattr__(self, "_proofs", found)

    def readable(self) -> Credential:
        """Return the typed credential, or raise what `structure` reports."""
        if isinstance(self.credential, PatunayError):
            raise self.credential
        return self.credential

    def proofs(self) -> tuple[Proof | PatunayError, ...]:
        """Return each proof or what is wrong with it, as `parse_proofs`."""
        if isinstance(self._proofs, PatunayError):
            raise self._proofs
        return self._proofs


def check_structure(case: Case) -> Check:
    """The document follows the VC Data Model."""
    credential = case.readable()
    detail = f"a credential of type {', '.join(credential.types)}"
    if credential.unknown_resources:
        detail += f"; relatedResource not compared: {credential.unknown_resources}"
    return _passed("structure", detail)


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
    return _passed("proof", f"signature holds ({', '.join(suites)})", code=remark)


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
        method = DidUrl.parse(proof.verification_method)
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
    return _passed("issuer-key", detail, _source_of(issuer, case), code=code)


def check_dates(case: Case) -> Check:
    """The moment asked about lies in the credential's own period."""
    credential = case.readable()
    start, end = credential.valid_from, credential.valid_until
    if start is not None and case.as_of + case.policy.clock_skew < start:
        raise NotYetValid(f"valid from {format_instant(start)} on")
    if end is not None and end < case.as_of - case.policy.clock_skew:
        raise Expired(f"valid until {format_instant(end)}")
    until = f"until {format_instant(end)}" if end is not None else "without end date"
    return _passed("dates", f"in its period, {until}")


def check_status(case: Case) -> Check:
    """The issuer has not taken the credential back, as far as its lists say.

    Revoked beats suspended beats unknown, in whatever order the entries stand. Messages
    are repeated, and decide nothing.
    """
    credential = case.readable()
    if not credential.statuses:
        return Check(
            "status", Result.NOT_APPLICABLE, detail="the issuer keeps no status for it"
        )
    seen: list[tuple[str, Obtained[JsonObject]]] = []
    messages: list[str] = []
    problems: list[PatunayError] = []
    for status in credential.statuses:
        try:
            entry = parse_entry(status.members)
            found, value = _read_status(entry, credential.issuer, case)
        except PatunayError as e:
            problems.append(e)
            continue
        if entry.purpose == MESSAGE:
            messages.append(f"; message {value:#x} {quoted(entry.messages[value])}")
        elif value:
            kind = Revoked if entry.purpose == REVOCATION else Suspended
            problems.append(kind(f"{kind.code} by its issuer; list from {found.source}"))
        else:
            seen.append((entry.purpose, found))
    said = "".join(sorted(messages))
    if problems:
        worst = min(problems, key=_gravity)
        worst.args = (f"{worst}{said}",)
        raise worst
    return _in_force(seen, said)


def _in_force(seen: Sequence[tuple[str, Obtained[JsonObject]]], said: str) -> Check:
    """Say as of when, and not more than the lists that were read can tell."""
    if not seen:
        detail = f"the issuer keeps only messages for it{said}"
        return Check("status", Result.NOT_APPLICABLE, detail=detail)
    purposes = {purpose for purpose, _ in seen}
    oldest = min((found for _, found in seen), key=lambda found: found.obtained_at)
    words = "not revoked" if REVOCATION in purposes else "not suspended"
    words = "neither revoked nor suspended" if len(purposes) > 1 else words
    when = format_instant(oldest.obtained_at)
    return _passed("status", f"{words} as of {when}{said}", oldest)


def check_issuer_listed(case: Case) -> Check:
    """Somebody whom the verifier trusts names this DID."""
    issuer = case.readable().issuer
    name = case.policy.issuers.get(issuer)
    if name is None:
        raise IssuerNotListed(f"{issuer} is on no list that you gave")
    return _passed("issuer-listed", f"listed as {name}")


def check_anchor(case: Case) -> Check:
    """The credential existed no later than a block of a chain that the verifier believes.

    1. The receipt's checkpoint is signed by a log that is bound to the issuer.
    2. The leaf of this very document is in that checkpoint's tree.
    3. The record's digest is in an event of an accepted contract.
    4. The chain, asked by the verifier itself, shows that event.
    """
    credential = case.readable()
    receipt = _had(case.evidence.receipt)
    key = _log_key(credential.issuer, case)
    entry = entry_of(EntryKind.CREDENTIAL, case.document)
    try:
        checkpoint = verify_receipt(receipt.value, entry, key)  # 1, 2
    except RootMismatch as e:
        raise LeafNotFound(f"the receipt is not of this document: {e}") from e
    seen = _sighting(receipt.value, case)  # 3, 4
    stolen = _key_state(credential.issuer, str(key), case).compromised_since
    require_log_key(stolen, seen.value.receipt.timestamp)
    when = format_instant(seen.value.receipt.timestamp)
    return _passed(
        "anchor",
        f"in the log {checkpoint.origin} since {when} or before, "
        f"{seen.value.depth} blocks deep",
        seen,
    )


CHECKS: Final[Mapping[str, Callable[[Case], Check]]] = {
    "structure": check_structure,
    "proof": check_proof,
    "issuer-key": check_issuer_key,
    "dates": check_dates,
    "status": check_status,
    "issuer-listed": check_issuer_listed,
    "anchor": check_anchor,
}
"""Every check by its name, in the order of the report."""


def _passed(
    name: str, detail: str, found: Obtained[Any] | None = None, *, code: str = ""
) -> Check:
    return Check(
        name,
        Result.PASSED,
        code=code,
        detail=detail,
        source=found.source if found is not None else "",
        obtained_at=found.obtained_at if found is not None else None,
    )


def _had(lookup: Lookup[T]) -> Obtained[T]:
    if isinstance(lookup, Missing):
        raise EvidenceMissing(lookup)
    return lookup


def document_of(did: str, case: Case) -> DidDocument:
    """Return the DID document that the evidence has, or that a did:key implies."""
    if did.startswith("did:key:"):
        return _implied_document(did)
    return parse_did_document(_had(case.evidence.did_document(did)).value, did)


@lru_cache(maxsize=256)
def _implied_document(did: str) -> DidDocument:
    return parse_did_document(did_key_document(DidKey.parse(did)), did)


def _source_of(did: str, case: Case) -> Obtained[JsonObject] | None:
    found = case.evidence.did_documents.get(did)
    return found if isinstance(found, Obtained) else None


def _check_one_proof(proof: Proof | PatunayError, case: Case) -> Proof:
    """Return the proof if it holds, or raise what is wrong with it."""
    if isinstance(proof, PatunayError):
        raise proof
    _check_proof_dates(proof, case)
    method = DidUrl.parse(proof.verification_method)
    key = document_of(str(method.did), case).methods.get(method)
    if key is None:
        raise IssuerKeyMismatch(f"{method.did} names no key {method}")
    verify_proof(case.document, proof, key.public_key())
    return proof


def _check_proof_dates(proof: Proof, case: Case) -> None:
    skew = case.policy.clock_skew
    if proof.created is not None and proof.created > case.as_of + skew:
        raise ProofFromTheFuture(f"found created {format_instant(proof.created)}")
    if proof.expires is not None and proof.expires < case.as_of - skew:
        raise ProofExpired(f"found expires {format_instant(proof.expires)}")


def _read_status(entry: Entry, issuer: str, case: Case) -> tuple[Obtained[JsonObject], int]:
    """Return the list, which is the issuer's own and of today, and what it says."""
    found = _had(case.evidence.status_list(entry.list_url))
    _check_status_list(found.value, entry, issuer, case)
    value, ttl = read_value(found.value, entry), read_ttl(found.value)
    # What was revoked stays revoked, so that answer does not grow old.
    is_final = entry.purpose == REVOCATION and value != 0
    if ttl is not None and not is_final and case.as_of - found.obtained_at > ttl:
        when = format_instant(found.obtained_at)
        raise StatusListStale(f"had at {when}, good for {ttl.total_seconds():.0f} seconds")
    return found, value


def _gravity(problem: PatunayError) -> tuple[int, str]:
    """Sort the worst answer first; the code makes the order of the entries immaterial."""
    for rank, kind in enumerate((Revoked, Suspended, Undetermined)):
        if isinstance(problem, kind):
            return rank + (kind is Undetermined), problem.code
    return 2, problem.code


def _check_status_list(document: JsonObject, entry: Entry, issuer: str, case: Case) -> None:
    """Return if the list is the issuer's own and of today; raise otherwise.

    Whatever is wrong with a list leaves the question open: `StatusListUnusable`.
    """
    try:
        listed = parse_credential(document)
    except PatunayError as e:
        raise StatusListUnusable(f"the status list is no credential: {e}") from e
    if listed.id != entry.list_url:
        raise StatusListIdMismatch(
            f"found list {str(listed.id)[:80]}, want {entry.list_url}"
        )
    if CREDENTIAL_TYPE not in listed.types or listed.statuses:
        raise StatusListUnusable(
            "the status list is of another type, or has a status itself"
        )
    if listed.issuer != issuer:
        raise StatusIssuerMismatch(f"found a list of {listed.issuer}, want one of {issuer}")
    inner = Case(document, case.evidence, case.policy, case.as_of)
    try:
        check_proof(inner)
        check_issuer_key(inner)
    except Undetermined:
        raise
    except PatunayError as e:
        raise StatusListProofInvalid(f"the status list's proof does not hold: {e}") from e
    try:
        check_dates(inner)
    except Rejected as e:
        raise StatusListStale(f"the status list is {e}") from e


def _check_issuer_method(method: DidUrl, issuer: str, case: Case) -> tuple[str, str]:
    """Return what is to be remarked about a key of the issuer, if it may sign."""
    document = document_of(issuer, case)
    state = _key_state(issuer, str(method), case)
    try:
        document.method_for(str(method), "assertionMethod")
    except VerificationMethodNotAuthorised:
        history = case.evidence.histories.get(issuer)
        if state.compromised_since is None and isinstance(history, Missing):
            # Only the history could tell a stolen key from one that never might.
            raise EvidenceMissing(history) from None
        if state.compromised_since is None:
            raise
    if state == KeyState():
        return "", ""
    return judge_key(state, _key_question(issuer, case))


def _key_question(issuer: str, case: Case) -> KeyQuestion:
    log_key: VerifierKey | Undetermined
    stolen = None
    try:
        log_key = _log_key(issuer, case)
        stolen = _key_state(issuer, str(log_key), case).compromised_since
    except PatunayError as e:
        log_key = LogNotBound(str(e))
    entry = entry_of(EntryKind.CREDENTIAL, case.document)
    return KeyQuestion(entry, case.evidence, case.policy, log_key, stolen)


def _key_state(issuer: str, key: str, case: Case) -> KeyState:
    """Return what the issuer's history says of a key; nothing, where there is none."""
    found = case.evidence.histories.get(issuer)
    if not isinstance(found, Obtained) or found.value.get("events") == []:
        return KeyState()
    try:
        return parse_history(found.value, issuer).state(key)
    except PatunayError as e:
        raise DidHistoryUnusable(f"{e.code}: {e}") from e


def _log_key(issuer: str, case: Case) -> VerifierKey:
    """Return the log key that the policy, or else the DID document, binds to the issuer."""
    if issuer in case.policy.logs:
        return case.policy.logs[issuer]
    if issuer in case.evidence.did_documents:
        service = document_of(issuer, case).log_service()
        if service is not None:
            return VerifierKey.parse(service.vkey)
    raise LogNotBound(f"no log is known to be {issuer}'s")


def _sighting(receipt: Receipt, case: Case) -> Obtained[Sighting]:
    """Return the first anchor that the chain itself confirms."""
    reason: Undetermined | None = None
    for anchor in receipt.anchors:
        try:
            return sight_anchor(anchor, case.evidence, case.policy)
        except Undetermined as e:
            reason = e
    raise reason or EvidenceMissing(
        Missing("anchor-not-shown", "the receipt has no anchor")
    )
