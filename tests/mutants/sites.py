"""Every place where the verifier checks something, and what it is without that check.

No check is listed by hand: the modules are those that verifying imports, and in them each
registered check, each `raise` of a typed error, each condition before one, and each call
whose only use is that it may raise.
"""

import ast
import copy
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

ENTRIES: Final = (
    "credentials.presentation",  # and through `credentials.judge` all checks
    *("credentials.bundle", "credentials.trust_pack.belief"),
    "credentials.trust_pack.registries",
    *("credentials.audit.report", "anchoring.witness", "anchoring.split"),
    *("anchoring.car", "anchoring.ots"),
    *("did.address", "did.fetch"),
)
"""What judges presentations and credentials, reads the files that come with them, audits
a log, and asks a web site. What asks a chain has `tests/anchoring/test_lies.py`, which
takes too long to be run for each mutant."""

PACKAGES: Final = ("anchoring", "credentials", "did", "primitives")

REGISTRIES: Final = {
    "credentials.checks": "CHECKS",
    "credentials.presentation_checks": "CHECKS_OF_PRESENTATION",
}

BUGS: Final = {"AssertionError", "TypeError", "ValueError", "KeyError"}
"""What is raised where our own code is wrong, and no document."""

BUILDING: Final = {
    *("append", "add", "extend", "update", "sort", "insert", "issue", "setdefault"),
    *("__setattr__", "__init__", "reverse", "pop", "remove", "clear"),
}
"""Calls that change a value and check nothing."""


@dataclass(frozen=True)
class Mutant:
    """One module with one check less, or turned round."""

    module: str
    where: str
    """Name of the check or of the function."""

    kind: str
    """`passes`, `inverted`, `removed`, `clause` or `uncalled`."""

    what: str
    """The text that is changed."""

    line: int
    written: Callable[[], str] = field(repr=False, compare=False)
    """Writes the whole module, mutated: slow, and not always wanted."""

    watched: frozenset[int]
    """Lines of the original: a test that runs none of these cannot notice."""

    around: str
    """Text of the function that is changed; of the module, where it is a whole check."""

    added: str = ""
    """What the module is told after its last line, where it is a whole check."""

    @property
    def source(self) -> str:
        """Return the text of the whole module, mutated."""
        return self.written()

    @property
    def name(self) -> str:
        """Return what it is called in tables; the same whatever line it stands in."""
        return f"{self.module}:{self.where} {self.kind} {self.what}"


def verifying_modules(root: Path) -> list[str]:
    """Return `ENTRIES`, and the modules that they import, directly or not."""
    found: list[str] = []
    pending = list(ENTRIES)
    while pending:
        name = pending.pop()
        if name in found or not _path(root, name).exists():
            continue
        found.append(name)
        for node in ast.walk(ast.parse(_path(root, name).read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                pending += [node.module] * node.module.startswith(PACKAGES)
    return sorted(found)


def all_mutants(root: Path, modules: Iterable[str] | None = None) -> list[Mutant]:
    """Return the mutants of `modules`, or of all that judging imports."""
    found: dict[str, Mutant] = {}
    for module in modules or verifying_modules(root):
        text = _path(root, module).read_text()
        for mutant in (*_of_registry(module, text), *_of_sites(module, text)):
            # The same text twice in one function: told apart by order.
            name, twin, count = mutant.name, mutant, 1
            while name in found:
                count += 1
                twin = replace(mutant, what=f"{mutant.what} #{count}")
                name = twin.name
            found[name] = twin
    return list(found.values())


def registered(module: str, text: str) -> Iterator[str]:
    """Yield the names in a module's registry of checks."""
    wanted = REGISTRIES.get(module)
    for node in ast.parse(text).body:
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.value, ast.Dict)
            and _name(node.target) == wanted
        ):
            yield from (str(ast.literal_eval(key)) for key in node.value.keys if key)


_PASSES = """

{registry} = {{**{registry}, {name!r}: lambda case: Check({name!r}, Result.PASSED)}}
"""

