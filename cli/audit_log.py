"""`patunay audit-log`."""

import asyncio
from typing import Any

import click

from cli.options import home_option, json_option
from cli.output import Exit, print_json, print_table, say, say_note
from node.audit_chain import Flaw, Head, StoredEntry
from node.audit_log import AuditLogReport, check_audit_log
from node.home import Home
from node.node import Node
from node.storage.audit_log import read_entries
from primitives.clock import SystemClock
from primitives.strict_json import parse_json_object


@click.group("audit-log")
def audit_log() -> None:
    """Who did what at this node, and when.

    Each entry holds the digest of the one before it.
    """


@audit_log.command("show", epilog="Example: patunay audit-log show --after 100")
@click.option(
    "--after",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="Begin after this entry.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    metavar="COUNT",
    help="How many entries at most.",
)
@home_option
@json_option
def show(*, after: int, limit: int, home: Home, as_json: bool) -> None:
    """Show entries of the audit log, oldest first."""

    async def run() -> list[StoredEntry]:
        async with Node.open(home, SystemClock()) as node, node.reading() as c:
            return await read_entries(c, after, limit)

    rows = asyncio.run(run())
    entries: list[dict[str, Any]] = [
        {**parse_json_object(row.body.encode()), "digest": row.digest} for row in rows
    ]
    if as_json:
        print_json({"version": 1, "entries": entries})
        return
    header = ("entry", "at", "who", "action", "outcome", "on")
    print_table(header, [_row(entry) for entry in entries])


@audit_log.command("check", epilog="Example: patunay audit-log check")
@click.option(
    "--head",
    metavar="NUMBER:DIGEST",
    help="What an earlier check printed: that entry has to be there, unchanged.",
)
@home_option
@json_option
def check(*, head: str | None, home: Home, as_json: bool) -> None:
    """Check that no entry was changed, removed or moved; print the log's head.

    Keep the head elsewhere, and give it to a later check: whoever can write to the
    database can make the whole log anew, but not with the same head.
    """
    pinned = None if head is None else Head.parse(head)

    async def run() -> AuditLogReport:
        async with Node.open(home, SystemClock()) as node:
            return await check_audit_log(node, pinned)

    report = asyncio.run(run())
    if as_json:
        flaws = [_described(flaw) for flaw in report.flaws]
        print_json({"version": 1, "head": str(report.head), "problems": flaws})
    else:
        if report.flaws:
            rows = [(flaw.sequence, flaw.code, flaw.detail) for flaw in report.flaws]
            print_table(("entry", "code", "detail"), rows)
            say()
        say(str(report.head))
        say_note(f"{report.head.sequence} entries: {len(report.flaws)} wrong")
    code = Exit.REJECTED if report.flaws else Exit.VALID
    click.get_current_context().exit(code)


def _row(entry: dict[str, Any]) -> tuple[object, ...]:
    objects = entry["objects"]
    facts = [f"{name} {value}" for name, value in entry["facts"].items()]
    on = [*objects[:1], *([f"and {len(objects) - 1} more"] if objects[1:] else []), *facts]
    return (
        entry["sequence"],
        entry["at"],
        entry["actor"]["name"],
        entry["action"],
        entry["outcome"],
        ", ".join(on),
    )


def _described(flaw: Flaw) -> dict[str, str | int]:
    return {"entry": flaw.sequence, "code": flaw.code, "detail": flaw.detail}
