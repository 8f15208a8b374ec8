"""Errors as RFC 9457 problem documents: the only place where a status code is chosen."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from aiohttp import web

from anchoring.witness import WitnessLogUnknown, WitnessSignatureRefused
from credentials.jsonld.active_context import JsonldUnsupported
from credentials.jsonld.context_processing import ContextForbidden, ContextRedefinition
from credentials.jsonld.loader import ContextUnknown
from credentials.jsonld.scope import UnsignedTerm
from credentials.model import StructureInvalid
from did.key_event import CompromiseMovedLater
from did.pkcs11_signer import HsmKeyExists, HsmUnavailable
from node.access import TokenExpired, TokenMissing, TokenRefused
from node.acting import current_request
from node.approvals import ApprovalRequired, ApproverUnnamed, BatchDecided, SamePerson
from node.batches import BatchEnded
from node.challenges import ChallengesExhausted
from node.compromise import CompromiseAhead
from node.disk import StorageFailed
from node.hosts import HostRefused, OriginRefused
from node.idempotency import IdempotencyConflict
from node.issuance import IdConflict, IssuerMismatch
from node.issuer_keys import KeyNotPublished
from node.limits import RateLimited
from node.log_reading import AnchorUnknown, RecordUnknown
from node.logbook import CredentialUnknown, NotYetAnchored
from node.node import KeyLost, NodeSealed
from node.permissions import IssuerRefused, RoleRefused
from node.readiness import NotReady
from node.rotation import DidKeyCannotRotate, KeyNotCurrent
from node.sessions import FormForeign, SessionMissing
from node.setup import SlugInvalid
from node.status import (
    AlreadyRevoked,
    AlreadySuspended,
    NotRevocable,
    NotSuspendable,
    NotSuspended,
)
from node.storage.batches import BatchUnknown
from node.storage.registry import (
    IssuerExists,
    IssuerUnknown,
    TemplateExists,
    TemplateUnknown,
)
from node.storage.webhooks import DeliveryUnknown, WebhookUnknown
from node.templates import TemplateRetired
from node.token_keys import HsmNotConfigured
from node.uploads import BatchNotChecked, TooManyRows
from node.webhook_settings import TooManyWebhooks
from primitives.errors import Malformed, Misconfigured, PatunayError, Rejected, Undetermined
from primitives.strict_json import JsonTooLarge

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS: Final = 30

PROBLEM: Final = web.ResponseKey("PROBLEM", str)
"""The code of the error that an answer tells of."""


class Overloaded(Undetermined):
    """The node has more requests in hand than it can answer in time."""

    code = "http-overloaded"
    hint = "try again in a moment"


class MediaTypeUnsupported(Rejected):
    """The body is of a kind that this resource does not read."""

    code = "media-type-unsupported"
    hint = "send application/json"


class BodyTooSlow(Malformed):
    """The request's body took too long to come: places are kept for who sends it."""

    code = "body-too-slow"
    hint = "send it again over a better line"


