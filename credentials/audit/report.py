"""The result of an audit: findings, each with where it was found, and one sentence."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from anchoring.split import SplitView
from credentials.report import Outcome
from primitives.canonical_json import Json, JsonObject
from primitives.errors import Malformed, Rejected, Undetermined
from primitives.instants import format_instant

REPORT_VERSION: Final = 1


class AuditBroken(Rejected):
    """The provider's history contradicts itself or what it has anchored."""

    code = "audit-broken"


class AuditUndetermined(Undetermined):
    """Nothing contradicts, and something that an audit needs could not be had."""

    code = "audit-undetermined"


class AuditStateMalformed(Malformed):
    """The file is not the result of an earlier audit."""

    code = "audit-state-malformed"


class Severity(Enum):
    """What a finding says about the history."""

    BROKEN = "broken"
    """The history is false."""

    UNKNOWN = "unknown"
    """Something could not be had, so that nothing is known about it."""

    REMARK = "remark"
    """Worth knowing; nobody is accused."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the audit found."""

    severity: Severity
    code: str
    """Stable slug."""

    detail: str
    """One sentence for people: what was found, and what was wanted."""

    size: int | None = None
    """Tree size of the checkpoint that it is about."""

    leaf: int | None = None
    """0-based index of the first leaf that it is about."""

    transaction: str = ""
    """Of the anchor that it is about."""

    name: str = ""
    """DID, URL, or path of a tile."""

    def to_json(self) -> JsonObject:
        """Return the finding with the members that say something."""
        raw: dict[str, Json] = {
            "severity": self.severity.value,
            "code": self.code,
            "detail": self.detail,
            "size": self.size,
            "leaf": self.leaf,
            "transaction": self.transaction or None,
            "name": self.name or None,
        }
        return {member: value for member, value in raw.items() if value is not None}


@dataclass(frozen=True, slots=True)
class CosignedBy:
    """What the auditor's witnesses say of the checkpoint that the log serves."""

    cosigned: int
    """How many of them have cosigned it."""

    known: int
    """How many the auditor believes."""

    threshold: int
    """How many have to agree."""

    time: datetime | None
    """No later than this it existed, if enough agree: UTC."""

    @property
    def sentence(self) -> str:
        """One plain sentence."""
        who = f"The checkpoint is cosigned by {self.cosigned} of {self.known}"
        if self.time is None:
            return f"{who}, and {self.threshold} are wanted."
        return f"{who} at {format_instant(self.time)}."

    def to_json(self) -> JsonObject:
        """Return it as the report carries it; `time` is null where too few agree."""
        return {
            "cosigned": self.cosigned,
            "known": self.known,
            "threshold": self.threshold,
            "time": None if self.time is None else format_instant(self.time),
        }


@dataclass(frozen=True, slots=True)
class AuditState:
    """Where an audit ended, so that the next one holds the provider to it."""

    checkpoint: str
    """The signed note of the largest tree that was found sound."""

    record: str
    """CID of the newest record read; empty if none was."""

    blocks: tuple[tuple[str, int], ...]
    """CAIP-2 chain and the newest block that held an anchor."""

    def to_json(self) -> JsonObject:
        """Return the state as the report carries it."""
        return {
            "checkpoint": self.checkpoint,
            "record": self.record,
            "blocks": dict(self.blocks),
        }

    @classmethod
    def parse(cls, report: JsonObject) -> "AuditState":
        """Return the state in the report of an earlier audit.

        Raises:
            AuditStateMalformed: It is no such report.
        """
        state = report.get("state")
        if report.get("version") != REPORT_VERSION or not isinstance(state, dict):
            raise AuditStateMalformed("found no report of an audit, version 1")
        checkpoint, record = state.get("checkpoint"), state.get("record")
        blocks = state.get("blocks")
        if not (
            isinstance(checkpoint, str)
            and isinstance(record, str)
            and isinstance(blocks, dict)
        ):
            raise AuditStateMalformed("state: want checkpoint, record and blocks")
        heights: list[tuple[str, int]] = []
        for chain, height in blocks.items():
            if type(height) is not int or height < 0:
                raise AuditStateMalformed(f"found the block {height!r:.24}, want a number")
            heights.append((chain, height))
        return cls(checkpoint, record, tuple(heights))


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit came to."""

    origin: str
    tree_size: int
    """Leaves of the log that were read; 0 if it could not be read."""

    credentials: int
    """Leaves that are credentials."""

    anchors: int
    """Events in the chain that belong to the log."""

    records: int
    """Anchor records read."""

    findings: tuple[Finding, ...]
    splits: tuple[SplitView, ...]
    """Each to be written out: it accuses the provider before anyone."""

    state: AuditState
    as_of: datetime
    witnessed: CosignedBy | None = None
    """None if the auditor believes no witness, or the log shows no checkpoint."""

    @property
    def outcome(self) -> Outcome:
        """Rejected if the history is false, undetermined if part of it was not seen."""
        found = {finding.severity for finding in self.findings}
        if Severity.BROKEN in found:
            return Outcome.REJECTED
        return Outcome.UNDETERMINED if Severity.UNKNOWN in found else Outcome.VALID

    @property
    def summary(self) -> str:
        """One plain sentence."""
        seen = (
            f"{self.credentials} credentials in a log of {self.tree_size} leaves, "
            f"{self.records} records, {self.anchors} anchors"
        )
        broken = self._count(Severity.BROKEN)
        if broken:
            return f"The history is broken in {broken} places: {seen}."
        unknown = self._count(Severity.UNKNOWN)
        if unknown:
            return f"Nothing contradicts, and {unknown} things could not be seen: {seen}."
        return f"Complete, in order, nothing taken back: {seen}."

    def to_json(self) -> JsonObject:
        """Return the report as files and `--json` have it."""
        return {
            "version": REPORT_VERSION,
            "outcome": self.outcome.value,
            "summary": self.summary,
            "as_of": format_instant(self.as_of),
            "origin": self.origin,
            "treeSize": self.tree_size,
            "credentials": self.credentials,
            "anchors": self.anchors,
            "records": self.records,
            "witnesses": None if self.witnessed is None else self.witnessed.to_json(),
            "findings": [finding.to_json() for finding in self.findings],
            "splits": [split.to_json() for split in self.splits],
            "state": self.state.to_json(),
        }

    def raise_for_outcome(self) -> None:
        """Return if the history is sound and was seen in full.

        Raises:
            AuditBroken: It is false somewhere.
            AuditUndetermined: Part of it could not be seen.
        """
        if self.outcome is Outcome.REJECTED:
            raise AuditBroken(self.summary)
        if self.outcome is Outcome.UNDETERMINED:
            raise AuditUndetermined(self.summary)

    def _count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)
