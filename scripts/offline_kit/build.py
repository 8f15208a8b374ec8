"""Builds the offline kit: one ZIP file that installs without a network.

    python -m scripts.offline_kit.build [--platform NAME]... [--python 3.12]... [-o FOLDER]

The same commit, lock file and platforms give the same bytes.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.offline_kit.start import machine

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = Path(__file__).resolve().parent

NEEDED: Final = (
    *("babel", "base58", "cffi", "click", "orjson", "pycparser", "pycryptodome", "pynacl"),
    *("rfc8785", "fpdf2", "font-source-sans-pro", "defusedxml"),
)
"""What `patunay verify --offline` and `patunay trust` import, of requirements.lock.
The node's own database, web server and chain are not: they are 20 times as large."""

ANYWHERE: Final = ("fonttools",)
"""Taken as a wheel for any machine, though there are some for each: those are 20 times as
large, and no faster for what a report needs. Pillow, for pictures, is left out."""

ON_WINDOWS: Final = ("colorama",)

PLATFORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "linux-x86_64": (
        *("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64"),
        "manylinux_2_34_x86_64",
    ),
    "linux-arm64": (
        *("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64"),
        "manylinux_2_34_aarch64",
    ),
    "macos-x86_64": ("macosx_12_0_x86_64", "macosx_12_0_universal2"),
    "macos-arm64": ("macosx_12_0_arm64", "macosx_12_0_universal2"),
    "windows-x86_64": ("win_amd64",),
}
"""Tags of wheels that each platform takes, the one that the oldest machines run first."""

PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")

_TEXTS: Final = ("README.txt", "BASAHIN.txt", "patunay.cmd")
"""Written with the line ends of Windows, whose older editors know no others."""

_SHIPPED: Final = (".sh", ".command", ".cmd", ".txt", ".html")
_EXECUTABLE: Final = ("patunay.sh", "patunay.command")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_HIDDEN_MODULES: Final = re.compile(r"^[^/]+\.data/(purelib|platlib)/")
_PIN: Final = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)([^\\]*)\\?$")


