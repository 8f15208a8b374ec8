"""Writes the corpus: `python -m tests.corpus.build`. One folder for each case.

    input          the exact bytes that are verified
    context.json   {"asOf", "didDocuments", "statusLists"}: what is published, each at its
                   own address; besides it may have
                       web        {URL: [answers, one after another]}, see `Page`
                       names      {name: [DNS answers]}; others lead to the stand-in
                       rebinding  {name: address}: asked for when the answer is used
                       loopback   false: addresses on this machine are refused
                       deadlineSeconds
                       challenge, domain   of a presentation
    expect.json    {"outcome": malformed | rejected | undetermined | valid, "code"}

The names begin with the row of the hostile-input table that they come from. Keys are
derived from fixed texts, so the bytes are the same each time.
"""

import shutil
from pathlib import Path

from tests.corpus.case import Case
from tests.corpus.credential_rows import credential_rows
from tests.corpus.did_rows import did_rows
from tests.corpus.json_rows import json_rows
from tests.corpus.proof_rows import proof_rows
from tests.corpus.status_rows import status_rows

CASES = Path(__file__).parent / "cases"


def all_cases() -> list[Case]:
    """Return every case, by name."""
    areas = (json_rows, credential_rows, proof_rows, status_rows, did_rows)
    made = [case for rows in areas for case in rows()]
    return sorted(made, key=lambda case: case.name)


def main() -> None:
    """Write the folders anew."""
    made = all_cases()
    shutil.rmtree(CASES, ignore_errors=True)
    for case in made:
        folder = CASES / case.name
        folder.mkdir(parents=True)
        for name, raw in case.files().items():
            (folder / name).write_bytes(raw)


if __name__ == "__main__":
    main()
