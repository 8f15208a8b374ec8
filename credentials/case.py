"""A credential with all that its checks may look at, and how they read it.

What the evidence does not have is raised as `EvidenceMissing`, never answered with "no".
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from credentials.data_integrity import ASSERTION, Proof, Recurring
from credentials.evidence import (
    Evidence,
    EvidenceMissing,
    Lookup,
    Missing,
    Obtained,
    Origin,
)
from credentials.model import Credential
from credentials.policy import Policy
from credentials.readings import (
    read_again,
    read_did_document,
    read_document,
    read_history,
    recurring_of,
)
from credentials.report import Check, Result
from did.document import DidDocument, parse_did_document
from did.identifier import DidUrl
from did.key import DidKey, did_key_document
from did.key_state import NO_EVENTS, KeyState
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError, Undetermined

if TYPE_CHECKING:  # a did:key without receipt needs none of them
    from anchoring.note import VerifierKey
    from did.history import DidHistory

T = TypeVar("T")


class DidHistoryUnusable(Undetermined):
    """What stands in the place of the issuer's key history is none, or a broken one."""

    code = "did-history-unusable"
    hint = "ask the issuer to repair its did-history.json"


class DidDocumentUnproven(Undetermined):
    """A bundle has a DID document that the issuer's log is not shown to have."""

    code = "did-document-unproven"
    hint = "ask for a new bundle, or verify the credential where it can be looked up"


class DidHistoryUnproven(Undetermined):
    """A bundle has a key history that the issuer's log is not shown to have."""

    code = "did-history-unproven"
    hint = "ask for a new bundle, or verify the credential where it can be looked up"


class LogNotBound(Undetermined):
    """No log is known to be this issuer's."""

    code = "log-not-bound"
    hint = "name the issuer's log key in the trust list"


@dataclass(frozen=True, slots=True)
class Case:
    """All that a check may look at."""

    document: JsonObject
    evidence: Evidence
    policy: Policy
    as_of: datetime
    """The moment asked about; aware."""

    purpose: str = ASSERTION
    """What its proofs have to have been made for."""

    recurring: Recurring | None = None
    """The document again, if it comes back with others."""

    clock: datetime | None = None
    """The verifier's own clock; None where it is what `as_of` says. Aware."""

    credential: Credential | PatunayError = field(init=False)
    """The document typed, or the rule of the data model that it breaks."""

    _proofs: tuple[Proof | PatunayError, ...] | PatunayError = field(init=False)

    _did_documents: dict[str, DidDocument] = field(init=False, default_factory=dict)
    """What `document_of` has read, so that no check reads it again."""

    def __post_init__(self) -> None:
        """Read the document once, for all the checks."""
        read = (
            read_document(self.document, self.purpose)
            if self.recurring is None
            else read_again(self.recurring, self.purpose)
        )
        object.__setattr__(self, "credential", read.credential)
        object.__setattr__(self, "_proofs", read.proofs)

    @property
    def asked(self) -> bool:
        """Whether the user has named the moment, instead of asking about now."""
        return self.clock is not None and self.clock != self.as_of

    @property
    def latest(self) -> datetime:
        """The later of the clock and the moment asked about."""
        return self.as_of if self.clock is None else max(self.clock, self.as_of)

    def on(
        self, evidence: Evidence, as_of: datetime, clock: datetime | None = None
    ) -> "Case":
        """Return the case of the same document, not read again.

        Args:
            evidence: In place of its own.
            as_of: The moment asked about; aware.
            clock: The verifier's own; None where it is what `as_of` says. Aware.
        """
        case = object.__new__(Case)
        for name in Case.__slots__:
            object.__setattr__(case, name, getattr(self, name))
        object.__setattr__(case, "evidence", evidence)
        object.__setattr__(case, "as_of", as_of)
        object.__setattr__(case, "clock", clock)
        object.__setattr__(case, "_did_documents", {})
        return case

    def about(self, found: Obtained[JsonObject], as_of: datetime) -> "Case":
        """Return the case of a document that this one leans on, on the same evidence.

        Args:
            found: A status list.
            as_of: When it has to hold.
        """
        case = Case(
            found.value,
            self.evidence,
            self.policy,
            as_of,
            recurring=recurring_of(found) or Recurring(found.value),
            clock=self.latest,
        )
        object.__setattr__(case, "_did_documents", self._did_documents)
        return case

    def did_document(self, did: str) -> DidDocument:
        """Return the DID document that the evidence has."""
        known = self._did_documents.get(did)
        if known is None:
            found = had(self.evidence.did_document(did))
            if found.origin is Origin.BUNDLE:
                _require_logged(found.value, did, self)
            known = self._did_documents[did] = read_did_document(found, did)
        return known

    def readable(self) -> Credential:
        """Return the typed credential, or raise what `structure` reports."""
        if isinstance(self.credential, PatunayError):
            raise self.credential
        return self.credential

    @property
    def readable_proofs(self) -> tuple[Proof | PatunayError, ...]:
        """As `proofs`; none where there are none that could be read."""
        return () if isinstance(self._proofs, PatunayError) else self._proofs

    def proofs(self) -> tuple[Proof | PatunayError, ...]:
        """Return each proof or what is wrong with it, as `parse_proofs`."""
        if isinstance(self._proofs, PatunayError):
            raise self._proofs
        return self._proofs


