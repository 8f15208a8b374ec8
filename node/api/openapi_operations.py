"""Makes OpenAPI's description of an operation from what stands beside its handler."""

import re
from collections.abc import Iterable
from dataclasses import MISSING, fields
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from node.api.guard import needed
from node.api.operation import (
    HTML,
    IDEMPOTENCY_PARAMETER,
    OPERATIONS,
    PROBLEM,
    Answer,
    Operation,
    named,
)
from node.api.schema import hints_of, member_name, member_schema, schema_of
from node.permissions import Action

_PATTERN: Final = re.compile(r":[^{}]+}")
_NAMED: Final = re.compile(r"{([a-z_]+)}")

_PARTS: Final = {
    "slug": "An issuer of this node.",
    "name": "The file's name.",
    "key": "What the address of its page ends with.",
    "id": "UUID of the credential, or its `id`, URL-encoded.",
    "template": "The template's id.",
    "version": "A version of the template.",
    "batch": "The batch's id.",
    "size": "Size of the log at the anchored checkpoint.",
    "webhook": "The webhook's id.",
    "delivery": "The delivery's number.",
}

_NOT_MODIFIED: Final = {"description": "The reader has it (`If-None-Match`)."}


def describe_routes(
    routes: Iterable[web.AbstractRouteDef], components: dict[str, Any]
) -> dict[str, Any]:
    """Return the paths of the routes whose handlers say what they do.

    Args:
        routes: Of the modules of `node.api`.
        components: Gets the schemas that the paths name.
    """
    paths: dict[str, Any] = {}
    for route in routes:
        if isinstance(route, web.RouteDef) and route.handler in OPERATIONS:
            path = _PATTERN.sub("}", route.path)
            action = needed(route.handler)
            made = _operation(OPERATIONS[route.handler], path, components, action)
            paths.setdefault(path, {})[route.method.lower()] = made
    return paths


def _problem(description: str) -> dict[str, Any]:
    """Return an answer that is an RFC 9457 problem document."""
    return {
        "description": description,
        "content": {PROBLEM: {"schema": named("Problem")}},
    }


def with_common_answers(paths: dict[str, Any]) -> dict[str, Any]:
    """Return the paths with the answers that every route may give."""
    refused = _problem("Asked under another host's name (`host-refused`).")
    foreign = _problem("Sent by a page of another site (`origin-refused`).")
    often = _problem("Asked too often (`http-rate-limited`).")
    bug = _problem("A bug of the node, or of its configuration.")
    made: dict[str, Any] = {}
    for path, methods in paths.items():
        made[path] = {}
        for method, told in methods.items():
            answers = {"421": refused, "429": often, "500": bug}
            if method == "get" and "200" in told["responses"]:
                answers["304"] = _NOT_MODIFIED
            elif method != "get":
                answers["403"] = foreign
            responses = {**answers, **told["responses"]}
            responses["400"] = _or_no_http(responses.get("400"))
            made[path][method] = {**told, "responses": dict(sorted(responses.items()))}
    return made


def _either(
    responses: dict[str, Any], status: int, refused: dict[str, Any]
) -> dict[str, Any]:
    """Return a refusal, beside another answer of that status where there is one."""
    known = responses.get(str(status))
    if known is None:
        return refused
    return {
        "description": f"{known['description']} {refused['description']}",
        "content": {**known["content"], **refused["content"]},
    }


def _or_no_http(told: dict[str, Any] | None) -> dict[str, Any]:
    """Return the answer 400 with what is said before the node sees a request."""
    known = told or {"description": "Not read: it is no HTTP, or over 8 KB of a line."}
    return {**known, "content": {**known.get("content", {}), "text/plain": {}}}


def _operation(
    told: Operation, path: str, components: dict[str, Any], action: Action | None
) -> dict[str, Any]:
    told_parts = {**_PARTS, **told.parts}
    parameters = [_part(name, told_parts[name]) for name in _NAMED.findall(path)]
    parameters += _query(told, components)
    parameters += [dict(header) for header in told.headers]
    if told.creates:
        parameters.append(IDEMPOTENCY_PARAMETER)
    made: dict[str, Any] = {"summary": told.summary, "responses": {}}
    lines = [told.description] if told.description else []
    if parameters:
        made["parameters"] = parameters
    if action is not None:
        made["security"] = [{"token": []}]
        lines.append(f"Needs a token whose role allows `{action}`.")
    if lines:
        made["description"] = " ".join(lines)
    if told.body is not None:
        schema = _schema(told.body.schema, components)
        content = {media: {"schema": schema} for media in told.body.media}
        content |= {media: {"schema": dict(s)} for media, s in told.body.more.items()}
        made["requestBody"] = {"required": True, "content": content}
    for status, answer in told.answers.items():
        made["responses"][str(status)] = _answer(answer, components)
    for status, codes in told.errors_by_status(guarded=action is not None).items():
        listed = ", ".join(f"`{code}`" for code in codes)
        phrase = HTTPStatus(status).phrase
        refused = _problem(f"{phrase}: {listed}.")
        if told.is_page:
            refused["content"] = {HTML: {}}
        made["responses"][str(status)] = _either(made["responses"], status, refused)
    return made


def _part(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }


def _query(told: Operation, components: dict[str, Any]) -> list[dict[str, Any]]:
    if told.query is None:
        return []
    hints = hints_of(told.query)
    made = []
    for field in fields(told.query):
        schema = member_schema(field, hints[field.name], components)
        made.append(
            {
                "name": member_name(field.name),
                "in": "query",
                "required": field.default is MISSING,
                "schema": schema,
            }
        )
    return made


def _answer(answer: Answer, components: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"description": answer.description}
    schemas = {media: _schema(answer.schema, components) for media in answer.media}
    schemas |= {media: _schema(given, components) for media, given in answer.more.items()}
    if schemas:
        made["content"] = {
            media: {"schema": schema} if schema is not None else {}
            for media, schema in schemas.items()
        }
    return made


def _schema(given: Any, components: dict[str, Any]) -> dict[str, Any] | None:
    if given is None or isinstance(given, dict):
        return given
    return schema_of(given, components)
