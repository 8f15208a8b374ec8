"""GET /openapi.json: what this node answers, as OpenAPI 3.1.

It is made from what stands beside the handlers (`node.api.operation`). A test compares the
paths here with those that are served.
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
    find,
    handed_over,
    identifiers,
    issue,
    issuers,
    keys,
    presentations,
    public,
    readiness,
    records,
    status_lists,
    templates,
    verify,
    webhooks,
    witness,
)
from node.api.openapi_examples import add_examples
from node.api.openapi_operations import describe_routes, with_common_answers
from node.api.openapi_schemas import SCHEMAS
from node.api.operation import Answer, Operation, described
from node.web import pages

routes = web.RouteTableDef()

ROUTES: Final = (
    routes,
    anchors.routes,
    audit_log.routes,
    batches.routes,
    find.routes,
    handed_over.routes,
    identifiers.routes,
    issue.routes,
    issuers.routes,
    keys.routes,
    presentations.routes,
    public.routes,
    readiness.routes,
    records.routes,
    status_lists.routes,
    templates.routes,
    verify.routes,
    webhooks.routes,
    witness.routes,
    *pages.ROUTES,
)
"""Every route of a node. The console's are for people with a browser, and not described."""


@routes.get("/openapi.json")
@described(Operation("This document", {200: Answer("OpenAPI 3.1.", {"type": "object"})}))
async def openapi(_request: web.Request) -> web.Response:
    """Give this document."""
    return web.Response(text=_text(), content_type="application/json")


@cache
def _text() -> str:
    return json.dumps(describe())


def describe() -> dict[str, Any]:
    """Return the OpenAPI document."""
    components = deepcopy(SCHEMAS)
    paths = describe_routes(chain(*ROUTES), components)
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Patunay node",
            "version": version("patunay"),
            "description": "Issues, anchors and verifies credentials of learning.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": with_common_answers(paths),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": components,
        },
    }
    add_examples(document)
    return document
