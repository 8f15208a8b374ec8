"""Starts Patunay from this kit: installs it for this user, once, and hands over.

Needs Python 3.11 or later, and of it the standard library alone: no pip, no network, no
administrator. Nothing is written into the kit, which may lie on a write-protected stick.
Python 3.7 and later can read this file, and is told what is missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
OLDEST = (3, 11)
AGAIN = "copy the kit again / kopyahing muli ang kit"
GUIDE = """\
patunay: checks credentials on this machine, without a network.
patunay: sumusuri ng mga kredensiyal sa makinang ito, nang walang network.

  {name} FILE_OR_FOLDER ...     check / suriin
  {name} trust import PACK --store STORE --root federation.json
  {name} --help

README.txt (English), BASAHIN.txt (Filipino)
"""
ASK = """
Drag a file or a folder into this window, then press Enter. Only Enter: end.
Hilahin ang file o folder sa window na ito, saka pindutin ang Enter. Enter lamang: tapos.
> """
OFFICE = (
    ("--pack", "trust"),
    ("--policy", "policy.json"),
    ("--trust", "known.json"),
)
"""Options of `patunay verify`, and what in the folder `office` they are given for."""


class KitError(Exception):
    """What is wrong with the kit or the machine, and what to do about it."""

    def __init__(self, found: str, hint: str) -> None:
        super().__init__(found)
        self.hint = hint


def main(arguments: list[str]) -> None:
    """Install if need be, then run `patunay` with the arguments in this process."""
    try:
        place = prepare()
    except KitError as error:
        end(str(error), error.hint)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        end(str(error), f"{AGAIN}; PATUNAY_KIT_DATA names another folder to install to")
    if not arguments:
        sys.stdout.write(GUIDE.format(name=os.environ.get("PATUNAY_KIT_NAME", "patunay")))
        if sys.stdin.isatty():
            ask()
        return
    sys.path.insert(0, str(place))
    from cli.main import main as patunay  # noqa: PLC0415
    from cli.root import COMMANDS  # noqa: PLC0415 - was installed a moment ago

    is_file = arguments[0] not in COMMANDS and Path(arguments[0]).exists()
    sys.argv = ["patunay", *(office_options() if is_file else ()), *arguments]
    patunay()


def ask() -> None:
    """Ask for files until none is given: for who opens the kit with a mouse.

    A name goes from here to Python alone. A shell, or Windows when a file is dropped onto
    a script, would run what stands behind an `&` in the name of a stranger's file.
    """
    while True:
        sys.stdout.write(ASK)
        sys.stdout.flush()
        line = sys.stdin.readline().strip()
        if not line:
            return
        named = [line.strip('"')] if sys.platform == "win32" else unquoted(line)
        # A list: no shell reads it.
        subprocess.run([sys.executable, "-I", "-S", __file__, *named], check=False)


def unquoted(line: str) -> list[str]:
    """Return the names in a line as terminals write them for dragged files."""
    if Path(line).exists():
        return [line]
    try:
        return shlex.split(line)
    except ValueError:
        return [line]


def end(found: str, hint: str) -> NoReturn:
    """Say what is wrong, and end as `patunay` does where it is set up wrongly."""
    sys.stderr.write(f"patunay: error: {found}\npatunay: hint: {hint}\n")
    sys.exit(4)


def office_options() -> list[str]:
    """Return what comes before files that were named alone, as by drag and drop."""
    options = ["verify", "--offline"]
    for option, name in OFFICE:
        place = HERE / "office" / name
        if place.exists():
            options += [option, str(place)]
    return options


def prepare() -> Path:
    """Return the folder with the packages; make it first if it is not there.

    Raises:
        KitError: Another Python is needed, or the kit is damaged.
    """
    if sys.version_info < OLDEST:
        raise KitError(
            f"found Python {platform.python_version()}, want 3.11 or later"
            " / kailangan ang Python 3.11 o mas bago",
            "install one, or name one: PATUNAY_PYTHON=/path/to/python3.12",
        )
    sums = read_sums()
    digest = hashlib.sha256(repr(sorted(sums.items())).encode()).hexdigest()[:16]
    target = data_folder() / f"{digest}-{machine()}"
    if not target.is_dir():
        install(target, sums)
        sys.stderr.write(f"patunay: installed in {target}\n")
    return target


def install(target: Path, sums: dict[str, str]) -> None:
    """Unpack the wheels for this machine, each compared with its SHA-256 first.

    The folder gets its name when it is whole: one that was cut short is never used.

    Raises:
        KitError: A wheel is not the one that the list names.
    """
    names = wheels()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix="part-", dir=target.parent))
    try:
        for name in names:
            wheel, want = HERE / "wheels" / name, sums.get(f"wheels/{name}")
            found = hashlib.sha256(wheel.read_bytes()).hexdigest()
            if found != want:
                raise KitError(
                    f"wheels/{name} is damaged: found SHA-256 {found}, want {want}", AGAIN
                )
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(part)
        try:
            part.rename(target)
        except OSError:
            if not target.is_dir():  # else another start of the kit was faster
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def wheels() -> list[str]:
    """Return the names of the wheels for this machine.

    Raises:
        KitError: The kit has none for it.
    """
    targets: dict[str, list[str]] = json.loads((HERE / "targets.json").read_text("ascii"))
    if machine() not in targets:
        known = ", ".join(sorted(targets))
        raise KitError(
            f"found a machine of kind {machine()}, want one of {known}",
            "install one of these Pythons, or ask for a kit for this machine",
        )
    return targets[machine()]


def machine() -> str:
    """Return the kind of this machine and Python, such as `linux-x86_64-cp312`."""
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    # Windows says AMD64. A 32-bit Python on a 64-bit machine needs other wheels.
    kind = platform.machine().lower()
    kind = {"amd64": "x86_64", "aarch64": "arm64"}.get(kind, kind)
    if sys.maxsize < 2**32:
        kind += "_32bit"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        kind += "_free_threaded"
    if sys.implementation.name != "cpython":
        kind += f"_{sys.implementation.name}"
    return "{}-{}-cp{}{}".format(system, kind, *sys.version_info[:2])


def read_sums() -> dict[str, str]:
    """Return the SHA-256 of each file of the kit, by its name."""
    lines = (HERE / "SHA256SUMS").read_text("ascii").splitlines()
    pairs = (line.split("  ", 1) for line in lines)
    return {name: digest for digest, name in pairs}


def data_folder() -> Path:
    """Return where this user's programs keep what is theirs.

    PATUNAY_KIT_DATA names another folder, for machines whose homes cannot be written.
    """
    chosen = os.environ.get("PATUNAY_KIT_DATA")
    if chosen:
        return Path(chosen).absolute()
    home = Path("~").expanduser()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        usual = Path(local) if local else home / "AppData" / "Local"
    elif sys.platform == "darwin":
        usual = home / "Library" / "Application Support"
    else:
        data = os.environ.get("XDG_DATA_HOME")
        usual = Path(data) if data else home / ".local" / "share"
    return usual / "patunay-kit"


if __name__ == "__main__":
    main(sys.argv[1:])
