import hashlib
import json
from typing import Any

import pytest

from anchoring.note import NoteMalformed
from anchoring.record import (
    MAX_RECORD_BYTES,
    CidMalformed,
    RecordMalformed,
    build_record,
    cid_digest,
    entries_within,
    parse_record,
    raw_cid,
    record_cid,
    record_digest,
)
from anchoring.tiles import entry_bundle_path, tile_path
from tests.anchoring import go_vector

# Known to every IPFS implementation: the empty raw block, and `{}` as dag-json.
EMPTY_RAW = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
EMPTY_DAG_JSON = "baguqeeraiqjw7i2vwntyuekgvulpp2det2kpwt6cd7tx5ayqybqpmhfk76fa"

DID = "did:web:school.example"
LIST = "https://school.example/status/1"
PAUSE = "https://school.example/status/2"
TILE = "tile/0/000.p/13"


def record(**changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "checkpoint": go_vector.NOTE,
        "previous": None,
        "did_documents": {DID: b"document"},
        "status_lists": {LIST: b"list"},
        "suspension_lists": {PAUSE: b"pause"},
        "tiles": {TILE: b"tile"},
    }
    return build_record(**arguments | changes)


def rewritten(**changes: Any) -> bytes:
    """The record with other fields, in canonical form by the standard library."""
    value = json.loads(record()) | changes
    value = {field: item for field, item in value.items() if item is not ...}
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode(errors="surrogatepass")


def base32_cid(prefix: str, block: bytes) -> str:
    """Base32 by long division, for want of a second library."""
    bits = prefix + hashlib.sha256(block).hexdigest()
    number, width = int(bits, 16), len(bits) * 4
    padding = -width % 5
    number <<= padding
    digits = [number >> 5 * i & 31 for i in range((width + padding) // 5)]
    return "b" + "".join("abcdefghijklmnopqrstuvwxyz234567"[d] for d in reversed(digits))


def test_knows_the_cids_that_everybody_knows() -> None:
    assert raw_cid(b"") == EMPTY_RAW
    assert record_cid(b"{}") == EMPTY_DAG_JSON


@pytest.mark.parametrize("block", [b"", b"document", bytes(1000)])
def test_a_cid_is_the_digest_in_base32(block: bytes) -> None:
    assert raw_cid(block) == base32_cid("01551220", block)
    assert record_cid(block) == base32_cid("01a9021220", block)
    digest = hashlib.sha256(block).digest()
    assert cid_digest(raw_cid(block)) == cid_digest(record_cid(block)) == digest


@pytest.mark.parametrize(
    "cid",
    [
        "",
        "b",
        EMPTY_RAW.upper(),
        "B" + EMPTY_RAW[1:].upper(),
        "b" + EMPTY_RAW[1:].upper(),
        "z" + EMPTY_RAW[1:],
        EMPTY_RAW + "a",
        EMPTY_RAW + "\n",
        EMPTY_RAW + "======",
        EMPTY_RAW[:-1],
        EMPTY_RAW[:-1] + "v",
        "ipfs://" + EMPTY_RAW,
        "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n",
        base32_cid("01701220", b""),
        base32_cid("01711220", b""),
        base32_cid("01551620", b""),
        base32_cid("01550020", b""),
        base32_cid("0155121f", b""),
        base32_cid("02551220", b""),
        "bé" + EMPTY_RAW[2:],
    ],
)
def test_refuses_every_other_cid(cid: str) -> None:
    with pytest.raises(CidMalformed, match="want a base32 CIDv1") as e:
        cid_digest(cid)
    assert e.value.code == "cid-malformed"


def test_a_record_is_canonical_dag_json_with_fixed_fields() -> None:
    assert json.loads(record()) == {
        "version": 1,
        "log": "log.example/patunay",
        "checkpoint": go_vector.NOTE,
        "previous": None,
        "didDocuments": {DID: {"/": raw_cid(b"document")}},
        "statusLists": {LIST: {"/": raw_cid(b"list")}},
        "suspensionLists": {PAUSE: raw_cid(b"pause")},
        "tiles": {TILE: {"/": raw_cid(b"tile")}},
    }
    assert record() == rewritten()


def test_reads_what_it_wrote() -> None:
    parsed = parse_record(record(previous=EMPTY_DAG_JSON))
    assert (parsed.log, parsed.checkpoint) == (go_vector.NAME, go_vector.NOTE)
    assert parsed.previous == EMPTY_DAG_JSON
    assert [(link.name, link.cid, link.pinned) for link in parsed.links] == [
        (DID, raw_cid(b"document"), True),
        (LIST, raw_cid(b"list"), True),
        (PAUSE, raw_cid(b"pause"), False),
        (TILE, raw_cid(b"tile"), True),
    ]
    assert parsed.did_documents[0].digest == hashlib.sha256(b"document").digest()


def test_names_ascend_whatever_the_order_they_came_in() -> None:
    names = [f"did:web:{letter}.example" for letter in "cab"]
    raw = record(did_documents=dict.fromkeys(names, b"x"))
    assert [link.name for link in parse_record(raw).did_documents] == sorted(names)
    assert raw == record(did_documents=dict.fromkeys(sorted(names), b"x"))


def test_what_goes_on_chain_is_the_digest_of_the_bytes() -> None:
    raw = record()
    assert record_digest(raw) == hashlib.sha256(raw).digest() == cid_digest(record_cid(raw))


def test_an_empty_log_has_a_record() -> None:
    raw = record(did_documents={}, status_lists={}, suspension_lists=None, tiles={})
    assert parse_record(raw).links == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b" " + record(),
        record() + b"\n",
        b"\xef\xbb\xbf" + record(),
        json.dumps(json.loads(record())).encode(),
        record().replace("—".encode(), b"\\u2014"),
        record().replace(b'"version":1', b'"version":1.0'),
        record().replace(b'"version":1', b'"version":1,"version":1'),
        record().decode().encode("utf-16"),
    ],
)
def test_refuses_bytes_that_are_not_the_one_spelling(raw: bytes) -> None:
    with pytest.raises(RecordMalformed) as e:
        parse_record(raw)
    assert e.value.code == "record-malformed"


