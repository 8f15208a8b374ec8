"""The documents say what the code does: compared in both directions where they can be."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, fields
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import click
import pytest
from aiohttp import web

from cli.output import Exit
from cli.root import COMMANDS, root
from credentials.model import StructureInvalid
from credentials.policy import CHECK_NAMES
from credentials.registrar_columns import PRIVATE, REQUIRED, canonical_column, is_column
from node.config import Config
from node.config_tables import TABLES
from primitives.errors import (
    Malformed,
    Misconfigured,
    PatunayError,
    Rejected,
    Undetermined,
)
from tests.architecture.documents import (
    DOCS,
    ROOT,
    anchors,
    documents,
    first_cells,
    links,
    project_files,
    read,
    rows,
    sections,
    shell_lines,
)

PACKAGES = ("primitives", "contracts", "did", "anchoring", "credentials", "node", "cli")
FAMILIES = (Malformed, Rejected, Undetermined, Misconfigured)
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")

# Calls that give a code to something which is no exception of its own.
MAKERS = {
    "Flaw",
    "Finding",
    "Missing",
    "Problem",
    "_note",
    "_error",
    "_response",
    "problem",
}

HTTP_REFUSALS = {"not-found", "method-not-allowed"}
"""404 and 405, which aiohttp gives; their codes are the names of the statuses."""


def modules() -> Iterator[str]:
    for package in PACKAGES:
        yield package
        found = walk_packages(import_module(package).__path__, f"{package}.")
        yield from (m.name for m in found if ".migrations" not in m.name)


def error_classes() -> Iterator[type[PatunayError]]:
    for name in modules():
        import_module(name)
    pending: list[type[PatunayError]] = [PatunayError]
    while pending:
        for kind in pending.pop().__subclasses__():
            pending.append(kind)
            if kind.__module__.partition(".")[0] in PACKAGES:
                yield kind


def codes_of_values() -> Iterator[str]:
    """Yield the codes that are given to findings, problems and missing evidence."""
    for package in ("credentials", "node", "cli"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(read(path))):
                yield from codes_in(node)


def codes_in(node: ast.AST) -> Iterator[str]:
    arguments: list[ast.expr] = []
    if isinstance(node, ast.Call):
        called = node.func
        name = called.id if isinstance(called, ast.Name) else ""
        arguments = node.args if name in MAKERS else []
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        # A code and a sentence, as `node.fsck` returns them.
        first = node.value.elts[:1]
        arguments = first if len(node.value.elts) == 2 else []
    texts = [a.value for a in arguments if isinstance(a, ast.Constant)]
    codes = [text for text in texts if isinstance(text, str) and SLUG.fullmatch(text)]
    yield from codes[:1]


def all_codes() -> set[str]:
    return {
        *(kind.code for kind in error_classes()),
        *StructureInvalid.CODES,
        *codes_of_values(),
        *HTTP_REFUSALS,
    }


def test_errors_md_lists_every_code_and_no_other() -> None:
    listed = {cell for cell in first_cells(read(DOCS / "errors.md")) if cell != "code"}
    assert sorted(all_codes() - listed) == []
    assert sorted(listed - all_codes()) == []


def test_the_codes_of_findings_are_found() -> None:
    found = set(codes_of_values())
    assert {"date-not-iso", "bom-removed", "needs-moderation", "award-after-issue"} <= found
    assert {"leaf-mismatch", "document-missing", "anchor-not-found"} <= found
    assert {"not-looked-up", "proof-unread", "internal-error"} <= found


def test_errors_md_names_the_kind_of_each_error() -> None:
    kinds: dict[str, str] = {}
    for kind in error_classes():
        family = next(f for f in FAMILIES if issubclass(kind, f))
        kinds.setdefault(kind.code, family.__name__.lower())
    listed = {cells[0].strip("`"): cells[1] for cells in rows(read(DOCS / "errors.md"))}
    wrong = [code for code in kinds if listed.get(code) != kinds[code]]
    assert wrong == []


def test_every_error_code_says_what_to_do() -> None:
    empty = [cells[0] for cells in rows(read(DOCS / "errors.md")) if not all(cells)]
    assert empty == []


def settings() -> dict[str, Any]:
    found = {}
    tables: dict[str, Any] = {
        "": Config,
        **{f"{name}.": owner for name, owner in TABLES.items()},
    }
    for prefix, owner in tables.items():
        for field in fields(owner):
            if prefix or field.name not in TABLES:
                found[prefix + field.name] = field.default
    return found


def test_configuration_md_lists_every_setting_with_its_default() -> None:
    text = read(DOCS / "configuration.md").partition("## In the environment")[0]
    listed = {cells[0].strip("`"): cells[1] for cells in rows(text)}
    assert listed.keys() == settings().keys()
    for name, default in settings().items():
        if default is MISSING:
            assert "has to be there" in listed[name]
        else:
            shown = tomllib.loads(f"value = {listed[name].strip('`')}")["value"]
            assert (name, shown) == (name, default)


def test_configuration_md_lists_the_variables_that_the_code_reads() -> None:
    listed = set(re.findall(r"PATUNAY_[A-Z_]+", read(DOCS / "configuration.md")))
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            assert set(re.findall(r"\"(PATUNAY_[A-Z_]+)\"", read(path))) <= listed


def test_docker_md_lists_the_variables_of_the_entrypoint() -> None:
    used = set(re.findall(r"PATUNAY_[A-Z_]+", read(ROOT / "docker" / "entrypoint")))
    assert set(first_cells(read(DOCS / "docker.md"))) == used


def commands() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {"patunay": root}
    pending: list[tuple[str, click.Command]] = [("patunay", root)]
    while pending:
        path, command = pending.pop()
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                found[f"{path} {name}"] = inner
                pending.append((f"{path} {name}", inner))
    return found


def options(command: click.Command) -> set[str]:
    plain = [p for p in command.params if isinstance(p, click.Option)]
    return {name for option in plain for name in (*option.opts, *option.secondary_opts)}


def test_cli_md_has_a_section_for_every_command_and_no_other() -> None:
    assert len(commands()) > len(COMMANDS)
    assert sections(read(DOCS / "cli.md")).keys() == commands().keys()


@pytest.mark.parametrize("path", sorted(commands()))
def test_cli_md_lists_every_option_of_a_command_and_no_other(path: str) -> None:
    section = sections(read(DOCS / "cli.md"))[path]
    listed = {
        name
        for line in section.splitlines()
        if line.startswith("| `-")
        for name in re.findall(r"`(--?[a-z-]+)", line)
    }
    assert listed == options(commands()[path])


def test_cli_md_lists_every_exit_code() -> None:
    text = read(DOCS / "cli.md").partition("## Exit codes")[2].partition("\n## ")[0]
    assert {int(c) for c in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == set(Exit)


def test_http_md_has_a_section_for_every_route_and_no_other() -> None:
    served = {
        f"{route.method} {re.sub(r':[^{}]+}', '}', route.path)}"
        for name in modules()
        if name.startswith(("node.api.", "node.web."))
        for route in getattr(import_module(name), "routes", ())
        if isinstance(route, web.RouteDef)
    }
    assert sections(read(DOCS / "http.md")).keys() == served


def test_verifying_md_lists_every_check() -> None:
    text = read(DOCS / "verifying.md").partition("## The checks")[2].partition("\n## ")[0]
    assert tuple(first_cells(text)) == CHECK_NAMES


def test_registrar_files_md_lists_every_column_with_its_aliases() -> None:
    text = read(DOCS / "registrar-files.md").partition("## Columns")[2]
    listed = {}
    for cells in rows(text.partition("\n## ")[0]):
        column = re.findall(r"`([a-z0-9_<>]+)`", cells[0])[0]
        if is_column(column):
            listed[column] = cells[2]
            for alias in filter(None, cells[1].split(", ")):
                assert canonical_column(alias) == column
    module = read(ROOT / "credentials" / "registrar_columns.py")
    aliases = module.partition("_ALIASES = {")[2].partition("\n}\n")[0]
    columns = set(re.findall(r"^    \"([a-z_]+)\":", aliases, re.MULTILINE))
    assert columns == {*listed} - {"rating_community_1"}
    assert {c for c, rule in listed.items() if "**required**" in rule} == set(REQUIRED)
    assert {c for c, rule in listed.items() if "private" in rule} == set(PRIVATE)


@pytest.mark.parametrize("path", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_commands_in_a_document_exist(path: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
    text = read(DOCS / path)
    for line in shell_lines(text):
        words = shlex.split(line, posix=True) if line.startswith(("make ", "pat")) else []
        if words[:1] == ["make"]:
            assert words[1] in targets, line
        elif words[:1] == ["patunay"] and "..." not in words:
            require_command(words, line)


def require_command(words: list[str], line: str) -> None:
    known, path = commands(), "patunay"
    for word in words[1:]:
        if f"{path} {word}" not in known:
            break
        path = f"{path} {word}"
    assert not isinstance(known[path], click.Group), line
    given = {word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)}
    assert given <= options(known[path]) | options(root) | {"--help"}, line


def test_the_readme_shows_the_two_commands_of_a_fresh_clone() -> None:
    shown = list(shell_lines(read(ROOT / "README.md")))
    assert shown[:2] == ["make demo", "make test"]
    assert len([line for line in shown if line.startswith("patunay ")]) == 9


@pytest.mark.parametrize("path", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_links_of_a_document_resolve(path: str) -> None:
    document = DOCS / path
    for link in links(read(document)):
        target, _, fragment = link.partition("#")
        if "://" in target:
            continue
        found = (document.parent / target).resolve() if target else document
        assert found.exists(), link
        if fragment:
            assert fragment in anchors(read(found)), link


def test_every_document_is_reached_from_the_readme() -> None:
    reached, pending = set(), [ROOT / "README.md"]
    while pending:
        document = pending.pop()
        if document not in reached:
            reached.add(document)
            for link in links(read(document)):
                found = (document.parent / link.partition("#")[0]).resolve()
                if found.suffix == ".md" and found.is_file():
                    pending.append(found)
    assert sorted(set(documents()) - reached) == []


def test_every_dependency_has_its_paragraph() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    optional = project["optional-dependencies"].values()
    named = [*project["dependencies"], *(name for group in optional for name in group)]
    wanted = {re.split(r"[\[<>=~; ]", name)[0].lower() for name in named}
    told = read(DOCS / "adr" / "0010-dependencies.md")
    assert (
        wanted - set(re.findall(r"^\*\*([a-z0-9-]+)\*\* \(", told, re.MULTILINE)) == set()
    )


# Spelt in halves, so that this file does not find itself. Where packages come from is each
# machine's own business: no file says it, by an option, a setting or a lock's addresses.
FORBIDDEN = re.compile(
    "|".join(
        re.escape(first + second)
        for first, second in (
            ("/ro", "ot/"),
            ("/ho", "me/"),
            ("/Us", "ers/"),
            ("/wo", "rk/"),
            ('"resol', 'ved"'),
            ("GOPR", "OXY"),
        )
    )
    + "|--(?:extra-)?index-url|https?://(?:registry|proxy|mirror)[.](?!example)"
)


def test_no_file_names_a_machine_or_a_package_registry() -> None:
    found = []
    for path in project_files():
        text = path.read_bytes().decode(errors="replace")
        found += [f"{path.relative_to(ROOT)}: {m[0]}" for m in FORBIDDEN.finditer(text)]
    assert found == []
