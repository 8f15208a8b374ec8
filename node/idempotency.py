"""Requests that take effect once, however often they are sent.

A client that got no answer does not know whether its request took effect. With a key of
its own choosing it sends the request again: the answer to the first is kept in the very
transaction that had the effect, and is given again. So of twenty equal requests at once
one has the effect, and after a crash either both effect and answer are there or neither.

An answer holds what the effect made, so it is as private as that. Errors are not kept:
what was refused may be tried again under the same key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from node.node import Node
from node.storage import idempotency
from node.storage.idempotency import KeptAnswer
from node.storage.store import Reader
from primitives.errors import Rejected
from primitives.hashing import sha256
from primitives.instants import format_instant

KEPT_FOR: Final = timedelta(days=7)
"""Over a long weekend without anybody in the office."""


class IdempotencyConflict(Rejected):
    """The key was used for another request."""

    code = "idempotency-conflict"
    hint = "take a new key for another request; send the first one again exactly as it was"


@dataclass(frozen=True, slots=True)
class OnceOnly:
    """A request that is to take effect once."""

    scope: str
    """Whose keys these are: the id of an access token."""

    key: str
    digest: str
    """SHA-256 of method, address and body in hexadecimal: what makes two requests one."""

    @classmethod
    def of(
        cls, *, scope: str, key: str, method: str, target: str, body: bytes
    ) -> "OnceOnly":
        """Return it for a request; `target` is the path with its query."""
        head = f"{method} {target}\n".encode()
        return cls(scope, key, sha256(head + body).hex())

    @property
    def name(self) -> tuple[str, str]:
        """Scope and key: of two requests with one of these, one takes effect."""
        return self.scope, self.key

    def require(self, digest: str) -> None:
        """Return if the key was taken for a request with that digest.

        Raises:
            IdempotencyConflict: It was not.
        """
        if digest != self.digest:
            raise IdempotencyConflict(f"the key {self.key!r} was used for another request")


async def find_answer(node: Node, c: AsyncConnection, once: OnceOnly) -> KeptAnswer | None:
    """Return what an equal request was answered; None makes this one the first.

    Of several at once the others wait here until the first is done. The caller MUST run
    the effect, and `keep_answer`, in the same transaction.

    Raises:
        IdempotencyConflict: The key was used for another request.
    """
    await idempotency.forget_expired(c, node.now())
    expires_at = format_instant(node.instant() + KEPT_FOR)
    is_first = await idempotency.claim(c, once.scope, once.key, once.digest, expires_at)
    if is_first:
        return None
    digest, answer = await idempotency.require_claimed(c, once.scope, once.key)
    once.require(digest)
    return answer


async def find_kept(node: Node, c: Reader, once: OnceOnly) -> KeptAnswer | None:
    """Return what an equal request was answered; None where there was none yet.

    Raises:
        IdempotencyConflict: The key was used for another request.
    """
    found = await idempotency.find_key(c, once.scope, once.key)
    if found is None or found[1] < node.now():
        return None
    digest, _, answer = found
    once.require(digest)
    return answer


async def free_keys(
    node: Node, c: AsyncConnection, asked: Sequence[OnceOnly]
) -> set[tuple[str, str]]:
    """Return which keys are free, each with its scope; they stay so in this transaction."""
    if not asked:
        return set()
    await idempotency.forget_expired(c, node.now())
    names = {one.name for one in asked}
    return names - await idempotency.used_keys(c, names)


async def keep_answers(
    node: Node, c: AsyncConnection, answers: Sequence[tuple[OnceOnly, KeptAnswer]]
) -> None:
    """Keep answers beside their effects, under keys that are free."""
    if answers:
        expires_at = format_instant(node.instant() + KEPT_FOR)
        rows = [(one.name, one.digest, answer) for one, answer in answers]
        await idempotency.save_answers(c, rows, expires_at)


async def keep_answer(c: AsyncConnection, once: OnceOnly, answer: KeptAnswer) -> None:
    """Keep the answer beside the effect."""
    await idempotency.save_answer(c, once.scope, once.key, answer)
