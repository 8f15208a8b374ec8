"""A bar on a terminal, for what takes time; silence everywhere else."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from node.issuance import Progress, no_progress


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Give a function that is told the step, how many are done, and of how many."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    # A quarter of a second to import, and of no use to a program that calls this one.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    with Bar(console=Console(stderr=True), transient=True) as bar:
        tasks = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.update(tasks[step], completed=done, total=total)

        yield show
