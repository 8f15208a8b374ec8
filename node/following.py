"""The static files of a process beside others: written anew when another has changed them.

Every process keeps `public/` itself, from the database, so that each can serve alone and
nothing has to be shared but the database. What one has changed, the others show within
`_PAUSE_SECONDS`.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from node.logbook import load_tree, publish_log
from node.node import Node
from node.setup import publish_all
from node.status_lists import publish_lists
from node.storage.published import PublishedMarks, published_marks
from primitives.errors import PatunayError

logger = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 1.0


@dataclass
class Follower:
    """Notices what others have changed since the last look."""

    node: Node
    seen: PublishedMarks | None = None
    """What the files were written from last; None where that is not known."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except PatunayError as e:
                logger.warning("static files may be old: %s (%s)", e, e.code)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def look(self) -> None:
        """Write the files whose sources have changed.

        Raises:
            StorageFailed: The database or the disk did not do its part.
            LogCorrupt: More is published than the database holds.
        """
        async with self.node.reading() as c:
            now = await published_marks(c)
        before = self.seen
        if before is None or now.identities != before.identities:
            await publish_all(self.node)
        elif now.lists != before.lists:
            await publish_lists(self.node, _changed(before.lists, now.lists))
        if before is None or now.checkpoint != before.checkpoint:
            async with self.node.log_lock:
                await load_tree(self.node)
                await publish_log(self.node)
        self.seen = now


def _changed(before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    return [url for url, version in now.items() if before.get(url) != version]
