import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.files import (
    DiskFull,
    FileIsFolder,
    FileNotThere,
    FolderIsFile,
    file_error,
    read_file,
    read_json,
    write_whole,
)
from primitives.errors import PatunayError
from primitives.strict_json import JsonTooLarge


def test_reads_no_more_than_one_byte_over_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "long"
    file.write_bytes(b"x" * 100)
    assert len(read_file(file, max_bytes=10)) == 11
    with pytest.raises(JsonTooLarge):
        read_json(file, max_bytes=10)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("nothing", FileNotThere), ("folder", FileIsFolder), ("file/inside", FolderIsFile)],
)
def test_each_failure_to_read_has_its_own_error(
    tmp_path: Path, name: str, kind: type[PatunayError]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(kind, match=name) as caught:
        read_file(tmp_path / name)
    assert caught.value.hint


@pytest.mark.parametrize("number", [13, 30, 5], ids=["EACCES", "EROFS", "EIO"])
def test_what_the_operating_system_refuses_is_the_operators_to_mend(number: int) -> None:
    error = file_error(OSError(number, "no"), "a.json")
    assert error.code == ("file-failed" if number == 5 else "file-permission")
    assert "a.json" in str(error)


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as on a full disk.

    For as short as possible: the report of this very test run may be such a file.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_old_file_and_no_half_of_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(b"old")
    with pytest.raises(DiskFull), small_files(10):
        write_whole(file, b"new" * 100)
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["receipt.json"]


def test_a_device_is_written_to_and_not_replaced() -> None:
    with pytest.raises(DiskFull):
        write_whole(Path("/dev/full"), b"x" * 10_000)
    assert Path("/dev/full").is_char_device()


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_whole(tmp_path / "link", b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"
