"""Looking up what goes into a trust pack: from issuers' nodes, and from a chain.

Nothing here decides what is believed: the office does, by signing. What cannot be had, or
is older than what the folder has, is told, and the folder keeps what it had.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from anchoring.anchored_record import MAX_ANCHORED_RECORD_BYTES, AnchoredRecord
from anchoring.backend import AnchorReceipt, Sighting
from anchoring.note import MAX_NOTE_BYTES
from anchoring.record import parse_record, record_cid, record_digest
from credentials.evidence import Lookup, Missing, Obtained
from credentials.trust_pack.parts import (
    AnchorPart,
    CheckpointPart,
    IssuerPart,
    Part,
    StatusPart,
)
from did.document import parse_did_document
from did.resolver import Resolution, Resolver
from did.service import PatunayLogService
from node.auditing import Progress
from node.gather import MAX_HISTORY_BYTES, MAX_STATUS_LIST_BYTES, Fetch
from node.public_log import MAX_RECORDS
from node.trust_folder import Followed, TrustFolder
from node.trust_round import Round
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import PatunayError, Rejected, Undetermined
from primitives.hashing import Digest
from primitives.strict_json import parse_json_object

Look: TypeAlias = Callable[
    [Iterable[AnchorReceipt], Digest], Awaitable[dict[str, Lookup[Sighting]]]
]
"""Asks the office's own chain endpoint about anchors of a record; by transaction."""


class IssuerWentBack(Rejected):
    """An issuer shows less than before: a smaller log, or a shorter history."""

    code = "issuer-went-back"
    hint = "the folder keeps what it had; `patunay audit` looks at the provider's log"


