"""What earlier runs found: the state from which the next run goes on.

A mutant that a test noticed is not run again while the function that it changes and the
file of that test are the same, wherever they stand. Otherwise that test is asked first.
What these call may have changed meanwhile: `--fresh` runs everything.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutants.sites import Mutant


@dataclass
class Memory:
    """The test that noticed each mutant, kept in a file, a line each."""

    file: Path
    root: Path
    """The tree under test, read once: it may be edited while mutants run."""

    _noticed: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """From the digest of a mutant's name to those of its function and of a test's file,
    and the test."""

    _tests: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file.exists():
            for line in self.file.read_text().splitlines():
                mutant, around, test_file, test = line.split(" ", 3)
                self._noticed[mutant] = around, test_file, test
        for path in self.root.joinpath("tests").rglob("*.py"):
            name = str(path.relative_to(self.root))
            self._tests[name] = _short(path.read_bytes())

    def known(self, mutant: Mutant) -> tuple[str, bool] | None:
        """Return the test that noticed `mutant`, and whether both are as they were."""
        found = self._noticed.get(_short(mutant.name.encode()))
        if found is None:
            return None
        around, test_file, test = found
        now = _short(mutant.around.encode()), self._digest_of_test(test)
        return test, (around, test_file) == now

    def note(self, mutant: Mutant, test: str) -> None:
        """Write down which test noticed."""
        around = _short(mutant.around.encode())
        self._noticed[_short(mutant.name.encode())] = (
            around,
            self._digest_of_test(test),
            test,
        )
        self._write()

    def forget_others(self, mutants: list[Mutant]) -> None:
        """Drop what is known of mutants that are no more."""
        kept = {_short(mutant.name.encode()) for mutant in mutants}
        self._noticed = {k: v for k, v in self._noticed.items() if k in kept}
        self._write()

    def _digest_of_test(self, test: str) -> str:
        return self._tests.get(test.partition("::")[0], "-")

    def _write(self) -> None:
        lines = (f"{k} {' '.join(found)}\n" for k, found in self._noticed.items())
        new = self.file.with_suffix(".new")
        new.write_text("".join(sorted(lines)))
        new.replace(self.file)


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
