"""The JSON objects that the OpenAPI document names: reports, receipts and problems."""

from collections.abc import Iterable
from typing import Any, Final

from credentials.policy import CHECK_NAMES
from credentials.presentation_checks import CHECKS_OF_PRESENTATION
from credentials.report import Outcome, Result, Standing
from node.api.operation import named
from node.permissions import Action

_TEXT: Final = {"type": "string"}


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
            "evidence": _TEXT,
            "as_of": {"type": ["string", "null"], "format": "date-time"},
            "age_days": {"type": ["integer", "null"], "minimum": 0},
            "final": {"type": "boolean"},
        },
    }


_OUTCOME: Final = {"enum": [outcome.value for outcome in Outcome]}

SCHEMAS: Final[dict[str, Any]] = {
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
            "problemDetails": {"type": "array", "items": named("Problem")},
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
                        "report": named("Report"),
                    },
                },
            },
            "verified": {"type": "boolean"},
            "problemDetails": {"type": "array", "items": named("Problem")},
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
    "AnchoredRecord": {
        "type": "object",
        "required": ["version", "record", "anchors"],
        "properties": {
            "version": {"const": 1},
            "record": {"type": "string", "contentEncoding": "base64"},
            "anchors": {"type": "array", "items": {"type": "object"}},
        },
    },
    "AuditEntry": {
        "type": "object",
        "required": ["sequence", "at", "actor", "action", "outcome", "previous", "digest"],
        "properties": {
            "version": {"const": 1},
            "sequence": {"type": "integer", "minimum": 1},
            "at": {"type": "string", "format": "date-time"},
            "actor": {
                "type": "object",
                "required": ["name", "token"],
                "properties": {"name": _TEXT, "token": _TEXT},
            },
            "action": {"enum": [str(action) for action in Action]},
            "objects": {"type": "array", "items": _TEXT},
            "issuer": _TEXT,
            "outcome": _TEXT,
            "request": _TEXT,
            "facts": {"type": "object"},
            "previous": _TEXT,
            "digest": _TEXT,
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
            "requestId": _TEXT,
        },
    },
}
