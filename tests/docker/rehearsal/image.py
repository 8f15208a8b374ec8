"""The image, built by the steps of its Dockerfile on top of this machine's own system.

In place of the base image stands what is installed here, below an overlay that takes every
change: nothing of this machine is changed. `python` is the interpreter below this one.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.docker.rehearsal.dockerfile import Stage, assigned, parse_dockerfile
from tests.support.components import ROOT

BASE_PATH: Final = ":".join(
    (f"{sys.base_prefix}/bin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
)
"""Where `python` and `pip` are, as in the base image, and then the system's own."""

HOSTS: Final = "127.0.0.1 localhost database chain node witness\n::1 localhost\n"
"""The names of the services: all of them on one loopback interface."""

_BUILD_SECONDS: Final = 1_800


class Layer:
    """A folder that looks like this machine, and keeps what is changed apart."""

    def __init__(self, folder: Path) -> None:
        self.changes, self.root = folder / "changes", folder / "root"
        for made in (self.changes, folder / "work", self.root):
            made.mkdir(parents=True)
        options = f"lowerdir=/,upperdir={self.changes},workdir={folder / 'work'}"
        mount("-t", "overlay", "-o", options, "overlay", self.root)
        mount("--rbind", "/dev", self.root / "dev")
        mount("-t", "proc", "proc", self.root / "proc")
        _open_python(self.root)


def mount(*arguments: str | Path) -> None:
    """Mount something; this process has a namespace of its own, and all ends with it."""
    subprocess.run(["mount", *arguments], check=True)


def _open_python(root: Path) -> None:
    """Let every user reach the interpreter, as in the base image."""
    for folder in (Path(sys.base_prefix), *Path(sys.base_prefix).parents):
        inside = root / folder.relative_to("/")
        inside.chmod(inside.stat().st_mode | 0o011)


class Image:
    """What the Dockerfile makes."""

    def __init__(self, folder: Path) -> None:
        self.stages = parse_dockerfile(ROOT / "docker" / "Dockerfile")
        layers = {
            stage.name: Layer(folder / f"stage-{n}") for n, stage in enumerate(self.stages)
        }
        built = [_build(stage, layers[stage.name], layers) for stage in self.stages]
        self.final = self.stages[-1]
        self.layer, self.variables = layers[self.final.name], built[-1]

    @property
    def user(self) -> str:
        """Number of its user."""
        return self.final.last("USER").partition(":")[0]


def _build(stage: Stage, layer: Layer, others: dict[str, Layer]) -> dict[str, str]:
    variables, place = {"PATH": BASE_PATH}, "/"
    for name, rest in stage.steps:
        if name == "ENV":
            variables = assigned(rest, variables)
        elif name == "WORKDIR":
            place = rest
            (layer.root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            _copy(rest, layer.root, place, others)
        elif name == "RUN":
            sys.stdout.write(f"RUN {rest[:100]}\n")
            sys.stdout.flush()
            _run(rest, layer.root, place, variables)
    return variables


def _copy(rest: str, root: Path, place: str, others: dict[str, Layer]) -> None:
    *sources, target = shlex.split(rest)
    context = ROOT
    if sources[0].startswith("--from="):
        context = others[sources.pop(0).removeprefix("--from=")].root
    into = root / Path(place, target).relative_to("/")
    for source in sources:
        found = context / source.lstrip("/")
        if found.is_dir():
            ignored = shutil.ignore_patterns("__pycache__") if context == ROOT else None
            shutil.copytree(found, into, symlinks=True, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy2(found, into / found.name if into.is_dir() else into)


def _run(line: str, root: Path, place: str, variables: dict[str, str]) -> None:
    # Where this machine's pip looks for packages is its own affair.
    kept = ("HOME", "PIP_", "SSL_")
    own = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    inside = f"cd {shlex.quote(place)} && {line}"
    subprocess.run(
        ["chroot", str(root), "/bin/sh", "-c", inside],
        env={**own, **variables},
        check=True,
        timeout=_BUILD_SECONDS,
    )
