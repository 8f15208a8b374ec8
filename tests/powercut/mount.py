"""The file system without power, from outside: mounting it, cutting, going on."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.components import ROOT

_END_SECONDS: Final = 30


@contextmanager
def mounted(root: Path, out: int, forgets: Iterable[str] = ()) -> Iterator[None]:
    """Mount an empty disk at `root`, which writes to `out`: "mounted" comes first.

    What it forgets is `files`, `folders`, or both.
    """
    options = [option for each in forgets for option in ("--forgets", each)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.powercut.file_system", str(root), *options],
        cwd=ROOT,
        stdout=out,
    )
    try:
        yield
    finally:
        # Lazily: a process that was killed may take a moment to let go.
        subprocess.run(["umount", "--lazy", str(root)], check=True)
        process.wait(_END_SECONDS)


def cut_after(root: Path, changes: int) -> None:
    """Cut the power of the disk in place of the next change but so many."""
    os.setxattr(root, "user.cut-after", str(changes).encode())


def power_on(root: Path, seed: int) -> None:
    """Let there be what the cut has left."""
    os.setxattr(root, "user.power-on", str(seed).encode())


def fail_after(root: Path, changes: int, number: int) -> None:
    """Let the next change of the disk but so many fail with that errno."""
    os.setxattr(root, "user.fail-after", f"{changes} {number}".encode())