_STATUS: Final[tuple[tuple[type[PatunayError], int], ...]] = (
    # What is wrong with a credential that is to be issued: VC-API wants 400. Where a
    # credential is verified, these are lines of a report and never come here.
    (StructureInvalid, 400),
    (UnsignedTerm, 400),
    (ContextUnknown, 400),
    (ContextForbidden, 400),
    (ContextRedefinition, 400),
    (JsonldUnsupported, 400),
    (IssuerMismatch, 400),
    (TokenMissing, 401),
    (TokenRefused, 401),
    (TokenExpired, 401),
    (RoleRefused, 403),
    (IssuerRefused, 403),
    (ApprovalRequired, 403),
    (SamePerson, 403),
    (ApproverUnnamed, 403),
    (BatchUnknown, 404),
    (BatchDecided, 409),
    (BatchEnded, 409),
    (BatchNotChecked, 409),
    (TooManyRows, 413),
    (SessionMissing, 401),
    (FormForeign, 403),
    (CredentialUnknown, 404),
    (AlreadyRevoked, 409),
    (AlreadySuspended, 409),
    (NotSuspended, 409),
    (NotSuspendable, 409),
    (NotRevocable, 409),
    (RecordUnknown, 404),
    (AnchorUnknown, 404),
    (WitnessLogUnknown, 404),
    (WitnessSignatureRefused, 403),
    (NotYetAnchored, 409),
    (IdConflict, 409),
    (IdempotencyConflict, 409),
    (OriginRefused, 403),
    (BodyTooSlow, 408),
    (JsonTooLarge, 413),
    (MediaTypeUnsupported, 415),
    (HostRefused, 421),
    (SlugInvalid, 400),
    (CompromiseAhead, 400),
    (IssuerExists, 409),
    (DidKeyCannotRotate, 409),
    (KeyNotCurrent, 409),
    (CompromiseMovedLater, 409),
    (HsmNotConfigured, 409),
    (HsmKeyExists, 409),
    (KeyNotPublished, 404),
    (IssuerUnknown, 404),
    (TemplateUnknown, 404),
    (WebhookUnknown, 404),
    (DeliveryUnknown, 404),
    (TooManyWebhooks, 409),
    (TemplateExists, 409),
    (TemplateRetired, 409),
    (NodeSealed, 503),
    (KeyLost, 503),
    (HsmUnavailable, 503),
    (StorageFailed, 503),
    (Overloaded, 503),
    (NotReady, 503),
    (ChallengesExhausted, 503),
    (RateLimited, 429),
    (Malformed, 400),
    (Rejected, 422),
    (Undetermined, 422),
    (Misconfigured, 500),
)
"""The first family that fits decides. 503 is for what ails this node, never for what a
request made it look for."""

_CHALLENGES: Final[Mapping[type[PatunayError], str]] = {
    TokenMissing: "Bearer",
    TokenRefused: 'Bearer error="invalid_token"',
    TokenExpired: 'Bearer error="invalid_token"',
    RoleRefused: 'Bearer error="insufficient_scope"',
    IssuerRefused: 'Bearer error="insufficient_scope"',
}
"""What a client is told to do better, RFC 6750 section 3."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def problem_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error in one shape. What is not deliberate is logged as a bug."""
    try:
        return await handler(request)
    except PatunayError as e:
        return problem_response(e)
    except web.HTTPException as e:
        if e.status < HTTPStatus.BAD_REQUEST:
            raise
        code = HTTPStatus(e.status).phrase.lower().replace(" ", "-")
        headers = {"Allow": e.headers["Allow"]} if "Allow" in e.headers else {}
        return _response(e.status, code, f"{request.method} {request.path}", "", headers)
    except Exception:
        logger.exception("a bug")
        return _response(500, "internal-error", "this is a bug in Patunay", "", {})


def status_of(kind: type[PatunayError]) -> int:
    """Return the status of an error of this type."""
    return next(status for family, status in _STATUS if issubclass(kind, family))


def problem_response(
    error: PatunayError, more: Mapping[str, object] = MappingProxyType({})
) -> web.Response:
    """Return the answer that `error` makes, with `more` members."""
    status = status_of(type(error))
    headers = {}
    challenge = _CHALLENGES.get(type(error))
    if challenge is not None:
        headers["WWW-Authenticate"] = challenge
    if status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        headers["Accept-Encoding"] = "identity"
    passes = status == HTTPStatus.CONFLICT and isinstance(error, Undetermined)
    if passes or status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.wait_seconds)
    return _response(status, error.code, str(error), error.hint, headers, more)


def problem(code: str, detail: str, hint: str = "") -> dict[str, str]:
    """Return the members that every problem has, whatever carries it."""
    return {
        "type": f"urn:patunay:error:{code}",
        "title": code.replace("-", " "),
        "detail": detail,
        "code": code,
        "hint": hint,
    }


def _response(  # the members of a problem
    status: int,
    code: str,
    detail: str,
    hint: str,
    headers: Mapping[str, str],
    more: Mapping[str, object] = MappingProxyType({}),
) -> web.Response:
    own = {"status": status, "requestId": current_request()}
    answer = web.json_response(
        {**problem(code, detail, hint), **own, **more},
        status=status,
        content_type="application/problem+json",
        headers=dict(headers),
    )
    answer[PROBLEM] = code
    return answer
