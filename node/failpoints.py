"""Places where a test may make the process die, to show that nothing is lost there.

`PATUNAY_FAILPOINT=name:kill` ends the process at that place as `kill -9` does. Not set, a
failpoint is one look into a dict.
"""

import os
import signal
from typing import Final

FAILPOINTS: Final = (
    "drafts-stored",
    "signed",
    "batched",
    "checkpoint-stored",
    "transaction-stored",
    "sent",
    "mined",
    "final",
)
"""In the order in which a credential passes them."""

STATUS_FAILPOINTS: Final = ("status-stored",)
"""Passed when the status of a credential changes."""


def failpoint(name: str) -> None:
    """Die here if `PATUNAY_FAILPOINT` says so."""
    if name not in FAILPOINTS + STATUS_FAILPOINTS:
        raise ValueError(f"{name} is not a failpoint")
    if os.environ.get("PATUNAY_FAILPOINT") == f"{name}:kill":
        os.kill(os.getpid(), signal.SIGKILL)
