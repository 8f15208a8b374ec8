"""Anchor records with their anchors: one form, and nothing beside it."""

from typing import Any

import pytest

from anchoring.anchored_record import AnchoredRecord, AnchoredRecordMalformed
from anchoring.receipt import MAX_ANCHORS, anchor_json
from primitives.encodings import encode_base64
from tests.anchoring.test_receipt import ANCHOR, PROVEN

WHOLE: dict[str, Any] = {
    "version": 1,
    "record": encode_base64(b"a record"),
    "anchors": [anchor_json(ANCHOR), anchor_json(PROVEN)],
}


def test_reads_what_it_writes() -> None:
    found = AnchoredRecord.parse(WHOLE)
    assert found == AnchoredRecord(b"a record", (ANCHOR, PROVEN))
    assert found.to_json() == WHOLE
    waiting = AnchoredRecord.parse({**WHOLE, "anchors": []})
    assert waiting == AnchoredRecord(b"a record", ())


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({**WHOLE, "version": 2}, "found fields"),
        ({**WHOLE, "surprise": 1}, "found fields"),
        ({k: v for k, v in WHOLE.items() if k != "record"}, "found fields"),
        ({**WHOLE, "anchors": {}}, "want a list"),
        ({**WHOLE, "anchors": None}, "want a list"),
        ({**WHOLE, "anchors": [anchor_json(ANCHOR)] * (MAX_ANCHORS + 1)}, "want a list"),
        ({**WHOLE, "record": "YQ"}, "record: "),
        ({**WHOLE, "record": None}, "record: "),
    ],
)
def test_refuses_another_form(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(AnchoredRecordMalformed, match=f"^{says}") as caught:
        AnchoredRecord.parse(raw)
    assert caught.value.code == "anchored-record-malformed"
