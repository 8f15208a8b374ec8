"""`patunay serve`."""

import asyncio
from pathlib import Path

import click

from cli.options import home_option, json_option, passphrase_option
from cli.output import print_json, say, say_note
from cli.passphrase import read_passphrase
from node.daemon import run_daemon
from node.home import Home
from primitives.clock import SystemClock


@click.command(epilog="Example: patunay --data-dir /srv/patunay serve --port 8460")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help="Listen on this port instead of the configured one; 0 takes a free one.",
)
@home_option
@passphrase_option
@json_option
def serve(
    *, port: int | None, home: Home, passphrase_file: Path | None, as_json: bool
) -> None:
    """Run the node until Ctrl-C.

    Serves its web pages, its API and its public files, and anchors what was issued. Prints
    its address once it answers.
    """

    def on_ready(url: str) -> None:
        if as_json:
            print_json({"version": 1, "url": url})
        else:
            say(url)
        say_note("ready; stop with Ctrl-C")

    passphrase = read_passphrase(passphrase_file)
    asyncio.run(run_daemon(home, SystemClock(), passphrase, on_ready=on_ready, port=port))
