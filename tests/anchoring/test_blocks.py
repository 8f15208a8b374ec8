import hashlib

import pytest

from anchoring.blocks import (
    MAX_BLOCK_BYTES,
    BlockNotFound,
    BlockTooLarge,
    CidMismatch,
    GatewayBlocks,
    HeldBlocks,
    fetch_block,
    require_cid,
)
from anchoring.record import (
    CidMalformed,
    cid_bytes,
    cid_text,
    is_record_cid,
    raw_cid,
    record_cid,
)

CID = raw_cid(b"document")


def test_a_block_is_what_its_cid_names() -> None:
    require_cid(b"document", CID)
    require_cid(b"{}", record_cid(b"{}"))


def test_other_bytes_are_refused_with_both_digests() -> None:
    with pytest.raises(CidMismatch) as caught:
        require_cid(b"documenT", CID)
    found, wanted = (hashlib.sha256(b).hexdigest() for b in (b"documenT", b"document"))
    assert f"found SHA-256 {found}, want {wanted}" in str(caught.value)
    assert caught.value.code == "cid-mismatch"


def test_a_block_over_the_limit_is_refused() -> None:
    largest = bytes(MAX_BLOCK_BYTES)
    require_cid(largest, raw_cid(largest))
    with pytest.raises(BlockTooLarge) as caught:
        require_cid(largest + b"x", raw_cid(largest + b"x"))
    assert caught.value.code == "block-too-large"


def test_another_kind_of_cid_is_refused() -> None:
    with pytest.raises(CidMalformed):
        require_cid(b"", "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH")


async def test_what_a_place_delivers_is_compared() -> None:
    assert await fetch_block(HeldBlocks({CID: b"document"}), CID) == b"document"
    with pytest.raises(CidMismatch):
        await fetch_block(HeldBlocks({CID: b"forged"}), CID)


async def test_a_block_that_is_not_there_leaves_it_open() -> None:
    with pytest.raises(BlockNotFound) as caught:
        await fetch_block(HeldBlocks({}), CID)
    assert caught.value.code == "block-not-found"


@pytest.mark.parametrize("address", ["https://ipfs.example", "https://ipfs.example/"])
async def test_a_gateway_is_asked_for_the_raw_block_in_bounded_size(address: str) -> None:
    asked = []

    async def fetch(url: str, max_bytes: int) -> bytes:
        asked.append((url, max_bytes))
        return b"document"

    assert await fetch_block(GatewayBlocks(address, fetch), CID) == b"document"
    assert asked == [(f"https://ipfs.example/ipfs/{CID}?format=raw", 1 << 20)]


def test_the_binary_form_of_a_cid_is_prefix_and_digest() -> None:
    digest = hashlib.sha256(b"document").digest()
    assert cid_bytes(CID) == bytes.fromhex("01551220") + digest
    record = record_cid(b"document")
    assert cid_bytes(record) == bytes.fromhex("01a9021220") + digest
    assert [cid_text(cid_bytes(cid)) for cid in (CID, record)] == [CID, record]
    assert (is_record_cid(CID), is_record_cid(record)) == (False, True)


@pytest.mark.parametrize(
    "binary",
    [
        "",
        "01551220" + "00" * 31,
        "01551220" + "00" * 33,
        "01a9021220" + "00" * 31,
        "01711220" + "00" * 32,  # dag-cbor
        "01551114" + "00" * 20,  # SHA-1
        "1220" + "00" * 32,  # version 0
    ],
)
def test_another_binary_cid_is_refused(binary: str) -> None:
    with pytest.raises(CidMalformed):
        cid_text(bytes.fromhex(binary))
