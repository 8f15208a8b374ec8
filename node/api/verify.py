"""POST /credentials/verify, as VC-API names it."""

import asyncio
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from anchoring.backend import Sighting
from anchoring.receipt import Receipt
from credentials.evidence import OWN_NODE, Lookup, Missing, Obtained
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Outcome, Report, Result
from node.api.problems import Overloaded
from node.api.request import read_json_object
from node.api.w3c_problems import check_problem
from node.backends import confirmations
from node.gather import Gatherer
from node.logbook import build_receipt
from node.node import Node
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError

MAX_IN_HAND: Final = 200
"""Verifications at once; the 201st is told to come back, before memory grows."""

_STATUS: Final = {Outcome.VALID: 200, Outcome.REJECTED: 422, Outcome.UNDETERMINED: 422}

_UUID_URN: Final = "urn:uuid:"


@dataclass(slots=True)
class Verifier:
    """Gathers and judges for strangers: with the node's own evidence first."""

    node: Node
    gatherer: Gatherer
    policy: Policy
    in_hand: int = 0

    async def verify(self, document: JsonObject) -> Report:
        """Return the report on one credential.

        Raises:
            Overloaded: `MAX_IN_HAND` others are under way.
        """
        if self.in_hand >= MAX_IN_HAND:
            raise Overloaded(f"found {self.in_hand} verifications in hand")
        self.in_hand += 1
        try:
            evidence = await self.gatherer.gather(
                document, receipt=await self._receipt(document), sightings=self._sightings
            )
            policy = self.gatherer.policy(self.policy)
            return await asyncio.to_thread(
                judge, document, evidence, policy, self.node.instant()
            )
        finally:
            self.in_hand -= 1

    async def _receipt(self, document: JsonObject) -> Lookup[Receipt] | None:
        """Return the receipt of a credential that this node issued; None for others."""
        name = document.get("id")
        if not isinstance(name, str) or not name.startswith(_UUID_URN):
            return None
        try:
            receipt = await build_receipt(self.node, name.removeprefix(_UUID_URN))
        except PatunayError as e:
            return Missing.because(e)
        return Obtained(receipt, OWN_NODE, self.node.instant())

    async def _sightings(self, receipt: Receipt) -> dict[str, Lookup[Sighting]]:
        """Say what this node itself saw on the chain when it anchored."""
        depth = confirmations(self.node)
        return {
            anchor.transaction: Obtained(
                Sighting(anchor, depth=depth, gas_used=0), OWN_NODE, self.node.instant()
            )
            for anchor in receipt.anchors
        }


VERIFIER = web.AppKey("VERIFIER", Verifier)

routes = web.RouteTableDef()


@routes.post("/credentials/verify")
async def verify(request: web.Request) -> web.Response:
    """Verify one credential and answer with the whole report.

    200 valid, 422 rejected or undetermined (the body's `outcome` tells which: a 503 here
    would let a stranger make a load balancer eject a healthy node). Bytes that are no
    credential are refused with 400 by the middleware.
    """
    body = await read_json_object(request)
    # VC-API wraps the credential; a bare one is as clear.
    wrapped = body.get("verifiableCredential")
    document = wrapped if isinstance(wrapped, dict) and "@context" not in body else body
    report = await request.app[VERIFIER].verify(document)
    return web.json_response(render_report(report), status=_STATUS[report.outcome])


def render_report(report: Report) -> JsonObject:
    """Return the body: the report, and what VC-API adds to it."""
    details: list[JsonObject] = [
        {**check_problem(check)}
        for check in report.checks
        if check.required and check.result in (Result.FAILED, Result.UNDETERMINED)
    ]
    return {
        **report.to_json(),
        "verified": report.outcome is Outcome.VALID,
        "problemDetails": details,
    }
