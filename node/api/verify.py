"""POST /credentials/verify, as VC-API names it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import orjson
from aiohttp import web

from anchoring.backend import AnchorReceipt, Sighting
from anchoring.receipt import Receipt
from credentials.bundle import Bundle
from credentials.case import Case
from credentials.data_integrity import ASSERTION
from credentials.evidence import OWN_NODE, Evidence, Lookup, Obtained
from credentials.log_question import log_wanted_since
from credentials.model import Credential
from credentials.policy import CHECK_NAMES, DEFAULT_REQUIRED, Policy
from credentials.presentation import PresentationReport
from credentials.report import Outcome, Report, Result
from node.api.operation import Answer, Body, Operation, described, named
from node.api.problems import Overloaded
from node.api.request import (
    MAX_BODY_BYTES,
    UrlNotAccepted,
    read_json_bytes,
    refuse_addresses,
)
from node.api.w3c_problems import check_problem
from node.gather import Gatherer
from node.judging import Judge
from node.log_reading import own_receipt, own_sightings, read_log
from node.metrics import Metrics
from node.node import Node
from node.tracing import span
from primitives.canonical_json import JsonObject
from primitives.errors import Malformed, PatunayError
from primitives.instants import InstantMalformed, parse_moment
from primitives.strict_json import MAX_DOCUMENT_BYTES, JsonTooLarge, parse_json_object

MAX_IN_HAND: Final = 200
"""Verifications at once; the 201st is told to come back, before memory grows."""

STATUS_OF_OUTCOME: Final = {
    Outcome.VALID: 200,
    Outcome.REJECTED: 400,
    Outcome.UNDETERMINED: 400,
}


class VerifyRequestMalformed(Malformed):
    """The request is not of the form that VC-API gives it."""

    code = "verify-request-malformed"
    hint = "docs/http.md describes the body and its options"


@dataclass(slots=True)
class Verifier:
    """Gathers and judges for strangers: with the node's own evidence first."""

    node: Node
    gatherer: Gatherer
    policy: Policy
    judge: Judge = field(default_factory=Judge)
    metrics: Metrics = field(default_factory=Metrics)
    in_hand: int = 0

    _demands: dict[frozenset[str], Policy] = field(default_factory=dict, repr=False)
    """By the checks that decide; there are fewer than a hundred sets of them."""

    async def verify(
        self,
        document: JsonObject,
        required: frozenset[str] = DEFAULT_REQUIRED,
        *,
        size: int = MAX_DOCUMENT_BYTES,
        as_of: datetime | None = None,
    ) -> Report:
        """Return the report on one credential, of which the `required` checks decide.

        Args:
            document: Read, and not trusted.
            required: Names of checks.
            size: Of the document, in bytes, or more.
            as_of: The moment asked about, aware; None for now.

        Raises:
            Overloaded: `MAX_IN_HAND` others are under way.
        """
        with self.slot(), self.metrics.verify_seconds.time():
            case = await self._case(document, self.demands(required), as_of)
            report = await self.judge.judge(case, size)
        self.metrics.verifications.labels(report.outcome.value).inc()
        return report

    async def verify_bundle(self, bundle: Bundle) -> Report:
        """Return the report on a bundle's credential: looked up anew, as far as it can be.

        Raises:
            Overloaded: `MAX_IN_HAND` others are under way.
        """
        with self.slot():
            case = await self._case(bundle.credential, self.demands(DEFAULT_REQUIRED))
            whole = replace(case, evidence=bundle.completing(case.evidence))
            return await self.judge.judge(whole, MAX_DOCUMENT_BYTES)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Take one of the `MAX_IN_HAND` places.

        Raises:
            Overloaded: There is none.
        """
        if self.in_hand >= MAX_IN_HAND:
            raise Overloaded(f"found {self.in_hand} verifications in hand")
        self.in_hand += 1
        try:
            yield
        finally:
            self.in_hand -= 1

    def demands(self, required: frozenset[str]) -> Policy:
        """Return the node's policy, with these checks to decide."""
        known = self._demands.get(required)
        if known is None:
            known = replace(self.gatherer.policy(self.policy), required=required)
            self._demands[required] = known
        return known

    async def evidence(self, document: JsonObject) -> Evidence:
        """Return what could be had about one credential."""
        return (await self._case(document, self.gatherer.policy(self.policy))).evidence

    async def _case(
        self, document: JsonObject, policy: Policy, as_of: datetime | None = None
    ) -> Case:
        """Return one credential with what could be had about it."""
        asked = Case(document, Evidence(), policy, self.node.instant())
        with span("gather"):
            evidence = await self.gatherer.gather(
                document,
                proofs=asked.readable_proofs,
                receipt=await self._receipt(document),
                sightings=self._sightings,
            )
        case = self._asked(asked, evidence, as_of)
        if not self._is_own(case) or log_wanted_since(case) is None:
            return case
        # Only one's own: without a chain of the others', their logs would show nothing.
        reading = await read_log(self.node)
        anchors = [anchor for record in reading.records for anchor in record.anchors]
        read = replace(
            evidence,
            log=Obtained(reading, OWN_NODE, self.node.instant()),
            sightings={**self._seen(anchors), **evidence.sightings},
        )
        return self._asked(asked, read, as_of)

    def _asked(self, case: Case, evidence: Evidence, as_of: datetime | None) -> Case:
        now = self.node.instant()
        if as_of is None:
            return case.on(evidence, now)
        return case.on(evidence, as_of, clock=now)

    def _is_own(self, case: Case) -> bool:
        own = self.gatherer.own
        credential = case.credential
        return (
            own is not None
            and isinstance(credential, Credential)
            and credential.issuer in own.issuers
        )

    async def _receipt(self, document: JsonObject) -> Lookup[Receipt] | None:
        with span("store", {"kind": "look-up"}):
            return await own_receipt(self.node, document)

    async def _sightings(self, receipt: Receipt) -> dict[str, Lookup[Sighting]]:
        """Say what this node itself saw on the chain when it anchored."""
        return self._seen(receipt.anchors)

    def _seen(self, anchors: Iterable[AnchorReceipt]) -> dict[str, Lookup[Sighting]]:
        depth, _ = self.node.config.chain.depths
        return own_sightings(anchors, depth=depth, at=self.node.instant())


