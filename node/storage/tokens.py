"""Access tokens as the node keeps them: without their secrets."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import RowMapping, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from node.permissions import Actor, Role
from node.storage.schema import tokens
from node.storage.store import Reader
from primitives.errors import Misconfigured

_IN_FORCE: Final = select(tokens).where(tokens.c.revoked_at.is_(None))
_BY_SECRET: Final = _IN_FORCE.where(tokens.c.secret_sha256 == bindparam("secret"))
_BY_ID: Final = _IN_FORCE.where(tokens.c.id == bindparam("id"))


class TokenUnknown(Misconfigured):
    """No token has that id."""

    code = "token-unknown"
    hint = "`patunay token list` names them"


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, without its secret."""

    id: str
    name: str
    created_at: str
    roles: frozenset[Role]
    issuers: frozenset[str] = frozenset()
    """Slugs that it is bound to; empty is bound to none."""

    expires_at: str | None = None
    revoked_at: str | None = None
    last_used_on: str | None = None
    """Day in UTC, such as 2026-11-22."""

    @property
    def actor(self) -> Actor:
        """Who acts when this token is shown."""
        return Actor(self.name, self.roles, self.id, self.issuers)


async def save_token(c: AsyncConnection, token: Token, secret_sha256: str) -> None:
    """Add a token; its secret is kept as a digest alone."""
    await c.execute(
        insert(tokens).values(
            id=token.id,
            name=token.name,
            secret_sha256=secret_sha256,
            created_at=token.created_at,
            roles=" ".join(sorted(token.roles)),
            issuers=" ".join(sorted(token.issuers)),
            expires_at=token.expires_at,
        )
    )


async def list_tokens(c: AsyncConnection) -> list[Token]:
    """Return every token, revoked ones included."""
    rows = await c.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id))
    return [_token(row) for row in rows.mappings()]


async def find_token(c: Reader, secret_sha256: str) -> Token | None:
    """Return the token with that secret, or None if there certainly is none in force.

    One that has expired is returned: who asks is told so.
    """
    rows = await c.execute(_BY_SECRET, {"secret": secret_sha256})
    row = rows.mappings().first()
    return None if row is None else _token(row)


async def find_token_by_id(c: Reader, token_id: str) -> Token | None:
    """Return the token of that id, or None if there certainly is none in force."""
    rows = await c.execute(_BY_ID, {"id": token_id})
    row = rows.mappings().first()
    return None if row is None else _token(row)


async def mark_used(c: AsyncConnection, token_id: str, day: str) -> None:
    """Remember the last day on which a token was shown."""
    await c.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_on=day))


async def revoke_token(c: AsyncConnection, token_id: str, revoked_at: str) -> None:
    """Take a token out of force.

    Raises:
        TokenUnknown: There is none of that id.
    """
    done = await c.execute(
        update(tokens)
        .where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
        .values(revoked_at=revoked_at)
    )
    if done.rowcount == 0:
        raise TokenUnknown(f"found no token {token_id!r} in force")


async def revoke_all(c: AsyncConnection, revoked_at: str) -> int:
    """Take every token out of force; return how many were in it."""
    done = await c.execute(
        update(tokens).where(tokens.c.revoked_at.is_(None)).values(revoked_at=revoked_at)
    )
    return done.rowcount


def _token(row: RowMapping) -> Token:
    return Token(
        row["id"],
        row["name"],
        row["created_at"],
        frozenset(Role(role) for role in row["roles"].split()),
        frozenset(row["issuers"].split()),
        row["expires_at"],
        row["revoked_at"],
        row["last_used_on"],
    )
