"""Examples for the OpenAPI document, as a node of the tests was asked and answered them."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from primitives.strict_json import parse_json

FILE: Final = Path(__file__).with_name("openapi_examples.json")
"""By operation, such as `GET /issuers`: `request` if it has a body, `status`, `answer`."""

PROBLEM: Final = "problem"
"""Name of the example of a problem document."""

_MAX_BYTES: Final = 1 << 20
_MAX_NODES: Final = 1 << 16
"""The project's own words, and more of them than a stranger may send."""


@cache
def examples() -> dict[str, Any]:
    """Return the examples by operation."""
    found = parse_json(FILE.read_bytes(), _MAX_BYTES, max_nodes=_MAX_NODES)
    return found if isinstance(found, dict) else {}


def add_examples(document: dict[str, Any]) -> None:
    """Put the examples where they belong in an OpenAPI document."""
    for name, example in examples().items():
        if name == PROBLEM:
            document["components"]["schemas"]["Problem"]["examples"] = [example]
            continue
        method, _, path = name.partition(" ")
        told = document["paths"][path][method.lower()]
        answer = told["responses"][str(example["status"])]
        answer["content"]["application/json"]["example"] = example["answer"]
        if "request" in example:
            asked = told["requestBody"]["content"]
            asked["application/json"]["example"] = example["request"]
