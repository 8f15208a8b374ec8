"""Asks foreign implementations under Node.js, one process for many questions."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.support.components import ROOT, require

_DRIVERS = ROOT / "tests" / "peers"

# Whatever a native module may ask for outside ends at a port where nobody listens.
_NOWHERE = "http://127.0.0.1:9"
_ENVIRONMENT = {
    "PATH": os.environ.get("PATH", ""),
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE),
    "NO_PROXY": "127.0.0.1",
}


def ask(
    driver: str,
    questions: Iterable[Mapping[str, Any]],
    *,
    documents: Mapping[str, Any],
    folder: Path,
) -> list[dict[str, Any]]:
    """Return the driver's answers, one for each question, in order.

    Args:
        driver: Name of a file in tests/peers, without its ending.
        questions: As the head of that file describes them.
        documents: By URL: what the peer finds where it would look on the web.
        folder: Empty, for this call alone: Node looks for packages beside the driver.
    """
    node, packages = require("node"), require("npm-peers")
    for name in ("offline", driver):
        shutil.copy(_DRIVERS / f"{name}.mjs", folder)
    (folder / "node_modules").symlink_to(packages)
    questions = list(questions)
    done = subprocess.run(
        [node, folder / f"{driver}.mjs"],
        input="".join(
            json.dumps(line) + "\n" for line in [{"documents": documents}, *questions]
        ),
        capture_output=True,
        text=True,
        env=_ENVIRONMENT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = [
        json.loads(line) for line in done.stdout.split("\n")[:-1]
    ]
    assert len(answers) == len(questions), done.stderr
    return answers
