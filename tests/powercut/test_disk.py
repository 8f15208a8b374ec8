"""The disk that forgets: what it keeps is what was synced."""

import errno
from random import Random

import pytest

from tests.powercut.disk import SECTOR, Disk, File, Folder

SEEDS = range(60)


def written(disk: Disk, path: str, content: bytes) -> File:
    file = File(0o644)
    disk.create(path, file)
    file.write(content, 0)
    return file


def after_cuts(disk: Disk, path: str) -> set[bytes | None]:
    """Return what is at `path` after a cut, with every seed."""
    found = set[bytes | None]()
    for seed in SEEDS:
        root = disk.root.after_cut(Random(seed), {})
        inode: File | Folder | None = root
        for name in path.split("/"):
            inode = inode.names.get(name) if isinstance(inode, Folder) else None
        found.add(bytes(inode.content) if isinstance(inode, File) else None)
    return found


def test_what_was_synced_in_file_and_folder_is_there_after_every_cut() -> None:
    disk = Disk()
    disk.sync(written(disk, "a", b"kept"))
    disk.sync(disk.root)
    assert after_cuts(disk, "a") == {b"kept"}


def test_a_synced_file_whose_name_was_not_synced_may_be_gone() -> None:
    disk = Disk()
    disk.sync(written(disk, "a", b"kept"))
    assert after_cuts(disk, "a") == {b"kept", None}


def test_a_folder_whose_name_was_not_synced_takes_all_below_it_away() -> None:
    disk = Disk()
    folder = Folder(0o755)
    disk.create("f", folder)
    disk.sync(written(disk, "f/a", b"kept"))
    disk.sync(folder)
    assert after_cuts(disk, "f/a") == {b"kept", None}


def test_bytes_that_were_not_synced_are_lost_kept_or_torn_in_sectors() -> None:
    disk = Disk()
    file = written(disk, "a", bytes(2 * SECTOR))
    disk.sync(file)
    disk.sync(disk.root)
    file.write(b"\1" * 2 * SECTOR, 0)
    old, new = bytes(SECTOR), b"\1" * SECTOR
    assert after_cuts(disk, "a") == {old + old, new + new, old + new, new + old}


def test_a_renamed_file_is_the_old_or_the_new_one_until_its_folder_is_synced() -> None:
    disk = Disk()
    disk.sync(written(disk, "a", b"old"))
    disk.sync(disk.root)
    disk.sync(written(disk, "b", b"new"))
    disk.rename("b", "a")
    assert after_cuts(disk, "a") == {b"old", b"new"}
    disk.sync(disk.root)
    assert after_cuts(disk, "a") == {b"new"}
    disk.remove("a")
    assert after_cuts(disk, "a") == {b"new", None}


def test_a_disk_that_forgets_loses_what_was_synced() -> None:
    forgets_files = Disk(forgets_files=True)
    forgets_files.sync(written(forgets_files, "a", b"kept"))
    forgets_files.sync(forgets_files.root)
    assert b"" in after_cuts(forgets_files, "a")
    forgets_folders = Disk(forgets_folders=True)
    forgets_folders.sync(written(forgets_folders, "a", b"kept"))
    forgets_folders.sync(forgets_folders.root)
    assert None in after_cuts(forgets_folders, "a")


def test_what_a_failed_sync_was_to_save_no_later_sync_saves() -> None:
    disk = Disk()
    file = written(disk, "a", bytes(2 * SECTOR))
    disk.sync(file)
    disk.sync(disk.root)
    file.write(b"\1" * SECTOR, 0)
    disk.fail_after(0, errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        disk.sync(file)
    file.write(b"\1" * SECTOR, SECTOR)
    disk.sync(file)
    assert bytes(file.content) == b"\1" * 2 * SECTOR
    assert after_cuts(disk, "a") == {bytes(SECTOR) + b"\1" * SECTOR}


def test_without_power_nothing_changes_and_nothing_is_synced() -> None:
    disk = Disk()
    disk.cut_after(2)
    file = written(disk, "a", b"x")  # the first change
    disk.sync(disk.root)
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output") as caught:
            disk.sync(file)
        assert caught.value.errno == errno.EIO
    assert disk.cuts == 1
    assert disk.file("a").content == b"x"
    disk.power_on(Random(1))
    disk.sync(disk.root)