class KitNotBuilt(SystemExit):
    """Something that the kit is made from cannot be had."""


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of machine, with a Python."""

    platform: str

    python: str
    """`3.12`."""

    @property
    def name(self) -> str:
        """Return what `start.machine` says there."""
        return f"{self.platform}-cp{self.python.replace('.', '')}"


def main(arguments: Sequence[str]) -> None:
    """Build the kit that the command line asks for, and print where it is."""
    options = _parser().parse_args(arguments)
    here, _, _ = machine().rpartition("-cp")
    asked = options.platform or [here]
    platforms = list(PLATFORMS) if "all" in asked else sorted(set(asked))
    if unknown := set(platforms) - set(PLATFORMS):
        raise KitNotBuilt(f"no wheels are asked for here: {', '.join(unknown)}")
    targets = [Target(p, v) for p in platforms for v in options.python or PYTHONS]
    place = build(targets, options.output, wheels_from=options.wheels)
    print(place)  # noqa: T201 - what the command says
    print(f"sha256 {hashlib.sha256(place.read_bytes()).hexdigest()}")  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make offline-kit")
    parser.add_argument("--platform", action="append", help=f"{', '.join(PLATFORMS)}, all")
    parser.add_argument("--python", action="append", help=f"of {', '.join(PYTHONS)}")
    parser.add_argument(
        "--wheels", type=Path, help="folder to take wheels from, instead of an index"
    )
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist")
    return parser


def build(targets: Sequence[Target], folder: Path, *, wheels_from: Path | None) -> Path:
    """Return the kit for these targets, written into `folder`.

    Raises:
        KitNotBuilt: A wheel cannot be had.
    """
    pins = read_pins((ROOT / "requirements.lock").read_text("utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        wheels = Path(scratch, "wheels")
        wheels.mkdir()
        own = _own_wheel(wheels)
        chosen = {
            target.name: sorted((own, *_download(target, pins, wheels, wheels_from)))
            for target in targets
        }
        files = {f"wheels/{p.name}": p.read_bytes() for p in wheels.iterdir()}
    files |= {p.name: _text(p) for p in SOURCES.iterdir() if _is_shipped(p)}
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    files["targets.json"] = json.dumps(chosen, indent=1, sort_keys=True).encode() + b"\n"
    files["SHA256SUMS"] = sums(files)
    platforms = sorted({target.platform for target in targets})
    name = f"patunay-offline-{_version()}-{_label(platforms)}"
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{name}.zip"
    write_zip(place, name, files)
    return place


def read_pins(lock: str) -> dict[str, str]:
    """Return `name==version --hash=... --hash=...` of each package, without markers.

    A marker speaks of the machine that installs, and the kit is for others.
    """
    found: dict[str, str] = {}
    name = ""
    for line in lock.splitlines():
        if match := _PIN.match(line):
            name = match[1]
            found[name] = f"{name}=={match[2]}"
        elif name and (text := line.strip().rstrip("\\").strip()).startswith("--hash="):
            found[name] += f" {text}"
    return found


def sums(files: Mapping[str, bytes]) -> bytes:
    """Return the list of SHA-256 as `sha256sum -c` reads it."""
    lines = (f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in sorted(files))
    return "".join(lines).encode("ascii")


def write_zip(place: Path, top: str, files: Mapping[str, bytes]) -> None:
    """Write the files below one folder, in one order, with one time and fixed modes."""
    with zipfile.ZipFile(place, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{top}/{name}", _EPOCH)
            entry.create_system = 3  # Unix, whose modes the next line writes
            entry.external_attr = (0o755 if name in _EXECUTABLE else 0o644) << 16
            # Wheels are packed already.
            packed = not name.endswith(".whl")
            entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            archive.writestr(entry, files[name])


def _label(platforms: Sequence[str]) -> str:
    if len(platforms) == 1:
        return platforms[0]
    return "all" if len(platforms) == len(PLATFORMS) else f"{len(platforms)}-platforms"


def _is_shipped(path: Path) -> bool:
    return path.name == "start.py" or path.suffix in _SHIPPED


def _text(path: Path) -> bytes:
    raw = path.read_bytes()
    return raw.replace(b"\n", b"\r\n") if path.name in _TEXTS else raw


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


def _own_wheel(folder: Path) -> str:
    """Build Patunay's own wheel, without a network."""
    before = set(folder.iterdir())
    _pip(
        "wheel",
        *("--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), str(ROOT)),
        # Files in a wheel carry a time; without this one each build has its own.
        SOURCE_DATE_EPOCH="315532800",
    )
    (made,) = set(folder.iterdir()) - before
    return made.name


def _download(
    target: Target, pins: Mapping[str, str], folder: Path, wheels_from: Path | None
) -> Iterator[str]:
    wanted = (*NEEDED, *(ON_WINDOWS if target.platform.startswith("windows") else ()))
    tags = [part for tag in PLATFORMS[target.platform] for part in ("--platform", tag)]
    source = () if wheels_from is None else ("--no-index", "--find-links", str(wheels_from))
    with tempfile.TemporaryDirectory() as scratch:
        for names, of in (
            (wanted, ("--implementation", "cp", *tags)),
            (ANYWHERE, ("--implementation", "py", "--abi", "none", "--platform", "any")),
        ):
            listed = Path(scratch, "wanted.txt")
            listed.write_text("".join(f"{pins[name]}\n" for name in names), "utf-8")
            _pip(
                "download",
                *(
                    "--no-deps",
                    "--only-binary=:all:",
                    "--require-hashes",
                    "-r",
                    str(listed),
                ),
                *(
                    "--python-version",
                    target.python,
                    *of,
                    "-d",
                    f"{scratch}/found",
                    *source,
                ),
            )
        for path in Path(scratch, "found").iterdir():
            _refuse_hidden_modules(path)
            shutil.copyfile(path, folder / path.name)
            yield path.name


def _refuse_hidden_modules(wheel: Path) -> None:
    """Return if a wheel is installed by unpacking it, which is all that `start.py` does.

    Manuals and scripts stay where nobody looks, and are not missed. Modules would be.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    if odd := [name for name in names if _HIDDEN_MODULES.search(name)]:
        raise KitNotBuilt(f"{wheel.name} has modules that move: {odd[:3]}")


def _pip(*arguments: str, **environment: str) -> None:
    command: Iterable[str] = (sys.executable, "-m", "pip", "--quiet", *arguments)
    done = subprocess.run(
        [*command],
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise KitNotBuilt(f"pip {arguments[0]} failed:\n{done.stderr}")


if __name__ == "__main__":
    main(sys.argv[1:])
