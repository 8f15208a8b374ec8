"""`patunay token`."""

import asyncio
from typing import Any

import click

from cli.options import home_option, json_option
from cli.output import print_json, print_table, say, say_note
from node.access import create_token, revoke_token
from node.home import Home
from node.node import Node
from node.permissions import Role
from node.storage.tokens import Token, list_tokens
from primitives.clock import SystemClock


@click.group()
def token() -> None:
    """Access tokens for programs and people.

    Whoever uses the node over HTTP shows one as `Authorization: Bearer ...`.
    """


@token.command("create", epilog='Example: patunay token create "portal" --role signer')
@click.argument("name")
@click.option(
    "--role",
    "roles",
    type=click.Choice([str(role) for role in Role]),
    multiple=True,
    required=True,
    help="What it may do; may be given several times.",
)
@click.option(
    "--issuer",
    "issuers",
    multiple=True,
    metavar="SLUG",
    help="Bind it to this issuer; may be given several times.",
)
@click.option(
    "--expires",
    "days",
    type=click.IntRange(1, 3660),
    metavar="DAYS",
    help="For how many days it is in force; else until it is revoked.",
)
@home_option
@json_option
def create(
    *,
    name: str,
    roles: tuple[str, ...],
    issuers: tuple[str, ...],
    days: int | None,
    home: Home,
    as_json: bool,
) -> None:
    """Create a token, and print its secret, which is shown only now.

    NAME says what it is for. It stands in the audit log: name no person.
    """

    async def run() -> tuple[Token, str]:
        async with Node.open(home, SystemClock()) as node:
            chosen = [Role(role) for role in roles]
            return await create_token(node, name, chosen, issuers=issuers, days=days)

    made, secret = asyncio.run(run())
    if as_json:
        print_json({"version": 1, **_described(made), "token": secret})
        return
    say(secret)
    say_note(f"token {made.id}; the secret is not stored and cannot be shown again")


@token.command("revoke", epilog="Example: patunay token revoke 0b0ad0a0-…")
@click.argument("token_id", metavar="ID")
@home_option
@json_option
def revoke(*, token_id: str, home: Home, as_json: bool) -> None:
    """Take the token ID out of force, at once and for ever."""

    async def run() -> None:
        async with Node.open(home, SystemClock()) as node:
            await revoke_token(node, token_id)

    asyncio.run(run())
    if as_json:
        print_json({"version": 1, "id": token_id, "revoked": True})
        return
    say(f"revoked {token_id}")


@token.command("list", epilog="Example: patunay token list")
@home_option
@json_option
def list_all(*, home: Home, as_json: bool) -> None:
    """List the tokens, revoked ones too, without their secrets."""

    async def run() -> list[Token]:
        async with Node.open(home, SystemClock()) as node, node.reading() as c:
            return await list_tokens(c)

    found = asyncio.run(run())
    if as_json:
        print_json({"version": 1, "tokens": [_described(t) for t in found]})
        return
    header = ("id", "name", "roles", "issuers", "created", "expires", "used", "revoked")
    print_table(header, [_row(t) for t in found])


def _row(found: Token) -> tuple[str, ...]:
    return (
        found.id,
        found.name,
        ", ".join(sorted(found.roles)),
        ", ".join(sorted(found.issuers)) or "any",
        found.created_at,
        found.expires_at or "never",
        found.last_used_on or "never",
        found.revoked_at or "in force",
    )


def _described(found: Token) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "roles": sorted(found.roles),
        "issuers": sorted(found.issuers),
        "createdAt": found.created_at,
        "expiresAt": found.expires_at,
        "lastUsedOn": found.last_used_on,
        "revokedAt": found.revoked_at,
    }
