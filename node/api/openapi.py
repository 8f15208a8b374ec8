"""GET /openapi.json: what this node answers, as OpenAPI 3.1.

Most of it is made from the types that stand beside the handlers (`node.api.operation`). A
test compares the paths here with those that are served.
"""

import json
from copy import deepcopy
from functools import cache
from importlib.metadata import version
from itertools import chain
from typing import Any, Final

from aiohttp import web

from node.api import (
    anchors,
    audit_log,
    batches,
    handed_over,
    issuers,
    records,
    status_lists,
    templates,
    webhooks,
)
from node.api.openapi_operations import describe_routes, with_common_answers
from node.api.openapi_paths import PATHS
from node.api.openapi_schemas import SCHEMAS

RESOURCES: Final = (
    anchors,
    audit_log,
    batches,
    handed_over,
    issuers,
    records,
    status_lists,
    templates,
    webhooks,
)
"""Modules whose handlers say themselves what they take and answer."""

routes = web.RouteTableDef()


@routes.get("/openapi.json")
async def openapi(_request: web.Request) -> web.Response:
    """Give this document."""
    return web.Response(text=_text(), content_type="application/json")


@cache
def _text() -> str:
    return json.dumps(describe())


def describe() -> dict[str, Any]:
    """Return the OpenAPI document."""
    components = deepcopy(SCHEMAS)
    made = describe_routes(chain(*(m.routes for m in RESOURCES)), components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Patunay node",
            "version": version("patunay"),
            "description": "Issues, anchors and verifies credentials of learning.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": with_common_answers(_joined(PATHS, made)),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": components,
        },
    }


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return both: one path may have methods in either."""
    joined = dict(first)
    for path, methods in second.items():
        joined[path] = {**joined.get(path, {}), **methods}
    return joined