VERIFIER = web.AppKey("VERIFIER", Verifier)

routes = web.RouteTableDef()


_CHECKS: Final = {"type": "array", "items": {"enum": list(CHECK_NAMES)}}


_AS_OF: Final = {
    "type": "string",
    "description": "The moment asked about, or a day: its last second in UTC. Else now.",
}


def request_with(wrapped: str, *, required: bool, **options: Any) -> dict[str, Any]:
    """Return the JSON Schema of a request as VC-API has it; it may hold more.

    Args:
        wrapped: The member that holds what is to be verified.
        required: Whether it may not be missing.
        options: JSON Schemas of options besides `checks` and `asOf`.
    """
    return {
        "type": "object",
        "required": [wrapped] if required else [],
        "properties": {
            wrapped: {"type": "object"},
            "options": {
                "type": "object",
                "properties": {**options, "checks": _CHECKS, "asOf": _AS_OF},
            },
        },
    }


_REPORT: Final = named("Report")


def verifying(
    summary: str,
    body: Body,
    *errors: type[PatunayError],
    report: Any = _REPORT,
    description: str = "",
) -> Operation:
    """Return the description of a route that answers with a report."""
    return Operation(
        summary,
        {
            200: Answer("Valid.", report),
            400: Answer("Rejected or undetermined.", report),
        },
        errors=errors,
        body=body,
        description=description,
    )


