"""Issuing and verifying in one process, beside bare Ed25519 and beside PyLD.

Run with `python -m benchmarks.credentials`. S and V are PyNaCl's rates of signing and
verifying 64 bytes in the same run: the ratios to them hold on any machine, the rates do
not.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from nacl.signing import SigningKey
from pyld import jsonld

from credentials.data_integrity import add_proof
from credentials.evidence import Evidence
from credentials.jsonld.canon import canonicalize_quads
from credentials.jsonld.loader import KNOWN
from credentials.jsonld.quads import Engine
from credentials.judge import judge
from credentials.policy import Policy
from credentials.registrar import read_registrar_file
from credentials.report import Outcome, Report
from credentials.template import build_credential, parse_template
from did.key import DidKey
from primitives.canonical_json import JsonObject, canonicalize
from primitives.ed25519 import SoftwareSigner
from primitives.strict_json import parse_json_object

Row = tuple[str, str, str, str]
"""What was measured, our figure, the limit beside it, and the ratio of the two."""

BATCH = 200
ROUNDS = 5

ISSUE_GOALS = {"eddsa-rdfc-2022": 0.12, "eddsa-jcs-2022": 0.22}
"""Of S."""

VERIFY_GOALS = {"eddsa-rdfc-2022": 0.28, "eddsa-jcs-2022": 0.42}
"""Of V."""

PYLD_GOAL = 40

_EXAMPLES = Path(__file__).parents[1] / "examples"
_NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
_SIGNER = SoftwareSigner(bytes(range(32)))
_DID = DidKey(_SIGNER.public_key)


def credential_rows() -> list[Row]:
    """Measure one batch of the example template, now and in this process."""
    batch = _batch()
    jobs: dict[str, tuple[int, Callable[[], object]]] = {}
    key, message = SigningKey(bytes(range(32))), bytes(64)
    signature = key.sign(message).signature
    jobs["S"] = 2_000, lambda: [key.sign(message) for _ in range(2_000)]
    check = key.verify_key.verify
    jobs["V"] = 1_000, lambda: [check(message, signature) for _ in range(1_000)]
    for suite in ISSUE_GOALS:
        raw = [canonicalize(_issue(document, suite)) for document in batch]
        jobs[f"issue {suite}"] = BATCH, lambda s=suite: [_issue(d, s) for d in batch]  # type: ignore[misc]
        jobs[f"verify {suite}"] = BATCH, lambda r=raw: [_verify(each) for each in r]  # type: ignore[misc]
    engine = Engine()
    jobs["canonical N-Quads"] = (
        BATCH,
        lambda: [canonicalize_quads(engine.quads(each)) for each in batch],
    )
    jobs["PyLD"] = 5, lambda: [_pyld(each) for each in batch[:5]]
    rates = _rates(jobs)
    rows = [_row(f"issue {suite}", rates, "S", goal) for suite, goal in ISSUE_GOALS.items()]
    rows += [
        _row(f"verify {suite}", rates, "V", goal) for suite, goal in VERIFY_GOALS.items()
    ]
    return [*rows, _row("canonical N-Quads", rates, "PyLD", PYLD_GOAL)]


def _batch() -> list[JsonObject]:
    """Return unsigned credentials of the example template and its first learners."""
    template_file = _EXAMPLES / "als-life-skills-communication.json"
    template = parse_template(parse_json_object(template_file.read_bytes()))
    learners = (_EXAMPLES / "learners.csv").read_bytes()
    rows = read_registrar_file(learners, today=date(2025, 10, 1)).rows[:BATCH]
    return [
        build_credential(
            template,
            row,
            credential_id=UUID(int=row.number).urn,
            issuer_did=str(_DID),
            issued_at=_NOW - timedelta(days=1),
            status_entry=None,
        )
        for row in rows
    ]


def _issue(document: JsonObject, suite: str) -> JsonObject:
    return add_proof(
        document,
        _SIGNER,
        verification_method=_DID.verification_method,
        created=_NOW - timedelta(days=1),
        cryptosuite=suite,
    )


def _verify(raw: bytes) -> Report:
    report = judge(parse_json_object(raw), Evidence(), Policy(), _NOW)
    assert report.outcome is Outcome.VALID, report.summary
    return report


def _pyld(document: JsonObject) -> object:
    return jsonld.normalize(
        document,
        {
            "algorithm": "URDNA2015",
            "format": "application/n-quads",
            "documentLoader": lambda url, _: {
                "contextUrl": None,
                "documentUrl": url,
                "document": {"@context": KNOWN[url]},
            },
        },
    )


def _rates(jobs: dict[str, tuple[int, Callable[[], object]]]) -> dict[str, float]:
    """Return how often a second each job is done; the best of interleaved rounds."""
    best = dict.fromkeys(jobs, float("inf"))
    for _ in range(ROUNDS):
        for name, (_, work) in jobs.items():
            start = time.process_time()
            work()
            best[name] = min(best[name], time.process_time() - start)
    return {name: count / best[name] for name, (count, _) in jobs.items()}


def _row(what: str, rates: dict[str, float], beside: str, goal: float) -> Row:
    limit = f"{beside} = {rates[beside]:,.0f}/s"
    ratio = f"{rates[what] / rates[beside]:.2f} (goal {goal})"
    return what, f"{rates[what]:,.0f}/s", limit, ratio


def main() -> None:
    """Print the table."""
    for what, figure, limit, ratio in credential_rows():
        print(f"{what:<24} {figure:>10}   {limit:<20} {ratio}")


if __name__ == "__main__":
    main()
