"""Refusals that no other test can tell from the one after them; found by `make mutants`."""

import base64
from typing import Any

import pytest

from anchoring.checkpoint import CheckpointMalformed, parse_checkpoint_text
from anchoring.note import NoteMalformed, SignedNote
from anchoring.receipt import Receipt, ReceiptMalformed
from anchoring.tlog_proof import TlogProof, TlogProofMalformed
from tests.anchoring import go_vector

PROOF = TlogProof(5, go_vector.hashes(go_vector.INCLUSION_5_OF_13), go_vector.NOTE)


def test_a_checkpoint_ends_in_a_newline_and_in_nothing_else() -> None:
    for last in ("x", " ", ""):
        with pytest.raises(CheckpointMalformed):
            parse_checkpoint_text(go_vector.TEXT[:-1] + last)


def test_a_note_ends_in_a_newline_and_in_nothing_else() -> None:
    for last in ("x", " ", ""):
        with pytest.raises(NoteMalformed):
            SignedNote.parse(go_vector.NOTE[:-1] + last)


def test_a_signature_line_begins_with_its_dash() -> None:
    with pytest.raises(NoteMalformed, match="want a signature line"):
        SignedNote.parse(go_vector.NOTE.replace("— ", ""))


@pytest.mark.parametrize("anchors", [None, 7, True])
def test_anchors_stand_in_an_array(anchors: Any) -> None:
    raw = {
        "version": 1,
        "tlogProof": str(PROOF),
        "record": base64.b64encode(b"{}").decode(),
        "anchors": anchors,
    }
    with pytest.raises(ReceiptMalformed):
        Receipt.parse(raw)


def test_a_proof_holds_a_note() -> None:
    head = str(PROOF).partition("\n\n")[0]
    with pytest.raises(TlogProofMalformed):
        TlogProof.parse(head)


def test_a_proof_holds_more_than_its_first_line() -> None:
    with pytest.raises(TlogProofMalformed):
        TlogProof.parse(f"c2sp.org/tlog-proof@v1\n\n{go_vector.NOTE}")
    with pytest.raises(TlogProofMalformed):
        TlogProof.parse(f"c2sp.org/tlog-proof@v1\nextra aQ==\n\n{go_vector.NOTE}")