def document_of(did: str, case: Case) -> DidDocument:
    """Return the DID document that the evidence has, or that a did:key implies."""
    if did.startswith("did:key:"):
        return _implied_document(did)
    return case.did_document(did)


def _require_logged(document: JsonObject, did: str, case: Case) -> None:
    """Return if a log that the verifier binds to `did` has `document` as an entry.

    Raises:
        LogNotBound: The verifier knows no log of it.
        DidDocumentUnproven: That log is not shown to have it.
    """
    key, proof = case.policy.logs.get(did), case.evidence.did_proofs.get(did)
    if key is None:
        raise LogNotBound(f"no log is known to be {did}'s, so its keys are anybody's claim")
    if proof is None:
        raise DidDocumentUnproven(f"nothing shows that the document is {did}'s")
    # Asked of bundles alone, here and below.
    from anchoring.entry import EntryKind, entry_of  # noqa: PLC0415
    from anchoring.tlog_proof import verify_tlog_proof  # noqa: PLC0415

    try:
        verify_tlog_proof(proof, entry_of(EntryKind.DID_DOCUMENT, document), key)
    except PatunayError as e:
        raise DidDocumentUnproven(f"{e.code}: {e}") from e


def method_of(proof: Proof) -> DidUrl:
    """Return the name of the key that a proof says it was made with.

    A did:web that is none is false, whatever could be looked up, and not out of reach.

    Raises:
        Malformed: It is none; of a did:web, with what is wrong about its host or path.
    """
    did = proof.verification_method.partition("#")[0]
    if did.startswith("did:web:"):
        from did.web import parse_did_web  # noqa: PLC0415 - a did:key is none

        parse_did_web(did)
    return DidUrl.parse(proof.verification_method)


@lru_cache(maxsize=256)
def _implied_document(did: str) -> DidDocument:
    return parse_did_document(did_key_document(DidKey.parse(did)), did)


def source_of(did: str, case: Case) -> Obtained[JsonObject] | None:
    """Return the DID document as it was looked up, if it was."""
    found = case.evidence.did_documents.get(did)
    return found if isinstance(found, Obtained) else None


def key_state(issuer: str, key: str, case: Case) -> KeyState:
    """Return what the issuer's history says of a key; nothing, where there is none.

    Raises:
        DidHistoryUnusable, DidHistoryUnproven: See the classes.
    """
    found = case.evidence.histories.get(issuer)
    if not isinstance(found, Obtained) or found.value.get("events") == []:
        return NO_EVENTS
    return history_of(found, issuer, case).state(key)


