"""POST /credentials/issue and GET /credentials/{id}/receipt."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.data_integrity import SUITES
from node.api.context import NODE
from node.api.creating import Made, answer_once
from node.api.guard import needs
from node.api.request import MAX_BODY_BYTES, read_json_bytes
from node.issuance import issue_within
from node.logbook import build_receipt
from node.permissions import Action
from primitives.canonical_json import JsonObject
from primitives.errors import Malformed
from primitives.strict_json import parse_json_object

routes = web.RouteTableDef()


class IssueRequestMalformed(Malformed):
    """The request is not of the form that VC-API gives it."""

    code = "issue-request-malformed"
    hint = 'send {"credential": {…}, "options": {"cryptosuite": "eddsa-rdfc-2022"}}'


@routes.post("/credentials/issue")
@routes.post("/issuers/{slug}/credentials/issue")
@needs(Action.CREDENTIAL_ISSUE)
async def issue(request: web.Request) -> web.Response:
    """Sign one credential: 201 with `{verifiableCredential}`. Needs a signer's token.

    An `id` is added where none is, and `credentialStatus` always. The same request again,
    by the `id` that it names or by its idempotency key, answers with the same credential.
    """
    node = request.app[NODE]
    raw = await read_json_bytes(request)
    credential, suite = _read_request(parse_json_object(raw, MAX_BODY_BYTES))

    async def effect(c: AsyncConnection) -> Made:
        slug = request.match_info.get("slug")
        signed = await issue_within(node, c, credential, slug, cryptosuite=suite)
        return Made(201, {"verifiableCredential": signed})

    return await answer_once(node, request, raw, effect)


def _read_request(body: JsonObject) -> tuple[JsonObject, str | None]:
    """Return the credential and the cryptosuite asked for; None leaves it to the issuer."""
    credential, options = body.get("credential"), body.get("options", {})
    if not isinstance(credential, dict):
        raise IssueRequestMalformed("found no credential object")
    if "issuer" not in credential:
        raise IssueRequestMalformed("found no issuer, want the DID of one of this node")
    if not isinstance(options, dict):
        raise IssueRequestMalformed("found options that are no object")
    _require_known(body, ("credential", "options"), "")
    _require_known(options, ("cryptosuite", "credentialId"), "options.")
    named = options.get("credentialId", credential.get("id"))
    if named != credential.get("id"):
        raise IssueRequestMalformed(
            f"found options.credentialId {str(named)[:120]}, want the id of the credential"
        )
    suite = options.get("cryptosuite")
    if "cryptosuite" in options and suite not in SUITES:
        raise IssueRequestMalformed(
            f"found cryptosuite {str(suite)[:64]}, want one of {SUITES}"
        )
    return credential, suite if isinstance(suite, str) else None


def _require_known(members: JsonObject, known: tuple[str, ...], prefix: str) -> None:
    """What is asked for and not done would be taken for done (`mandatoryPointers`)."""
    for name in members:
        if name not in known:
            raise IssueRequestMalformed(
                f"found {prefix}{name[:64]}, want nothing but {', '.join(known)}"
            )


@routes.get("/credentials/{id}/receipt")
async def receipt(request: web.Request) -> web.Response:
    """Give a credential's receipt; 404 unknown, 409 while it is not anchored yet.

    With `Accept: text/plain`, the C2SP tlog-proof alone; with `chain`, of an anchor there.
    """
    name = request.match_info["id"].removeprefix("urn:uuid:")
    made = await build_receipt(request.app[NODE], name, request.query.get("chain"))
    if "text/plain" in request.headers.get("Accept", ""):
        return web.Response(text=str(made.tlog_proof))
    return web.json_response(made.to_json())
