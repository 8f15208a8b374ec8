"""What a route takes and answers, said beside its handler in the code's own types.

`described` stands above `needs`, which tells whether a token is wanted.

`node.api.openapi` makes the OpenAPI document from these.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from node.access import TokenExpired, TokenMissing, TokenRefused
from node.api.creating import IdempotencyKeyMalformed
from node.api.problems import BodyTooSlow, MediaTypeUnsupported, Overloaded, status_of
from node.api.request import BodyBroken
from node.api.schema import RequestMalformed
from node.disk import DiskFailed, StorageFailed
from node.idempotency import IdempotencyConflict
from node.permissions import IssuerRefused, RoleRefused
from primitives.errors import PatunayError
from primitives.strict_json import JsonMalformed, JsonTooLarge

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
HTML: Final = "text/html"

H = TypeVar("H", bound=Callable[..., Any])

IDEMPOTENCY_PARAMETER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": (
        "Chosen by the client, once for each thing that is to happen once: the same "
        "request with it is answered as the first was."
    ),
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._~:/+=-]{1,128}$"},
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a route that is no error."""

    description: str

    schema: Any = None
    """A dataclass or other type of the code; or a JSON Schema as a dict; None for bytes."""

    media: tuple[str, ...] = (JSON,)
    more: Mapping[str, Any] = field(default_factory=dict)
    """Other media types, each with its schema, or None for bytes."""


def named(schema: str) -> dict[str, str]:
    """Return a reference to a schema of `node.api.openapi_schemas`."""
    return {"$ref": f"#/components/schemas/{schema}"}


NO_FILE: Final = Answer("There is no such file.", named("Problem"), (PROBLEM,))


@dataclass(frozen=True, slots=True)
class Body:
    """What a route reads."""

    schema: Any
    media: tuple[str, ...] = (JSON,)
    more: Mapping[str, Any] = field(default_factory=dict)
    """Other media types, each with its JSON Schema."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route."""

    summary: str
    answers: Mapping[int, Answer]
    errors: tuple[type[PatunayError], ...] = ()
    """Besides those that every route of its kind has."""

    body: Body | None = None
    query: type[Any] | None = None
    """A dataclass with what may stand in the query."""

    creates: bool = False
    """Whether it takes an idempotency key."""

    headers: tuple[Mapping[str, Any], ...] = field(default=())
    """More parameters that are headers."""

    description: str = ""
    """What the summary leaves open."""

    parts: Mapping[str, str] = field(default_factory=dict)
    """What a part of the path means, where it is not what it means elsewhere."""

    is_page: bool = False
    """Whether its errors are pages for people."""

    def all_errors(self, *, guarded: bool) -> tuple[type[PatunayError], ...]:
        """Return every error that it may answer with; `guarded` if it needs a token."""
        found: list[type[PatunayError]] = [*self.errors, StorageFailed, DiskFailed]
        if guarded:
            found += [TokenMissing, TokenRefused, TokenExpired, RoleRefused, IssuerRefused]
        if self.query is not None:
            found.append(RequestMalformed)
        if self.body is not None:
            found += [BodyBroken, BodyTooSlow, JsonTooLarge, Overloaded]
            if JSON in self.body.media:
                found += [JsonMalformed, MediaTypeUnsupported, RequestMalformed]
        if self.creates:
            found += [IdempotencyConflict, IdempotencyKeyMalformed]
        return tuple(dict.fromkeys(found))

    def errors_by_status(self, *, guarded: bool) -> Mapping[int, tuple[str, ...]]:
        """Return the codes of its errors by the status that they have."""
        found: dict[int, dict[str, None]] = {}
        for kind in self.all_errors(guarded=guarded):
            found.setdefault(status_of(kind), {})[kind.code] = None
        return {status: tuple(codes) for status, codes in sorted(found.items())}


OPERATIONS: Final[dict[Callable[..., Any], Operation]] = {}
"""By handler, as `described` has filed them."""


def described(operation: Operation) -> Callable[[H], H]:
    """Return a decorator that files `operation` for a handler."""

    def file(handler: H) -> H:
        OPERATIONS[handler] = operation
        return handler

    return file
