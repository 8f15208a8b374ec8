"""Talks with the pytest of `forks.py`, which runs tests in forks of itself."""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.mutants.forks import ANSWERS, MODULES, REQUESTS

START_SECONDS: Final = 300
"""Until all tests are loaded."""

TEST_SECONDS: Final = 120
"""Of one test, after which it is said to have no end."""


class BenchBroken(RuntimeError):
    """The process that runs the tests has said something else than was expected."""


@dataclass
class Told:
    """What one request came to."""

    seconds: dict[str, float] = field(default_factory=dict)
    """Of each test that ended."""

    failed: list[str] = field(default_factory=list)
    endless: str | None = None
    """The test that did not end."""

    possible: bool = True
    """Whether the change could be made in memory."""


class Bench:
    """A process that has loaded the tests of a tree, as it was then."""

    def __init__(
        self,
        tree: Path,
        tests: Iterable[str],
        modules: Iterable[str] = (),
        test_seconds: float = TEST_SECONDS,
    ) -> None:
        self._tree, self._test_seconds = tree, test_seconds
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._rest = b""
        self._log = tree / ".forks.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                    *("-p", "tests.mutants.forks", f"--basetemp={tree / '.forks'}"),
                    *tests,
                ],
                cwd=tree,
                env={
                    **os.environ,
                    "PYTHONDONTWRITEBYTECODE": "1",
                    MODULES: " ".join(modules),
                    REQUESTS: str(requests),
                    ANSWERS: str(answers),
                },
                pass_fds=(requests, answers),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        os.close(requests)
        os.close(answers)
        ready = self._answer(START_SECONDS)
        if ready is None or ready.get("failed") != 0:
            self.close()
            raise BenchBroken(f"the tests cannot be loaded:\n{self.said()}")
        self.tests: frozenset[str] = frozenset(ready["ready"])

    def close(self) -> None:
        """End the process."""
        os.close(self._requests)
        self._process.wait(START_SECONDS)
        os.close(self._answers)

    def said(self) -> str:
        """Return the end of what pytest has written."""
        return self._log.read_text(errors="replace")[-3000:]

    def run(
        self,
        tests: Iterable[str],
        *,
        change: tuple[str, str, str] | None = None,
        append: tuple[str, str] | None = None,
        failures: int = 1,
    ) -> Told:
        """Run `tests` until some have failed.

        Args:
            tests: Those that are not loaded are left out.
            change: Path of a file, name of a function in it, text of the changed module.
            append: Path of a file, and what is done after its last line.
            failures: After how many to stop.
        """
        request: dict[str, Any] = {"tests": list(tests), "failures": failures}
        if change is not None:
            request["change"] = change
        if append is not None:
            request["append"] = append
        return self._ask(request)

    def watch(
        self, tests: Iterable[str], packages: Iterable[str]
    ) -> tuple[Told, dict[str, dict[int, list[str]]]]:
        """Run all of `tests`, and return which of them ran each line of `packages`."""
        place = self._tree / ".watched"
        place.unlink(missing_ok=True)
        files = [f"{self._tree / name}/*" for name in packages]
        told = self._ask(
            {
                "tests": list(tests),
                "failures": 1_000,
                "watch": str(place),
                "files": files,
            }
        )
        found: Mapping[str, Mapping[str, list[str]]] = (
            json.loads(place.read_text()) if place.exists() else {}
        )
        return told, {
            str(Path(file).relative_to(self._tree)): {
                int(line): sorted(test for test in ran if test)
                for line, ran in lines.items()
            }
            for file, lines in found.items()
        }

    def _ask(self, request: Mapping[str, Any]) -> Told:
        with os.fdopen(os.dup(self._requests), "w") as sent:
            sent.write(json.dumps(request) + "\n")
        told, begun, is_prepared = Told(), "", False
        for answer in self._answers_to_one():
            begun = answer.get("begun", begun)
            if "ended" in answer:
                told.seconds[answer["ended"]] = answer["seconds"]
                begun = ""
            if "failed" in answer:
                told.failed.append(answer["failed"])
            if "late" in answer:
                told.endless = begun or None
            if "possible" in answer:
                told.possible, is_prepared = answer["possible"], True
        if not is_prepared:
            raise BenchBroken(f"no test was begun:\n{self.said()}")
        if begun and told.endless is None:  # it took the whole process with it
            told.failed.append(begun)
        return told

    def _answers_to_one(self) -> Iterator[Mapping[str, Any]]:
        pid = 0
        while True:
            answer = self._answer(self._test_seconds)
            if answer is None and not pid:
                raise BenchBroken("no process was forked")
            if answer is None:
                yield {"late": True}
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, 9)
                continue
            if "over" in answer:
                return
            pid = answer.get("process", pid)
            yield answer

    def _answer(self, seconds: float) -> Mapping[str, Any] | None:
        """Return the next line, or None if none comes in time."""
        while b"\n" not in self._rest:
            if not select.select([self._answers], [], [], seconds)[0]:
                return None
            read = os.read(self._answers, 65_536)
            if not read:
                raise BenchBroken(f"the process has ended:\n{self.said()}")
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        return dict(json.loads(line))
