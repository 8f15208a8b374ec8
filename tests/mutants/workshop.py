"""A copy of the tree to break things in, and tests to run there. Never the checkout."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import coverage

TESTS: Final = (
    "tests/anchoring",
    "tests/corpus",
    "tests/credentials",
    "tests/did",
    "tests/primitives",
    "tests/cli/test_verify.py",
    "tests/node/test_api_presentations.py",
    "tests/node/test_api_verify.py",
)
"""Where the rules are tested. Each mutant runs only those that come past its line."""

PACKAGES: Final = ("anchoring", "credentials", "did", "primitives")
TIMEOUT_SECONDS: Final = 240
_NOT_FOUND: Final = "ERROR: not found"
_PYTEST: Final = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", "-rfE")


@dataclass(frozen=True)
class Workshop:
    """One copy of the tree, with what stands beside it."""

    tree: Path

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
        return cls(tree)

    def watch(self) -> dict[str, dict[int, list[str]]]:
        """Return which tests run each line of each file.

        Raises:
            RuntimeError: They do not pass as they are.
        """
        data = self.tree / ".coverage"
        done = self._python(
            *(*_PYTEST, "--cov-context=test", "--cov-report="),
            *(f"--cov={name}" for name in PACKAGES),
            *TESTS,
            seconds=1800,
            COVERAGE_FILE=str(data),
        )
        if done.returncode != 0:
            # A clock may have been too slow for one, with so much beside it.
            failed = [_test_of(line) for line in done.stdout.splitlines()]
            out, again = self._first_failure([test for test in failed if test])
            if again is not None or not any(failed):
                raise RuntimeError(f"the tests fail as they are:\n{out[-3000:]}")
        found = coverage.CoverageData(str(data))
        found.read()
        return {
            str(Path(file).relative_to(self.tree)): {
                line: sorted({c.rpartition("|")[0] for c in contexts if "|" in c})
                for line, contexts in found.contexts_by_lineno(file).items()
            }
            for file in found.measured_files()
        }

    def kill(self, module: str, source: str, tests: Collection[str]) -> str | None:
        """Return the first test that fails with `source` in the module's place."""
        path = self.tree.joinpath(*module.split(".")).with_suffix(".py")
        original = path.read_bytes()
        path.write_text(source)
        try:
            out, killer = self._first_failure(tests)
            if killer is None and _NOT_FOUND in out:
                # The names of its cases, too, are made by the code under test.
                whole = dict.fromkeys(test.partition("[")[0] for test in tests)
                out, killer = self._first_failure(whole)
        except subprocess.TimeoutExpired:
            return f"(no end after {TIMEOUT_SECONDS} s)"
        finally:
            path.write_bytes(original)
        return killer

    def _first_failure(self, tests: Iterable[str]) -> tuple[str, str | None]:
        """Return what pytest says, and which test failed first."""
        arguments = self.tree / ".tests-to-run"
        arguments.write_text("".join(f"{name}\n" for name in tests))
        done = self._python(*_PYTEST, "-x", f"@{arguments.name}", seconds=TIMEOUT_SECONDS)
        for line in done.stdout.splitlines():
            if (test := _test_of(line)) is not None:
                return done.stdout, test
        passed = done.returncode == 0 or _NOT_FOUND in done.stdout
        return done.stdout, None if passed else "(the module does not load)"

    def _python(
        self, *arguments: str, seconds: float, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        # In a session of its own, so that what a test has started ends with it.
        with subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.tree,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables},
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


def digest_of(root: Path, names: Iterable[str]) -> str:
    """Return one digest of the files `names`."""
    digest = hashlib.sha256()
    for name in sorted(names):
        path = root / name
        digest.update(f"{name}\0".encode() + (path.read_bytes() if path.exists() else b""))
    return digest.hexdigest()


def in_order(module: str, tests: Iterable[str]) -> list[str]:
    """Return `tests`, those of the module's own test file first."""
    name = module.rpartition(".")[2]
    own = f"test_{name}"
    return sorted(tests, key=lambda test: (own not in test, "corpus" in test, test))


Watched = Mapping[str, Mapping[int, list[str]]]


def covering_tests(module: str, lines: Collection[int], watched: Watched) -> list[str]:
    """Return the tests that run one of `lines`; all that come past, where none is named."""
    seen = watched.get(module.replace(".", "/") + ".py", {})
    wanted = lines or seen
    return in_order(module, {test for line in wanted for test in seen.get(line, [])})
