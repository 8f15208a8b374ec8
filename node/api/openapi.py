"""GET /openapi.json: what this node answers, as OpenAPI 3.1.

A test compares the paths here with those that are served.
"""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Final

from aiohttp import web

from credentials.data_integrity import SUITES
from credentials.policy import CHECK_NAMES
from credentials.presentation_checks import CHECKS_OF_PRESENTATION
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


def _resolution_error(description: str) -> dict[str, Any]:
    kinds = (*_DID_KINDS[:2], "application/json")
    content = {kind: {"schema": {"type": "object"}} for kind in kinds}
    return {"description": description, "content": content}


_SLUG: Final = _path_parameter("slug", "An issuer of this node.")
_NOT_FOUND: Final = _problem("There is no such file.")
_TEXT: Final = {"type": "string"}
_DID_KINDS: Final = (
    "application/did-resolution",
    "application/did-url-dereferencing",
    "application/did",
    "application/did+json",
    "application/did+ld+json",
    "application/json",
)

_CHECK_NAMES: Final = {"type": "array", "items": {"enum": list(CHECK_NAMES)}}

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

_DID_HISTORY: Final[dict[str, Any]] = {
    "summary": "The versions of an issuer's DID document, and its key events",
    "responses": {"200": _file("The history.", "application/json"), "404": _NOT_FOUND},
}

_PATHS: Final[dict[str, Any]] = {
    "/.well-known/did-history.json": {"get": _DID_HISTORY},
    "/issuers/{slug}/did-history.json": {"get": {**_DID_HISTORY, "parameters": [_SLUG]}},
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
    "/presentations/verify": {
        "post": {
            "summary": "Verify one presentation, and each credential in it",
            "description": (
                "A `challenge` and a `domain` that are given have to be the proof's. "
                "A challenge of this node is used up, whatever comes of it."
            ),
            "requestBody": _body(
                {
                    "type": "object",
                    "required": ["verifiablePresentation"],
                    "properties": {
                        "verifiablePresentation": {"type": "object"},
                        "options": {
                            "type": "object",
                            "properties": {
                                "challenge": _TEXT,
                                "domain": _TEXT,
                                "checks": _CHECK_NAMES,
                            },
                        },
                    },
                }
            ),
            "responses": {
                "200": _json("Valid.", _ref("PresentationReport")),
                "400": _problem("Not JSON, not a request, or over 32 credentials."),
                "413": _problem("Over 256 KiB."),
                "415": _problem("Not sent as application/json."),
                "422": {
                    "description": "Rejected or undetermined; or the challenge is not to "
                    "be used.",
                    "content": {
                        "application/json": {"schema": _ref("PresentationReport")},
                        "application/problem+json": {"schema": _ref("Problem")},
                    },
                },
                "503": _problem("Too many verifications in hand, or the disk fails."),
            },
        }
    },
    "/challenges": {
        "post": {
            "summary": "Get a challenge that works once, within ten minutes",
            "responses": {
                "201": _json(
                    "The challenge.",
                    {
                        "type": "object",
                        "required": ["challenge", "expires"],
                        "properties": {
                            "challenge": _TEXT,
                            "expires": {"type": "string", "format": "date-time"},
                        },
                    },
                ),
                "503": _problem("Too many challenges are open, or the disk fails."),
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
    "/identifiers/{did}": {
        "get": {
            "summary": "Resolve a DID, or give what a DID URL's fragment names",
            "description": (
                "`Accept` chooses the document alone, or a result with its metadata; "
                "errors are written in the same dialect."
            ),
            "parameters": [
                _path_parameter(
                    "did", "A DID, or one with `%23` and a fragment; or URL-encoded whole."
                )
            ],
            "responses": {
                "200": {
                    "description": "The result, document, verification method or service.",
                    "content": {
                        kind: {"schema": {"type": "object"}} for kind in _DID_KINDS
                    },
                },
                "400": _resolution_error("No DID, or a query after it."),
                "404": _resolution_error("No such document, or no such fragment in it."),
                "406": _resolution_error("No media type that is known here."),
                "501": _resolution_error("Another DID method, or another type of key."),
                "502": _resolution_error("Another server's answer is of no use."),
                "503": _problem("Too many resolutions in hand."),
                "504": _resolution_error("Another server does not answer."),
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


def _check_of(names: Iterable[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["name", "result", "code", "detail", "required", "hint", "source"],
        "properties": {
            "name": {"enum": list(names)},
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
            "checks": {"type": "array", "items": _check_of(CHECK_NAMES)},
            "verified": {"type": "boolean"},
            "problemDetails": {"type": "array", "items": _ref("Problem")},
        },
    },
    "PresentationReport": {
        "type": "object",
        "required": ["version", "outcome", "holder", "summary", "checks", "credentials"],
        "properties": {
            "version": {"const": 1},
            "outcome": _OUTCOME,
            "holder": {"type": ["string", "null"]},
            "summary": _TEXT,
            "as_of": {"type": "string", "format": "date-time"},
            "checks": {
                "type": "array",
                "items": _check_of(CHECKS_OF_PRESENTATION),
            },
            "credentials": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id", "digest", "holderBound", "report"],
                    "properties": {
                        "id": {"type": ["string", "null"]},
                        "digest": _TEXT,
                        "holderBound": {"type": "boolean"},
                        "report": _ref("Report"),
                    },
                },
            },
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
