"""Proofs that a log has DID documents as entries, for those who cannot ask it."""

from collections.abc import Mapping

from anchoring.checkpoint import parse_checkpoint_text
from anchoring.entry import EntryKind, entry_of
from anchoring.merkle import hash_leaf
from anchoring.note import SignedNote
from anchoring.record import parse_record
from anchoring.tlog_proof import TlogProof
from anchoring.tree import Tree
from credentials.evidence import LogReading, Lookup, Obtained
from primitives.canonical_json import JsonObject


def prove_documents(
    reading: LogReading, documents: Mapping[str, Lookup[JsonObject]]
) -> dict[str, TlogProof]:
    """Return for each DID document that the log has the proof of it, by DID.

    Args:
        reading: Every entry, and the last record. Whether the log is anybody's is not
            asked here: who judges the proof does that.
        documents: By DID. One that the log lacks is not in the answer.
    """
    if not reading.records:
        return {}
    note = parse_record(reading.records[-1].record).checkpoint
    size = parse_checkpoint_text(SignedNote.parse(note).text).tree_size
    entries = reading.entries[:size]
    if len(entries) < size:
        return {}
    tree = Tree(hash_leaf(entry) for entry in entries)
    places = {entry: index for index, entry in enumerate(entries)}
    found = {}
    for did, document in documents.items():
        if isinstance(document, Obtained):
            index = places.get(entry_of(EntryKind.DID_DOCUMENT, document.value))
            if index is not None:
                hashes = tuple(tree.inclusion_proof(index, tree_size=size))
                found[did] = TlogProof(index, hashes, note)
    return found
