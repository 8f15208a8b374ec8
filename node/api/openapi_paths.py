"""The routes of the OpenAPI document, each with what it takes and what it answers."""

from typing import Any, Final

from credentials.data_integrity import SUITES
from credentials.policy import CHECK_NAMES
from node.api.openapi_parts import (
    TEXT,
    file_answer,
    json_answer,
    json_body,
    path_parameter,
    problem_answer,
    ref,
)

_SLUG: Final = path_parameter("slug", "An issuer of this node.")
_NOT_FOUND: Final = problem_answer("There is no such file.")
_NO_PAGE: Final = file_answer("No such credential, or another key.", "text/html")
_HOLDER: Final = [
    path_parameter("id", "The credential's UUID."),
    path_parameter("key", "What the address of its page ends with."),
]
_DID_KINDS: Final = (
    "application/did-resolution",
    "application/did-url-dereferencing",
    "application/did",
    "application/did+json",
    "application/did+ld+json",
    "application/json",
)

_CHECK_NAMES: Final = {"type": "array", "items": {"enum": list(CHECK_NAMES)}}


def _resolution_error(description: str) -> dict[str, Any]:
    kinds = (*_DID_KINDS[:2], "application/json")
    content = {kind: {"schema": {"type": "object"}} for kind in kinds}
    return {"description": description, "content": content}


def _either(description: str, report: str) -> dict[str, Any]:
    """A report that is not good, or a problem with the request."""
    content = {
        "application/json": {"schema": ref(report)},
        "application/problem+json": {"schema": ref("Problem")},
    }
    return {"description": description, "content": content}


