"""GET /openapi.json: what this node answers, as OpenAPI 3.1.

A test compares the paths here with those that are served.
"""

from importlib.metadata import version
from typing import Any, Final

from aiohttp import web

from credentials.data_integrity import SUITES
from credentials.policy import CHECK_NAMES
from credentials.report import Outcome, Result, Standing

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
        "paths": _PATHS,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
        },
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {"description": description, "content": content}


def _file(description: str, kind: str) -> dict[str, Any]:
    return {"description": description, "content": {kind: {}}}


def _path_parameter(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_SLUG: Final = _path_parameter("slug", "An issuer of this node.")
_NOT_FOUND: Final = _problem("There is no such file.")
_TEXT: Final = {"type": "string"}

_ISSUE: Final[dict[str, Any]] = {
    "summary": "Sign one credential and queue it for the log",
    "security": [{"token": []}],
    "requestBody": _body(
        {
            "type": "object",
            "required": ["credential"],
            "properties": {
                "credential": {"type": "object"},
                "options": {
                    "type": "object",
                    "properties": {
                        "cryptosuite": {"enum": list(SUITES)},
                        "credentialId": _TEXT,
                    },
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        }
    ),
    "responses": {
        "201": _json(
            "The signed credential.",
            {
                "type": "object",
                "required": ["verifiableCredential"],
                "properties": {"verifiableCredential": {"type": "object"}},
            },
        ),
        "400": _problem(
            "Not JSON, or not of the form of an issue request; or the credential breaks "
            "the data model, holds an undefined term, names a context that this node does "
            "not know, or an issuer that it does not sign for."
        ),
        "401": _problem("No token, or one that is not in force."),
        "404": _problem("This node has no such issuer."),
        "409": _problem("The id was issued with another content."),
        "413": _problem("Over 256 KiB."),
        "415": _problem("Not sent as application/json."),
        "500": _problem("A bug."),
        "503": _problem("The node is sealed, or its disk fails."),
    },
}

_DID_DOCUMENT: Final[dict[str, Any]] = {
    "summary": "An issuer's DID document",
    "responses": {"200": _file("The document.", "application/did+json"), "404": _NOT_FOUND},
}

_PATHS: Final[dict[str, Any]] = {
    "/.well-known/did.json": {"get": _DID_DOCUMENT},
    "/issuers/{slug}/did.json": {"get": {**_DID_DOCUMENT, "parameters": [_SLUG]}},
    "/status/{slug}/{name}": {
        "get": {
            "summary": "A status list credential",
            "parameters": [_SLUG, _path_parameter("name", "The list's name.")],
            "responses": {
                "200": _file("The signed list.", "application/vc+json"),
                "404": _NOT_FOUND,
            },
        }
    },
    "/credentials/issue": {"post": _ISSUE},
    "/issuers/{slug}/credentials/issue": {"post": {**_ISSUE, "parameters": [_SLUG]}},
    "/credentials/verify": {
        "post": {
            "summary": "Verify one credential",
            "description": (
                "The body is the credential, or `{verifiableCredential}`. The answer is "
                "the report; `outcome` tells rejected from undetermined."
            ),
            "requestBody": _body({"type": "object"}),
            "responses": {
                "200": _json("Valid.", _ref("Report")),
                "400": _problem("Not one strict JSON object."),
                "413": _problem("Over 256 KiB."),
                "415": _problem("Not sent as application/json."),
                "422": _json("Rejected, or undetermined.", _ref("Report")),
                "503": _problem("Too many verifications in hand."),
            },
        }
    },
    "/credentials/{id}/receipt": {
        "get": {
            "summary": "The proof that a credential is in the anchored log",
            "parameters": [
                _path_parameter("id", "UUID of the credential, or its urn:uuid.")
            ],
            "responses": {
                "200": {
                    "description": "The receipt, or its C2SP tlog-proof alone.",
                    "content": {
                        "application/json": {"schema": _ref("Receipt")},
                        "text/plain": {},
                    },
                },
                "404": _problem("This node has not issued it."),
                "409": _problem("It waits for its anchor."),
            },
        }
    },
    "/log/checkpoint": {
        "get": {
            "summary": "The latest checkpoint, a C2SP signed note",
            "responses": {"200": _file("The checkpoint.", "text/plain"), "404": _NOT_FOUND},
        }
    },
    "/log/{path}": {
        "get": {
            "summary": "A tile of the log, C2SP tlog-tiles",
            "parameters": [_path_parameter("path", "Such as tile/0/000.")],
            "responses": {
                "200": _file("The tile.", "application/octet-stream"),
                "404": _NOT_FOUND,
            },
        }
    },
    "/": {
        "get": {
            "summary": "The page for people",
            "responses": {"200": _file("The page.", "text/html")},
        },
        "post": {
            "summary": "The page's form: check a pasted credential",
            "requestBody": {
                "content": {
                    "application/x-www-form-urlencoded": {
                        "schema": {"type": "object", "properties": {"credential": _TEXT}}
                    }
                }
            },
            "responses": {
                "200": _file("The report, as a page.", "text/html"),
                "400": _file("Not a credential, as a page.", "text/html"),
            },
        },
    },
    "/style.css": {
        "get": {
            "summary": "The page's style sheet",
            "responses": {"200": _file("The style sheet.", "text/css")},
        }
    },
    "/healthz": {
        "get": {
            "summary": "That the node runs, and where signing and anchoring stand",
            "responses": {"200": _json("It runs.", {"type": "object"})},
        }
    },
    "/openapi.json": {
        "get": {
            "summary": "This document",
            "responses": {"200": _json("OpenAPI 3.1.", {"type": "object"})},
        }
    },
}

_CHECK: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["name", "result", "code", "detail", "required", "hint", "source"],
    "properties": {
        "name": {"enum": list(CHECK_NAMES)},
        "result": {"enum": [result.value for result in Result]},
        "code": _TEXT,
        "detail": _TEXT,
        "required": {"type": "boolean"},
        "hint": _TEXT,
        "source": _TEXT,
        "obtained_at": {"type": ["string", "null"], "format": "date-time"},
    },
}

_OUTCOME: Final = {"enum": [outcome.value for outcome in Outcome]}

_SCHEMAS: Final[dict[str, Any]] = {
    "Report": {
        "type": "object",
        "required": ["version", "outcome", "authenticity", "standing", "summary", "checks"],
        "properties": {
            "version": {"const": 1},
            "outcome": _OUTCOME,
            "authenticity": _OUTCOME,
            "standing": {"enum": [standing.value for standing in Standing]},
            "summary": _TEXT,
            "as_of": {"type": "string", "format": "date-time"},
            "checks": {"type": "array", "items": _CHECK},
            "verified": {"type": "boolean"},
            "problemDetails": {"type": "array", "items": _ref("Problem")},
        },
    },
    "Receipt": {
        "type": "object",
        "required": ["version", "tlogProof", "record", "anchors"],
        "properties": {
            "version": {"const": 1},
            "tlogProof": _TEXT,
            "record": {"type": "string", "contentEncoding": "base64"},
            "anchors": {"type": "array", "items": {"type": "object"}},
        },
    },
    "Problem": {
        "type": "object",
        "required": ["type", "title", "detail", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "code": _TEXT,
            "hint": _TEXT,
        },
    },
}
