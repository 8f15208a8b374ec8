"""Challenges for presentations: random, given out once, answered once, soon forgotten.

What a holder signs for one moment cannot be sent again at another. Kept as a digest.

Whether ten minutes have passed is asked of a timer that no setting of the clock moves, in
the process that gave the challenge out. After a restart, and in another process of the
same node, the clock decides.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from node.node import Node
from node.storage import challenges
from primitives.errors import Rejected, Undetermined
from primitives.hashing import sha256
from primitives.instants import format_instant

LIFETIME: Final = timedelta(minutes=10)
"""Time for a person to open a wallet, choose, and confirm."""

REMEMBERED: Final = timedelta(hours=1)
"""How long after its end a challenge is told from one that never was."""

MAX_OPEN: Final = 10_000
"""Not yet expired, used or not: anybody may ask for one, and each takes a row."""

_KEPT: Final = REMEMBERED.total_seconds()

_PREFIX: Final = "ptnc_"
_RANDOM_BYTES: Final = 32


class ChallengeUnknown(Rejected):
    """It looks like a challenge of this node, which has not given it out lately."""

    code = "challenge-unknown"
    hint = "ask for a new challenge, and for a presentation that answers it"


class ChallengeUsed(Rejected):
    """The challenge was answered before: this may be a presentation sent again."""

    code = "challenge-used"
    hint = "ask for a new challenge, and for a presentation that answers it"


class ChallengeExpired(Rejected):
    """The answer came too late."""

    code = "challenge-expired"
    hint = "ask for a new challenge, and for a presentation that answers it"


class ChallengesExhausted(Undetermined):
    """So many challenges wait for an answer that no other is given out."""

    code = "challenges-exhausted"
    hint = "try again in some minutes, or make your own challenge and remember its use"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge that was given out."""

    text: str
    expires: datetime
    """Aware."""


async def create_challenge(node: Node) -> Challenge:
    """Give out a challenge.

    Raises:
        ChallengesExhausted: `MAX_OPEN` are open.
    """
    now = node.instant()
    made = Challenge(_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES), now + LIFETIME)
    async with node.writing() as c:
        await challenges.forget_expired(c, format_instant(now - REMEMBERED))
        count = await challenges.count_open(c, format_instant(now))
        if count >= MAX_OPEN:
            raise ChallengesExhausted(f"found {count} open challenges")
        await challenges.save_challenge(
            c,
            _digest(made.text),
            created_at=format_instant(now),
            expires_at=format_instant(made.expires),
        )
    _remember(node, _digest(made.text))
    return made


def _remember(node: Node, digest: str) -> None:
    """Time a challenge by what no setting of the clock moves, while this process lives."""
    passed = node.clock.monotonic()
    for old in [d for d, end in node.challenge_ends.items() if end <= passed - _KEPT]:
        del node.challenge_ends[old]
    node.challenge_ends[digest] = passed + LIFETIME.total_seconds()


def is_own(challenge: str) -> bool:
    """Tell whether a challenge has the form that this node gives to its own."""
    return challenge.startswith(_PREFIX)


async def use_challenge(node: Node, challenge: str) -> None:
    """Use up a challenge of this node, for ever; raise if it is not there to be used.

    Raises:
        ChallengeUsed: It was used before.
        ChallengeExpired: `LIFETIME` has passed.
        ChallengeUnknown: It never was, or expired over `REMEMBERED` ago.
    """
    digest, now = _digest(challenge), node.now()
    end = node.challenge_ends.get(digest)
    is_open = None if end is None else node.clock.monotonic() < end
    async with node.writing() as c:
        if await challenges.mark_used(c, digest, now, is_open=is_open):
            return
        exists, when = await challenges.used_at(c, digest)
    if not exists:
        raise ChallengeUnknown("found a challenge that this node does not remember")
    if when is not None:
        raise ChallengeUsed(f"found a challenge that was used at {when}")
    raise ChallengeExpired(f"found a challenge older than {LIFETIME.seconds // 60} minutes")


def _digest(challenge: str) -> str:
    return sha256(challenge.encode()).hex()
