"""`patunay backup`, `patunay restore` and `patunay reconcile`."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from cli.network import Surroundings
from cli.options import FILE, FOLDER, home_option, json_option, passphrase_option
from cli.output import print_json, say, say_note
from cli.passphrase import read_passphrase
from cli.progress import progress_bar
from cli.reconcile_sources import ReconcileQuestion, ask_everybody
from node.auditing import Progress
from node.backup import BackupReport, write_backup
from node.config_tables import DatabaseConfig
from node.home import Home
from node.leading import leading
from node.node import Node
from node.reconciling import Reconciliation, reconcile
from node.restoring import RestoreReport, restore_backup
from node.sealed_stream import read_sealed
from primitives.clock import SystemClock
from primitives.errors import Misconfigured


class BackupExists(Misconfigured):
    """There is a file where a backup was to be written."""

    code = "backup-exists"
    hint = "give each backup a name of its own, such as its date"


@contextmanager
def _whole(file: Path) -> Iterator[BinaryIO]:
    """Give what becomes `file` once it is written in full, durably and closed to others."""
    temporary = file.with_name(f".{file.name}.part")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@click.command("backup", epilog="Example: patunay backup /mnt/vault/node-2026-11-22.backup")
@click.argument("file", type=FILE)
@home_option
@passphrase_option
@json_option
def backup(*, file: Path, home: Home, passphrase_file: Path | None, as_json: bool) -> None:
    """Write everything that the node cannot make again to FILE, encrypted.

    The daemon may run: what is written is the state of one moment. It is opened with the
    passphrase that the key store has now.
    """
    if file.exists():
        raise BackupExists(f"{file} is there already")
    passphrase = read_passphrase(passphrase_file)
    with progress_bar() as progress, _whole(file) as opened:
        report = asyncio.run(_back_up(home, opened, passphrase, progress))
    if as_json:
        print_json(
            {
                "version": 1,
                "madeAt": report.made_at,
                "rows": report.rows,
                "files": list(report.files),
            }
        )
        return
    say(f"{report.rows} rows and {', '.join(report.files)}, as of {report.made_at}")


async def _back_up(
    home: Home, opened: BinaryIO, passphrase: bytes, progress: Progress
) -> BackupReport:
    async with Node.open(home, SystemClock()) as node:
        return await write_backup(node, opened, passphrase, progress)


@click.command(
    "restore", epilog="Example: patunay restore node-2026-11-22.backup /srv/patunay"
)
@click.argument("file", type=FILE)
@click.argument("directory", metavar="DIR", type=FOLDER)
@click.option(
    "--database",
    metavar="sqlite|URL",
    help="Put the rows into an SQLite file, or that empty PostgreSQL database, wherever"
    " they were before.",
)
@click.option(
    "--keep-tokens",
    is_flag=True,
    help="Leave access tokens in force: none was revoked after the backup.",
)
@passphrase_option
@json_option
def restore(
    *,
    file: Path,
    directory: Path,
    database: str | None,
    keep_tokens: bool,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Make the node of the backup FILE in the new directory DIR.

    It signs nothing and serves nothing before `patunay reconcile` has found out what it
    published after the backup. Access tokens are revoked: one that was taken back since
    would be in force again.
    """
    home = Home(directory.resolve())
    passphrase = read_passphrase(passphrase_file)
    place = None
    if database is not None:
        place = DatabaseConfig(url="" if database == "sqlite" else database)
    with progress_bar() as progress, file.open("rb") as opened:
        messages = read_sealed(opened, passphrase)
        report = asyncio.run(
            restore_backup(
                home,
                messages,
                SystemClock(),
                progress,
                database=place,
                keep_tokens=keep_tokens,
            )
        )
    if as_json:
        print_json(_restored(home, report))
        return
    say(f"{report.rows} rows and {', '.join(report.files)}, as of {report.made_at}")
    if report.revoked:
        say_note(f"access tokens revoked: {report.revoked}; hand out new ones")
    say_note(f"next: `patunay --data-dir {home.root} reconcile`")


def _restored(home: Home, report: RestoreReport) -> dict[str, object]:
    return {
        "version": 1,
        "directory": str(home.root),
        "madeAt": report.made_at,
        "restoredAt": report.restored_at,
        "rows": report.rows,
        "files": list(report.files),
        "tokensRevoked": report.revoked,
    }


@click.command("reconcile", epilog="Example: patunay reconcile --folder /mnt/mirror/public")
@click.option(
    "--log",
    metavar="URL",
    help="Where the log can be read, if not at the node's own address.",
)
@click.option(
    "--folder",
    type=FOLDER,
    metavar="DIR",
    help="A copy of what the node served, by the paths of its URLs.",
)
@click.option(
    "--checkpoint",
    "checkpoints",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="A checkpoint of this log that somebody has kept. Several times.",
)
@click.option(
    "--nothing-published-since",
    is_flag=True,
    help="Go on although nobody has answered: you know that nothing was issued, revoked or"
    " anchored after the backup.",
)
@home_option
@json_option
@click.pass_context
def reconcile_command(  # noqa: PLR0913 - one parameter for each option
    context: click.Context,
    *,
    log: str | None,
    folder: Path | None,
    checkpoints: tuple[Path, ...],
    nothing_published_since: bool,
    home: Home,
    as_json: bool,
) -> None:
    """Find out what a restored node published after its backup; let it sign again.

    Asks its public log, its chain and its witnesses. What it can read back it takes over;
    where something is missing that others have seen, it says so and changes nothing.
    """
    question = ReconcileQuestion(log, folder, checkpoints, Surroundings.of(context))
    with progress_bar() as progress:
        found = asyncio.run(_reconcile(home, question, nothing_published_since, progress))
    if as_json:
        print_json(found.to_json())
        return
    _tell(found)


async def _reconcile(
    home: Home, question: ReconcileQuestion, nothing_since: bool, progress: Progress
) -> Reconciliation:
    with home.hold():
        async with (
            AsyncExitStack() as stack,
            Node.open(home, question.around.clock) as node,
            leading(node),
        ):
            said = await ask_everybody(node, question, stack)
            return await reconcile(node, said, progress, nothing_since=nothing_since)


def _tell(found: Reconciliation) -> None:
    say(f"backup    {found.before} leaves")
    say(f"published {found.published} leaves")
    say(f"lists     {found.lists} taken over; new ones from number {found.first_sequence}")
    if found.lost:
        say(f"lost      {found.lost} credentials: only their holders have them")
    for line in found.silent:
        say_note(f"no answer: {line}")