class RecordsTooMany(Undetermined):
    """A log has more records than are read at one time, or a false one among them."""

    code = "trust-records-unread"
    hint = "look at the log with `patunay audit`"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that could not be had."""

    what: str
    """DID or URL."""

    error: PatunayError


@dataclass(slots=True)
class Refresh:
    """One round through all issuers of an office."""

    folder: TrustFolder
    resolver: Resolver
    fetch: Fetch
    clock: Clock
    look: Look | None
    """None leaves the chain unasked, and no anchor is packed."""

    progress: Progress
    troubles: list[Trouble] = field(default_factory=list)
    _known: dict[str, Part] = field(default_factory=dict)
    """Parts that the folder had before, by name."""

    async def run(self) -> tuple[Trouble, ...]:
        """Write what can be had into the folder; return what could not.

        A round that was interrupted goes on with those that it had not had without
        trouble. Each part is on the disk before its issuer counts as done.
        """
        self._known = {part.file_name: part for part in self.folder.parts()}
        now, issuers = self.clock.now(), self.folder.followed()
        kept = Round.begin(self.folder.root, now, with_chain=self.look is not None)
        logs = set(kept.done)
        for done, issuer in enumerate(issuers):
            self.progress("issuers", done, len(issuers))
            if issuer.did not in kept.done:
                await self._one(issuer, logs, kept)
        self.progress("issuers", len(issuers), len(issuers))
        kept.end()
        return tuple(self.troubles)

    async def _one(self, issuer: Followed, logs: set[str], kept: Round) -> None:
        """Look an issuer up, and its log if nobody else of that node came before."""
        before = len(self.troubles)
        try:
            service = await self._issuer(issuer)
        except PatunayError as e:
            self.troubles.append(Trouble(issuer.did, e))
            return
        # Several issuers of one node share its log.
        if service is not None and service.log not in logs:
            logs.add(service.log)
            await self._log(service)
            if len(self.troubles) == before:
                kept.finish(service.log)
        if len(self.troubles) == before:
            kept.finish(issuer.did)

    async def _issuer(self, issuer: Followed) -> PatunayLogService | None:
        found = await self.resolver.resolve(issuer.did)
        service = parse_did_document(found.document, issuer.did).log_service()
        part = IssuerPart(
            did=issuer.did,
            name=issuer.name,
            scope=issuer.scope,
            first_seen=found.obtained_at.replace(microsecond=0),
            last_seen=found.obtained_at.replace(microsecond=0),
            source=found.source,
            document=found.document,
            history=None if service is None else await self._history(found),
            vkey=None if service is None else service.vkey,
        )
        before = self._known.get(part.file_name)
        if isinstance(before, IssuerPart):
            part = _after(before, part)
        # As the pack's reader will: nothing is stored that would be refused there.
        self.folder.write_part(IssuerPart.parse(part.to_bytes(), issuer.did))
        return service

    async def _history(self, found: Resolution) -> JsonObject:
        url = found.source.removesuffix("did.json") + "did-history.json"
        return parse_json_object(
            await self.fetch(url, MAX_HISTORY_BYTES), MAX_HISTORY_BYTES
        )

    async def _log(self, service: PatunayLogService) -> None:
        try:
            note = (await self.fetch(service.log + "checkpoint", MAX_NOTE_BYTES)).decode(
                errors="replace"
            )
            part = CheckpointPart(service.vkey, self._now(), note)
            before = self._known.get(part.file_name)
            if (
                isinstance(before, CheckpointPart)
                and part.checkpoint.tree_size < before.checkpoint.tree_size
            ):
                raise IssuerWentBack(
                    f"{service.log}: found size {part.checkpoint.tree_size}, and had"
                    f" {before.checkpoint.tree_size}"
                )
            self.folder.write_part(part)
            records = await self._records(service)
        except PatunayError as e:
            self.troubles.append(Trouble(service.log, e))
            return
        for done, one in enumerate(records, start=1):
            await self._anchors(one)
            self.progress("records", done, len(records))
        if records:
            newest = parse_record(records[-1].record)
            links = (*newest.status_lists, *newest.suspension_lists)
            for done, link in enumerate(links, start=1):
                await self._status_list(link.name)
                self.progress("status lists", done, len(links))

    async def _records(self, service: PatunayLogService) -> list[AnchoredRecord]:
        """Return the records, oldest first, from the newest one with known anchors on."""
        known = {p.cid for p in self._known.values() if isinstance(p, AnchorPart)}
        found: list[AnchoredRecord] = []
        wanted = "latest"
        while len(found) < MAX_RECORDS:
            url = f"{service.log}records/{wanted}"
            raw = await self.fetch(url, MAX_ANCHORED_RECORD_BYTES)
            one = AnchoredRecord.parse(parse_json_object(raw, MAX_ANCHORED_RECORD_BYTES))
            cid = record_cid(one.record)
            if wanted not in ("latest", cid):
                raise RecordsTooMany(f"{url}: found another record")
            found.insert(0, one)
            previous = parse_record(one.record).previous
            if previous is None or cid in known:
                return found
            wanted = previous
        raise RecordsTooMany(f"{service.log}: found over {MAX_RECORDS} new records")

    async def _anchors(self, one: AnchoredRecord) -> None:
        """Write the anchors of a record; oldest record first, so that none is left out."""
        if self.look is None:
            return
        seen = await self.look(one.anchors, record_digest(one.record))
        for anchor in one.anchors:
            found = seen.get(anchor.transaction)
            if isinstance(found, Missing):
                error = RecordsTooMany(f"{found.code}: {found.detail}", hint=found.hint)
                self.troubles.append(Trouble(anchor.transaction, error))
            elif isinstance(found, Obtained) and found.value.receipt == anchor:
                # The node's own receipt: it has the proof, which the chain's answer lacks.
                part = AnchorPart(one.record, self._now(), found.value.depth, anchor)
                self.folder.write_part(part)

    async def _status_list(self, url: str) -> None:
        try:
            body = await self.fetch(url, MAX_STATUS_LIST_BYTES)
            document = parse_json_object(body, MAX_STATUS_LIST_BYTES)
            self.folder.write_part(StatusPart(url, self._now(), document))
        except PatunayError as e:
            self.troubles.append(Trouble(url, e))

    def _now(self) -> datetime:
        return self.clock.now().replace(microsecond=0)


def _after(before: IssuerPart, now: IssuerPart) -> IssuerPart:
    """Return `now`, which has all that `before` had.

    Raises:
        IssuerWentBack: Its history does not begin with the one that was there.
    """
    for member in ("versions", "events"):
        old, new = _list(before.history, member), _list(now.history, member)
        if new[: len(old)] != old:
            raise IssuerWentBack(f"{now.did}: the {member} of its history were changed")
    return replace(now, first_seen=before.first_seen)


def _list(history: JsonObject | None, member: str) -> list[object]:
    found = history.get(member) if history is not None else None
    return list(found) if isinstance(found, list) else []
