"""The chain of anchor records: each names the one before it, back to the first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from anchoring.checkpoint import Checkpoint, open_checkpoint
from anchoring.note import VerifierKey
from anchoring.record import AnchorRecord, cid_digest, parse_record, record_cid
from credentials.audit.report import Finding, Severity
from primitives.errors import PatunayError
from primitives.hashing import Digest, sha256

MAX_RECORDS = 100_000
"""Records that are followed: one an hour for eleven years."""


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record whose checkpoint the log has signed."""

    cid: str
    digest: Digest
    record: AnchorRecord
    checkpoint: Checkpoint


Blocks: TypeAlias = Mapping[Digest, bytes]


def read_record(blocks: Blocks, digest: Digest, key: VerifierKey) -> ReadRecord | Finding:
    """Return the record with this SHA-256, or why it cannot be read.

    Args:
        blocks: As delivered, not verified.
        digest: From the chain, or from a record that was read.
        key: Of the log.
    """
    raw = blocks.get(digest)
    if raw is None:
        return Finding(
            Severity.UNKNOWN,
            "anchor-gap",
            f"the record {digest.hex()} could not be had",
        )
    if sha256(raw) != digest:
        return Finding(
            Severity.BROKEN,
            "block-mismatch",
            f"the record delivered has the SHA-256 {sha256(raw).hex()}, "
            f"want {digest.hex()}",
        )
    try:
        record = parse_record(raw)
    except PatunayError as e:
        return Finding(
            Severity.BROKEN, "anchor-gap", f"the record {digest.hex()} is none: {e}"
        )
    if record.log != key.name:
        return Finding(
            Severity.BROKEN,
            "log-mixed",
            f"the record {digest.hex()} is of the log {record.log[:80]!r}, "
            f"want {key.name!r}",
        )
    try:
        checkpoint = open_checkpoint(record.checkpoint, key)
    except PatunayError as e:
        return Finding(Severity.BROKEN, e.code, f"the record {digest.hex()}: {e}")
    return ReadRecord(record_cid(raw), digest, record, checkpoint)


def read_chain(
    blocks: Blocks, newest: ReadRecord, key: VerifierKey, *, until: str
) -> tuple[list[ReadRecord], list[Finding]]:
    """Return the records from the oldest to `newest`, and what broke off the chain.

    Args:
        blocks: As delivered, not verified.
        newest: Where to begin.
        key: Of the log.
        until: CID of the record at which an earlier audit ended, the last one that is read;
            empty to go back to the first.
    """
    chain = [newest]
    findings: list[Finding] = []
    while chain[-1].cid != until and (previous := chain[-1].record.previous) is not None:
        found = read_record(blocks, cid_digest(previous), key)
        if isinstance(found, Finding):
            findings.append(found)
            break
        if found.checkpoint.tree_size >= chain[-1].checkpoint.tree_size:
            findings.append(
                Finding(
                    Severity.BROKEN,
                    "record-order",
                    f"{found.cid} covers {found.checkpoint.tree_size} leaves, want fewer "
                    f"than the {chain[-1].checkpoint.tree_size} of the one after it",
                    size=chain[-1].checkpoint.tree_size,
                )
            )
            break
        chain.append(found)
        if len(chain) > MAX_RECORDS:
            detail = f"found over {MAX_RECORDS} records"
            findings.append(Finding(Severity.UNKNOWN, "record-too-many", detail))
            break
    chain.reverse()
    return chain, findings
