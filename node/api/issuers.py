"""GET /issuers and GET /issuers/{slug}."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from node.api.context import NODE
from node.api.listing import Listing, Span
from node.api.operation import Answer, Operation, described
from node.api.schema import Instant, body_of
from node.storage.registry import Issuer, IssuerUnknown, page_issuers, require_issuer

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