LINK = {"/": EMPTY_RAW}


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": True},
        {"version": "1"},
        {"version": ...},
        {"surprise": 1},
        {"tiles": ...},
        {"log": "log.example/other"},
        {"log": None},
        {"checkpoint": None},
        {"previous": 1},
        {"tiles": []},
        {"tiles": {TILE: EMPTY_RAW}},
        {"tiles": {TILE: {"/": EMPTY_RAW, "size": 1}}},
        {"tiles": {"checkpoint": LINK}},
        {"tiles": {"/": LINK}},
        {"tiles": {"tile/" + "0" * 2048: LINK}},
        {"tiles": {"tile/0/0 0": LINK}},
        {"didDocuments": {"did:web:é": LINK}},
        {"didDocuments": {"DID:web:a": LINK}},
        {"didDocuments": {"": LINK}},
        {"statusLists": {"ftp://school.example/1": LINK}},
        {"statusLists": {"https://school.example/\ud800": LINK}},
        {"suspensionLists": {"file:///etc": EMPTY_RAW}},
    ],
)
def test_refuses_a_record_that_breaks_a_rule(changes: dict[str, Any]) -> None:
    with pytest.raises(RecordMalformed):
        parse_record(rewritten(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"previous": EMPTY_RAW},
        {"previous": ""},
        {"tiles": {TILE: {"/": EMPTY_DAG_JSON}}},
        {"tiles": {TILE: {"/": EMPTY_RAW.upper()}}},
        {"tiles": {TILE: {"/": 1}}},
        {"suspensionLists": {PAUSE: LINK}},
    ],
)
def test_refuses_a_link_that_is_not_of_its_kind(changes: dict[str, Any]) -> None:
    with pytest.raises(CidMalformed):
        parse_record(rewritten(**changes))


@pytest.mark.parametrize("note", ["", go_vector.TEXT, go_vector.NOTE.replace("13", "013")])
def test_refuses_a_record_without_a_signed_checkpoint(note: str) -> None:
    with pytest.raises(NoteMalformed):
        parse_record(rewritten(checkpoint=note))
    with pytest.raises(NoteMalformed):
        record(checkpoint=note)


def test_writes_no_record_that_it_would_not_read() -> None:
    with pytest.raises(RecordMalformed, match="found name"):
        record(tiles={"checkpoint": b""})
    with pytest.raises(CidMalformed, match="dag-json"):
        record(previous=EMPTY_RAW)


def test_reads_records_up_to_the_limit() -> None:
    tiles = {f"tile/0/{number}": b"x" for number in range(11_500)}
    raw = record(tiles=tiles)
    assert 0.9 * MAX_RECORD_BYTES < len(raw) <= MAX_RECORD_BYTES
    assert len(parse_record(raw).tiles) == 11_500
    with pytest.raises(RecordMalformed, match=f"want at most {MAX_RECORD_BYTES}"):
        record(tiles=tiles | {f"tile/1/{number}": b"x" for number in range(1_500)})


@pytest.mark.parametrize("old", [0, 1, 255, 256, 65_535, 200_001, 256**3 - 1])
@pytest.mark.parametrize("room", [2_300, 2_401, 5_000, 50_000, 400_000])
def test_the_tiles_of_as_many_entries_as_fit_do_fit(old: int, room: int) -> None:
    count = entries_within(room)
    assert count > 0
    # The rule of C2SP tlog-tiles, once more: every tile whose width changes.
    paths = list[str]()
    before, after, level = old, old + count, 0
    while after > before:
        for index in range(before // 256, -(-after // 256)):
            width = min(256, after - 256 * index)
            paths.append(tile_path(level, index, width))
            if level == 0:
                paths.append(entry_bundle_path(index, width))
        before, after, level = before // 256, after // 256, level + 1
    links = {path: {"/": raw_cid(b"")} for path in paths}
    assert len(json.dumps(links, separators=(",", ":"))) <= room
