"""DID documents and status lists through the records: all logged, nothing taken back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, cast

from anchoring.entry import EntryKind, encode_entry, entry_of
from credentials.audit.evidence import AuditEvidence, IssuerSeen
from credentials.audit.log import ReadLog
from credentials.audit.records import Blocks, ReadRecord
from credentials.audit.report import Finding, Severity
from credentials.evidence import NOT_LOOKED_UP, Lookup, Missing
from credentials.status_list import set_indexes
from did.history import DidHistory, parse_history
from primitives.canonical_json import Json, JsonObject, NotCanonicalizable, canonicalize
from primitives.errors import PatunayError
from primitives.hashing import Digest, sha256
from primitives.strict_json import parse_json_object

Places: TypeAlias = Mapping[bytes, int]
"""Where each entry of the log stands first."""

_MAX_DOCUMENT_BYTES = 1024 * 1024


def check_documents(
    evidence: AuditEvidence, log: ReadLog, chain: Sequence[ReadRecord]
) -> list[Finding]:
    """Return what contradicts between the records, the log and what is served now."""
    places = {entry: at for at, entry in reversed(list(enumerate(log.entries)))}
    findings = [*_unlogged(chain, places)] if log.whole else []
    for url in sorted({link.name for r in chain for link in r.record.status_lists}):
        findings += _check_list(url, evidence, chain)
    for did in sorted({link.name for r in chain for link in r.record.did_documents}):
        findings += _check_did(did, evidence, log, chain, places)
    return findings


def _unlogged(chain: Sequence[ReadRecord], places: Places) -> Iterable[Finding]:
    """Yield the documents that a record commits to and the log below it does not hold."""
    for record in chain:
        size = record.checkpoint.tree_size
        content = record.record
        lists = content.status_lists + content.suspension_lists
        for kind, links in (
            (EntryKind.DID_DOCUMENT, content.did_documents),
            (EntryKind.STATUS_LIST, lists),
        ):
            for link in links:
                at = places.get(encode_entry(kind, link.digest))
                if at is None or at >= size:
                    yield Finding(
                        Severity.BROKEN,
                        "document-not-logged",
                        f"the record of size {size} commits to a version of {link.name} "
                        "that is no leaf of the log",
                        size=size,
                        name=link.name,
                    )


def _check_list(
    url: str, evidence: AuditEvidence, chain: Sequence[ReadRecord]
) -> Iterable[Finding]:
    """Yield what became of one revocation list: a bit that was set stays set."""
    before: frozenset[int] = frozenset()
    known: Digest | None = None
    for record in chain:
        size = record.checkpoint.tree_size
        digest = next((k.digest for k in record.record.status_lists if k.name == url), None)
        if digest is None and known is not None:
            detail = f"the record of size {size} no longer has {url}"
            yield Finding(
                Severity.BROKEN, "status-list-dropped", detail, size=size, name=url
            )
        if digest is None or digest == known:
            continue
        known = digest
        found = _set_in(evidence.blocks, digest, url, size)
        if isinstance(found, Finding):
            yield found
            continue
        if before - found:
            yield _taken_back(url, before - found, f"the record of size {size}", size)
        before |= found
    yield from _served_list(url, evidence, before)


def _served_list(
    url: str, evidence: AuditEvidence, before: frozenset[int]
) -> Iterable[Finding]:
    served = evidence.status_lists.get(url, NOT_LOOKED_UP)
    if isinstance(served, Missing):
        yield Finding(Severity.UNKNOWN, served.code, served.detail, name=url)
        return
    now = _read_set(served.value, url)
    if isinstance(now, Finding):
        yield now
    elif before - now:
        yield _taken_back(url, before - now, "what is served now", None)


def _set_in(
    blocks: Blocks, digest: Digest, url: str, size: int
) -> frozenset[int] | Finding:
    raw = blocks.get(digest)
    if raw is None:
        return Finding(
            Severity.UNKNOWN,
            "document-missing",
            f"the version of {url} that was anchored with size {size} could not be had",
            size=size,
            name=url,
        )
    if sha256(raw) != digest:
        return _mismatch(raw, digest, url, size)
    return _read_set(raw, url)


def _mismatch(raw: bytes, digest: Digest, name: str, size: int) -> Finding:
    return Finding(
        Severity.BROKEN,
        "block-mismatch",
        f"the block delivered for {name} has the SHA-256 {sha256(raw).hex()}, "
        f"want {digest.hex()}",
        size=size,
        name=name,
    )


def _read_set(raw: bytes, url: str) -> frozenset[int] | Finding:
    try:
        return set_indexes(parse_json_object(raw, _MAX_DOCUMENT_BYTES))
    except PatunayError as e:
        return Finding(Severity.BROKEN, e.code, f"{url}: {e}", name=url)


def _taken_back(url: str, gone: frozenset[int], where: str, size: int | None) -> Finding:
    return Finding(
        Severity.BROKEN,
        "revocation-taken-back",
        f"{len(gone)} revocations of {url} are no longer in {where}, "
        f"the first is of index {min(gone)}",
        size=size,
        name=url,
    )


def _check_did(
    did: str,
    evidence: AuditEvidence,
    log: ReadLog,
    chain: Sequence[ReadRecord],
    places: Places,
) -> Iterable[Finding]:
    """Yield what contradicts between a DID's history, its leaves, and what is served."""
    seen = evidence.issuers.get(did, IssuerSeen())
    if isinstance(seen.history, Missing):
        yield Finding(Severity.UNKNOWN, seen.history.code, seen.history.detail, name=did)
        return
    try:
        history = parse_history(seen.history.value, did)
    except PatunayError as e:
        yield Finding(Severity.BROKEN, e.code, str(e), name=did)
        return
    versions = [sha256(canonicalize(v.document)) for v in history.versions]
    yield from _anchored_versions(did, chain, versions)
    if log.whole:
        events = seen.history.value["events"]
        yield from _unlogged_history(history, versions, events, places)
    yield from _served(did, seen.document, versions)


