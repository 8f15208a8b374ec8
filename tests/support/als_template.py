"""The example template, as it is and with one thing changed."""

import json
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[2] / "examples" / "als-life-skills-communication.json"
RAW = _FILE.read_bytes()


def raw_template() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(RAW)
    return value


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the example template with one member set, or removed by `...`."""
    template = raw_template()
    *parents, last = path.split(".")
    place: Any = template
    for step in parents:
        place = place[int(step)] if step.isdecimal() else place[step]
    if value is ...:
        del place[last]
    else:
        place[int(last) if last.isdecimal() else last] = value
    return template
