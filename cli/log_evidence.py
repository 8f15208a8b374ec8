"""Evidence from a log for `patunay verify`: where a stolen key signed, and nothing else.

The own node's log comes from its database. Anybody else's is read where the DID document
says that it is, if the user has named an endpoint of the chain: without one, nothing in
the log would have a time.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from anchoring.backend import Sighting
from anchoring.record import record_digest
from cli.anchor_evidence import look
from credentials.case import Case, document_of
from credentials.evidence import OWN_NODE, Evidence, LogReading, Lookup, Missing, Obtained
from credentials.log_question import log_wanted_since
from node.gather import Fetch
from primitives.clock import Clock
from primitives.errors import PatunayError

if TYPE_CHECKING:
    from node.own_node import OwnNode


@dataclass(frozen=True, slots=True)
class _Read:
    """A log as far as it was read, and what the chain says to it."""

    log: Lookup[LogReading]
    sightings: dict[str, Lookup[Sighting]]


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """Reads logs, each of them once in a run."""

    clock: Clock

    own: "OwnNode | None"
    """The verifier's own node, if it has one."""

    fetch: Fetch | None
    """None stays offline."""

    rpc: tuple[str, ...]
    """Endpoints of the chain, chosen by the user, that have to agree."""

    _read: dict[tuple[str, datetime], _Read] = field(default_factory=dict)
    """By issuer, and the time since when its key is stolen."""

    async def add(self, case: Case) -> Evidence:
        """Return the evidence of `case` with the issuer's log, where that is asked for."""
        since = log_wanted_since(case)
        if since is None:
            return case.evidence
        issuer = case.readable().issuer
        key = issuer, since
        if key not in self._read:
            self._read[key] = await self._find(issuer, since, case)
        found = self._read[key]
        sightings = {**found.sightings, **case.evidence.sightings}
        return replace(case.evidence, log=found.log, sightings=sightings)

    async def _find(self, issuer: str, since: datetime, case: Case) -> _Read:
        try:
            if self.own is not None and issuer in self.own.issuers:
                return await self._read_own(self.own)
            if self.fetch is None or not self.rpc:
                return _Read(case.evidence.log, {})
            return await self._read_public(issuer, since, case, self.fetch)
        except PatunayError as e:
            return _Read(Missing.because(e), {})

    async def _read_own(self, own: "OwnNode") -> _Read:
        # Both import the database.
        from node.log_reading import own_sightings, read_log  # noqa: PLC0415
        from node.node import Node  # noqa: PLC0415

        async with Node.open(own.home, self.clock) as node:
            reading, (depth, _) = await read_log(node), node.config.chain.depths
        now = self.clock.now()
        anchors = [anchor for one in reading.records for anchor in one.anchors]
        return _Read(
            Obtained(reading, OWN_NODE, now), own_sightings(anchors, depth=depth, at=now)
        )

    async def _read_public(
        self, issuer: str, since: datetime, case: Case, fetch: Fetch
    ) -> _Read:
        from node.public_log import read_public_log  # noqa: PLC0415 - seldom needed

        service = document_of(issuer, case).log_service()
        if service is None:
            return _Read(case.evidence.log, {})
        reading = await read_public_log(service, fetch, since)
        sightings: dict[str, Lookup[Sighting]] = {}
        # The record from before the theft, at which reading stopped, and the next decide.
        for one in reading.records[:2]:
            digest = record_digest(one.record)
            seen = await look(one.anchors, digest, self.rpc, case.policy, self.clock)
            sightings = {**seen, **sightings}
        return _Read(Obtained(reading, service.log, self.clock.now()), sightings)
