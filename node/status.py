"""Revoking, suspending and reinstating: one transaction each, then the list's file.

    stored      the event, the new list made from all events, and its place in the queue
    published   the list's file

A crash between the two is settled by the next start, which writes every file anew.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.model import parse_credential
from credentials.status_list import REVOCATION, SUSPENSION, Entry, parse_entry, twin
from node.audit_log import record, refusals_recorded
from node.failpoints import failpoint
from node.logbook import CredentialUnknown
from node.node import Node
from node.permissions import Action
from node.signing import sign_drafts
from node.status_lists import log_list, publish_lists, sign_list
from node.storage import ledger, statuses
from node.storage.ledger import StoredCredential
from node.storage.registry import require_issuer
from node.storage.restorations import inherited
from node.storage.statuses import REINSTATE, REVOKE, SUSPEND, StatusEvent, StoredList
from node.webhooks import Event, Happened, tell
from primitives.errors import Malformed, PatunayError, Rejected
from primitives.strict_json import parse_json_object

MAX_REASON_CHARACTERS: Final = 500

_PURPOSE_OF: Final = {REVOKE: REVOCATION, SUSPEND: SUSPENSION, REINSTATE: SUSPENSION}

_ACTIONS: Final = {
    REVOKE: Action.CREDENTIAL_REVOKE,
    SUSPEND: Action.CREDENTIAL_SUSPEND,
    REINSTATE: Action.CREDENTIAL_REINSTATE,
}

_URN: Final = "urn:uuid:"


class ReasonMalformed(Malformed):
    """The reason is empty, too long, or holds characters that cannot be seen."""

    code = "reason-malformed"
    hint = f"give one line of text, of at most {MAX_REASON_CHARACTERS} characters"


class AlreadyRevoked(Rejected):
    """The credential is revoked, which is for ever."""

    code = "already-revoked"
    hint = "`patunay credential show ID` says when and why; a new credential may be issued"


class AlreadySuspended(Rejected):
    """The credential is suspended."""

    code = "already-suspended"
    hint = "`patunay credential show ID` says when and why"


class NotSuspended(Rejected):
    """There is no suspension to lift."""

    code = "not-suspended"
    hint = "`patunay credential show ID` says what was done to it"


class NotSuspendable(Rejected):
    """The credential was issued without an entry in a suspension list."""

    code = "not-suspendable"
    hint = 'an Open Badge has one entry; let the template say "statusPurpose": "suspension"'


class NotRevocable(Rejected):
    """The credential was issued without an entry in a revocation list."""

    code = "not-revocable"
    hint = "its template chose suspension, so suspend it"


class StatusListUnknown(Malformed):
    """This node has no such status list."""

    code = "status-list-unknown"
    hint = "`patunay status show` names the lists"


@dataclass(frozen=True, slots=True)
class CredentialState:
    """A credential of this node, and what was done to it."""

    stored: StoredCredential
    entries: tuple[Entry, ...]
    """Its own places in the lists, as verifiers read them; none while it is a draft."""

    events: tuple[StatusEvent, ...]
    """Oldest first."""

    @property
    def state(self) -> str:
        """`issued`, `suspended` or `revoked`; dates are another question."""
        actions = [event.action for event in self.events]
        if REVOKE in actions:
            return "revoked"
        return "suspended" if actions[-1:] == [SUSPEND] else "issued"


async def find_state(c: AsyncConnection, name: str) -> CredentialState:
    """Return the credential with that `id`, or that UUID.

    Raises:
        CredentialUnknown: This node has not issued it.
    """
    stored = await ledger.find_credential_by_id(c, name)
    if stored is None:
        stored = await ledger.find_credential(c, name.removeprefix(_URN).lower())
    if stored is None:
        raise CredentialUnknown(
            f"found no credential {name[:120]!r}",
            hint="give its `id`, and ask the node that issued it",
        )
    entries: tuple[Entry, ...] = ()
    if stored.document is not None:
        credential = parse_credential(parse_json_object(stored.document.encode()))
        entries = tuple(parse_entry(status.members) for status in credential.statuses)
    return CredentialState(stored, entries, tuple(await statuses.events_of(c, stored.uuid)))


async def revoke(node: Node, name: str, reason: str) -> StatusEvent:
    """Take a credential back for ever.

    Raises:
        AlreadyRevoked: It was; nothing changes.
        NotRevocable: It has no entry in a revocation list.
        CredentialUnknown: This node has not issued it.
        ReasonMalformed: The reason cannot be kept.
        NodeSealed: The keys are not unlocked.
    """
    return await _change(node, name, REVOKE, reason)


async def suspend(node: Node, name: str, reason: str) -> StatusEvent:
    """Take a credential out of force until it is reinstated.

    Raises:
        AlreadyRevoked: It is revoked.
        AlreadySuspended: It is; nothing changes.
        NotSuspendable: It has no entry in a suspension list.
        CredentialUnknown: This node has not issued it.
        ReasonMalformed: The reason cannot be kept.
        NodeSealed: The keys are not unlocked.
    """
    return await _change(node, name, SUSPEND, reason)


async def reinstate(node: Node, name: str, reason: str) -> StatusEvent:
    """End a suspension.

    Raises:
        AlreadyRevoked: It is revoked.
        NotSuspended: It is not suspended.
        CredentialUnknown: This node has not issued it.
        ReasonMalformed: The reason cannot be kept.
        NodeSealed: The keys are not unlocked.
    """
    return await _change(node, name, REINSTATE, reason)


async def require_list(c: AsyncConnection, url: str) -> StoredList:
    """Return the status list at `url`.

    Raises:
        StatusListUnknown: There is none.
    """
    found = await statuses.find_list(c, url)
    if found is None:
        raise StatusListUnknown(f"found no status list {url[:120]!r}")
    return found


async def marked_bits(c: AsyncConnection, stored: StoredList) -> set[int]:
    """Return the bits that a list has to have, by its events: each place and its twin.

    A twin that is another credential's own place, given out before twins were kept free,
    is left alone.
    """
    marked = await statuses.marked_indexes(c, stored.url) | await inherited(c, stored.url)
    used = await statuses.used_indexes(c, stored.issuer, stored.name, stored.sequence)
    return marked | ({twin(index) for index in marked} - used)


async def _change(node: Node, name: str, action: str, reason: str) -> StatusEvent:
    await ensure_signed(node, name)
    async with refusals_recorded(node, _ACTIONS[action]), node.writing() as c:
        event = await change_within(node, c, name, action, reason)
    failpoint("status-stored")
    await publish_lists(node, [event.status_list])
    return event


async def ensure_signed(node: Node, name: str) -> None:
    """Sign what waits for its signature, if the named credential does.

    Raises:
        CredentialUnknown: This node has not issued it.
        NodeSealed: The keys are not unlocked.
    """
    node.keys()  # sealed is found out before anybody waits
    async with node.reading() as c:
        is_draft = (await find_state(c, name)).stored.document is None
    if is_draft:
        await sign_drafts(node)


async def change_within(
    node: Node, c: AsyncConnection, name: str, action: str, reason: str
) -> StatusEvent:
    """Do what `revoke`, `suspend` or `reinstate` does, in the caller's write transaction.

    Afterwards the caller publishes the event's list.

    Raises:
        PatunayError: As those. The transaction MUST end there.
    """
    reason = _kept(reason)
    state = await find_state(c, name)
    entry = _require_change(state, action)
    before = await require_list(c, entry.list_url)
    event = StatusEvent(
        credential=state.stored.uuid,
        purpose=entry.purpose,
        action=action,
        reason=reason,
        at=node.now(),
        status_list=before.url,
        status_index=entry.index,
        list_version=before.version + 1,
    )
    await statuses.save_event(c, event)
    issuer = await require_issuer(c, before.issuer)
    bits = await marked_bits(c, before)
    body = sign_list(node, issuer, before.url, before.purpose, bits)
    await statuses.replace_document(c, before.url, body.decode(), event.list_version)
    await log_list(node, c, before.url, body)
    await tell(node, c, [_happened(event)])
    what = f"credential:{state.stored.uuid}"
    await record(c, node, _ACTIONS[action], what, issuer=state.stored.issuer)
    return event


def _happened(event: StatusEvent) -> Happened:
    """Return what webhooks are told: never the reason."""
    kinds = {
        REVOKE: Event.REVOKED,
        SUSPEND: Event.SUSPENDED,
        REINSTATE: Event.REINSTATED,
    }
    return Happened(
        kinds[event.action],
        f"{event.status_list} {event.list_version}",
        {
            "uuid": event.credential,
            "statusList": event.status_list,
            "listVersion": event.list_version,
        },
    )


def _require_change(state: CredentialState, action: str) -> Entry:
    """Return the entry that `action` is about, if it may be done now."""
    what = f"credential {state.stored.uuid}"
    purpose = _PURPOSE_OF[action]
    entry = next((entry for entry in state.entries if entry.purpose == purpose), None)
    refusal: PatunayError | None = None
    if state.state == "revoked":
        refusal = AlreadyRevoked(f"{what} was revoked at {state.events[-1].at}")
    elif action == REINSTATE and state.state != "suspended":
        refusal = NotSuspended(f"{what} is not suspended")
    elif action == SUSPEND and state.state == "suspended":
        refusal = AlreadySuspended(f"{what} was suspended at {state.events[-1].at}")
    if refusal is not None:
        raise refusal
    if entry is None:
        kind = NotRevocable if action == REVOKE else NotSuspendable
        raise kind(f"{what} has no entry in a {purpose} list")
    return entry


def _kept(reason: str) -> str:
    """Return the reason as it is stored."""
    kept = reason.strip()
    if not 0 < len(kept) <= MAX_REASON_CHARACTERS:
        raise ReasonMalformed(
            f"found a reason of {len(kept)} characters, want 1 to {MAX_REASON_CHARACTERS}"
        )
    if not kept.isprintable():
        raise ReasonMalformed("found a control or invisible character in the reason")
    return kept
