"""Gathering for a presentation: its holder first, then each of its credentials.

Loads asyncio only where something is looked up.
"""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from credentials.data_integrity import AUTHENTICATION
from credentials.evidence import Evidence
from credentials.presentation_checks import document_digest, presented_credentials
from node.gather import Gatherer
from primitives.canonical_json import JsonObject

LOOK_UP_SECONDS: Final = 60
"""For all look-ups of one presentation: its author chooses how many hosts are asked. What
was not reached by then is undetermined."""


async def gather_presentation(
    document: JsonObject,
    gatherer: Gatherer,
    evidence_of: Callable[[JsonObject], Awaitable[Evidence]],
) -> dict[str, Evidence]:
    """Return what could be had in time, by `document_digest`.

    Args:
        document: The presentation; read, and not trusted.
        gatherer: Looks its holder up.
        evidence_of: Gathers for one of its credentials.

    Raises:
        PresentationTooLarge: See `presented_credentials`.
    """
    members = presented_credentials(document)
    found: dict[str, Evidence] = {}
    with contextlib.suppress(TimeoutError):
        async with _deadline(gatherer):
            about_holder = await gatherer.gather(document, purpose=AUTHENTICATION)
            found[document_digest(document)] = about_holder
            for member in members:
                found[document_digest(member)] = await evidence_of(member)
    return found


def _deadline(gatherer: Gatherer) -> contextlib.AbstractAsyncContextManager[object]:
    """Offline nothing is waited for, and there may be no event loop that could end it."""
    if gatherer.resolver is None and gatherer.fetch is None:
        return contextlib.nullcontext()
    from asyncio import timeout  # noqa: PLC0415 - slow to import

    return timeout(LOOK_UP_SECONDS)
