"""POST /credentials/issue and GET /credentials/{id}/receipt."""

from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from credentials.jsonld.loader import ContextUnknown
from credentials.jsonld.scope import UnsignedTerm
from credentials.model import StructureInvalid
from node.api.context import NODE
from node.api.creating import read_key, to_response
from node.api.guard import needs
from node.api.operation import Answer, Body, Operation, described, named
from node.api.paging import query_of
from node.api.request import MAX_BODY_BYTES, read_json_bytes
from node.api.schema import RequestMalformed, read
from node.approvals import ApprovalRequired
from node.issuance import Asked, IdConflict, IssuerMismatch, issue_once
from node.logbook import CredentialUnknown, NotYetAnchored, build_receipt
from node.node import NodeSealed
from node.permissions import Action
from node.storage.idempotency import KeptAnswer
from node.storage.registry import IssuerUnknown
from primitives.canonical_json import JsonObject
from primitives.errors import Malformed
from primitives.strict_json import parse_json_object

routes = web.RouteTableDef()

Suite = Literal["eddsa-rdfc-2022", "eddsa-jcs-2022"]
"""`credentials.data_integrity.SUITES`."""


class IssueRequestMalformed(Malformed):
    """The request is not of the form that VC-API gives it."""

    code = "issue-request-malformed"
    hint = 'send {"credential": {…}, "options": {"cryptosuite": "eddsa-rdfc-2022"}}'


@dataclass(frozen=True, slots=True)
class IssueOptions:
    """How a credential is issued."""

    cryptosuite: Suite | None = None
    """Instead of the issuer's own."""

    credential_id: str | None = None
    """The credential's own `id`, once more."""


@dataclass(frozen=True, slots=True)
class IssueGiven:
    """What is to be issued."""

    credential: JsonObject
    """With an issuer of this node, and without a proof."""

    options: IssueOptions = IssueOptions()


@dataclass(frozen=True, slots=True)
class Issued:
    """What was issued."""

    verifiable_credential: JsonObject
    """Signed, exactly as it is stored."""


@dataclass(frozen=True, slots=True)
class ReceiptQuery:
    """Which receipt."""

    chain: str | None = None
    """CAIP-2 id of the one chain whose anchors count."""


@routes.post("/credentials/issue")
@routes.post("/issuers/{slug}/credentials/issue")
@described(
    Operation(
        "Sign one credential and queue it for the log",
        {201: Answer("The signed credential.", Issued)},
        errors=(
            IssueRequestMalformed,
            StructureInvalid,
            UnsignedTerm,
            ContextUnknown,
            IssuerMismatch,
            IssuerUnknown,
            IdConflict,
            ApprovalRequired,
            NodeSealed,
        ),
        body=Body(IssueGiven),
        creates=True,
    )
)
@needs(Action.CREDENTIAL_ISSUE)
async def issue(request: web.Request) -> web.Response:
    """Sign one credential: 201 with `{verifiableCredential}`. Needs a signer's token.

    An `id` is added where none is, and `credentialStatus` always. The same request again,
    by the `id` that it names or by its idempotency key, answers with the same credential.
    """
    raw = await read_json_bytes(request)
    given = _read_request(parse_json_object(raw, MAX_BODY_BYTES))
    asked = Asked(
        given.credential,
        request.match_info.get("slug"),
        given.options.cryptosuite,
        read_key(request, raw),
        lambda body: KeptAnswer(201, None, f'{{"verifiableCredential":{body}}}'),
    )
    return to_response(await issue_once(request.app[NODE], asked))


def _read_request(body: JsonObject) -> IssueGiven:
    """Return what is asked for; what is not done here is refused (`mandatoryPointers`)."""
    try:
        given = read(IssueGiven, body)
    except RequestMalformed as e:
        raise IssueRequestMalformed(str(e)) from e
    if "issuer" not in given.credential:
        raise IssueRequestMalformed("found no issuer, want the DID of one of this node")
    named_id = given.options.credential_id
    if named_id is not None and named_id != given.credential.get("id"):
        raise IssueRequestMalformed(
            f"found options.credentialId {named_id[:120]}, want the id of the credential"
        )
    return given


@routes.get("/credentials/{id}/receipt")
@described(
    Operation(
        "The proof that a credential is in the anchored log",
        {
            200: Answer(
                "The receipt, or its C2SP tlog-proof alone.",
                named("Receipt"),
                more={"text/plain": None},
            )
        },
        errors=(CredentialUnknown, NotYetAnchored),
        query=ReceiptQuery,
    )
)
async def receipt(request: web.Request) -> web.Response:
    """Give a credential's receipt; 404 unknown, 409 while it is not anchored yet.

    With `Accept: text/plain`, the C2SP tlog-proof alone; with `chain`, of an anchor there.
    """
    name = request.match_info["id"].removeprefix("urn:uuid:")
    chain = query_of(request, ReceiptQuery).chain
    made = await build_receipt(request.app[NODE], name, chain)
    if "text/plain" in request.headers.get("Accept", ""):
        return web.Response(text=str(made.tlog_proof))
    return web.json_response(made.to_json())
