"""A Dockerfile as stages of instructions; of its language, what ours uses."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_KNOWN: Final = frozenset(
    {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK"}
    | {"ENTRYPOINT", "CMD"}
)


@dataclass
class Stage:
    """What stands between one `FROM` and the next."""

    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    """Instruction and the rest of its line, continued lines joined."""

    def last(self, instruction: str) -> str:
        """Return the rest of the last line of that instruction."""
        return [rest for name, rest in self.steps if name == instruction][-1]

    def command(self) -> list[str]:
        """Return what a container runs: entrypoint and default arguments."""
        return [*json.loads(self.last("ENTRYPOINT")), *json.loads(self.last("CMD"))]


def parse_dockerfile(file: Path) -> list[Stage]:
    """Return the stages of a file; an instruction that is not known here is an error."""
    lines = file.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    stages: list[Stage] = []
    for line in text.replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        if not name:
            continue
        if name not in _KNOWN:
            raise ValueError(f"found the instruction {name}, which is not rehearsed")
        if name == "FROM":
            stages.append(Stage(rest.partition(" AS ")[2]))
        else:
            stages[-1].steps.append((name, rest.strip()))
    return stages


def assigned(rest: str, before: dict[str, str]) -> dict[str, str]:
    """Return the environment after an `ENV` line."""
    found = dict(before)
    for pair in shlex.split(rest):
        name, _, value = pair.partition("=")
        found[name] = re.sub(r"\$(\w+)", lambda m: before.get(m[1], ""), value)
    return found
