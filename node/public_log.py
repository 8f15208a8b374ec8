"""Somebody else's log, read over the network as evidence: checkpoint, entries, records.

    log/checkpoint            the latest checkpoint, which says how much there is to read
    log/tile/entries/...      every entry, held to that checkpoint's root
    log/records/latest, CID   anchor records from the newest back, each held to its CID

Nothing here decides anything: `credentials.key_standing` asks who signed, and the chain.
"""

import asyncio
from datetime import datetime
from typing import Final

from anchoring.anchored_record import MAX_ANCHORED_RECORD_BYTES, AnchoredRecord
from anchoring.checkpoint import Checkpoint, open_checkpoint
from anchoring.merkle import hash_leaf
from anchoring.note import MAX_NOTE_BYTES, VerifierKey
from anchoring.record import parse_record, record_cid
from anchoring.tiles import BUNDLE_BYTES, bundle_paths, parse_bundle
from anchoring.tree import Tree
from credentials.evidence import LogReading
from did.service import PatunayLogService
from node.gather import Fetch
from primitives.errors import Undetermined
from primitives.strict_json import parse_json_object

MAX_LOG_ENTRIES: Final = 1 << 20
"""Entries read: 37 MB in 4,096 bundles. A longer log is for an auditor."""

MAX_RECORDS: Final = 2_048
"""Records read: some twelve weeks of one anchor an hour."""

LOG_DEADLINE_SECONDS: Final = 60.0
"""For the whole log, while somebody waits for an answer."""

_AT_ONCE: Final = 8
"""Bundles asked for at a time."""


class LogUnreadable(Undetermined):
    """The log was not read in full: too long, too slow, or not what its checkpoint says."""

    code = "log-unreadable"
    hint = "give the receipt with --receipt, or ask for it"


async def read_public_log(
    service: PatunayLogService, fetch: Fetch, since: datetime
) -> LogReading:
    """Return all entries of a log, and its records back to one from before `since`.

    Args:
        service: As the issuer's DID document has it. Says where to look, and not what to
            believe: the reading counts only as far as the verifier's own key of the log,
            and the chain, confirm it.
        fetch: Reads from public addresses alone.
        since: Aware. By what the records claim of themselves.

    Raises:
        LogUnreadable: See the class.
        PatunayError: What `fetch` raises, or a part that is malformed.
    """
    try:
        async with asyncio.timeout(LOG_DEADLINE_SECONDS):
            key = VerifierKey.parse(service.vkey)
            note = await fetch(service.log + "checkpoint", MAX_NOTE_BYTES)
            checkpoint = open_checkpoint(note.decode(errors="replace"), key)
            records = await _read_records(service.log, fetch, since)
            return LogReading(records, await _read_entries(service.log, fetch, checkpoint))
    except TimeoutError as e:
        raise LogUnreadable(f"not read within {LOG_DEADLINE_SECONDS:g} s") from e


async def _read_entries(
    base: str, fetch: Fetch, checkpoint: Checkpoint
) -> tuple[bytes, ...]:
    size = checkpoint.tree_size
    if size > MAX_LOG_ENTRIES:
        raise LogUnreadable(f"found {size} entries, want at most {MAX_LOG_ENTRIES}")
    places = asyncio.Semaphore(_AT_ONCE)

    async def read(path: str, width: int) -> tuple[bytes, ...]:
        async with places:
            return parse_bundle(await fetch(base + path, BUNDLE_BYTES), width)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read(*bundle)) for bundle in bundle_paths(size)]
    except ExceptionGroup as e:
        raise e.exceptions[0] from e  # one that is missing is as good a reason as another
    entries = tuple(entry for task in tasks for entry in task.result())
    if Tree(hash_leaf(entry) for entry in entries).root(size) != checkpoint.root:
        raise LogUnreadable("the entries do not give the root of the log's checkpoint")
    return entries


async def _read_records(
    base: str, fetch: Fetch, since: datetime
) -> tuple[AnchoredRecord, ...]:
    """Return the records, oldest first, from one that claims to be before `since` on."""
    found: list[AnchoredRecord] = []
    wanted = "latest"
    while len(found) < MAX_RECORDS:
        raw = await fetch(f"{base}records/{wanted}", MAX_ANCHORED_RECORD_BYTES)
        one = AnchoredRecord.parse(parse_json_object(raw, MAX_ANCHORED_RECORD_BYTES))
        record = parse_record(one.record)
        if wanted not in ("latest", record_cid(one.record)):
            raise LogUnreadable(f"found another record in place of {wanted}")
        found.insert(0, one)
        if record.previous is None or any(a.timestamp < since for a in one.anchors):
            return tuple(found)
        wanted = record.previous
    raise LogUnreadable(f"found over {MAX_RECORDS} records since then")
