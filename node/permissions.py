"""Who may do what: one table, and a function of values that reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from primitives.errors import Rejected


class Role(StrEnum):
    """What somebody is trusted with. A token has one or more."""

    DRAFTER = "drafter"
    """Prepares batches; what it prepares is signed by nobody until somebody else acts."""

    APPROVER = "approver"
    """Approves or rejects batches that another has prepared."""

    SIGNER = "signer"
    """Issues, revokes and suspends in an issuer's name."""

    AUDITOR = "auditor"
    """Reads the audit log, and everything else, and changes nothing."""

    ADMIN = "admin"
    """Sets the node up: issuers, templates, keys, tokens. Issues nothing."""


class Action(StrEnum):
    """What can be done, as the audit log names it."""

    CREDENTIAL_READ = "credential.read"
    """List, search and read credentials: they hold personal data."""

    CREDENTIAL_ISSUE = "credential.issue"
    CREDENTIAL_REVOKE = "credential.revoke"
    CREDENTIAL_SUSPEND = "credential.suspend"
    CREDENTIAL_REINSTATE = "credential.reinstate"
    BATCH_READ = "batch.read"
    BATCH_DRAFT = "batch.draft"
    BATCH_APPROVE = "batch.approve"
    """Approve or reject."""

    TEMPLATE_WRITE = "template.write"
    AUDIT_READ = "audit.read"
    ANCHOR_RUN = "anchor.run"
    ISSUER_ADD = "issuer.add"
    KEY_CHANGE = "key.change"
    """Replace a key, or declare it compromised."""

    TOKEN_CHANGE = "token.change"  # noqa: S105 - the name of an act
    """Create or revoke a token."""

    SETTINGS = "settings"
    """What else sets the node up, webhooks among it."""


NODE_WIDE: Final = frozenset(
    {
        Action.TEMPLATE_WRITE,
        Action.AUDIT_READ,
        Action.ANCHOR_RUN,
        Action.ISSUER_ADD,
        Action.TOKEN_CHANGE,
        Action.SETTINGS,
    }
)
"""Acts that touch every issuer: a token that is bound to some of them may do none."""

_READING: Final = frozenset({Action.CREDENTIAL_READ, Action.BATCH_READ})

ALLOWED: Final[Mapping[Role, frozenset[Action]]] = {
    Role.DRAFTER: _READING | {Action.BATCH_DRAFT},
    Role.APPROVER: _READING | {Action.BATCH_APPROVE},
    Role.SIGNER: _READING
    | {
        Action.BATCH_DRAFT,
        Action.CREDENTIAL_ISSUE,
        Action.CREDENTIAL_REVOKE,
        Action.CREDENTIAL_SUSPEND,
        Action.CREDENTIAL_REINSTATE,
        Action.ANCHOR_RUN,
    },
    Role.AUDITOR: _READING | {Action.AUDIT_READ},
    Role.ADMIN: _READING
    | {
        Action.AUDIT_READ,
        Action.TEMPLATE_WRITE,
        Action.ANCHOR_RUN,
        Action.ISSUER_ADD,
        Action.KEY_CHANGE,
        Action.TOKEN_CHANGE,
        Action.SETTINGS,
    },
}
"""What each role may do, and nothing else."""


class RoleRefused(Rejected):
    """No role of whoever asks allows this."""

    code = "role-refused"
    hint = "ask with a token of a role that may; docs/http.md has the table"


class IssuerRefused(Rejected):
    """Whoever asks may do this, but not for this issuer."""

    code = "issuer-refused"
    hint = "ask with a token that is not bound to other issuers"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and how far that reaches."""

    name: str
    """As the audit log shows it: a token's name, or `command line: USER`."""

    roles: frozenset[Role]
    token: str = ""
    """The token's id; empty for who acts without one."""

    issuers: frozenset[str] = frozenset()
    """Slugs that it is bound to; empty is bound to none, and reaches every issuer."""


def check_permission(actor: Actor, action: Action, issuer: str | None = None) -> None:
    """Return if `actor` may do `action`, to `issuer` where one is named.

    An act that is about one issuer MUST be checked again with that issuer once it is known.

    Raises:
        RoleRefused: No role of the actor allows it.
        IssuerRefused: The actor is bound to other issuers.
    """
    if not any(action in ALLOWED[role] for role in actor.roles):
        found = ", ".join(sorted(actor.roles)) or "none"
        wanted = ", ".join(role for role in Role if action in ALLOWED[role])
        raise RoleRefused(f"{action}: found role {found}, want {wanted}")
    if not actor.issuers:
        return
    bound = ", ".join(sorted(actor.issuers))
    if action in NODE_WIDE:
        raise IssuerRefused(f"{action}: found a token of {bound}, want one of no issuer")
    if issuer is not None and issuer not in actor.issuers:
        raise IssuerRefused(
            f"{action}: found a token of {bound}, want one of {issuer or 'no issuer'}"
        )
