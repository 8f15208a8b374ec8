"""GET /openapi.json: what this node answers, as OpenAPI 3.1.

A test compares the paths here with those that are served.
"""

from importlib.metadata import version
from typing import Any

from aiohttp import web

from node.api.openapi_paths import PATHS
from node.api.openapi_schemas import SCHEMAS

routes = web.RouteTableDef()


@routes.get("/openapi.json")
async def openapi(_request: web.Request) -> web.Response:
    """Give this document."""
    return web.json_response(describe())


def describe() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Patunay node",
            "version": version("patunay"),
            "description": "Issues, anchors and verifies credentials of learning.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": PATHS,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": SCHEMAS,
        },
    }
