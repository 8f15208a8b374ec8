"""POST /credentials/issue and GET /credentials/{id}/receipt."""

from aiohttp import web

from credentials.data_integrity import DEFAULT_SUITE, SUITES
from node.access import require_token
from node.api.request import read_json_object
from node.issuance import issue_document
from node.logbook import build_receipt
from node.node import Node
from primitives.canonical_json import JsonObject
from primitives.errors import Malformed

NODE = web.AppKey("NODE", Node)

routes = web.RouteTableDef()


class IssueRequestMalformed(Malformed):
    """The request is not of the form that VC-API gives it."""

    code = "issue-request-malformed"
    hint = 'send {"credential": {…}, "options": {"cryptosuite": "eddsa-rdfc-2022"}}'


@routes.post("/credentials/issue")
@routes.post("/issuers/{slug}/credentials/issue")
async def issue(request: web.Request) -> web.Response:
    """Sign one credential: 201 with `{verifiableCredential}`. Needs a bearer token.

    What is missing of `id` and `issuer` is added, and `credentialStatus` always is. The
    same request again, by the `id` that it names, answers with the same credential.
    """
    node = request.app[NODE]
    await require_token(node, request.headers.get("Authorization"))
    credential, suite = _read(await read_json_object(request))
    signed = await issue_document(
        node, credential, request.match_info.get("slug"), cryptosuite=suite
    )
    return web.json_response({"verifiableCredential": signed}, status=201)


def _read(body: JsonObject) -> tuple[JsonObject, str]:
    credential, options = body.get("credential"), body.get("options", {})
    if not isinstance(credential, dict) or not isinstance(options, dict):
        raise IssueRequestMalformed("found no credential object")
    suite = options.get("cryptosuite", DEFAULT_SUITE)
    if not isinstance(suite, str) or suite not in SUITES:
        raise IssueRequestMalformed(
            f"found cryptosuite {str(suite)[:64]}, want one of {SUITES}"
        )
    return credential, suite


@routes.get("/credentials/{id}/receipt")
async def receipt(request: web.Request) -> web.Response:
    """Give a credential's receipt; 404 unknown, 409 while it is not anchored yet.

    With `Accept: text/plain`, the C2SP tlog-proof alone.
    """
    name = request.match_info["id"].removeprefix("urn:uuid:")
    made = await build_receipt(request.app[NODE], name)
    if "text/plain" in request.headers.get("Accept", ""):
        return web.Response(text=str(made.tlog_proof))
    return web.json_response(made.to_json())