_ISSUE: Final[dict[str, Any]] = {
    "summary": "Sign one credential and queue it for the log",
    "security": [{"token": []}],
    "requestBody": json_body(
        {
            "type": "object",
            "required": ["credential"],
            "properties": {
                "credential": {"type": "object"},
                "options": {
                    "type": "object",
                    "properties": {
                        "cryptosuite": {"enum": list(SUITES)},
                        "credentialId": TEXT,
                    },
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        }
    ),
    "responses": {
        "201": json_answer(
            "The signed credential.",
            {
                "type": "object",
                "required": ["verifiableCredential"],
                "properties": {"verifiableCredential": {"type": "object"}},
            },
        ),
        "400": problem_answer(
            "Not JSON, or not of the form of an issue request; or the credential breaks "
            "the data model, holds an undefined term, names a context that this node does "
            "not know, or an issuer that it does not sign for."
        ),
        "401": problem_answer("No token, or one that is not in force."),
        "403": problem_answer("A token that may not issue, or not for this issuer."),
        "404": problem_answer("This node has no such issuer."),
        "409": problem_answer("The id was issued with another content."),
        "413": problem_answer("Over 256 KiB."),
        "415": problem_answer("Not sent as application/json."),
        "500": problem_answer("A bug."),
        "503": problem_answer("The node is sealed, or its disk fails."),
    },
}

_DID_DOCUMENT: Final[dict[str, Any]] = {
    "summary": "An issuer's DID document",
    "responses": {
        "200": file_answer("The document.", "application/did+json"),
        "404": _NOT_FOUND,
    },
}

_DID_HISTORY: Final[dict[str, Any]] = {
    "summary": "The versions of an issuer's DID document, and its key events",
    "responses": {
        "200": file_answer("The history.", "application/json"),
        "404": _NOT_FOUND,
    },
}

PATHS: Final[dict[str, Any]] = {
    "/.well-known/did-history.json": {"get": _DID_HISTORY},
    "/issuers/{slug}/did-history.json": {"get": {**_DID_HISTORY, "parameters": [_SLUG]}},
    "/.well-known/did.json": {"get": _DID_DOCUMENT},
    "/issuers/{slug}/did.json": {"get": {**_DID_DOCUMENT, "parameters": [_SLUG]}},
    "/status/{slug}/{name}": {
        "get": {
            "summary": "A status list credential",
            "parameters": [_SLUG, path_parameter("name", "The list's name.")],
            "responses": {
                "200": file_answer("The signed list.", "application/vc+json"),
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
            "requestBody": json_body({"type": "object"}),
            "responses": {
                "200": json_answer("Valid.", ref("Report")),
                "400": _either("Rejected or undetermined; or no request.", "Report"),
                "413": problem_answer("Over 256 KiB."),
                "415": problem_answer("Not sent as application/json."),
                "503": problem_answer("Too many verifications in hand."),
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
            "requestBody": json_body(
                {
                    "type": "object",
                    "required": ["verifiablePresentation"],
                    "properties": {
                        "verifiablePresentation": {"type": "object"},
                        "options": {
                            "type": "object",
                            "properties": {
                                "challenge": TEXT,
                                "domain": TEXT,
                                "checks": _CHECK_NAMES,
                            },
                        },
                    },
                }
            ),
            "responses": {
                "200": json_answer("Valid.", ref("PresentationReport")),
                "400": _either(
                    "Rejected or undetermined; or no request, or over 32 credentials.",
                    "PresentationReport",
                ),
                "413": problem_answer("Over 256 KiB."),
                "415": problem_answer("Not sent as application/json."),
                "422": problem_answer("The challenge is not to be used."),
                "503": problem_answer("Too many verifications in hand, or the disk fails."),
            },
        }
    },
    "/challenges": {
        "post": {
            "summary": "Get a challenge that works once, within ten minutes",
            "responses": {
                "201": json_answer(
                    "The challenge.",
                    {
                        "type": "object",
                        "required": ["challenge", "expires"],
                        "properties": {
                            "challenge": TEXT,
                            "expires": {"type": "string", "format": "date-time"},
                        },
                    },
                ),
                "503": problem_answer("Too many challenges are open, or the disk fails."),
            },
        }
    },
    "/credentials/{id}/receipt": {
        "get": {
            "summary": "The proof that a credential is in the anchored log",
            "parameters": [
                path_parameter("id", "UUID of the credential, or its urn:uuid."),
                {
                    "name": "chain",
                    "in": "query",
                    "description": "CAIP-2 id of the one chain whose anchors count.",
                    "schema": {"type": "string"},
                },
            ],
            "responses": {
                "200": {
                    "description": "The receipt, or its C2SP tlog-proof alone.",
                    "content": {
                        "application/json": {"schema": ref("Receipt")},
                        "text/plain": {},
                    },
                },
                "404": problem_answer("This node has not issued it."),
                "409": problem_answer("It waits for its anchor."),
            },
        }
    },
    "/identifiers/": {
        "get": {
            "summary": "No DID",
            "responses": {"400": _resolution_error("A DID is missing.")},
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
                path_parameter(
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
                "503": problem_answer("Too many resolutions in hand."),
                "504": _resolution_error("Another server does not answer."),
            },
        }
    },
    "/witness/add-checkpoint": {
        "post": {
            "summary": "Cosign the checkpoint of a log that is watched, C2SP tlog-witness",
            "requestBody": {
                "required": True,
                "content": {"text/plain": {"schema": {"type": "string"}}},
            },
            "responses": {
                "200": file_answer("A signature line, cosignature/v1.", "text/plain"),
                "400": problem_answer("No add-checkpoint request."),
                "403": problem_answer("The log has not signed it."),
                "404": problem_answer("The log is not watched here."),
                "409": file_answer("The size that was cosigned last.", "text/x.tlog.size"),
                "413": problem_answer("Too large."),
                "422": problem_answer("Not shown to extend what was cosigned last."),
                "503": problem_answer("The node is sealed."),
            },
        }
    },
    "/log/checkpoint": {
        "get": {
            "summary": "The latest checkpoint, a C2SP signed note",
            "responses": {
                "200": file_answer("The checkpoint.", "text/plain"),
                "404": _NOT_FOUND,
            },
        }
    },
    "/log/records/{name}": {
        "get": {
            "summary": "An anchor record, and where it is anchored so far",
            "parameters": [path_parameter("name", "The record's CID, or `latest`.")],
            "responses": {
                "200": json_answer("The record.", ref("AnchoredRecord")),
                "404": problem_answer("This node has made no such record."),
            },
        }
    },
    "/log/{path}": {
        "get": {
            "summary": "A tile of the log, C2SP tlog-tiles",
            "parameters": [path_parameter("path", "Such as tile/0/000.")],
            "responses": {
                "200": file_answer("The tile.", "application/octet-stream"),
                "404": _NOT_FOUND,
            },
        }
    },
    "/ipfs/{cid}": {
        "get": {
            "summary": "A block of the node's own: an anchor record, or what one pins",
            "parameters": [path_parameter("cid", "CIDv1, base32, SHA-256.")],
            "responses": {
                "200": file_answer("The block.", "application/vnd.ipld.raw"),
                "404": _NOT_FOUND,
            },
        }
    },
    "/": {
        "get": {
            "summary": "The page that checks a credential",
            "responses": {"200": file_answer("The page.", "text/html")},
        },
        "post": {
            "summary": "The page's form: check a file, a text or a link",
            "requestBody": {
                "content": {
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "properties": {
                                "file": {"type": "string", "format": "binary"},
                                "credential": TEXT,
                                "link": TEXT,
                                "lang": {"enum": ["en", "fil"]},
                            },
                        }
                    }
                }
            },
            "responses": {
                "200": file_answer("The answer, as a page.", "text/html"),
                "400": file_answer("Not a credential, as a page.", "text/html"),
                "413": file_answer("Too large, as a page.", "text/html"),
                "415": file_answer("Another form than the page's.", "text/html"),
                "422": file_answer("The link gave nothing, as a page.", "text/html"),
                "503": file_answer("Too much in hand, as a page.", "text/html"),
            },
        },
    },
    "/transparency": {
        "get": {
            "summary": "The page about the public log",
            "responses": {"200": file_answer("The page.", "text/html")},
        }
    },
    "/c/{id}/{key}": {
        "get": {
            "summary": "A holder's page of one credential",
            "parameters": _HOLDER,
            "responses": {
                "200": file_answer("The page.", "text/html"),
                "404": _NO_PAGE,
            },
        }
    },
    "/c/{id}/{key}/credential.json": {
        "get": {
            "summary": "The credential of a holder's page",
            "parameters": _HOLDER,
            "responses": {
                "200": file_answer("The credential.", "application/vc+json"),
                "404": _NO_PAGE,
            },
        }
    },
    "/c/{id}/{key}/receipt.json": {
        "get": {
            "summary": "The receipt of a holder's page",
            "parameters": _HOLDER,
            "responses": {
                "200": json_answer("The receipt.", {"type": "object"}),
                "404": _NO_PAGE,
                "409": file_answer("Not anchored yet, as a page.", "text/html"),
            },
        }
    },
    "/c/{id}/{key}/bundle.json": {
        "get": {
            "summary": "The credential of a holder's page with its evidence",
            "parameters": _HOLDER,
            "responses": {
                "200": json_answer("The evidence bundle.", {"type": "object"}),
                "404": _NO_PAGE,
            },
        }
    },
    "/assets/{name}": {
        "get": {
            "summary": "What the pages load: style sheet, script, picture",
            "parameters": [path_parameter("name", "The file's name.")],
            "responses": {
                "200": {
                    "description": "The file.",
                    "content": {
                        kind: {}
                        for kind in ("text/css", "text/javascript", "image/svg+xml")
                    },
                },
                "404": _NOT_FOUND,
            },
        }
    },
    "/healthz": {
        "get": {
            "summary": "That the node runs, and where signing and anchoring stand",
            "responses": {"200": json_answer("It runs.", {"type": "object"})},
        }
    },
    "/readyz": {
        "get": {
            "summary": "Whether requests may be sent here",
            "responses": {
                "200": json_answer("It is ready.", {"type": "object"}),
                "503": problem_answer("What keeps it from it: `checks`."),
            },
        }
    },
    "/openapi.json": {
        "get": {
            "summary": "This document",
            "responses": {"200": json_answer("OpenAPI 3.1.", {"type": "object"})},
        }
    },
}
