"""Access tokens for the HTTP API: random, shown once, kept as a digest."""

import secrets
import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from node.acting import act_as
from node.audit_log import record, record_refusal
from node.node import Node
from node.permissions import (
    Action,
    Actor,
    IssuerRefused,
    Role,
    RoleRefused,
    check_permission,
)
from node.storage import tokens
from node.storage.registry import require_issuer
from node.storage.tokens import Token, find_token, mark_used, save_token
from primitives.errors import Malformed, Misconfigured, Rejected
from primitives.hashing import sha256
from primitives.instants import format_instant, parse_instant

_PREFIX: Final = "ptn_"
_SECRET_BYTES: Final = 32
_MAX_CHARACTERS: Final = 128
_MAX_NAME_CHARACTERS: Final = 100


class TokenMissing(Malformed):
    """The request carries no bearer token."""

    code = "token-missing"
    hint = "send `Authorization: Bearer …`; `patunay token create` makes a token"


class TokenRefused(Malformed):
    """The token is unknown or was revoked."""

    code = "token-refused"
    hint = "`patunay token list` says which are in force"


class TokenExpired(Rejected):
    """The token was in force, until its last day."""

    code = "token-expired"
    hint = "`patunay token create` makes a new one"


class TokenNameMalformed(Misconfigured):
    """The name of a token is empty, too long, or holds what cannot be seen."""

    code = "token-name-malformed"
    hint = f"give one line of at most {_MAX_NAME_CHARACTERS} characters"


async def create_token(
    node: Node,
    name: str,
    roles: Iterable[Role],
    *,
    issuers: Iterable[str] = (),
    days: int | None = None,
) -> tuple[Token, str]:
    """Create a token; return it with its secret, which is shown only now.

    Args:
        node: Open; need not be unlocked.
        name: What the token is for. It stands in the audit log: no personal data.
        roles: At least one.
        issuers: Slugs of issuers that it is bound to; none leaves it unbound.
        days: For how long it is in force, counted from now; None for ever.

    Raises:
        TokenNameMalformed: The name cannot be shown.
        IssuerUnknown: There is no such issuer.
    """
    _check_name(name)
    secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    now = node.instant()
    token = Token(
        str(uuid.uuid4()),
        name,
        format_instant(now),
        frozenset(roles),
        frozenset(issuers),
        None if days is None else format_instant(now + timedelta(days=days)),
    )
    if not token.roles:
        raise ValueError("a token needs a role")
    async with node.writing() as c:
        for slug in sorted(token.issuers):
            await require_issuer(c, slug)
        await save_token(c, token, _digest(secret))
        facts = {"change": "create", "roles": " ".join(sorted(token.roles))}
        await record(c, node, Action.TOKEN_CHANGE, f"token:{token.id}", facts=facts)
    return token, secret


async def revoke_token(node: Node, token_id: str) -> None:
    """Take a token out of force, at once and for ever.

    Raises:
        TokenUnknown: There is none of that id in force.
    """
    async with node.writing() as c:
        await tokens.revoke_token(c, token_id, node.now())
        facts = {"change": "revoke"}
        await record(c, node, Action.TOKEN_CHANGE, f"token:{token_id}", facts=facts)


async def require(
    node: Node,
    headers: Mapping[str, str],
    action: Action,
    issuer: str | None = None,
) -> Actor:
    """Return who asks, if the token in `headers` lets him do `action`.

    From here on the request acts as that token.

    Args:
        node: Open; need not be unlocked.
        headers: The request's.
        action: What is asked for.
        issuer: Slug of the issuer that it is about, where the request names one.

    Raises:
        TokenMissing, TokenRefused, TokenExpired: As `authenticate`.
        RoleRefused, IssuerRefused: As `check_permission`.
    """
    actor = (await authenticate(node, headers)).actor
    act_as(actor)
    try:
        check_permission(actor, action, issuer)
    except (RoleRefused, IssuerRefused) as e:
        await record_refusal(node, action, e)
        raise
    return actor


async def authenticate(node: Node, headers: Mapping[str, str]) -> Token:
    """Return the token that an `Authorization` header carries.

    Raises:
        TokenMissing: There is none.
        TokenRefused: It is not in force.
        TokenExpired: It is no longer in force.
    """
    scheme, _, secret = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise TokenMissing("found no bearer token")
    return await find_by_secret(node, secret)


async def find_by_secret(node: Node, secret: str) -> Token:
    """Return the token with that secret, and remember that it was used today.

    Raises:
        TokenRefused: It is not in force.
        TokenExpired: It is no longer in force.
    """
    # Looked up by digest, so the time taken tells nothing about the secret.
    async with node.looking_up() as c:
        token = await find_token(c, _digest(secret[:_MAX_CHARACTERS].strip()))
    if token is None:
        raise TokenRefused("the token is not in force")
    now = node.instant()
    if token.expires_at is not None and now >= parse_instant(token.expires_at):
        raise TokenExpired(f"the token was in force until {token.expires_at}")
    today = format_instant(now)[:10]
    if token.last_used_on != today:
        async with node.writing() as c:
            await mark_used(c, token.id, today)
    return token


def _check_name(name: str) -> None:
    if not 0 < len(name) <= _MAX_NAME_CHARACTERS or not name.isprintable():
        raise TokenNameMalformed(f"found a name of {len(name)} characters")


def _digest(secret: str) -> str:
    # A header may hold bytes that are no text: they come as half surrogate pairs.
    return sha256(secret.encode(errors="surrogatepass")).hex()