@routes.post("/credentials/verify")
@described(
    verifying(
        "Verify one credential",
        Body(request_with("verifiableCredential", required=False)),
        VerifyRequestMalformed,
        UrlNotAccepted,
        description=(
            "The body is the credential, or `{verifiableCredential}`. The answer is the "
            "report; `outcome` tells rejected from undetermined."
        ),
    )
)
async def verify(request: web.Request) -> web.Response:
    """Verify one credential and answer with the whole report.

    200 valid, 400 rejected or undetermined (the body's `outcome` tells which: a 503 here
    would let a stranger make a load balancer eject a healthy node). Bytes that are no
    credential are refused with 400 by the middleware.
    """
    raw = await read_json_bytes(request)
    body = parse_json_object(raw, MAX_BODY_BYTES)
    refuse_addresses(body)
    # VC-API wraps the credential; a bare one is as clear.
    wrapped = body.get("verifiableCredential")
    document = wrapped if isinstance(wrapped, dict) and "@context" not in body else body
    if document is body and len(raw) > MAX_DOCUMENT_BYTES:
        # As in a file: what wraps a credential may be more, and there is nothing of it.
        raise JsonTooLarge(f"found {len(raw)} bytes, want at most {MAX_DOCUMENT_BYTES}")
    options = read_options({} if document is body else body)
    require_purpose(options, ASSERTION)
    _refuse_binding(options)
    required = required_checks(options)
    report = await request.app[VERIFIER].verify(
        document, required, size=len(raw), as_of=moment_asked(options)
    )
    return answer_report(report)


def read_options(body: JsonObject) -> JsonObject:
    """Return the `options` of a request, which may be missing.

    Raises:
        VerifyRequestMalformed: They are no object.
    """
    options = body.get("options", {})
    if not isinstance(options, dict):
        raise VerifyRequestMalformed("found options that are no object")
    return options


def required_checks(options: JsonObject) -> frozenset[str]:
    """Return the checks that decide: those of `options.checks`, or the usual ones.

    An empty array names none, so the usual ones decide: fewer than `proof` never do.

    Raises:
        VerifyRequestMalformed: They are no array of known names with `proof` among them.
    """
    names = options.get("checks", [])
    if names == []:
        return DEFAULT_REQUIRED
    wanted = frozenset(map(str, names)) if isinstance(names, list) else frozenset[str]()
    if "proof" not in wanted or not wanted <= {*CHECK_NAMES}:
        raise VerifyRequestMalformed(f"want checks to be proof and others of {CHECK_NAMES}")
    return wanted


def moment_asked(options: JsonObject) -> datetime | None:
    """Return the moment that `options.asOf` names; None for now.

    Raises:
        VerifyRequestMalformed: It names none.
    """
    text = options.get("asOf")
    if text is None:
        return None
    try:
        return parse_moment(str(text))
    except InstantMalformed as e:
        raise VerifyRequestMalformed(f"options.asOf: {e}") from e


def require_purpose(options: JsonObject, purpose: str) -> None:
    """Return if the caller expects proofs of `purpose`, or says nothing of it.

    No other is ever accepted here, so whoever expects another one is told at once
    (<https://www.w3.org/TR/vc-data-integrity/#verify-proof>).

    Raises:
        VerifyRequestMalformed: `options.expectedProofPurpose` is another one.
    """
    wanted = options.get("expectedProofPurpose", purpose)
    if wanted != purpose:
        raise VerifyRequestMalformed(
            f"found expectedProofPurpose {str(wanted)[:64]!r}, want {purpose!r}"
        )


def _refuse_binding(options: JsonObject) -> None:
    """A credential answers no challenge: who believes that it did would be deceived."""
    for name in ("challenge", "domain"):
        if options.get(name) is not None:
            raise VerifyRequestMalformed(
                f"found options.{name}, want it with a presentation alone"
            )


def answer_report(report: Report | PresentationReport) -> web.Response:
    """Return the answer: the report as JSON, with the status of its outcome."""
    # All text in it was read as strict JSON, or is our own: none is half a letter.
    return web.Response(
        body=orjson.dumps(render_report(report)),
        status=STATUS_OF_OUTCOME[report.outcome],
        headers={"Content-Type": "application/json; charset=utf-8"},
    )


def render_report(report: Report | PresentationReport) -> JsonObject:
    """Return the body: the report, and what VC-API adds to it."""
    details: list[JsonObject] = [
        dict(check_problem(check))
        for check in report.checks
        if check.required and check.result in (Result.FAILED, Result.UNDETERMINED)
    ]
    return {
        **report.to_json(),
        "verified": report.outcome is Outcome.VALID,
        "problemDetails": details,
    }
