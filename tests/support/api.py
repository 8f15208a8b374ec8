"""What every answer of the HTTP API looks like, checked."""

from typing import Any

import aiohttp
import jsonschema

from node.api.openapi import describe


def schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": describe()["components"]}


async def problem_of(response: aiohttp.ClientResponse, status: int) -> dict[str, Any]:
    """Return a problem document; every error has this shape."""
    assert response.status == status, await response.text()
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = await response.json()
    members = {"type", "title", "status", "detail", "code", "hint", "requestId"}
    assert body.keys() == members
    assert body["requestId"] == response.headers["X-Request-Id"]
    jsonschema.validate(body, schema("Problem"))
    assert body["type"] == f"urn:patunay:error:{body['code']}"
    assert body["status"] == status
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return body


async def report_of(response: aiohttp.ClientResponse, status: int) -> dict[str, Any]:
    assert response.status == status, await response.text()
    assert response.content_type == "application/json"
    body: dict[str, Any] = await response.json()
    jsonschema.validate(body, schema("Report"))
    assert body["verified"] is (body["outcome"] == "valid")
    assert (status == 200) is body["verified"]
    return body


def codes(report: dict[str, Any]) -> dict[str, str]:
    """Return the code of every check that did not pass."""
    bad = ("failed", "undetermined")
    return {c["name"]: c["code"] for c in report["checks"] if c["result"] in bad}


async def answer_of(
    response: aiohttp.ClientResponse, status: int, path: str
) -> dict[str, Any]:
    """Return a JSON answer that is described for `path`, and is what is described."""
    assert response.status == status, await response.text()
    described = describe()
    told = described["paths"][path][response.method.lower()]["responses"][str(status)]
    wanted = told["content"][response.content_type]["schema"]
    body: dict[str, Any] = await response.json()
    jsonschema.validate(body, {**wanted, "components": described["components"]})
    return body
