"""The examples of `/openapi.json` fit it, and are what a node answers."""

from typing import Any

import jsonschema
import pytest

from node.api.openapi import describe
from node.api.openapi_examples import PROBLEM, examples
from tests.openapi.examples import WITHOUT, record

DOCUMENT = describe()
JSON = "application/json"


def schema_in(content: Any) -> dict[str, Any]:
    return {**content[JSON]["schema"], "components": DOCUMENT["components"]}


def operations() -> dict[str, Any]:
    """Return each operation that answers with JSON where all is well."""
    return {
        f"{method.upper()} {path}": told
        for path, methods in DOCUMENT["paths"].items()
        for method, told in methods.items()
        if any(
            status.startswith("2") and JSON in answer.get("content", {})
            for status, answer in told["responses"].items()
        )
    }


def test_every_operation_with_json_has_an_example_or_a_reason() -> None:
    assert operations().keys() == {*examples().keys(), *WITHOUT} - {PROBLEM}
    assert not examples().keys() & WITHOUT.keys()


@pytest.mark.parametrize("name", sorted(examples().keys() - {PROBLEM}))
def test_an_example_fits_what_it_is_an_example_of(name: str) -> None:
    told, example = operations()[name], examples()[name]
    answered = told["responses"][str(example["status"])]["content"]
    jsonschema.validate(example["answer"], schema_in(answered))
    assert answered[JSON]["example"] == example["answer"]
    assert ("request" in example) == ("requestBody" in told)
    if "request" in example:
        asked = told["requestBody"]["content"]
        jsonschema.validate(example["request"], schema_in(asked))
        assert asked[JSON]["example"] == example["request"]


def shape(value: Any) -> Any:
    """Return a value with the names of types in the place of what is in it."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


async def test_a_node_answers_as_the_examples_do() -> None:
    """If not, the API has changed: `make openapi-examples`, and look at the change."""
    found = await record()
    assert found.keys() == examples().keys()
    for name, example in found.items():
        assert shape(example) == shape(examples()[name]), name
