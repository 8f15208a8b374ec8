"""Each finding about a registrar's file is said in words that a registrar understands."""

import ast
import re
from collections.abc import Iterator

from node.web.row_findings import ROW_FINDINGS
from tests.architecture.documents import ROOT, read

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
_MAKERS = {"Flaw", "Finding", "_note", "_error"}


def codes() -> Iterator[str]:
    """Yield the codes with which the readers of such files make findings."""
    folder = ROOT / "credentials"
    modules = [folder / "template.py", folder / "ratings.py"]
    modules += [*folder.glob("registrar*.py"), *folder.glob("workbook/*.py")]
    for module in modules:
        for node in ast.walk(ast.parse(read(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id not in _MAKERS:
                    continue
                for argument in node.args:
                    value = argument.value if isinstance(argument, ast.Constant) else ""
                    if isinstance(value, str) and _CODE.fullmatch(value):
                        yield value


def test_every_finding_has_a_sentence_and_no_sentence_is_left_over() -> None:
    assert set(codes()) == set(ROW_FINDINGS)
