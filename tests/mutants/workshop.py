"""A copy of the tree to break things in, and tests to run there. Never the checkout."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutants.bench import TEST_SECONDS, Bench
from tests.mutants.sites import PACKAGES, Mutant, verifying_modules
from tests.mutants.watched import Watched

TESTS: Final = (
    "tests/anchoring",
    "tests/corpus",
    "tests/credentials",
    "tests/did",
    "tests/primitives",
    "tests/protocol",
    "tests/cli/test_verify.py",
    "tests/node/test_api_presentations.py",
    "tests/node/test_api_verify.py",
)
"""Where the rules are tested. Each mutant runs only those that come past its line."""

TIMEOUT_SECONDS: Final = 240
_NOT_FOUND: Final = "ERROR: not found"
_PYTEST: Final = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", "-rfE")


@dataclass(frozen=True)
class Workshop:
    """One copy of the tree, with what stands beside it."""

    tree: Path
    bench: Bench

    @classmethod
    def copy(cls, root: Path, folder: Path) -> "Workshop":
        """Copy what is under version control, or could be, into `folder`."""
        tree = folder / "tree"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout.decode()
        for name in filter(None, listed.split("\0")):
            if (root / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / name, tree / name)
        for beside in (root.parent / "shared", root / ".tools"):
            if beside.exists():
                place = folder if beside.name == "shared" else tree
                (place / beside.name).symlink_to(beside.resolve())
        return cls(tree, Bench(tree, TESTS, verifying_modules(tree)))

    def watch(self, watched: Watched, say: Callable[[str], None]) -> None:
        """Find out which lines the tests run, in each file of tests that has changed."""
        by_file: dict[str, list[str]] = defaultdict(list)
        for test in sorted(self.bench.tests):
            by_file[test.partition("::")[0]].append(test)
        for file in watched.stale(by_file):
            told, lines = self.bench.watch(by_file[file], PACKAGES)
            for test in told.failed:  # notices nothing: it fails as things are
                say(f"fails as it is, and is not asked: {test}")
                del told.seconds[test]
            watched.note(file, told.seconds, lines)

    def kill(self, mutant: Mutant, tests: Collection[str]) -> str | None:
        """Return the first of `tests` that fails with the mutant, and passes without."""
        path = self.tree.joinpath(*mutant.module.split(".")).with_suffix(".py")
        original = path.read_bytes()
        unfit: set[str] = set()
        while left := [test for test in tests if test not in unfit]:
            path.write_text(mutant.source)  # for what a test starts
            try:
                killer = self._first_failure(path, mutant, left)
            finally:
                path.write_bytes(original)
            if killer is None or not self.bench.run([killer]).failed:
                return killer
            unfit.add(killer)  # a clock may have been too slow for it
        return None

    def _first_failure(
        self, path: Path, mutant: Mutant, tests: Iterable[str]
    ) -> str | None:
        if mutant.added:
            told = self.bench.run(tests, append=(str(path), mutant.added))
        else:
            change = str(path), mutant.where, mutant.source
            told = self.bench.run(tests, change=change)
        if told.endless:
            return f"(no end after {TEST_SECONDS} s)"
        if told.possible:
            return next(iter(told.failed), None)
        try:
            out, killer = self._run_anew(tests)
            if killer is None and _NOT_FOUND in out:
                # The names of its cases, too, are made by the code under test.
                whole = dict.fromkeys(test.partition("[")[0] for test in tests)
                _, killer = self._run_anew(whole)
        except subprocess.TimeoutExpired:
            return f"(no end after {TIMEOUT_SECONDS} s)"
        return killer

    def _run_anew(self, tests: Iterable[str]) -> tuple[str, str | None]:
        """Return what another pytest says, and which test failed first."""
        arguments = self.tree / ".tests-to-run"
        arguments.write_text("".join(f"{name}\n" for name in tests))
        done = self._python(*_PYTEST, "-x", f"@{arguments.name}", seconds=TIMEOUT_SECONDS)
        for line in done.stdout.splitlines():
            if (test := _test_of(line)) is not None:
                return done.stdout, test
        passed = done.returncode == 0 or _NOT_FOUND in done.stdout
        return done.stdout, None if passed else "(the module does not load)"

    def _python(self, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
        # In a session of its own, so that what a test has started ends with it.
        with subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.tree,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                out, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                raise
            return subprocess.CompletedProcess(arguments, process.returncode, out)


def _test_of(line: str) -> str | None:
    """Return the test that a line of pytest's summary says has failed."""
    if not line.startswith(("FAILED ", "ERROR ")):
        return None
    return line.split(" ", 1)[1].partition(" - ")[0]
