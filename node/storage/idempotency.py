"""Idempotency keys and the answers that were given under them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.schema import idempotency_keys
from node.storage.store import Reader

_OF_KEY: Final = select(idempotency_keys).where(
    idempotency_keys.c.scope == bindparam("scope"),
    idempotency_keys.c.key == bindparam("key"),
)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it was given."""

    status: int
    location: str | None
    """Where what was made can be read."""

    body: str
    """JSON; empty where there was none."""


async def claim(
    c: AsyncConnection, scope: str, key: str, digest: str, expires_at: str
) -> bool:
    """Take a key for the request with that digest; return whether it was free.

    Another transaction that has taken it and is not done is waited for.
    """
    known = await c.scalar(
        select(idempotency_keys.c.digest).where(
            idempotency_keys.c.scope == scope, idempotency_keys.c.key == key
        )
    )
    if known is not None:
        return False
    try:
        async with c.begin_nested():
            await c.execute(
                insert(idempotency_keys).values(
                    scope=scope, key=key, digest=digest, expires_at=expires_at
                )
            )
    except IntegrityError:
        return False
    return True


async def require_claimed(
    c: AsyncConnection, scope: str, key: str
) -> tuple[str, KeptAnswer]:
    """Return the digest of the request that took a key, and its answer."""
    row = (await c.execute(_OF_KEY, {"scope": scope, "key": key})).one()
    return row.digest, KeptAnswer(row.status, row.location, row.body)


async def find_key(c: Reader, scope: str, key: str) -> tuple[str, str, KeptAnswer] | None:
    """Return digest of the request, end and answer of a key; None where it is free."""
    row = (await c.execute(_OF_KEY, {"scope": scope, "key": key})).first()
    if row is None:
        return None
    return row.digest, row.expires_at, KeptAnswer(row.status, row.location, row.body)


async def used_keys(
    c: AsyncConnection, keys: Collection[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Return which of these are taken: scope and key."""
    rows = await c.execute(
        select(idempotency_keys.c.scope, idempotency_keys.c.key).where(
            idempotency_keys.c.scope.in_({scope for scope, _ in keys}),
            idempotency_keys.c.key.in_({key for _, key in keys}),
        )
    )
    return {(row.scope, row.key) for row in rows}


async def save_answers(
    c: AsyncConnection,
    answers: Sequence[tuple[tuple[str, str], str, KeptAnswer]],
    expires_at: str,
) -> None:
    """Take free keys, each for the request with that digest, and keep the answers."""
    await c.execute(
        insert(idempotency_keys),
        [
            {
                "scope": scope,
                "key": key,
                "digest": digest,
                "expires_at": expires_at,
                "status": answer.status,
                "location": answer.location,
                "body": answer.body,
            }
            for (scope, key), digest, answer in answers
        ],
    )


async def save_answer(c: AsyncConnection, scope: str, key: str, answer: KeptAnswer) -> None:
    """Keep the answer under a key that this transaction has taken."""
    await c.execute(
        update(idempotency_keys)
        .where(idempotency_keys.c.scope == scope, idempotency_keys.c.key == key)
        .values(status=answer.status, location=answer.location, body=answer.body)
    )


async def forget_expired(c: AsyncConnection, now: str) -> None:
    """Delete the keys whose time is over."""
    await c.execute(delete(idempotency_keys).where(idempotency_keys.c.expires_at < now))
