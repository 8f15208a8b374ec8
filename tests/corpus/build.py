"""Writes the corpus: `python -m tests.corpus.build`. One folder for each case.

    input          the exact bytes that are verified
    context.json   {"asOf", "didDocuments", "statusLists"}: all that was looked up; a text
                   instead of a document is the code of why it could not be had
    expect.json    {"outcome": malformed | rejected | undetermined | valid | parsed, "code"}

The names begin with the row of the hostile-input table that they come from. Keys are
derived from fixed texts, so the bytes are the same each time.
"""

import shutil
from pathlib import Path

from tests.corpus.case import Case
from tests.corpus.credential_rows import credential_rows
from tests.corpus.json_rows import json_rows
from tests.corpus.proof_rows import proof_rows
from tests.corpus.status_rows import status_rows

CASES = Path(__file__).parent / "cases"


def all_cases() -> list[Case]:
    """Return every case, by name."""
    made = [*json_rows(), *credential_rows(), *proof_rows(), *status_rows()]
    return sorted(made, key=lambda case: case.name)


def main() -> None:
    """Write the folders anew."""
    shutil.rmtree(CASES, ignore_errors=True)
    for case in all_cases():
        folder = CASES / case.name
        folder.mkdir(parents=True)
        for name, raw in case.files().items():
            (folder / name).write_bytes(raw)


if __name__ == "__main__":
    main()
