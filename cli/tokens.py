"""`patunay token`."""

import asyncio

import click

from cli.options import home_option, json_option
from cli.output import print_json, print_table, say, say_note
from node.access import create_token
from node.home import Home
from node.node import Node
from node.storage.registry import Token, list_tokens, revoke_token
from primitives.clock import SystemClock


@click.group()
def token() -> None:
    """Access tokens for programs.

    A program that issues credentials over HTTP shows one as `Authorization: Bearer ...`.
    """


@token.command("create", epilog='Example: patunay token create --name "school portal"')
@click.option("--name", required=True, metavar="TEXT", help="What the token is for.")
@home_option
@json_option
def create(*, name: str, home: Home, as_json: bool) -> None:
    """Create a token, and print its secret, which is shown only now."""

    async def run() -> tuple[Token, str]:
        async with Node.open(home, SystemClock()) as node:
            return await create_token(node, name)

    made, secret = asyncio.run(run())
    if as_json:
        print_json({"version": 1, "id": made.id, "name": made.name, "token": secret})
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
        async with Node.open(home, SystemClock()) as node, node.writing() as c:
            await revoke_token(c, token_id, node.now())

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
    rows = [(t.id, t.name, t.created_at, t.revoked_at or "in force") for t in found]
    print_table(("id", "name", "created", "revoked"), rows)


def _described(found: Token) -> dict[str, str | None]:
    return {
        "id": found.id,
        "name": found.name,
        "createdAt": found.created_at,
        "revokedAt": found.revoked_at,
    }
