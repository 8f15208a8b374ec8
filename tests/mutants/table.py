"""docs/mutants.md: what was broken, and which test noticed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.mutants.sites import Mutant


@dataclass(frozen=True)
class Verdict:
    """What came of one mutant."""

    mutant: Mutant
    killer: str | None
    """The test that failed, None if none did."""

    ran: bool = True
    """False where the time was over before it began; a killer is then one of an earlier
    run, and module or test have changed since."""

    @property
    def name(self) -> str:
        """Return the mutant's name."""
        return self.mutant.name

    @property
    def survived(self) -> bool:
        """Tell whether no test noticed."""
        return self.ran and self.killer is None


HEAD: Final = """# What the tests notice

Written by `make mutants`. Each check of the verifier is taken away, or turned round, in a
copy of the tree, and the tests that come past it run. The list is taken from the code: the
registered checks, and in every module that verifying imports each `raise`, each condition
before one, and each call that only may raise. Verifying is judging a credential or a
presentation, reading a bundle or a trust pack, auditing a log, and asking a web site.

| change | what is done |
|---|---|
| passes | The registered check always passes. |
| inverted | The registered check, or the condition, is turned round. |
| removed | The `raise` is taken out. |
| clause | One part of a condition is taken out. |
| uncalled | The call that checks something is taken out. |

"""


_EARLIER: Final = """
This run had an end. What is marked * was noticed by an earlier run; the file of its test
has changed since, and it was not run again.
"""


def render(verdicts: Sequence[Verdict], reasons: Mapping[str, str]) -> str:
    """Return the page."""
    parts = [HEAD, _summary(verdicts)]
    alike = [v for v in verdicts if v.survived]
    if alike:
        parts.append("## Mutants that behave as the original\n\n")
        parts.append("| module | where | change | code | why no test can tell |\n")
        parts.append("|---|---|---|---|---|\n")
        for v in alike:
            why = reasons.get(v.name, "**SURVIVED**")
            parts.append(f"| {v.mutant.module} | {_site(v)} | {_cell(why)} |\n")
        parts.append("\n")
    for module in sorted({v.mutant.module for v in verdicts}):
        rows = [v for v in verdicts if v.mutant.module == module and v.killer is not None]
        if not rows:
            continue
        parts.append(
            f"## {module}\n\n| where | change | code | noticed by |\n|---|---|---|---|\n"
        )
        parts += [f"| {_site(v)} | {_test(v)} |\n" for v in rows]
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def _summary(verdicts: Sequence[Verdict]) -> str:
    lines = [
        "| change | mutants | noticed | noticed earlier | as the original | not run |\n"
    ]
    lines.append("|---|---|---|---|---|---|\n")
    for kind in ("passes", "inverted", "removed", "clause", "uncalled"):
        those = [v for v in verdicts if v.mutant.kind == kind]
        found = Counter((v.ran, v.killer is not None) for v in those)
        cells = found[True, True], found[False, True], found[True, False]
        lines.append(
            f"| {kind} | {len(those)} | {' | '.join(map(str, cells))} |"
            f" {found[False, False]} |\n"
        )
    if any(not v.ran for v in verdicts):
        lines.append(_EARLIER)
    modules = Counter(v.mutant.module for v in verdicts if not v.ran and not v.killer)
    if modules:
        lines.append("\nNot run yet: ")
        lines.append(", ".join(f"{n} of {name}" for name, n in sorted(modules.items())))
        lines.append(". The next run goes on with them.\n")
    return "".join(lines) + "\n"


def _site(verdict: Verdict) -> str:
    mutant = verdict.mutant
    what = mutant.what if len(mutant.what) <= 90 else mutant.what[:87] + "..."
    return f"{mutant.where} | {mutant.kind} | `{_cell(what)}`"


def _test(verdict: Verdict) -> str:
    file, _, name = (verdict.killer or "").partition("::")
    mark = "" if verdict.ran else " *"
    return f"{file.removeprefix('tests/')} `{_cell(name.partition('[')[0])}`{mark}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'")
