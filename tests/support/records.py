"""A small anchor record and the blocks that it links."""

from anchoring.record import build_record
from tests.anchoring import go_vector

BLOCKS = (b"document", b"list", b"tile")
SUSPENSIONS = b"pause"
"""Committed to, and not among `BLOCKS`."""


def small_record() -> bytes:
    """Return the record that links `BLOCKS`."""
    document, status_list, tile = BLOCKS
    return build_record(
        checkpoint=go_vector.NOTE,
        previous=None,
        did_documents={"did:web:school.example": document},
        status_lists={"https://school.example/status/1": status_list},
        suspension_lists={"https://school.example/status/2": SUSPENSIONS},
        tiles={"tile/0/000.p/13": tile},
    )
