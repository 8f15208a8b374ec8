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

Cases about receipts have a `kind` in their context, and are no credentials:

    receipt   input is a receipt; the context has besides its `credential`, a `policy`, a
              `trust` list, and `chains`, whose answers `tests.support.scripted_server`
              gives. expect.json says what the receipt is by itself, and in `report` what
              becomes of the credential's report: what is false about a receipt leaves
              the credential undetermined, and no more
    block     input is one anchor of a receipt with the proof of its block; the context
              has the `digest` that it has to show
    history   input is a checkpoint that somebody has; the context has the `files` that
              the log's provider publishes, by path, in base64
    pack      input is a trust pack; see `tests.corpus.pack_rows`
    record    input is an anchor record; a gateway delivers the `blocks`, and the verifier
              asks it for `head`. The issuer's own servers are not asked

The names begin with the row of the hostile-input table that they come from. Keys are
derived from fixed texts, so the bytes are the same each time.
"""

import shutil
from pathlib import Path
from typing import TypeAlias

from tests.corpus.block_rows import BlockCase, block_rows
from tests.corpus.case import Case
from tests.corpus.chain_rows import chain_rows
from tests.corpus.credential_rows import credential_rows
from tests.corpus.did_rows import did_rows
from tests.corpus.history_rows import HistoryCase, history_rows
from tests.corpus.ipfs_rows import RecordCase, ipfs_rows
from tests.corpus.json_rows import json_rows
from tests.corpus.log_rows import log_rows
from tests.corpus.pack_rows import PackCase, bundle_rows, pack_rows
from tests.corpus.proof_rows import proof_rows
from tests.corpus.receipt_case import ReceiptCase
from tests.corpus.status_rows import status_rows
from tests.corpus.witness_rows import witness_rows

AnyCase: TypeAlias = Case | ReceiptCase | BlockCase | HistoryCase | RecordCase | PackCase

CASES = Path(__file__).parent / "cases"


def all_cases() -> list[AnyCase]:
    """Return every case, by name."""
    credentials = (json_rows, credential_rows, proof_rows, status_rows, did_rows)
    made: list[AnyCase] = [case for rows in credentials for case in rows()]
    made += [*log_rows(), *witness_rows(), *chain_rows(), *block_rows(), *history_rows()]
    made += [*ipfs_rows(), *pack_rows(), *bundle_rows()]
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
