"""An anchor record and where it is said to be anchored, as a node gives it to readers.

    {"version": 1, "record": base64 of its exact bytes, "anchors": as in a receipt}

Whoever reads a log from its end needs these: each record names the one before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from anchoring.backend import AnchorReceipt
from anchoring.receipt import MAX_ANCHORS, anchor_json, parse_anchor
from anchoring.record import MAX_RECORD_BYTES
from primitives.canonical_json import Json, JsonObject
from primitives.encodings import EncodingMalformed, decode_base64, encode_base64
from primitives.errors import Malformed

MAX_ANCHORED_RECORD_BYTES = MAX_RECORD_BYTES * 4 // 3 + 1024 * 1024
"""Largest one as JSON: the record in base64, and `MAX_ANCHORS` anchors with proofs."""

ANCHORED_RECORD_VERSION = 1

_FIELDS = frozenset(("version", "record", "anchors"))


class AnchoredRecordMalformed(Malformed):
    """The JSON is not a record with its anchors in its one spelling."""

    code = "anchored-record-malformed"


@dataclass(frozen=True, slots=True)
class AnchoredRecord:
    """An anchor record, and where it is said to be anchored. Nothing in it is verified."""

    record: bytes
    """Its exact bytes."""

    anchors: tuple[AnchorReceipt, ...]
    """Empty while it waits."""

    @classmethod
    def parse(cls, raw: Mapping[str, Json]) -> "AnchoredRecord":
        """Return what `raw` holds.

        Raises:
            AnchoredRecordMalformed: A field or version that is unknown, or over a limit.
            ReceiptMalformed: An anchor of another form.
        """
        anchors, version, text = raw.get("anchors"), raw.get("version"), raw.get("record")
        if raw.keys() != _FIELDS or version != ANCHORED_RECORD_VERSION:
            raise AnchoredRecordMalformed(f"found fields {sorted(raw)}, want {_FIELDS}")
        if not isinstance(anchors, list) or len(anchors) > MAX_ANCHORS:
            raise AnchoredRecordMalformed(f"want a list of at most {MAX_ANCHORS} anchors")
        if not isinstance(text, str):
            raise AnchoredRecordMalformed(f"record: found {type(text).__name__}, want text")
        try:
            record = decode_base64(text)
        except EncodingMalformed as e:
            raise AnchoredRecordMalformed(f"record: {e}") from e
        return cls(record, tuple(map(parse_anchor, anchors)))

    def to_json(self) -> JsonObject:
        """Return the one form that `parse` reads as this."""
        return {
            "version": ANCHORED_RECORD_VERSION,
            "record": encode_base64(self.record),
            "anchors": [anchor_json(anchor) for anchor in self.anchors],
        }