_INVERTED = """

def _inverted(case, check={registry}[{name!r}]):
    try:
        found = check(case)
    except PatunayError:
        return Check({name!r}, Result.PASSED)
    if found.result is Result.PASSED:
        raise Rejected("inverted")
    return found


{registry} = {{**{registry}, {name!r}: _inverted}}
"""


def _of_registry(module: str, text: str) -> Iterator[Mutant]:
    for name in registered(module, text):
        for kind, extra in (("passes", _PASSES), ("inverted", _INVERTED)):
            added = extra.format(registry=REGISTRIES[module], name=name)
            yield Mutant(
                module=module,
                where=f"check {name}",
                kind=kind,
                what="as a whole",
                line=0,
                written=partial(str, text + added),
                watched=frozenset(),
                around=text,
                added=added,
            )


def _of_sites(module: str, text: str) -> Iterator[Mutant]:
    tree = ast.parse(text)
    for function, owner in functions_in(tree):
        place = _Place(module, tree, owner, ast.unparse(function))
        for statement in _statements(function):
            if isinstance(statement, ast.Raise) and not _is_bug(statement):
                yield _mutant(place, "removed", statement, ast.Pass())
            elif isinstance(statement, ast.If) and _guards(statement.body):
                yield from _of_condition(place, statement.test)
            elif _is_checking_call(statement):
                yield _mutant(place, "uncalled", statement, ast.Pass())


@dataclass(frozen=True)
class _Place:
    """A function, and where it stands."""

    module: str
    tree: ast.Module
    owner: str
    """Its name."""

    text: str


def _of_condition(place: _Place, test: ast.expr) -> Iterator[Mutant]:
    yield _mutant(place, "inverted", test, ast.UnaryOp(ast.Not(), test))
    if isinstance(test, ast.BoolOp):
        for number, clause in enumerate(test.values):
            if isinstance(clause, ast.Call) and _name(clause.func) == "isinstance":
                continue  # says of which type the rest is: without it nothing runs
            rest = [v for i, v in enumerate(test.values) if i != number]
            less = rest[0] if len(rest) == 1 else ast.BoolOp(test.op, rest)
            yield _mutant(place, "clause", test, less, clause)


def _mutant(
    place: _Place,
    kind: str,
    old: ast.AST,
    new: ast.AST,
    shown: ast.AST | None = None,
) -> Mutant:
    first, last = getattr(old, "lineno", 0), getattr(old, "end_lineno", 0)
    return Mutant(
        module=place.module,
        where=place.owner,
        kind=kind,
        what=" ".join(ast.unparse(shown or old).split()),
        line=first,
        written=partial(_with, place.tree, old, new),
        watched=frozenset(range(first, last + 1)),
        around=place.text,
    )


def _with(tree: ast.Module, old: ast.AST, new: ast.AST) -> str:
    mutated = copy.deepcopy(tree, {id(old): new})
    return ast.unparse(ast.fix_missing_locations(mutated))


def functions_in(
    tree: ast.AST, owner: str = ""
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    """Yield each function, and what it is called: those inside another by both names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{owner}.{node.name}".lstrip(".")
            if not isinstance(node, ast.ClassDef):
                yield node, name
            yield from functions_in(node, name)
        else:
            yield from functions_in(node, owner)


def _statements(function: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a function, and not in one inside it."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node
            yield from _statements(node)


def _guards(body: Sequence[ast.stmt]) -> bool:
    return any(isinstance(s, ast.Raise) and not _is_bug(s) for s in body)


def _is_bug(statement: ast.Raise) -> bool:
    raised = statement.exc
    named = raised.func if isinstance(raised, ast.Call) else raised
    return _name(named) in BUGS


def _is_checking_call(statement: ast.AST) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    return _name(statement.value.func) not in BUILDING


def _name(node: ast.AST | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _path(root: Path, module: str) -> Path:
    return root.joinpath(*module.split(".")).with_suffix(".py")


if __name__ == "__main__":
    for each in all_mutants(Path.cwd(), sys.argv[1:] or None):
        sys.stdout.write(f"{each.line:4} {each.name}\n")
