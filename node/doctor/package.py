"""Patunay's own files: as they were installed, and not another package's."""

import base64
import hashlib
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from node.doctor.finding import Finding, Verdict, fine

PACKAGES: Final = (
    "primitives",
    "contracts",
    "did",
    "anchoring",
    "credentials",
    "node",
    "cli",
)
_HINT: Final = "install Patunay anew, in an environment of its own"


def examine_package(found: Distribution | None = None) -> Iterator[Finding]:
    """Yield whether each file of the installed package is the one that was installed.

    Names such as `node` are common: another package may have put its files over ours.
    """
    own = found or distribution("patunay")
    files = [f for f in own.files or [] if f.parts[0] in PACKAGES and f.hash is not None]
    if not files:
        yield fine("package", f"{own.version}, from a working copy: nothing to compare")
        return
    changed = [str(f) for f in files if not _is_as_installed(Path(str(f.locate())), f.hash)]
    if changed:
        names = ", ".join(changed[:3])
        detail = (
            f"{len(changed)} of {len(files)} files are not as they were installed: {names}"
        )
        yield Finding("package", Verdict.FAIL, "package-changed", detail, _HINT)
        return
    place = Path(str(own.locate_file("")))
    foreign = [name for name in PACKAGES if not _is_in(name, place)]
    if foreign:
        detail = f"another package answers to the name {', '.join(foreign)}"
        yield Finding("package", Verdict.FAIL, "package-shadowed", detail, _HINT)
        return
    yield fine("package", f"{own.version}, {len(files)} files as they were installed")


def _is_as_installed(path: Path, recorded: object) -> bool:
    mode, value = getattr(recorded, "mode", ""), getattr(recorded, "value", "")
    try:
        digest = hashlib.new(mode, path.read_bytes()).digest()
    except (OSError, ValueError):
        return False
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == value


def _is_in(name: str, place: Path) -> bool:
    spec = find_spec(name)
    origin = spec.origin if spec is not None else None
    return origin is not None and Path(origin).resolve().is_relative_to(place.resolve())
