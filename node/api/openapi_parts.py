"""The recurring parts of the OpenAPI document: answers, bodies and parameters."""

from typing import Any, Final

TEXT: Final = {"type": "string"}


def ref(name: str) -> dict[str, str]:
    """Return a reference to a schema of `node.api.openapi_schemas`."""
    return {"$ref": f"#/components/schemas/{name}"}


def json_answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return an answer that is JSON."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def problem_answer(description: str) -> dict[str, Any]:
    """Return an answer that is an RFC 9457 problem document."""
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {"description": description, "content": content}


def file_answer(description: str, kind: str) -> dict[str, Any]:
    """Return an answer that is a file."""
    return {"description": description, "content": {kind: {}}}


def path_parameter(name: str, description: str) -> dict[str, Any]:
    """Return a parameter that is a part of the path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a request body that is JSON."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}
