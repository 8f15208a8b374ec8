"""Which tests come past which line, kept from run to run by the file of the tests.

Only files of tests that have changed are watched anew. A function that has changed since
has lost its lines, and keeps its tests.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from tests.mutants.sites import Mutant, functions_in

Lines = Mapping[str, Mapping[int, Iterable[str]]]
"""By the path of a file in the tree, and the line: the tests that ran it."""


class Span(NamedTuple):
    """Where a function stands."""

    name: str
    first: int
    last: int
    digest: str


@dataclass
class Watched:
    """What the tests of each file were seen to run."""

    folder: Path
    """Where the findings are kept, a file for each file of tests."""

    root: Path
    """The tree under test, which stays as it is."""

    _seen: dict[str, Any] = field(default_factory=dict)
    """By the file of the tests."""

    _spans: dict[str, list[Span]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob("*.json"):
            found = json.loads(path.read_text())
            self._seen[found["file"]] = found

    def stale(self, files: Iterable[str]) -> list[str]:
        """Return those of `files` (paths in the tree) that were not watched as they are."""
        return [
            file
            for file in files
            if self._seen.get(file, {}).get("digest") != self._digest_of(file)
        ]

    def note(self, file: str, seconds: Mapping[str, float], lines: Lines) -> None:
        """Keep what the tests of one file ran, and how long each took."""
        tests = list(seconds)
        number = {test: i for i, test in enumerate(tests)}
        past: dict[str, dict[str, dict[str, Any]]] = {}
        for path, by_line in lines.items():
            for span in self._functions_of(path):
                own = {
                    line - span.first: [number[t] for t in by_line[line] if t in number]
                    for line in sorted(by_line)
                    if span.first <= line <= span.last
                }
                if any(own.values()):
                    past.setdefault(path, {}).setdefault(span.name, {})[span.digest] = own
        found = {
            "file": file,
            "digest": self._digest_of(file),
            "tests": tests,
            "seconds": [round(seconds[test], 4) for test in tests],
            "past": past,
        }
        text = json.dumps(found)
        name = file.replace("/", ".").removesuffix(".py")
        (self.folder / f"{name}.json").write_text(text)
        self._seen[file] = json.loads(text)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests that come past a mutant, those most likely to notice first.

        Those are the tests in the module's own file, and the quick ones. Of a function
        that nobody has seen yet, they are the tests that come past its module.
        """
        own = f"/test_{mutant.module.rpartition('.')[2]}.py::"
        pasts = [(found, self._past(mutant, found)) for found in self._seen.values()]
        whole = not mutant.watched or not any(mutant.where in past for _, past in pasts)
        seconds: dict[str, float] = {}
        for found, past in pasts:
            for i in set(self._numbers(mutant, past, whole=whole)):
                seconds[found["tests"][i]] = found["seconds"][i]
        return sorted(seconds, key=lambda test: (own not in test, seconds[test], test))

    def _numbers(
        self, mutant: Mutant, past: Mapping[str, Any], *, whole: bool
    ) -> Iterator[int]:
        if whole:  # of the module
            for found in chain.from_iterable(each.values() for each in past.values()):
                yield from chain.from_iterable(found.values())
            return
        seen = past.get(mutant.where, {})
        span = self._span_of(mutant)
        if span is not None and span.digest in seen:
            for line in mutant.watched:
                yield from seen[span.digest].get(str(line - span.first), ())
        else:
            for lines in seen.values():
                yield from chain.from_iterable(lines.values())

    def _past(self, mutant: Mutant, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what was run of the mutant's module, or of where its function was."""
        past: Mapping[str, Any] = found["past"].get(_path_of(mutant), {})
        if mutant.where in past or not mutant.watched:
            return past
        alike: dict[str, Any] = {}  # of its name, in files where it may have been before
        for other in found["past"].values():
            alike |= other.get(mutant.where, {})
        return {mutant.where: alike} if alike else past

    def _span_of(self, mutant: Mutant) -> Span | None:
        for span in self._functions_of(_path_of(mutant)):
            if span.name == mutant.where and span.first <= mutant.line <= span.last:
                return span
        return None

    def _functions_of(self, path: str) -> list[Span]:
        if path not in self._spans:
            text = (self.root / path).read_text()
            rows = text.splitlines()
            self._spans[path] = [
                Span(
                    name, f.lineno, f.end_lineno or 0, _short(rows, f.lineno, f.end_lineno)
                )
                for f, name in functions_in(ast.parse(text))
            ]
        return self._spans[path]

    def _digest_of(self, file: str) -> str:
        return hashlib.sha256((self.root / file).read_bytes()).hexdigest()[:12]


def _path_of(mutant: Mutant) -> str:
    return mutant.module.replace(".", "/") + ".py"


def _short(rows: list[str], first: int, last: int | None) -> str:
    text = "\n".join(rows[first - 1 : last])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
