"""Several endpoints of one chain, of which so many must agree that one can lie.

Each endpoint answers a whole question by itself (the receipt, its block, the head and the
nonce together), so that answers of two endpoints are never mixed into a third that nobody
gave. Endpoints are numbered from 1 in messages: their URLs may hold a key.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from anchoring.backend import AnchorUnreachable
from anchoring.evm_rpc import Endpoint
from primitives.errors import PatunayError, Rejected

logger = logging.getLogger(__name__)

T = TypeVar("T")


class AnchorEndpointsDisagree(AnchorUnreachable):
    """Too few endpoints give the same answer, so none of the answers counts."""

    code = "anchor-endpoints-disagree"
    hint = "look which endpoint is right, and replace the others if it lasts"


class Quorum:
    """Endpoints of one chain, of which `needed` must agree."""

    def __init__(self, endpoints: Sequence[Endpoint], needed: int = 0) -> None:
        """Take one endpoint or more; `needed` 0 stands for all of them."""
        if not 0 <= needed <= len(endpoints):
            raise ValueError(f"found {len(endpoints)} endpoints, want {needed} or more")
        self.endpoints = tuple(endpoints)
        self.needed = needed or len(endpoints)

    @property
    def caip2(self) -> str:
        """CAIP-2 id of the chain."""
        return self.endpoints[0].caip2

    @property
    def id(self) -> int:
        """EIP-155 id of the chain."""
        return self.endpoints[0].id

    async def agreed(
        self,
        question: Callable[[Endpoint], Awaitable[T]],
        fingerprint: Callable[[T], object] = lambda answer: answer,
    ) -> list[T]:
        """Return the answers of the one group of endpoints that is large enough.

        Args:
            question: Put to every endpoint, after its chain id.
            fingerprint: Of two answers that agree it is equal. A refusal (`Rejected`) is
                an answer too, and agrees with others of its code.

        Raises:
            AnchorEndpointsDisagree: No group of `needed`, or more than one.
            AnchorUnreachable: Too few answered at all.
            Rejected: The endpoints agree on this refusal.
        """
        answers = await self.all(question)
        groups: dict[object, list[T | PatunayError]] = {}
        for answer in answers:
            if isinstance(answer, Rejected):
                groups.setdefault(("refused", answer.code), []).append(answer)
            elif not isinstance(answer, PatunayError):
                groups.setdefault(("told", fingerprint(answer)), []).append(answer)
        large = [group for group in groups.values() if len(group) >= self.needed]
        if len(groups) > 1:
            logger.warning("endpoints disagree: %s", _told(answers))
        if len(large) != 1:
            raise self._undetermined(answers, len(groups))
        for answer in large[0]:
            if isinstance(answer, PatunayError):
                raise answer
        return [answer for answer in large[0] if not isinstance(answer, PatunayError)]

    async def middle(self, question: Callable[[Endpoint], Awaitable[int]]) -> int:
        """Return the middle of what `needed` or more endpoints tell.

        For fees and gas, on which honest endpoints differ: half of them would have to lie
        to shift it, and the operator's limit holds all the same.

        Raises:
            AnchorUnreachable: Too few answered.
            Rejected: The first endpoint that did not answer refused.
        """
        answers = await self.all(question)
        told = sorted(a for a in answers if not isinstance(a, PatunayError))
        if len(told) < self.needed:
            for answer in answers:
                if isinstance(answer, Rejected):
                    raise answer
            raise self._undetermined(answers, 1)
        return told[len(told) // 2]

    async def all(
        self, question: Callable[[Endpoint], Awaitable[T]]
    ) -> list[T | PatunayError]:
        """Return what each endpoint says to `question`, its own error included."""
        return list(await asyncio.gather(*(_one(e, question) for e in self.endpoints)))

    async def close(self) -> None:
        """Give back sockets."""
        for endpoint in self.endpoints:
            await endpoint.close()

    def _undetermined(
        self, answers: Sequence[T | PatunayError], groups: int
    ) -> AnchorUnreachable:
        if len(answers) == 1 and isinstance(answers[0], AnchorUnreachable):
            return answers[0]
        kind = AnchorEndpointsDisagree if groups > 1 else AnchorUnreachable
        return kind(
            f"found no {self.needed} of {len(answers)} endpoints that agree: "
            + _told(answers)
        )


async def _one(
    endpoint: Endpoint, question: Callable[[Endpoint], Awaitable[T]]
) -> T | PatunayError:
    try:
        await endpoint.confirm()
        return await question(endpoint)
    except PatunayError as e:
        return e


def _told(answers: Sequence[object]) -> str:
    return "; ".join(
        f"{number}: {_short(answer)}" for number, answer in enumerate(answers, 1)
    )


def _short(answer: object) -> str:
    if isinstance(answer, PatunayError):
        return f"{answer.code} ({str(answer)[:120]})"
    return str(answer)[:120]
