"""What comes of a receipt: by itself, and in the report about its credential."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import Result

from anchoring.chain_proof import prove_anchored
from anchoring.cosignature import require_witnesses
from anchoring.entry import EntryKind, entry_of
from anchoring.note import VerifierKey
from anchoring.receipt import MAX_RECEIPT_BYTES, Receipt, parse_anchor, verify_receipt
from cli.network import Surroundings
from contracts.artifact import load_artifact
from credentials.policy import parse_policy
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
        witnesses = parse_policy(None, context["trust"]).witnesses
        if witnesses is not None:
            require_witnesses(receipt.tlog_proof.checkpoint, witnesses)
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
    endpoints = [f"--rpc={url}" for url in runners.server.rpc_urls]
    result = _verify(runners, context, "--receipt", folder / "input", *endpoints)
    body = json.loads(result.stdout)
    if "error" in body:
        found = Answer("malformed", frozenset({body["error"]["code"]}))
    else:
        found = _anchor_answer(body)
    assert result.exit_code == EXIT_CODE[found.outcome], result.output
    return found


def read_from_record(runners: Runners, folder: Path) -> Answer:
    """Run `patunay verify` with a gateway in the place of the issuer's servers."""
    context = runners.enter(folder)
    place = f"{runners.server.url}/ipfs/{context['head']}"
    result = _verify(runners, context, "--record-source", place, "--allow-loopback")
    body = json.loads(result.stdout)
    assert result.exit_code == EXIT_CODE[body["outcome"]], result.output
    checks = {check["name"]: check for check in body["checks"]}
    return Answer(body["outcome"], frozenset({checks["proof"]["code"]} - {""}))


def _verify(runners: Runners, context: Mapping[str, Any], *options: str | Path) -> Result:
    for name in ("credential", "policy", "trust"):
        (runners.scratch / name).write_bytes(json.dumps(context[name]).encode())
    return run(
        *("verify", runners.scratch / "credential", "--json"),
        *("--policy", runners.scratch / "policy"),
        *("--trust", runners.scratch / "trust"),
        *options,
        surroundings=Surroundings(runners.clock, runners.web.fetcher),
    )


def audited(runners: Runners, folder: Path) -> Answer:
    """Run `patunay audit` on a folder, with the checkpoint of somebody else."""
    context = runners.enter(folder)
    root = runners.scratch / folder.name
    for path, text in context["files"].items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(text))
    result = run(
        *("audit", root, "--checkpoint", folder / "input", "--json"),
        *("-o", root / "report.json"),
        surroundings=Surroundings(runners.clock, runners.web.fetcher),
    )
    report = json.loads(result.stdout)
    assert result.exit_code == EXIT_CODE[report["outcome"]], result.output
    codes = {finding["code"] for finding in report["findings"]}
    for number in range(1, len(report["splits"]) + 1):
        shown = run("check-split", root / f"report-split-{number}.json")
        assert shown.exit_code == 0, shown.output
    assert bool(report["splits"]) is ("split-view" in codes)
    return Answer(report["outcome"], frozenset(codes))


def _anchor_answer(report: Mapping[str, Any]) -> Answer:
    """Return the outcome, and the code of the one check that is about the receipt."""
    checks = {check["name"]: check for check in report["checks"]}
    assert all(c["result"] == "passed" for n, c in checks.items() if n != "anchor"), checks
    code = checks["anchor"]["code"]
    return Answer(str(report["outcome"]), frozenset({code} - {""}))
