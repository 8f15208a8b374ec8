"""Issuing and verifying in one process, beside bare Ed25519 and beside PyLD.

S and V are PyNaCl's rates of signing and verifying 64 bytes in the same run: the ratios
to them hold on any machine, the rates do not.
"""

from collections import deque
from collections.abc import Callable, Sequence

from nacl.signing import SigningKey
from pyld import jsonld

from benchmarks.documents import (
    NOW,
    STATUS_LIST,
    SUITES,
    Batch,
    batches,
    sign,
    sign_batch,
    status_list,
    with_status,
)
from benchmarks.figures import Figure, Job, rates
from credentials.data_integrity import Proof, default_engine, parse_proofs, verify_proof
from credentials.evidence import Evidence, Obtained
from credentials.jsonld.canon import canonicalize_quads
from credentials.jsonld.loader import KNOWN
from credentials.jsonld.quads import Engine
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Outcome, Report
from did.key import DidKey
from primitives.canonical_json import JsonObject, canonicalize
from primitives.ed25519 import PublicKey
from primitives.strict_json import parse_json_object

BATCH_GOALS = {"eddsa-jcs-2022": 0.22, "eddsa-rdfc-2022": 0.30}
"""Of S, for documents of one template."""

ISSUE_GOALS: dict[str, float | None] = {"eddsa-jcs-2022": None, "eddsa-rdfc-2022": 0.12}
"""Of S, for any document."""

VERIFY_GOALS = {"eddsa-jcs-2022": 0.42, "eddsa-rdfc-2022": 0.28}
"""Of V, for documents of one template that has been seen. Set with prototypes that
checked the proof alone: no data model, key of the issuer, dates, status or trust list."""

PYLD_GOAL = 40

POLICY = Policy()
"""One for all that a verifier sees; evidence is of each credential."""


def credential_rows(credentials: int = 200, rounds: int = 7) -> list[Figure]:
    """Measure both batches, now and in this process."""
    made = batches(credentials)
    jobs = _limits(10 * credentials)
    for batch in made:
        jobs |= _jobs(batch)
    found = rates(jobs, rounds)
    signing, verifying = found["S"], found["V"]
    rows = [
        Figure("S: PyNaCl signs 64 bytes", f"{signing:,.0f}/s"),
        Figure("V: PyNaCl verifies 64 bytes", f"{verifying:,.0f}/s"),
    ]
    for batch in made:
        rows += _figures(batch.title, found)
    return rows


def _limits(count: int) -> dict[str, Job]:
    key, message = SigningKey(bytes(range(32))), bytes(64)
    signature = key.sign(message).signature
    check = key.verify_key.verify
    return {
        "S": (count, lambda: [key.sign(message) for _ in range(count)]),
        "V": (count, lambda: [check(message, signature) for _ in range(count)]),
    }


def _jobs(batch: Batch) -> dict[str, Job]:
    title, documents = batch.title, batch.documents
    count = len(documents)
    jobs: dict[str, Job] = {}
    for suite in SUITES:
        raw = [canonicalize(sign(document, suite)) for document in documents]
        jobs |= {
            f"{title}: issue {suite}": (
                count,
                lambda s=suite: [sign(d, s) for d in documents],  # type: ignore[misc]
            ),
            f"{title}: issue a batch {suite}": (
                count,
                lambda s=suite: sign_batch(documents, s),  # type: ignore[misc]
            ),
            f"{title}: verify {suite}": (
                count,
                lambda r=raw: deque(map(verify_raw, r), maxlen=0),  # type: ignore[misc]
            ),
            f"{title}: status {suite}": (count, _status_job(documents, suite)),
            f"{title}: proof {suite}": (
                count,
                lambda r=raw: deque(map(verify_raw_proof, r), maxlen=0),  # type: ignore[misc]
            ),
            f"{title}: first {suite}": (
                count,
                lambda r=raw: deque(map(_verify_first_of_its_shape, r), maxlen=0),  # type: ignore[misc]
            ),
        }
    engine = Engine()
    jobs[f"{title}: N-Quads"] = (
        count,
        lambda: [canonicalize_quads(engine.quads(each)) for each in documents],
    )
    jobs[f"{title}: PyLD"] = 3, lambda: [_pyld(each) for each in documents[:3]]
    return jobs


def _figures(title: str, found: dict[str, float]) -> list[Figure]:
    rows = []
    for suite, limit in BATCH_GOALS.items():
        rows.append(_row(f"{title}: issue a batch {suite}", "S", found, limit))
    for suite, goal in ISSUE_GOALS.items():
        rows.append(_row(f"{title}: issue {suite}", "S", found, goal))
    for suite, goal in VERIFY_GOALS.items():
        rows.append(_row(f"{title}: verify {suite}", "V", found, goal, ", all checks"))
        more = ", all checks, with a status list"
        rows.append(_row(f"{title}: status {suite}", "V", found, None, more))
        rows.append(_row(f"{title}: proof {suite}", "V", found, goal, " alone"))
        rows.append(
            _row(f"{title}: first {suite}", "V", found, None, ", proof, no template")
        )
    quads = f"{title}: N-Quads"
    pyld = found[f"{title}: PyLD"]
    ratio = found[quads] / pyld
    rate = f"{found[quads]:,.0f}/s"
    rows.append(Figure(quads, rate, f"PyLD {pyld:,.0f}/s", ratio, "", PYLD_GOAL))
    return rows


def _row(
    what: str, beside: str, found: dict[str, float], goal: float | None, more: str = ""
) -> Figure:
    ratio = found[what] / found[beside]
    rate = f"{found[what]:,.0f}/s"
    limit = f"{beside} = {found[beside]:,.0f}/s"
    return Figure(what + more, rate, limit, ratio, beside, goal)


def _status_job(documents: Sequence[JsonObject], suite: str) -> Callable[[], object]:
    """Return what verifies them with an entry each in one status list."""
    raw = [
        canonicalize(sign(with_status(document, index), suite))
        for index, document in enumerate(documents)
    ]
    kept = Obtained(sign(status_list(), suite), "file", NOW)
    evidence = Evidence(status_lists={STATUS_LIST: kept})
    return lambda: deque((verify_raw(each, evidence) for each in raw), maxlen=0)


def verify_raw(raw: bytes, evidence: Evidence | None = None) -> Report:
    """Verify as every interface does, from the bytes on, with all checks."""
    report = judge(parse_json_object(raw), evidence or Evidence(), POLICY, NOW)
    assert report.outcome is Outcome.VALID, report.summary
    return report


def verify_raw_proof(raw: bytes, engine: Engine | None = None) -> None:
    """Verify the signature alone, from the bytes on; safe mode included."""
    document = parse_json_object(raw)
    (proof,) = parse_proofs(document)
    assert isinstance(proof, Proof)
    verify_proof(document, proof, _key(proof.verification_method), engine=engine)


def _verify_first_of_its_shape(raw: bytes) -> None:
    verify_raw_proof(raw, default_engine())


def _key(verification_method: str) -> PublicKey:
    return DidKey.parse(verification_method.partition("#")[0]).public_key


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
