"""Reading the project's documents: tables, sections, code blocks and links."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_EXAMPLE = re.compile(r"<!-- example: ([a-z0-9-]+) -->\n```[a-z]*\n(.*?\n)```\n", re.DOTALL)
_CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_SHELL = re.compile(r"^```sh\n(.*?)^```$|^((?:    .*\n)+)", re.DOTALL | re.MULTILINE)


def documents() -> list[Path]:
    """Return every Markdown file of the project."""
    found = {*ROOT.glob("*.md"), *DOCS.rglob("*.md")}
    return sorted(
        found | {ROOT / "examples" / "README.md", ROOT / "contracts" / "README.md"}
    )


def project_files() -> list[Path]:
    """Return every file of the project, also those that are not committed yet."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git clone: what belongs to the project cannot be told")
    command = [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


@cache
def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def first_cells(text: str) -> list[str]:
    """Return what stands in backticks in the first cell of each table row."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of each table row whose first cell is in backticks."""
    for line in text.splitlines():
        if line.startswith("| `"):
            cells = re.split(r"(?<!\\)\|", line.strip("|"))
            yield [cell.strip() for cell in cells]


def sections(text: str) -> dict[str, str]:
    """Return the text below each heading that is code, such as `patunay init`."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("#"):
            code = re.fullmatch(r"#+ `([^`]+)`", line)
            name = code[1] if code else ""
        elif name:
            found[name] = f"{found.get(name, '')}{line}\n"
    return found


def example(document: str, name: str) -> str:
    """Return the code block that follows `<!-- example: name -->`."""
    found = dict(_EXAMPLE.findall(read(DOCS / document)))
    body: str = found[name]
    return body


def shell_lines(text: str) -> Iterator[str]:
    """Yield the commands in shell blocks, continued lines joined, without comments."""
    for fenced, indented in _SHELL.findall(text):
        for line in (fenced or indented).replace("\\\n", " ").splitlines():
            command = line.partition("#")[0].strip()
            if command:
                yield command


def links(text: str) -> list[str]:
    """Return the targets of links, images too; what stands in code is none."""
    return re.findall(r"\]\(([^)\s]+)\)", _CODE.sub("", text))


def anchors(text: str) -> set[str]:
    """Return the fragments that a document's headings make."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        kept = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(kept.strip().replace(" ", "-"))
    return found
