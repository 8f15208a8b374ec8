import os
import time
from pathlib import Path

import pytest

from node.home import write_file
from node.parsed_files import MAX_KEPT, MAX_KEPT_BYTES, SETTLED_NS, ParsedFiles
from primitives.strict_json import JsonMalformed, JsonTooLarge

_LIMIT = 4 << 20


def _settle(path: Path) -> None:
    """Let a file look as if it had been there for a while."""
    before = time.time_ns() - 2 * SETTLED_NS
    os.utime(path, ns=(before, before))


class _LongAgo(ParsedFiles):
    """Takes every file for one that has settled, which its change time cannot be set to."""

    settled_ns = -(10**12)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.json"
    write_file(path, b'{"a":1}')
    return path


def test_parses_a_settled_file_once(file: Path) -> None:
    files = _LongAgo()
    assert files.read(file, _LIMIT) is files.read(file, _LIMIT)


@pytest.mark.parametrize("body", [b'{"a":2}', b'{"a":2,"b":3}'])
def test_sees_a_file_that_was_replaced(file: Path, body: bytes) -> None:
    files = _LongAgo()
    files.read(file, _LIMIT)
    write_file(file, body)
    assert files.read(file, _LIMIT).document["a"] == 2


def test_sees_a_file_that_was_written_to_in_place(file: Path) -> None:
    files = _LongAgo()
    files.read(file, _LIMIT)
    file.write_bytes(b'{"a":3}')
    assert files.read(file, _LIMIT).document == {"a": 3}


def test_sees_that_a_file_is_gone(file: Path) -> None:
    files = _LongAgo()
    files.read(file, _LIMIT)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        files.read(file, _LIMIT)


def test_does_not_keep_what_may_be_replaced_within_the_same_tick(file: Path) -> None:
    files = ParsedFiles()
    _settle(file)  # its content; that it was moved to its place is still new
    assert files.read(file, _LIMIT) is not files.read(file, _LIMIT)


def test_keeps_a_bounded_number_of_files(tmp_path: Path) -> None:
    files = _LongAgo()
    paths = [tmp_path / f"{number}.json" for number in range(MAX_KEPT + 1)]
    for path in paths:
        path.write_bytes(b"{}")
        files.read(path, _LIMIT)
    last = files.read(paths[-1], _LIMIT)
    assert files.read(paths[-1], _LIMIT) is last
    assert files.read(paths[0], _LIMIT) is not None
    assert len(files) == MAX_KEPT


def test_does_not_keep_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    path.write_bytes(b'{"a":"%s"}' % (b"a" * MAX_KEPT_BYTES))
    files = _LongAgo()
    assert files.read(path, _LIMIT) is not files.read(path, _LIMIT)


def test_refuses_a_file_that_is_too_large_or_no_json(file: Path) -> None:
    with pytest.raises(JsonTooLarge, match="found 7 bytes, want at most 6"):
        ParsedFiles().read(file, 6)
    file.write_bytes(b"{")
    with pytest.raises(JsonMalformed):
        _LongAgo().read(file, _LIMIT)
