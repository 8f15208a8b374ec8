"""What the events of a key come to: nothing, for most keys. See `did.key_event`."""

from datetime import datetime
from typing import Final, NamedTuple


class KeyState(NamedTuple):
    """What the events of a DID come to for one key."""

    rotated_at: datetime | None = None
    """When a newer key took its place."""

    compromised_since: datetime | None = None
    """From when on its signatures show nothing by themselves."""


NO_EVENTS: Final = KeyState()
"""Of a key of which no event speaks."""