def _anchored_versions(
    did: str, chain: Sequence[ReadRecord], versions: Sequence[Digest]
) -> Iterable[Finding]:
    """Yield where a record has a version that the history lacks, or in another order."""
    reached = 0
    for record in chain:
        size = record.checkpoint.tree_size
        for link in record.record.did_documents:
            if link.name != did:
                continue
            if link.digest not in versions[reached:]:
                yield Finding(
                    Severity.BROKEN,
                    "did-history-rewritten",
                    f"the version of {did} that was anchored with size {size} is not in "
                    "the history that is served, or not in that order",
                    size=size,
                    name=did,
                )
                return
            reached = versions.index(link.digest, reached)


def _unlogged_history(
    history: DidHistory, versions: Sequence[Digest], events: Json, places: Places
) -> Iterable[Finding]:
    for number, digest in enumerate(versions, start=1):
        if encode_entry(EntryKind.DID_DOCUMENT, digest) not in places:
            yield _history_unlogged(history.did, f"version {number}")
    for event, raw in zip(history.events, cast(list[JsonObject], events), strict=True):
        if entry_of(EntryKind.KEY_EVENT, raw) not in places:
            yield _history_unlogged(history.did, f"the event of {event.key}")


def _history_unlogged(did: str, what: str) -> Finding:
    # Not broken: what was made since the last checkpoint waits for the next one.
    return Finding(
        Severity.REMARK,
        "history-not-logged",
        f"{what} of {did} is no leaf of the log yet",
        name=did,
    )


def _served(
    did: str, document: Lookup[bytes], versions: Sequence[Digest]
) -> Iterable[Finding]:
    if isinstance(document, Missing):
        yield Finding(Severity.UNKNOWN, document.code, document.detail, name=did)
        return
    try:
        raw = parse_json_object(document.value, _MAX_DOCUMENT_BYTES)
        served = sha256(canonicalize(raw))
    except (PatunayError, NotCanonicalizable) as e:
        detail = f"the document served of {did}: {e}"
        yield Finding(Severity.BROKEN, "did-document-malformed", detail, name=did)
        return
    if served != versions[-1]:
        yield Finding(
            Severity.BROKEN,
            "did-history-rewritten",
            f"the document served of {did} is not the last version of its history",
            name=did,
        )
