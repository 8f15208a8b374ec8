"""The issuers of this node over HTTP: list, show, add."""

from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.data_integrity import DEFAULT_SUITE
from did.pkcs11_signer import HsmKeyExists, HsmUnavailable
from node.api.context import NODE
from node.api.creating import Made, answer_once
from node.api.guard import needs
from node.api.listing import Listing, Span
from node.api.operation import Answer, Body, Operation, described
from node.api.request import MAX_BODY_BYTES, read_json_bytes
from node.api.schema import Instant, Keywords, body_of, read
from node.node import NodeSealed
from node.permissions import Action
from node.setup import MAX_NAME, NameInvalid, SlugInvalid, add_within, publish_all
from node.storage.registry import (
    Issuer,
    IssuerExists,
    IssuerUnknown,
    page_issuers,
    require_issuer,
)
from node.suites import SuiteUnknown
from node.token_keys import HsmNotConfigured
from primitives.strict_json import parse_json_object

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class IssuerShown:
    """One identity that this node signs for."""

    slug: str
    """`main` for the node itself."""

    did: str
    name: str
    cryptosuite: str
    """What it signs with where a request names none."""

    created_at: Instant

    @classmethod
    def of(cls, issuer: Issuer) -> "IssuerShown":
        """Return what is shown of an issuer."""
        return cls(
            issuer.slug, issuer.did, issuer.name, issuer.cryptosuite, issuer.created_at
        )


@dataclass(frozen=True, slots=True)
class IssuerPage:
    """Issuers, by slug."""

    issuers: tuple[IssuerShown, ...]
    next: str | None
    """Cursor of the next page; null on the last."""


_ISSUERS: Final = Listing("The issuers of this node", IssuerPage, by={"slug": str})


@routes.get("/issuers")
@described(_ISSUERS.operation)
async def list_them(request: web.Request) -> web.Response:
    """List the issuers. Public, as their DID documents are."""

    async def look(c: AsyncConnection, span: Span) -> list[IssuerShown]:
        (after,) = span.place or ("",)
        return [IssuerShown.of(one) for one in await page_issuers(c, after, span.limit)]

    return await _ISSUERS.answer(request, look)


@routes.get("/issuers/{slug}")
@described(
    Operation(
        "One issuer",
        {200: Answer("The issuer.", IssuerShown)},
        errors=(IssuerUnknown,),
    )
)
async def show(request: web.Request) -> web.Response:
    """Show an issuer."""
    async with request.app[NODE].reading() as c:
        issuer = await require_issuer(c, request.match_info["slug"])
    return web.json_response(body_of(IssuerShown.of(issuer)))


@dataclass(frozen=True, slots=True)
class IssuerGiven:
    """An issuer that is to be added."""

    slug: Annotated[str, Keywords(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    """What it is called in addresses and commands, such as `sdo-batangas`."""

    name: Annotated[str, Keywords(minLength=1, maxLength=MAX_NAME)]
    """What it is called among people."""

    cryptosuite: str = DEFAULT_SUITE
    on_token: bool = False
    """Whether its keys are made on the node's PKCS#11 token."""


@routes.post("/issuers")
@described(
    Operation(
        "Add an issuer: its keys and its DID are made, and its document is published",
        {201: Answer("It was added.", IssuerShown)},
        errors=(
            *(SlugInvalid, NameInvalid, SuiteUnknown, IssuerExists, NodeSealed),
            *(HsmNotConfigured, HsmKeyExists, HsmUnavailable),
        ),
        body=Body(IssuerGiven),
        creates=True,
    )
)
@needs(Action.ISSUER_ADD)
async def add(request: web.Request) -> web.Response:
    """Add an issuer, as `patunay issuer add` does."""
    node = request.app[NODE]
    raw = await read_json_bytes(request)
    given = read(IssuerGiven, parse_json_object(raw, MAX_BODY_BYTES))

    async def effect(c: AsyncConnection) -> Made:
        issuer = await add_within(
            node,
            c,
            given.slug,
            given.name,
            cryptosuite=given.cryptosuite,
            on_token=given.on_token,
        )
        return Made(201, body_of(IssuerShown.of(issuer)), f"/issuers/{issuer.slug}")

    answer = await answer_once(node, request, raw, effect)
    await publish_all(node)
    return answer
