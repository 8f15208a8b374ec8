"""Places where a test may make the process die, to show that nothing is lost there.

`PATUNAY_FAILPOINT=name:kill` ends the process at that place as `kill -9` does, `name:raise`
raises `Crashed`, which nothing catches but a test that goes on from there. Not set, a
failpoint is one look into a dict.
"""

import os
import signal
from typing import Final

FAILPOINTS: Final = (
    "drafts-stored",
    "signed",
    "batched",
    "checkpoint-signed",
    "checkpoint-stored",
    "transaction-signed",
    "transaction-stored",
    "sent",
    "sent-stored",
    "followed",
    "mined",
    "final",
)
"""In the order in which a credential passes them when all goes well."""

PUBLISHING_FAILPOINTS: Final = ("tiles-published", "checkpoint-published")
"""Passed after "checkpoint-stored", and after a crash there when the daemon starts."""

CHAIN_FAILPOINTS: Final = (
    "mined-stored",
    "confirmed",
    "unmined",
    "replacement-signed",
    "replacement-stored",
    "nonce-taken",
    "nonce-lost",
)
"""Passed when the chain takes its time, or does worse."""

STATUS_FAILPOINTS: Final = ("status-stored",)
"""Passed when the status of a credential changes."""

ALL_FAILPOINTS: Final = frozenset(
    FAILPOINTS + PUBLISHING_FAILPOINTS + CHAIN_FAILPOINTS + STATUS_FAILPOINTS
)


class Crashed(BaseException):
    """The process is taken to be dead from here on; no `except Exception` sees it."""


def failpoint(name: str) -> None:
    """Die here if `PATUNAY_FAILPOINT` says so."""
    if name not in ALL_FAILPOINTS:
        raise ValueError(f"{name} is not a failpoint")
    wanted = os.environ.get("PATUNAY_FAILPOINT")
    if wanted == f"{name}:kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if wanted == f"{name}:raise":
        raise Crashed(name)
