"""`patunay serve` and `patunay unseal`."""

import asyncio
from pathlib import Path

import click

from cli.options import home_option, json_option, passphrase_option
from cli.output import print_json, say, say_note
from cli.passphrase import find_passphrase, read_passphrase
from node.home import Home
from node.logs import configure_logs
from node.shared_metrics import shared_metrics
from node.unsealing import send_passphrase
from primitives.clock import SystemClock


@click.command(epilog="Example: patunay --data-dir /srv/patunay serve --port 8460")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    help="Listen on this port instead of the configured one; 0 takes a free one.",
)
@click.option("--sealed", is_flag=True, help="Start without keys, until `patunay unseal`.")
@home_option
@passphrase_option
@json_option
def serve(
    *,
    port: int | None,
    sealed: bool,
    home: Home,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Run the node until Ctrl-C.

    Serves its web pages, its API and its public files, and anchors what was issued. Prints
    its address once it answers. Where nobody can type a passphrase and none is given, the
    node starts sealed.
    """
    configure_logs(home.config().log)
    passphrase = None if sealed else find_passphrase(passphrase_file)

    def on_ready(url: str) -> None:
        if as_json:
            print_json({"version": 1, "url": url, "sealed": passphrase is None})
        else:
            say(url)
        if passphrase is None:
            say_note("sealed: verifies and serves its files; `patunay unseal` lets it sign")
        say_note("ready; stop with Ctrl-C")

    with shared_metrics(home.config().serve.workers):
        from node.daemon import run_daemon  # noqa: PLC0415 - its counters look at that

        asyncio.run(
            run_daemon(home, SystemClock(), passphrase, on_ready=on_ready, port=port)
        )


@click.command(epilog="Example: patunay --data-dir /srv/patunay unseal")
@home_option
@passphrase_option
@json_option
def unseal(*, home: Home, passphrase_file: Path | None, as_json: bool) -> None:
    """Give the running daemon its passphrase.

    Over a socket in the data directory, which only the node's own user can open.
    """
    passphrase = read_passphrase(passphrase_file)
    home.keystore().unlock(passphrase)  # a mistyped one is told here, with its own error
    send_passphrase(home, passphrase)
    if as_json:
        print_json({"version": 1, "sealed": False})
        return
    say("unsealed")
