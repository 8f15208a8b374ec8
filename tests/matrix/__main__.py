"""Writes the expected files anew, and prints each sentence for review."""

import json
import os
import tempfile
from pathlib import Path

from primitives.canonical_json import JsonObject
from tests.matrix.cases import cases
from tests.matrix.test_matrix import EXPECTED


def main() -> None:
    """Run every case."""
    EXPECTED.mkdir(exist_ok=True)
    for old in EXPECTED.iterdir():
        old.unlink()
    for case in cases():
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            found: JsonObject = case.answer(Path(folder))
        text = json.dumps(found, indent=1, ensure_ascii=False)
        (EXPECTED / f"{case.name}.json").write_text(text + "\n", encoding="utf-8")
        print(_line(case.name, found))  # noqa: T201 - what the program is for


def _line(name: str, found: JsonObject) -> str:
    report = found.get("report")
    if not isinstance(report, dict):
        return f"{found['exit']} {name}\n    {found['about']}\n    {found.get('error')}"
    said = f"{report['outcome']}/{report['standing']}: {report['summary']}"
    return f"{found['exit']} {name}\n    {found['about']}\n    {said}"


if __name__ == "__main__":
    main()
