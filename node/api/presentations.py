"""POST /presentations/verify and POST /challenges."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from credentials.bundle import Bundle
from credentials.data_integrity import AUTHENTICATION
from credentials.kinds import is_presentation
from credentials.policy import DEFAULT_REQUIRED, Policy
from credentials.presentation import PresentationReport, judge_presentation
from credentials.presentation_checks import PresentationTooLarge, presented_credentials
from credentials.report import Report
from node.api.context import NODE
from node.api.operation import Answer, Body, Operation, described, named
from node.api.request import UrlNotAccepted, read_json_object, refuse_addresses
from node.api.schema import Instant, body_of
from node.api.verify import (
    VERIFIER,
    Verifier,
    VerifyRequestMalformed,
    answer_report,
    moment_asked,
    read_options,
    request_with,
    require_purpose,
    required_checks,
    verifying,
)
from node.challenges import (
    ChallengeExpired,
    ChallengesExhausted,
    ChallengeUnknown,
    ChallengeUsed,
    create_challenge,
    is_own,
    use_challenge,
)
from node.gather_presentation import gather_presentation
from primitives.canonical_json import JsonObject
from primitives.instants import format_instant

MAX_OPTION_CHARACTERS: Final = 1024

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class ChallengeMade:
    """A challenge for one presentation."""

    challenge: str
    expires: Instant


@routes.post("/challenges")
@described(
    Operation(
        "Get a challenge that works once, within ten minutes",
        {201: Answer("The challenge.", ChallengeMade)},
        errors=(ChallengesExhausted,),
    )
)
async def challenge(request: web.Request) -> web.Response:
    """Give out a challenge that works once, within ten minutes."""
    made = await create_challenge(request.app[NODE])
    shown = ChallengeMade(made.text, format_instant(made.expires))
    return web.json_response(body_of(shown), status=201)


@routes.post("/presentations/verify")
@described(
    verifying(
        "Verify one presentation, and each credential in it",
        Body(
            request_with(
                "verifiablePresentation",
                required=True,
                challenge={"type": "string"},
                domain={"type": "string"},
            )
        ),
        VerifyRequestMalformed,
        UrlNotAccepted,
        ChallengeUnknown,
        ChallengeUsed,
        ChallengeExpired,
        PresentationTooLarge,
        report=named("PresentationReport"),
        description=(
            "A `challenge` and a `domain` that are given have to be the proof's. A "
            "challenge of this node is used up, whatever comes of it."
        ),
    )
)
async def verify_presentation(request: web.Request) -> web.Response:
    """Verify one presentation and answer with the whole report.

    Statuses as for a credential. A challenge of this node is used up by the first request
    that names it, whatever comes of it: so of many at once, one is answered.
    """
    body = await read_json_object(request)
    refuse_addresses(body)
    wrapped = body.get("verifiablePresentation")
    if not isinstance(wrapped, dict):
        raise VerifyRequestMalformed("found no verifiablePresentation object")
    options = read_options(body)
    require_purpose(options, AUTHENTICATION)
    report = await verify_presented(
        request.app[VERIFIER],
        wrapped,
        required_checks(options),
        challenge=text_option(options, "challenge"),
        domain=text_option(options, "domain"),
        as_of=moment_asked(options),
    )
    return answer_report(report)


def text_option(options: JsonObject, name: str) -> str | None:
    """Return an option of a request that is a text; None where it is missing.

    Raises:
        VerifyRequestMalformed: It is no text, or one that is too long.
    """
    value = options.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= MAX_OPTION_CHARACTERS:
        raise VerifyRequestMalformed(
            f"found another {name} than a text of 1 to {MAX_OPTION_CHARACTERS} characters"
        )
    return value


async def verify_presented(
    verifier: Verifier,
    document: JsonObject,
    required: frozenset[str] = DEFAULT_REQUIRED,
    *,
    challenge: str | None = None,
    domain: str | None = None,
    as_of: datetime | None = None,
) -> PresentationReport:
    """Return the report on one presentation and each credential in it.

    Args:
        verifier: Has a place left.
        document: Read, and not trusted.
        required: Names of checks that decide on a credential.
        challenge: That whoever asks has given out; one of this node is used up by this.
        domain: Of whoever asks.
        as_of: The moment asked about, aware; None for now.

    Raises:
        Overloaded: Too many others are under way.
        PresentationTooLarge: It has too many credentials.
        ChallengeUsed: It is of this node, and was used before, or is too old.
    """
    presented_credentials(document)  # too many cost nobody a challenge
    with verifier.slot():
        if challenge is not None and is_own(challenge):
            await use_challenge(verifier.node, challenge)
        found = await gather_presentation(document, verifier.gatherer, verifier.evidence)
        policy: Policy = verifier.demands(required)
        now = verifier.node.instant()
        return await asyncio.to_thread(
            judge_presentation,
            document,
            found,
            policy,
            as_of or now,
            challenge=challenge,
            domain=domain,
            clock=now if as_of is not None else None,
        )


async def verify_any(
    verifier: Verifier,
    given: JsonObject | Bundle,
    *,
    size: int,
    challenge: str | None = None,
    domain: str | None = None,
) -> Report | PresentationReport:
    """Return the report on a credential, a bundle or a presentation, whichever it is.

    Args:
        verifier: Has a place left.
        given: Read, and not trusted.
        size: Of it in bytes, or more.
        challenge: For a presentation alone, as `domain`; see `verify_presented`.
        domain: For a presentation alone.

    Raises:
        PatunayError: As `Verifier.verify` and `verify_presented`.
    """
    if isinstance(given, Bundle):
        return await verifier.verify_bundle(given)
    if is_presentation(given):
        return await verify_presented(verifier, given, challenge=challenge, domain=domain)
    return await verifier.verify(given, size=size)
