"""On whose behalf, and for which request, this task runs now.

Carried beside the arguments because an act has to be refused or recorded wherever it is
done, also where a caller has forgotten to hand on who asked for it: a request that has
shown no token acts as nobody, and nobody may do anything.
"""

import os
import pwd
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from node.permissions import Actor, Role

NOBODY: Final = Actor("nobody", frozenset())
"""Who has shown no token."""

DAEMON: Final = Actor("daemon", frozenset(Role))
"""The daemon's own work in the background."""

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)

_ID_BYTES: Final = 16
"""As many as nobody else draws."""

_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_actor() -> Actor:
    """Return who acts: whoever runs this process, unless `act_as` said otherwise."""
    return _actor.get() or command_line()


def current_request() -> str:
    """Return the id of the request in hand; empty outside of any."""
    return _request_id.get()


def command_line() -> Actor:
    """Return the operating system's user, who may do whatever the files let him do."""
    number = os.getuid()
    try:
        # Not from the environment, which says whatever its owner likes.
        user = pwd.getpwuid(number).pw_name
    except KeyError:
        user = str(number)
    return Actor(f"command line: {user}", frozenset(Role))


def act_as(actor: Actor) -> None:
    """Let the rest of this request, or task, act as `actor`."""
    _actor.set(actor)


@contextmanager
def handling(request_id: str, actor: Actor = NOBODY) -> Iterator[None]:
    """Let what runs inside belong to a request; afterwards it is as it was."""
    before_actor, before_request = _actor.set(actor), _request_id.set(request_id)
    try:
        yield
    finally:
        _actor.reset(before_actor)
        _request_id.reset(before_request)


def request_id(offered: str | None) -> str:
    """Return the id that the asking side offers, if it is well formed; else a new one.

    Well formed is 8 to 64 letters, digits, dots, hyphens and underscores of ASCII: nothing
    that could begin a new line in a log.
    """
    if offered is not None and _WELL_FORMED.fullmatch(offered):
        return offered
    return os.urandom(_ID_BYTES).hex()