def history_of(found: Obtained[JsonObject], issuer: str, case: Case) -> "DidHistory":
    """Return the history that was had, its chain and its events' signatures verified.

    Raises:
        DidHistoryUnusable, DidHistoryUnproven: See the classes.
    """
    try:
        history = read_history(found, issuer)
    except PatunayError as e:
        raise DidHistoryUnusable(f"{e.code}: {e}") from e
    if found.origin is Origin.BUNDLE:
        _require_history_logged(history, case)
    return history


def _require_history_logged(history: "DidHistory", case: Case) -> None:
    """Return if the issuer's log has every document and event of a history.

    Whoever made a bundle could write any history: one with a later date of a theft too.
    """
    from anchoring.entry import EntryKind, entry_of  # noqa: PLC0415
    from anchoring.tlog_proof import verify_tlog_proof  # noqa: PLC0415

    did = history.did
    key, proofs = case.policy.logs.get(did), case.evidence.history_proofs.get(did, ())
    if key is None:
        raise LogNotBound(f"no log is known to be {did}'s, so its history is a claim")
    entries = [
        *(entry_of(EntryKind.DID_DOCUMENT, one.document) for one in history.versions),
        *(entry_of(EntryKind.KEY_EVENT, one.document) for one in history.events),
    ]
    if len(proofs) != len(entries):
        raise DidHistoryUnproven(
            f"found {len(proofs)} proofs that the log has {did}'s key history, want"
            f" {len(entries)}"
        )
    for entry, proof in zip(entries, proofs, strict=True):
        if proof is None:
            raise DidHistoryUnproven(f"nothing shows that all of the history is {did}'s")
        try:
            verify_tlog_proof(proof, entry, key)
        except PatunayError as e:
            raise DidHistoryUnproven(f"{e.code}: {e}") from e


def log_key(issuer: str, case: Case) -> "VerifierKey":
    """Return the log key that the policy, or else the DID document, binds to the issuer.

    Raises:
        LogNotBound: Neither does.
    """
    if issuer in case.policy.logs:
        return case.policy.logs[issuer]
    if issuer in case.evidence.did_documents:
        service = document_of(issuer, case).log_service()
        if service is not None:
            from anchoring.note import VerifierKey  # noqa: PLC0415 - few name a log

            return VerifierKey.parse(service.vkey)
    raise LogNotBound(f"no log is known to be {issuer}'s")


def had(lookup: Lookup[T]) -> Obtained[T]:
    """Return what was had.

    Raises:
        EvidenceMissing: It was not; with the code of the reason.
    """
    if isinstance(lookup, Missing):
        raise EvidenceMissing(lookup)
    return lookup


def refused(name: str, reason: PatunayError, found: Obtained[Any], *, final: bool) -> Check:
    """Return the line of a check that failed, with the evidence that decided.

    Args:
        name: The check's.
        reason: With its code, in words.
        found: Where and when it was had.
        final: Whether nothing that is learnt later can change it.
    """
    return Check(
        name,
        Result.FAILED,
        code=reason.code,
        detail=str(reason),
        hint=reason.hint,
        source=found.source,
        obtained_at=found.obtained_at,
        as_of=found.obtained_at,
        final=final,
    )


def passed(
    name: str, detail: str, found: Obtained[Any] | None = None, *, code: str = ""
) -> Check:
    """Return the line of a check that passed.

    Args:
        name: The check's.
        detail: A sentence for people, without its full stop.
        found: The evidence that decided, if it was looked up.
        code: A remark; empty if there is none.
    """
    return Check(
        name,
        Result.PASSED,
        code=code,
        detail=detail,
        source=found.source if found is not None else "",
        obtained_at=found.obtained_at if found is not None else None,
    )
