"""What comes of a receipt: by itself, and in the report about its credential."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anchoring.chain_proof import prove_anchored
from anchoring.entry import EntryKind, entry_of
from anchoring.note import VerifierKey
from anchoring.receipt import MAX_RECEIPT_BYTES, Receipt, parse_anchor, verify_receipt
from cli.network import Surroundings
from contracts.artifact import load_artifact
from node.backends import read_only_backend
from primitives.errors import Malformed, PatunayError, Rejected
from primitives.hashing import Digest
from primitives.strict_json import parse_json_object
from tests.corpus.runners import EXIT_CODE, Answer, Runners
from tests.support.command_line import run


def answer_of(error: PatunayError) -> Answer:
    """Return what an error says of the thing under test."""
    kinds = ((Malformed, "malformed"), (Rejected, "rejected"))
    outcome = next((word for kind, word in kinds if isinstance(error, kind)), None)
    return Answer(outcome or "undetermined", frozenset({error.code}))


def receipt_alone(runners: Runners, folder: Path) -> Answer:
    """Check a receipt as an auditor does: the log's part, then every anchor."""
    context = runners.enter(folder)

    async def work() -> None:
        raw = parse_json_object((folder / "input").read_bytes(), MAX_RECEIPT_BYTES)
        receipt = Receipt.parse(raw)
        entry = entry_of(EntryKind.CREDENTIAL, context["credential"])
        key = VerifierKey.parse(context["trust"]["logs"][0]["vkey"])
        verify_receipt(receipt, entry, key)
        first, *others = runners.server.rpc_urls
        for anchor in receipt.anchors:
            backend = read_only_backend(
                first, anchor.contract, clock=runners.clock, other_urls=others
            )
            try:
                await backend.check(anchor, receipt.digest)
            finally:
                await backend.close()

    try:
        runners.web.run(work())
    except PatunayError as e:
        return answer_of(e)
    return Answer("valid", frozenset())


def block_alone(folder: Path) -> Answer:
    """Check what an anchor proves without any chain."""
    context = json.loads((folder / "context.json").read_bytes())
    try:
        anchor = parse_anchor(parse_json_object((folder / "input").read_bytes()))
        assert anchor.proof is not None
        event = prove_anchored(
            anchor.proof,
            address=anchor.contract.rpartition(":")[2],
            topic=load_artifact().anchored_topic,
            digest=Digest(bytes.fromhex(context["digest"])),
        )
    except PatunayError as e:
        return answer_of(e)
    assert (event.block_hash, event.timestamp) == (anchor.block_hash, anchor.timestamp)
    return Answer("valid", frozenset())


def reported(runners: Runners, folder: Path) -> Answer:
    """Run `patunay verify` with the receipt and the endpoints; take the anchor's check."""
    context = runners.enter(folder)
    scratch = runners.scratch
    (scratch / "credential.json").write_bytes(json.dumps(context["credential"]).encode())
    for name in ("policy", "trust"):
        (scratch / name).write_bytes(json.dumps(context[name]).encode())
    result = run(
        *("verify", scratch / "credential.json", "--json"),
        *("--policy", scratch / "policy", "--trust", scratch / "trust"),
        *("--receipt", folder / "input"),
        *(f"--rpc={url}" for url in runners.server.rpc_urls),
        surroundings=Surroundings(runners.clock, runners.web.fetcher),
    )
    body = json.loads(result.stdout)
    if "error" in body:
        found = Answer("malformed", frozenset({body["error"]["code"]}))
    else:
        found = _anchor_answer(body)
    assert result.exit_code == EXIT_CODE[found.outcome], result.output
    return found


def _anchor_answer(report: Mapping[str, Any]) -> Answer:
    """Return the outcome, and the code of the one check that is about the receipt."""
    checks = {check["name"]: check for check in report["checks"]}
    assert all(c["result"] == "passed" for n, c in checks.items() if n != "anchor"), checks
    code = checks["anchor"]["code"]
    return Answer(str(report["outcome"]), frozenset({code} - {""}))
