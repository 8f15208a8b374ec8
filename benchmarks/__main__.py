"""`make bench`: prints every measurement beside its limit and its goal.

Python looks for garbage as often as it does in `patunay` itself.
"""

import gc
import json
from collections.abc import Callable
from pathlib import Path

import click

from benchmarks.audit import audit_rows
from benchmarks.cold import cold_rows
from benchmarks.credentials import credential_rows
from benchmarks.figures import HEAD, Figure
from benchmarks.gas import gas_rows
from benchmarks.load import load_rows
from benchmarks.merkle import merkle_rows
from benchmarks.offline import offline_rows
from benchmarks.peers import peer_rows
from benchmarks.service import service_rows
from cli.main import OBJECTS_BEFORE_COLLECTING

PARTS: dict[str, tuple[str, Callable[[], list[Figure]]]] = {
    "credentials": (
        "credentials, in process, one core; goals of verifying are for the proof alone",
        credential_rows,
    ),
    "service": ("the node", service_rows),
    "load": ("the node over HTTP; wants two idle cores", load_rows),
    "peers": ("other implementations, in a process of theirs", peer_rows),
    "merkle": ("Merkle tree", merkle_rows),
    "gas": ("gas", gas_rows),
    "audit": ("audit, a cold process; load on the machine counts", audit_rows),
    "offline": ("bundles and a trust pack, no network; load counts", offline_rows),
    "cold": ("cold start, CPU", cold_rows),
}


@click.command()
@click.option(
    "--only", multiple=True, type=click.Choice(list(PARTS)), help="Measure that part."
)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write it there too.")
def main(only: tuple[str, ...], file: Path | None) -> None:
    """Measure and print, part by part; every rate is of this run and this machine."""
    gc.set_threshold(OBJECTS_BEFORE_COLLECTING)
    results: dict[str, list[dict[str, object]]] = {}
    for name, (title, measure) in PARTS.items():
        if only and name not in only:
            continue
        figures = measure()
        _print(title, figures)
        results[name] = [dict(figure.to_json()) for figure in figures]
    if file is not None:
        file.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _print(title: str, figures: list[Figure]) -> None:
    rows = [HEAD, *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print(f"\n{title}")
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  " + "  ".join(cells).rstrip(), flush=True)


if __name__ == "__main__":
    main()
