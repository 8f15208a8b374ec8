"""A disk that keeps only what was synced, in memory.

    write, truncate, chmod              are of the file, and last from its fsync on
    create, mkdir, rename, unlink       are of the folder, and last from its fsync on

When the sync of a file fails, what it was to make safe can still be read, and no later sync
makes it safe: so Linux does it.

At a power cut, what was not synced may be there all the same, wholly or in sectors: a
seed decides. So nothing can come to depend on its being lost either.
"""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

SECTOR: Final = 512
"""Bytes that a disk writes whole or not at all."""


@dataclass(eq=False, slots=True)
class File:
    """A file's bytes as everybody sees them, and as a power cut leaves them."""

    mode: int
    content: bytearray = field(default_factory=bytearray)
    safe: bytearray = field(default_factory=bytearray)
    safe_mode: int = 0
    touched: set[int] = field(default_factory=set)
    """Numbers of the sectors that may differ between the two."""

    def write(self, data: bytes, offset: int) -> None:
        if offset > len(self.content):
            self.resize(offset)
        self.content[offset : offset + len(data)] = data
        self._touch(offset, offset + len(data))

    def resize(self, length: int) -> None:
        before = len(self.content)
        del self.content[length:]
        self.content.extend(bytes(length - len(self.content)))
        self._touch(min(before, length), max(before, length))

    def _touch(self, start: int, stop: int) -> None:
        self.touched.update(range(start // SECTOR, -(-stop // SECTOR)))

    def sync(self) -> None:
        self.safe = self._with(self.touched, len(self.content))
        self.safe_mode = self.mode
        self.touched.clear()

    def forget(self) -> None:
        """Let no later sync save what was written so far; it can still be read."""
        self.touched.clear()

    def _with(self, sectors: set[int], length: int) -> bytearray:
        """Return what is safe with some new sectors, cut or filled up to `length`."""
        kept = self.safe[:length]
        kept.extend(bytes(length - len(kept)))
        for sector in sectors:
            place = slice(sector * SECTOR, min((sector + 1) * SECTOR, length))
            kept[place] = self.content[place]
        return kept

    def after_cut(self, chance: Random) -> "File":
        """Return what is found when the power is back."""
        kind = chance.choice(("none", "all", "some", "some"))
        if kind == "none":
            kept = self.safe
        elif kind == "all":
            kept = self._with(self.touched, len(self.content))
        else:
            sectors = {s for s in sorted(self.touched) if chance.random() < 0.5}
            length = chance.choice((len(self.safe), len(self.content)))
            kept = self._with(sectors, length)
        mode = chance.choice((self.mode, self.safe_mode))
        return File(mode, bytearray(kept), bytearray(kept), mode)


@dataclass(eq=False, slots=True)
class Folder:
    """A folder's names as everybody sees them, and as a power cut leaves them."""

    mode: int
    names: "dict[str, Inode]" = field(default_factory=dict)
    safe: "dict[str, Inode]" = field(default_factory=dict)

    def sync(self) -> None:
        self.safe = dict(self.names)

    def after_cut(self, chance: Random, seen: "dict[Inode, Inode]") -> "Folder":
        """Return what is found when the power is back; `seen` has what was found already.

        Each name is the old one or the new one by itself: nobody has promised an order.
        """
        found = Folder(self.mode)
        for name in sorted(self.names | self.safe):
            inode = chance.choice((self.names.get(name), self.safe.get(name)))
            if inode is None:
                continue
            if inode not in seen:
                seen[inode] = (
                    inode.after_cut(chance)
                    if isinstance(inode, File)
                    else inode.after_cut(chance, seen)
                )
            found.names[name] = found.safe[name] = seen[inode]
        return found


Inode = File | Folder


class Disk:
    """Files and folders, and the power that they need.

    Args:
        forgets_files: fsync of a file says yes and does nothing, as some disks do.
        forgets_folders: The same, for folders.
    """

    def __init__(
        self, *, forgets_files: bool = False, forgets_folders: bool = False
    ) -> None:
        self.root = Folder(0o755)
        self.forgets_files = forgets_files
        self.forgets_folders = forgets_folders
        self.is_on = True
        self.cuts = 0
        self._left: int | None = None
        """Changes until the power is cut."""
        self._fault: tuple[int, int] | None = None
        """Changes until one of them fails, and its errno."""

    # The power

    def cut_after(self, changes: int) -> None:
        """Cut the power in place of the next change but so many."""
        self._left = changes

    def fail_after(self, changes: int, number: int) -> None:
        """Let the next change but so many fail with that errno, and no other."""
        self._fault = (changes, number)

    def power_on(self, chance: Random) -> None:
        """Let there be what the cut has left."""
        self.root = self.root.after_cut(chance, {})
        self.is_on = True

    def step(self) -> None:
        """Count one change.

        Raises:
            OSError: EIO: there is no power. What is there can still be read, as those saw
                it who read it before the cut.
        """
        if self._left == 0:
            self.is_on = False
            self.cuts += 1
        self._left = self._left - 1 if self._left else None
        if not self.is_on:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if self._fault is not None:
            left, number = self._fault
            self._fault = (left - 1, number) if left else None
            if not left:
                raise OSError(number, os.strerror(number))

    # What a file system does

    def find(self, path: str) -> Inode:
        inode: Inode = self.root
        for name in _steps(path):
            inode = _names(inode).get(name) or _missing()
        return inode

    def folder(self, path: str) -> Folder:
        return _as_folder(self.find(path))

    def file(self, path: str) -> File:
        inode = self.find(path)
        if isinstance(inode, Folder):
            raise OSError(errno.EISDIR, path)
        return inode

    def create(self, path: str, inode: Inode) -> None:
        self.step()
        folder, name = self._parent(path)
        if name in folder.names:
            raise OSError(errno.EEXIST, path)
        folder.names[name] = inode

    def rename(self, old: str, new: str) -> None:
        self.step()
        source, before = self._parent(old)
        inode = self.find(old)
        target, after = self._parent(new)
        del source.names[before]
        target.names[after] = inode

    def remove(self, path: str) -> None:
        self.step()
        inode = self.find(path)
        if isinstance(inode, Folder) and inode.names:
            raise OSError(errno.ENOTEMPTY, path)
        folder, name = self._parent(path)
        del folder.names[name]

    def sync(self, inode: Inode) -> None:
        try:
            self.step()
        except OSError:
            if self.is_on and isinstance(inode, File):
                inode.forget()
            raise
        forgets = self.forgets_folders if isinstance(inode, Folder) else self.forgets_files
        if not forgets:
            inode.sync()

    def _parent(self, path: str) -> tuple[Folder, str]:
        folder, _, name = path.rpartition("/")
        return self.folder(folder), name


def _steps(path: str) -> Iterator[str]:
    return (name for name in path.split("/") if name)


def _names(inode: Inode) -> dict[str, Inode]:
    return _as_folder(inode).names


def _as_folder(inode: Inode) -> Folder:
    if isinstance(inode, File):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    return inode


def _missing() -> Inode:
    raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
