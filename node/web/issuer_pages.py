"""Issuers and keys in the console: shown, added, replaced, and reported stolen."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from credentials.data_integrity import DEFAULT_SUITE, SUITES
from did.history import parse_history
from did.keyfile import KeyEntry
from did.keystore import KeyNotFound
from node.api.context import NODE
from node.compromise import declare
from node.issuer_keys import (
    ROLES,
    KeyNotPublished,
    Role,
    document_of,
    history_of,
    method_of,
)
from node.node import LOG_KEY, Node
from node.permissions import Action, check_permission
from node.rotation import rotate
from node.setup import MAX_NAME, add_issuer
from node.storage.registry import Issuer, list_issuers, require_issuer
from node.web.console import SESSION, console, console_page, field, redirect
from primitives.errors import Malformed
from primitives.instants import parse_instant

_MINUTES: Final = len("2026-11-22T08:00")

routes = web.RouteTableDef()


class NotConfirmed(Malformed):
    """What cannot be undone was asked for without being confirmed."""

    code = "not-confirmed"
    hint = "go back, read what will happen, and confirm it"


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key, and where it stands."""

    entry: KeyEntry
    state: str
    """`current`, `replaced`, `stolen`, `spare` (in no document), or `own` of the site's
    own keys."""

    @property
    def can_change(self) -> bool:
        """Whether there is anything that can be done to it."""
        label = self.entry.label
        return label.key_id == LOG_KEY or (label.role in ROLES and self.state != "spare")


@routes.get("/console/issuers")
@console(Action.BATCH_READ)
async def issuers(request: web.Request) -> web.Response:
    """Show who signs here, and with which keys; and the form that adds an issuer."""
    node = request.app[NODE]
    entries = node.home.keystore().entries
    async with node.reading() as c:
        found = await list_issuers(c)
        shown = [(issuer, await _keys_of(c, issuer, entries)) for issuer in found]
    return console_page(
        request,
        "issuers",
        here="issuers",
        issuers=shown,
        others=[ShownKey(e, "own") for e in entries if not e.label.issuer],
        is_sealed=node.unlocked is None,
        added=request.query.get("added", ""),
        suites=SUITES,
        usual_suite=DEFAULT_SUITE,
        most=MAX_NAME,
        has_token=bool(node.config.hsm.module),
        did_method=node.config.did_method,
    )


async def _keys_of(
    c: AsyncConnection, issuer: Issuer, entries: Iterable[KeyEntry]
) -> list[ShownKey]:
    own = [entry for entry in entries if entry.label.issuer == issuer.slug]
    if issuer.did.startswith("did:key:"):
        return [ShownKey(entry, "current") for entry in own]
    history = parse_history(await history_of(c, issuer.did), issuer.did)
    document, shown = document_of(issuer), []
    for entry in own:
        try:
            found = history.state(method_of(document, entry))
        except KeyNotFound:
            shown.append(ShownKey(entry, "spare"))
            continue
        state = "replaced" if found.rotated_at is not None else "current"
        if found.compromised_since is not None:
            state = "stolen"
        shown.append(ShownKey(entry, state))
    return shown


@routes.post("/console/issuers")
@console(Action.ISSUER_ADD)
async def add(request: web.Request) -> web.Response:
    """Add an issuer: its keys and its DID are made, and its document is published."""
    made = await add_issuer(
        request.app[NODE],
        field(request, "slug"),
        field(request, "name"),
        cryptosuite=field(request, "cryptosuite") or DEFAULT_SUITE,
        on_token=bool(field(request, "on_token")),
    )
    return redirect(f"/console/issuers?added={made.slug}")


@routes.get("/console/keys/{key}")
@console(Action.KEY_CHANGE)
async def show(request: web.Request) -> web.Response:
    """Show one key, what can be done to it, and what that would mean."""
    issuer, key = await _named(request)
    return console_page(
        request,
        "key",
        here="issuers",
        issuer=issuer,
        key=key,
        is_log=issuer is None,
        can_replace=key.state == "current" and not _is_did_key(issuer),
        can_report=issuer is None or not _is_did_key(issuer),
        done=request.query.get("done", ""),
        now=request.app[NODE].now()[:_MINUTES],
    )


@routes.post("/console/keys/{key}/rotate")
@console(Action.KEY_CHANGE)
async def replace(request: web.Request) -> web.Response:
    """Replace a key that signs now; of two that ask at once, one is refused."""
    issuer, key = await _named(request)
    label = key.entry.label
    if not field(request, "confirmed"):
        raise NotConfirmed("found no mark in the box, want it set")
    if issuer is None:
        raise KeyNotPublished(f"found {label.key_id}, want a credential or status key")
    role: Role = "status" if label.role == "status" else "credential"
    made = await rotate(request.app[NODE], issuer.slug, role, instead_of=label.key_id)
    return redirect(f"/console/keys/{made.key_id}?done=rotate")


@routes.post("/console/keys/{key}/compromised")
@console(Action.KEY_CHANGE)
async def report(request: web.Request) -> web.Response:
    """Declare that somebody else may have had a key since a moment; for ever."""
    _, key = await _named(request)
    name, given = key.entry.label.key_id, field(request, "since")
    if field(request, "confirmed") != name:
        raise NotConfirmed(f"found another text than the key's id, want {name}")
    # What a browser's field for a moment gives: without seconds where they are 0.
    since = parse_instant(f"{given}:00Z" if len(given) == _MINUTES else f"{given}Z")
    await declare(request.app[NODE], name, since)
    return redirect(f"/console/keys/{name}?done=compromised")


async def _named(request: web.Request) -> tuple[Issuer | None, ShownKey]:
    """Return the key that the address names, and whose it is; None is the log's.

    Raises:
        KeyNotPublished: It is no key that can be changed here.
        IssuerRefused: Whoever asks may not change this issuer's keys.
    """
    node, name = request.app[NODE], request.match_info["key"]
    actor = request[SESSION].token.actor
    found = [e for e in node.home.keystore().entries if e.label.key_id == name]
    if not found:
        raise KeyNotPublished(f"found {name[:80]!r}, want a key of this node")
    check_permission(actor, Action.KEY_CHANGE, found[0].label.issuer)
    issuer, key = await _whose(node, found[0])
    if not key.can_change:
        raise KeyNotPublished(f"found {name[:80]!r}, want a credential or status key")
    return issuer, key


async def _whose(node: Node, entry: KeyEntry) -> tuple[Issuer | None, ShownKey]:
    if not entry.label.issuer:
        return None, ShownKey(entry, "own")
    async with node.reading() as c:
        issuer = await require_issuer(c, entry.label.issuer)
        (shown,) = await _keys_of(c, issuer, [entry])
    return issuer, shown


def _is_did_key(issuer: Issuer | None) -> bool:
    return issuer is not None and issuer.did.startswith("did:key:")
