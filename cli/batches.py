"""`patunay batch`."""

import asyncio
from pathlib import Path
from typing import Any

import click

from cli.options import home_option, json_option, passphrase_option, token_option
from cli.output import print_json, print_table, say, say_note
from cli.passphrase import read_passphrase
from cli.progress import progress_bar
from cli.token_file import act_with, read_token
from node.approvals import Approval, Batch
from node.audit_log import refusals_recorded
from node.batches import approve_batch, reject_batch
from node.home import Home
from node.node import Node
from node.permissions import Action
from node.signing import sign_drafts
from node.storage.batches import (
    batch_drafts,
    count_signed,
    list_batches,
    require_batch,
)
from node.uploads import stop_batch
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from primitives.strict_json import parse_json_object

_MOST = 10_000
"""Batches that are listed at most."""


@click.group()
def batch() -> None:
    """Credentials that were drafted together.

    With `batch_approval` in patunay.toml, a batch is signed only after somebody else than
    who drafted it has approved it.
    """


@batch.command("list", epilog="Example: patunay batch list --waiting")
@click.option("--waiting", is_flag=True, help="Only those that wait for approval.")
@home_option
@json_option
def list_all(*, waiting: bool, home: Home, as_json: bool) -> None:
    """List the batches, oldest first."""

    async def run() -> list[Batch]:
        wanted = Approval.WAITING if waiting else None
        async with Node.open(home, SystemClock()) as node, node.reading() as c:
            return await list_batches(c, wanted, limit=_MOST)

    found = asyncio.run(run())
    if as_json:
        print_json({"version": 1, "batches": [described(one) for one in found]})
        return
    rows = [
        (b.id, b.drafted_at, b.drafted_by.name, b.issuer, b.template, b.size, b.approval)
        for b in found
    ]
    header = ("id", "drafted", "by", "issuer", "template", "credentials", "approval")
    print_table(header, rows)


@batch.command("show", epilog="Example: patunay batch show 0b0ad0a0-… --json")
@click.argument("batch_id", metavar="ID")
@home_option
@json_option
def show(*, batch_id: str, home: Home, as_json: bool) -> None:
    """Show batch ID: who drafted it, how it was decided, and what is in it.

    With `--json`, every draft that is not signed yet, as it would be signed.
    """

    async def run() -> tuple[Batch, int, list[tuple[str, str | None]]]:
        async with Node.open(home, SystemClock()) as node, node.reading() as c:
            found = await require_batch(c, batch_id)
            return found, await count_signed(c, batch_id), await batch_drafts(c, batch_id)

    found, signed, drafts = asyncio.run(run())
    if as_json:
        unsigned: list[JsonObject] = [
            parse_json_object(body.encode()) for _, body in drafts if body is not None
        ]
        print_json({"version": 1, **described(found), "signed": signed, "drafts": unsigned})
        return
    rows = [(name, value) for name, value in described(found).items() if value is not None]
    print_table(("member", "value"), [*rows, ("signed", signed)])
    say()
    say_note(f"{len(drafts)} credentials; --json shows what is not signed yet")


@batch.command(
    "approve", epilog="Example: patunay batch approve 0b0ad0a0-… --token-file my.token"
)
@click.argument("batch_id", metavar="ID")
@token_option
@home_option
@passphrase_option
@json_option
def approve(
    *,
    batch_id: str,
    token_file: Path | None,
    home: Home,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Approve batch ID, which another has drafted, and let it be signed.

    A running daemon signs it. Without one this command does, which takes the passphrase.
    """
    secret = read_token(token_file)
    passphrase = None if home.is_held() else read_passphrase(passphrase_file)

    async def run() -> Batch:
        async with Node.open(home, SystemClock(), passphrase) as node:
            await act_with(node, secret, Action.BATCH_APPROVE)
            decided = await approve_batch(node, batch_id)
            if passphrase is not None:
                with progress_bar() as progress:
                    await sign_drafts(node, progress=progress)
            return decided

    _show_decision(asyncio.run(run()), as_json=as_json)


@batch.command(
    "reject",
    epilog='Example: patunay batch reject 0b0ad0a0-… --reason "wrong year"',
)
@click.argument("batch_id", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays in the node.")
@token_option
@home_option
@json_option
def reject(
    *, batch_id: str, reason: str, token_file: Path | None, home: Home, as_json: bool
) -> None:
    """Let batch ID never be signed, and forget its drafts.

    Its rows may be drafted again, when they are corrected.
    """
    secret = read_token(token_file)

    async def run() -> Batch:
        async with Node.open(home, SystemClock()) as node:
            await act_with(node, secret, Action.BATCH_APPROVE)
            return await reject_batch(node, batch_id, reason)

    _show_decision(asyncio.run(run()), as_json=as_json)


@batch.command("cancel", epilog="Example: patunay batch cancel 0b0ad0a0-…")
@click.argument("batch_id", metavar="ID")
@token_option
@home_option
@json_option
def cancel(*, batch_id: str, token_file: Path | None, home: Home, as_json: bool) -> None:
    """Let what is not signed of batch ID never be signed.

    What is signed stays. The other rows may be drafted again.
    """
    secret = read_token(token_file)

    async def run() -> Batch:
        async with Node.open(home, SystemClock()) as node:
            await act_with(node, secret, Action.BATCH_DRAFT)
            async with (
                refusals_recorded(node, Action.BATCH_DRAFT),
                node.writing() as c,
            ):
                return await stop_batch(node, c, batch_id)

    _show_decision(asyncio.run(run()), as_json=as_json)


def described(found: Batch) -> dict[str, Any]:
    """Return a batch as `--json` prints it."""
    by = found.decided_by
    return {
        "id": found.id,
        "issuer": found.issuer,
        "template": found.template,
        "templateVersion": found.template_version,
        "credentials": found.size,
        "sha256": found.digest,
        "approval": str(found.approval),
        "draftedAt": found.drafted_at,
        "draftedBy": found.drafted_by.name,
        "decidedAt": found.decided_at,
        "decidedBy": by.name if by is not None else None,
        "reason": found.reason or None,
    }


def _show_decision(decided: Batch, *, as_json: bool) -> None:
    if as_json:
        print_json({"version": 1, **described(decided)})
        return
    say(f"{decided.approval} {decided.id}")
