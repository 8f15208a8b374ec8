"""Proofs that a log has documents and key events as entries, for who cannot ask it."""

from collections.abc import Sequence

from anchoring.checkpoint import parse_checkpoint_text
from anchoring.merkle import hash_leaf
from anchoring.note import SignedNote
from anchoring.record import parse_record
from anchoring.tlog_proof import TlogProof
from anchoring.tree import Tree
from credentials.evidence import LogReading


class LogProver:
    """A log as it was read, up to its last record, ready to prove entries of it."""

    def __init__(self, reading: LogReading) -> None:
        """Build the tree.

        Args:
            reading: Every entry, and the last record. Whether the log is anybody's is not
                asked here: who judges the proof does that.
        """
        self._note, size = "", 0
        if reading.records:
            self._note = parse_record(reading.records[-1].record).checkpoint
            size = parse_checkpoint_text(SignedNote.parse(self._note).text).tree_size
        entries: Sequence[bytes] = reading.entries[:size]
        self._tree = Tree(hash_leaf(entry) for entry in entries)
        # Of a log that was not read in full nothing can be proven.
        whole = len(entries) == size
        self._places = {e: index for index, e in enumerate(entries)} if whole else {}

    def prove(self, entry: bytes) -> TlogProof | None:
        """Return the proof that the log has `entry`, or None if it was not found."""
        index = self._places.get(entry)
        if index is None:
            return None
        hashes = self._tree.inclusion_proof(index, tree_size=len(self._places))
        return TlogProof(index, tuple(hashes), self._note)
