"""The disk as a file system: FUSE, in a process of its own.

python -m tests.powercut.file_system FOLDER [--forgets files] [--forgets folders]

It is steered by extended attributes of FOLDER:

    user.cut-after N      cut the power in place of the next change but N
    user.power-on SEED    let there be what the cut has left
    user.fail-after N E   let the next change but N fail with errno E

On standard output it says ["mounted"], and ["cut"] as soon as the power is cut.
"""
# ruff: noqa: ARG002 - the arguments are those that libfuse gives

import argparse
import os
import stat
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from mfusepy import FUSE, Operations

from tests.powercut.disk import Disk, File, Folder, Inode


class FileSystem(Operations):  # type: ignore[misc]
    """What the kernel asks for. A handle stays with its file, whatever its name."""

    use_ns = True

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.handles: dict[int, Inode] = {}
        self.last = 0

    def _opened(self, inode: Inode) -> int:
        self.last += 1
        self.handles[self.last] = inode
        return self.last

    def _file(self, path: str, handle: int | None) -> File:
        inode = self.handles[handle] if handle else self.disk.find(path)
        assert isinstance(inode, File)
        return inode

    def init(self, path: str) -> None:
        _say("mounted")

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        inode = self.handles[fh] if fh else self.disk.find(path)
        if isinstance(inode, Folder):
            return {"st_mode": stat.S_IFDIR | inode.mode, "st_nlink": 2}
        size = len(inode.content)
        mode = stat.S_IFREG | inode.mode
        return {"st_mode": mode, "st_nlink": 1, "st_size": size}

    def mkdir(self, path: str, mode: int) -> int:
        self._changing(self.disk.create, path, Folder(mode))
        return 0

    def setxattr(
        self, path: str, name: str, value: bytes, options: int, position: int = 0
    ) -> int:
        if name == "user.cut-after":
            self.disk.cut_after(int(value))
        elif name == "user.fail-after":
            self.disk.fail_after(*map(int, value.split()))
        else:
            self.disk.power_on(Random(int(value)))
        return 0

    def create(self, path: str, mode: int, fi: int) -> int:
        file = File(mode & 0o7777)
        self._changing(self.disk.create, path, file)
        return self._opened(file)

    def open(self, path: str, flags: int) -> int:
        return self._opened(self.disk.file(path))

    def opendir(self, path: str) -> int:
        return self._opened(self.disk.folder(path))

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *self.disk.folder(path).names]

    def release(self, path: str, fh: int) -> int:
        del self.handles[fh]
        return 0

    releasedir = release

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._file(path, fh).content[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self._changing(self.disk.step)
        self._file(path, fh).write(data, offset)
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        self._changing(self.disk.step)
        self._file(path, fh).resize(length)
        return 0

    def chmod(self, path: str, mode: int) -> int:
        self._changing(self.disk.step)
        self.disk.find(path).mode = mode & 0o7777
        return 0

    def rename(self, old: str, new: str) -> int:
        self._changing(self.disk.rename, old, new)
        return 0

    def unlink(self, path: str) -> int:
        self._changing(self.disk.remove, path)
        return 0

    rmdir = unlink

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        self._changing(self.disk.sync, self.handles[fh])
        return 0

    fsyncdir = fsync

    def _changing(self, change: Callable[..., None], *arguments: object) -> None:
        before = self.disk.cuts
        try:
            change(*arguments)
        finally:
            if self.disk.cuts > before:
                _say("cut")


def _say(word: str) -> None:
    os.write(1, b'["%s"]\n' % word.encode())


def main() -> None:
    """Answer the kernel until the disk is unmounted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--forgets", action="append", choices=("files", "folders"))
    options = parser.parse_args()
    forgets = options.forgets or ()
    disk = Disk(forgets_files="files" in forgets, forgets_folders="folders" in forgets)
    FUSE(
        FileSystem(disk),
        str(options.folder),
        foreground=True,
        nothreads=True,
        # Otherwise a file that is removed while it is open gets another name.
        hard_remove=True,
        # The kernel would go on believing what it had seen before a cut.
        attr_timeout=0,
        entry_timeout=0,
    )


if __name__ == "__main__":
    main()
