"""`make bench`: prints every measurement beside its limit."""

from collections.abc import Callable

from benchmarks.credentials import credential_rows
from benchmarks.gas import gas_rows
from benchmarks.merkle import merkle_rows
from benchmarks.service import service_rows

Row = tuple[str, str, str, str]

PARTS: tuple[tuple[str, Callable[[], list[Row]]], ...] = (
    ("credentials, in process, one core", credential_rows),
    ("the node", service_rows),
    ("Merkle tree", merkle_rows),
    ("gas", gas_rows),
)


def main() -> None:
    """Measure and print, part by part."""
    for title, measure in PARTS:
        rows = [("what", "figure", "limit in the same run", "ratio"), *measure()]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        print(f"\n{title}")
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("  " + "  ".join(cells).rstrip())


if __name__ == "__main__":
    main()
