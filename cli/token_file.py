"""Commands that act as a person with a token, not as the machine's user."""

import os
from pathlib import Path
from typing import Final

from cli.files import read_file
from cli.passphrase import named_file
from node.access import require
from node.node import Node
from node.permissions import Action

VARIABLE: Final = "PATUNAY_TOKEN"
_MAX_BYTES: Final = 256


def read_token(file: Path | None) -> str:
    """Return the secret of a token, from its file or the environment; empty without any.

    Raises:
        PatunayError: As `read_file`.
    """
    file = file or named_file(VARIABLE)
    if file is None:
        return os.environ.get(VARIABLE, "")
    return read_file(file, max_bytes=_MAX_BYTES).decode(errors="replace").strip()


async def act_with(node: Node, secret: str, action: Action) -> None:
    """Let the rest of the command act as that token; without one, as the machine's user.

    Raises:
        TokenRefused, TokenExpired: It is not in force.
        RoleRefused: It may not do that.
    """
    if secret:
        await require(node, {"Authorization": f"Bearer {secret}"}, action)
