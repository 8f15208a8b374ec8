"""`patunay demo`: the main job from end to end, on this machine alone."""

import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from cli import demo_steps as steps
from cli.demo_steps import Figures
from cli.output import print_table, say, say_note
from cli.progress import draw_bar
from node.daemon import serving
from node.node import Node
from primitives.clock import SystemClock

_STEPS: Final = 7


@click.command(epilog="Example: patunay demo --exit")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("demo-node"),
    show_default=True,
    help="Where the demonstration's node is made; an earlier one is replaced.",
)
@click.option("--exit", "stop_after", is_flag=True, help="Stop after the report.")
def demo(*, folder: Path, stop_after: bool) -> None:
    """Show everything once, on this machine alone.

    A provider's node is made, issues a credential to each of 400 invented learners, anchors
    them together on a development chain, and verifies them: over HTTP, from the command
    line, and as a stranger would. Changed copies are refused with a reason. No account and
    no other program is needed. Then it serves until Ctrl-C.
    """
    asyncio.run(_Demo(folder, stop_after=stop_after).run())


class _Demo:
    def __init__(self, folder: Path, *, stop_after: bool) -> None:
        self.folder = folder
        self.stop_after = stop_after
        self.figures = Figures()
        self.step = 0
        self.clock = SystemClock()

    async def run(self) -> None:
        with self._timed("set up", "a provider's node: keys, did:web identity, database"):
            home = await steps.make_node(self.folder, self.clock)
        async with steps.opened(home, self.clock) as node:
            await self._main_job(node)

    async def _main_job(self, node: Node) -> None:
        f = self.figures
        with self._timed("issue", "a credential for each learner of the registrar's file"):
            report = await steps.issue(node, self._progress)
            f.issued = len(report.issued)
        with self._timed("anchor", "the log's checkpoint, on the development chain"):
            backend, f.leaves, f.transactions, f.gas = await steps.anchor(
                node, self._progress
            )
            files = await steps.write_credentials(node)
            f.receipt_bytes, f.proof_bytes = await steps.measure_receipt(node, report)
        async with serving(node) as url:
            with self._timed("verify", f"every credential over HTTP, at {url}"):
                f.valid = await steps.verify_all(url, files, self._progress)
                f.verified = len(files)
            with self._timed("tampered", "changed copies of one credential"):
                f.tampered = await steps.verify_tampered(url, files[0])
            with self._timed("stranger", "one credential, its did:web resolved over HTTP"):
                f.stranger = await steps.verify_as_stranger(files[0], self.clock)
            with self._timed("command", f"patunay verify {files[0].name}"):
                output, f.command_seconds = await steps.verify_by_command(
                    node.home, files[0]
                )
            for line in output.rstrip().splitlines():
                say(line)
            self._print_report()
            steps.require_expected(f)
            self._print_next(url, files[0])
            if not self.stop_after:
                stop = asyncio.Event()
                for number in (signal.SIGINT, signal.SIGTERM):
                    asyncio.get_running_loop().add_signal_handler(number, stop.set)
                say_note(f"serving at {url} until Ctrl-C")
                await steps.keep_serving(node, backend, stop)
        await backend.close()

    @contextmanager
    def _timed(self, name: str, what: str) -> Iterator[None]:
        self.step += 1
        say(f"{self.step}/{_STEPS} {name}: {what}")
        start = time.perf_counter()
        yield
        self.figures.seconds[name] = time.perf_counter() - start

    def _progress(self, step: str, done: int, total: int) -> None:
        """Draw a bar on a terminal; elsewhere, say it once when it is full."""
        if sys.stderr.isatty():
            draw_bar(step, done, total)
        elif done == total and total:
            click.echo(f"    {step} {done}/{total}", err=True)

    def _print_report(self) -> None:
        f = self.figures
        say()
        rows: list[tuple[object, ...]] = [
            ("issued", f.issued, f"{f.issued / f.seconds['issue']:.0f} a second, durable"),
            (
                "anchored",
                f.issued,
                (
                    f"in {f.transactions} transaction ({f.gas:,} gas, "
                    f"{f.gas / f.issued:.0f} a credential); log of {f.leaves} leaves"
                ),
            ),
            ("verified", f.verified, f"{f.valid} valid, over HTTP"),
            ("receipt", f.receipt_bytes, f"bytes ({f.proof_bytes} of them the log proof)"),
        ]
        print_table(("what", "figure", ""), rows)
        say()
        print_table(
            ("tampered copy", "outcome", "code", "reason"),
            [(t.what, t.outcome, t.code, t.detail[:60]) for t in f.tampered],
        )
        say()
        if f.stranger is not None:
            source = f.stranger.check("issuer-key").source
            say(f"as a stranger: {f.stranger.outcome.value}; DID document from {source}")
        say("seconds: " + ", ".join(f"{n} {s:.2f}" for n, s in f.seconds.items()))

    def _print_next(self, url: str, file: Path) -> None:
        say()
        say(f"the node is in {self.folder}, its credentials in {self.folder / 'issued'}")
        say(f"its passphrase is {steps.PASSPHRASE.decode()!r}; try:")
        shown = self.folder / "issued" / file.name
        say(f"  .venv/bin/patunay --data-dir {self.folder} verify {shown}")
        if not self.stop_after:
            say(f"  open {url}")
