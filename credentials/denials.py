"""Keys and issuers that a trust pack denies, and what was anchored before that."""

from anchoring.entry import EntryKind, entry_of
from anchoring.note import VerifierKey
from credentials.case import Case, LogNotBound, key_state, log_key
from credentials.key_standing import AnchorNotShown, KeyQuestion, receipt_time
from credentials.trust_pack.rules import Denial
from did.multikey import encode_multikey
from primitives.ed25519 import PublicKey
from primitives.errors import PatunayError, Rejected, Undetermined
from primitives.instants import format_instant


class KeyDenied(Rejected):
    """The key that signed is on the deny list of the trust pack."""

    code = "key-denied"
    hint = "ask the issuer to issue it again, with another key"


class IssuerWithdrawn(Rejected):
    """The issuer is on the deny list of the trust pack."""

    code = "issuer-withdrawn"
    hint = "ask the office that made the trust pack"


def key_question(issuer: str, case: Case) -> KeyQuestion:
    """Return what is known of when the document under test was anchored."""
    bound: VerifierKey | Undetermined
    stolen = None
    try:
        bound = log_key(issuer, case)
        stolen = key_state(issuer, str(bound), case).compromised_since
    except PatunayError as e:
        bound = LogNotBound(str(e))
    entry = entry_of(EntryKind.CREDENTIAL, case.document)
    return KeyQuestion(entry, case.evidence, case.policy, bound, stolen)


def require_key_not_denied(key: PublicKey, issuer: str, case: Case) -> None:
    """Return if the verifier's trust pack lets `key` count for this document.

    Raises:
        KeyDenied: It does not.
        AnchorNotShown: It would if it was anchored in time, and nothing shows that.
    """
    pack = case.policy.pack
    if pack is None or not pack.denied_keys:
        return
    denial = pack.denied_keys.get(encode_multikey(key))
    if denial is not None and not _is_before(denial, "key", issuer, case):
        raise KeyDenied(f"{pack.name} denies its key: {denial.reason}")


def require_issuer_not_denied(issuer: str, case: Case) -> None:
    """Return if the verifier's trust pack lets `issuer` count for this document.

    Raises:
        IssuerWithdrawn: It does not.
        AnchorNotShown: As `require_key_not_denied`.
    """
    pack = case.policy.pack
    denial = pack.denied_issuers.get(issuer) if pack is not None else None
    if pack is None or denial is None or _is_before(denial, "issuer", issuer, case):
        return
    raise IssuerWithdrawn(f"{pack.name} denies {issuer}: {denial.reason}")


def _is_before(denial: Denial, what: str, issuer: str, case: Case) -> bool:
    """Tell whether the document is shown to be anchored before the denial begins."""
    if denial.since is None:
        return False
    try:
        return receipt_time(key_question(issuer, case)) < denial.since
    except PatunayError as e:
        since = format_instant(denial.since)
        raise AnchorNotShown(f"the {what} is denied since {since}; {e}") from e
