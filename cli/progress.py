"""A bar on a terminal, for what takes time."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from node.auditing import Progress

_CELLS: Final = 32


@contextmanager
def progress_bar() -> "Iterator[Progress]":
    """Give what is told the step, how many are done, and of how many.

    It draws on a terminal and stays silent elsewhere. A bar that an error or Ctrl-C leaves
    unfinished has its line ended, so that the message starts on its own.
    """
    if not sys.stderr.isatty():
        yield tell_nobody
        return
    unfinished = False

    def show(step: str, done: int, total: int) -> None:
        nonlocal unfinished
        draw_bar(step, done, total)
        unfinished = done < total

    try:
        yield show
    finally:
        if unfinished:
            click.echo(err=True)


def draw_bar(step: str, done: int, total: int) -> None:
    """Draw the bar over the one before; end the line when it is full."""
    filled = _CELLS * done // max(total, 1)
    bar = "#" * filled + "-" * (_CELLS - filled)
    click.echo(f"\r  {step} [{bar}] {done}/{total} ", err=True, nl=done >= total)


def tell_nobody(step: str, done: int, total: int) -> None:
    """Draw nothing."""
    del step, done, total
