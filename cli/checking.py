"""`patunay fsck`."""

import asyncio

import click

from cli.options import home_option, json_option
from cli.output import Exit, print_json, print_table, say, say_note
from cli.progress import progress_bar
from node.backends import read_only_backend
from node.fsck import FsckReport, check_node
from node.home import Home
from node.node import Node
from primitives.clock import SystemClock


@click.command(epilog="Example: patunay --data-dir /srv/patunay fsck")
@home_option
@json_option
def fsck(*, home: Home, as_json: bool) -> None:
    """Check everything the node has stored.

    Against itself, and against the chain. Changes nothing, needs no passphrase, and may
    run beside `patunay serve`. Exit code 1 where something does not fit together, 3 where
    the chain could not be asked.
    """
    report = asyncio.run(_check(home))
    if as_json:
        print_json(report.to_json())
    else:
        _show(report)
    click.get_current_context().exit(_outcome(report))


async def _check(home: Home) -> FsckReport:
    async with Node.open(home, SystemClock()) as node:
        chain = node.config.chain
        # The development chain lives inside the daemon: nobody else can ask it.
        reachable = chain.contract and not chain.is_dev
        backend = (
            read_only_backend(
                chain.url,
                chain.contract,
                clock=node.clock,
                other_urls=chain.urls[1:],
                quorum=chain.quorum,
            )
            if reachable
            else None
        )
        try:
            with progress_bar() as progress:
                return await check_node(node, backend, progress)
        finally:
            if backend is not None:
                await backend.close()


def _outcome(report: FsckReport) -> Exit:
    if report.problems:
        return Exit.REJECTED
    return Exit.UNDETERMINED if report.unknown else Exit.VALID


def _show(report: FsckReport) -> None:
    found = [("wrong", p) for p in report.problems]
    found += [("unknown", p) for p in report.unknown]
    if found:
        rows = [(kind, p.where, p.code, p.detail) for kind, p in found]
        print_table(("kind", "where", "code", "detail"), rows)
        say()
    say(
        f"{report.leaves} leaves, {report.checkpoints} checkpoints,"
        f" {report.anchors} anchors: {len(report.problems)} wrong,"
        f" {len(report.unknown)} unknown"
    )
    if report.anchors_unchecked:
        say_note(f"{report.anchors_unchecked} anchors were not looked up on their chain")
