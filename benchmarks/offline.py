"""Bundles judged with a trust pack and no network: one process, and the cold command."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey
from sqlalchemy import select

from anchoring.entry import EntryKind, entry_of
from anchoring.memory import MemoryAnchor
from anchoring.receipt import Receipt
from anchoring.record import record_cid
from benchmarks.audit import MB, PROGRAM
from benchmarks.documents import TEMPLATES, many_learners
from benchmarks.figures import Figure, rates
from credentials.bundle import encode_bundle, make_bundle, parse_bundle
from credentials.evidence import OWN_NODE, Evidence, Obtained
from credentials.judge import judge
from credentials.policy import Policy, parse_policy
from credentials.report import Outcome, Report
from credentials.template import parse_template
from credentials.trust_pack.belief import PackBelief, believe
from credentials.trust_pack.manifest import Federation
from credentials.trust_pack.pack import Contents, OnePart, build_pack, parse_pack
from credentials.trust_pack.parts import AnchorPart, IssuerPart, StatusPart
from did.keyfile import Argon2Cost
from did.multikey import encode_multikey
from node.anchoring import Anchorer
from node.batches import issue_rows
from node.config import Config
from node.gather import Gatherer
from node.home import Home
from node.log_reading import read_log
from node.logbook import build_receipt, close_batch
from node.logged_documents import LogProver
from node.node import MAIN, Node
from node.own_node import OwnNode
from node.setup import create_node
from node.storage import schema
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from primitives.ed25519 import SoftwareSigner
from primitives.strict_json import parse_json_object

ONE_GOAL: Final = 0.5
"""Seconds that a cold `patunay verify` of one bundle may take."""

_PASSPHRASE = b"opens nothing of value"
_OFFICE = SoftwareSigner(bytes(range(32)))
_STEPS: Final = 20
"""What an anchor takes at most, in a chain that mines at once."""

_ANCHOR_REQUIRED: Final[JsonObject] = {
    "version": 1,
    "required": ["structure", "proof", "issuer-key", "dates", "status", "anchor"],
}


def offline_rows(bundles: int = 1_000, rounds: int = 3) -> list[Figure]:
    """Measure judging in this process and with the command; an anchor is required."""
    with tempfile.TemporaryDirectory() as folder:
        office = Path(folder)
        asyncio.run(_make(office, bundles))
        files = sorted((office / "bundles").iterdir())
        inside = _in_process([file.read_bytes() for file in files], office, rounds)
        seconds, memory = _run(office, office / "bundles")
        first = min(_run(office, files[0])[0] for _ in range(rounds))
    many = f"patunay verify, {bundles:,} bundles, cold"
    one = "patunay verify, one bundle, cold"
    return [
        *inside,
        Figure(many, f"{bundles / seconds:,.0f}/s"),
        Figure(many, f"{memory:.0f} MB"),
        Figure(one, f"{first * 1000:.0f} ms", "", first, "s", ONE_GOAL, at_most=True),
    ]


def _in_process(raw: list[bytes], office: Path, rounds: int) -> list[Figure]:
    pack = believe(parse_pack((office / "pack.zip").read_bytes()))
    policy = pack.policy(parse_policy(_ANCHOR_REQUIRED, None))
    now = SystemClock().now()
    key, message = SigningKey(bytes(range(32))), bytes(64)
    signature, count = key.sign(message).signature, 10 * len(raw)
    check = key.verify_key.verify
    found = rates(
        {
            "V": (count, lambda: [check(message, signature) for _ in range(count)]),
            "bundles": (
                len(raw),
                lambda: deque((_judge(each, pack, policy, now) for each in raw), 0),
            ),
        },
        rounds,
    )
    ratio = found["bundles"] / found["V"]
    limit = f"V = {found['V']:,.0f}/s"
    size = sum(map(len, raw)) / len(raw) / 1000
    what = f"bundles of {size:.1f} KB with a trust pack, all checks, anchor required"
    return [Figure(what, f"{found['bundles']:,.0f}/s", limit, ratio, "V")]


def _judge(raw: bytes, pack: PackBelief, policy: Policy, now: datetime) -> Report:
    bundle = parse_bundle(raw)
    found = pack.before(bundle.judged(), bundle.credential)
    report = judge(bundle.credential, found, policy, now)
    assert report.outcome is Outcome.VALID, report.summary
    return report


async def _make(office: Path, bundles: int) -> None:
    """Write bundles, pack and federation; then the provider is gone."""
    home, clock = Home(office / "node"), SystemClock()
    config = Config(domain="school.example", public_url="https://school.example")
    cost = Argon2Cost(1, 8192)
    await create_node(home, config, _PASSPHRASE, clock, name="Test", cost=cost)
    template = parse_template(parse_json_object(TEMPLATES[0].read_bytes()))
    async with Node.open(home, clock, _PASSPHRASE) as node:
        await issue_rows(node, template, many_learners(bundles), MAIN)
        await close_batch(node)
        anchorer = Anchorer(node, MemoryAnchor(), 1)
        for _ in range(_STEPS):
            if (await anchorer.step()).settled:
                break
        parts = await _write(node, office)
    key = encode_multikey(_OFFICE.public_key)
    federation = Federation("bench", (key,), 1)
    pack = build_pack(
        Contents(federation, parts=parts), after=None, issued=clock.now()
    ).signed_by(_OFFICE)
    (office / "federation.json").write_bytes(federation.to_bytes())
    (office / "pack.zip").write_bytes(pack.to_bytes())


async def _write(node: Node, office: Path) -> tuple[OnePart, ...]:
    """Write a bundle of each credential; return what an office packs of the provider."""
    own = OwnNode.load(node.home, node.clock)
    gatherer, prover = Gatherer(clock=node.clock, own=own), LogProver(await read_log(node))
    (office / "bundles").mkdir()
    evidence, now = Evidence(), node.clock.now().replace(microsecond=0)
    records: dict[str, Receipt] = {}
    for document in await _issued(node):
        evidence = await gatherer.gather(document)
        receipt = await build_receipt(node, str(document["id"])[-36:])
        records[record_cid(receipt.record)] = receipt
        (did,) = (d for d in evidence.did_documents.values() if isinstance(d, Obtained))
        proof = prover.prove(entry_of(EntryKind.DID_DOCUMENT, did.value))
        assert proof is not None
        evidence = replace(
            evidence,
            receipt=Obtained(receipt, OWN_NODE, now),
            did_proofs=dict.fromkeys(evidence.did_documents, proof),
        )
        raw = encode_bundle(make_bundle(document, evidence))
        name = f"{receipt.tlog_proof.index:06}.json"
        (office / "bundles" / name).write_bytes(raw)
    return tuple(_parts(evidence, records.values(), str(own.vkey), now))


def _parts(
    evidence: Evidence, receipts: Iterable[Receipt], vkey: str, now: datetime
) -> Iterator[OnePart]:
    for did, found in evidence.did_documents.items():
        history = evidence.histories[did]
        assert isinstance(found, Obtained)
        assert isinstance(history, Obtained)
        yield IssuerPart(
            did=did,
            name="Test",
            scope=(),
            first_seen=now,
            last_seen=now,
            source="https://school.example/.well-known/did.json",
            document=found.value,
            history=history.value,
            vkey=vkey,
        )
    for url, found in evidence.status_lists.items():
        assert isinstance(found, Obtained)
        yield StatusPart(url, now, found.value)
    for receipt in receipts:
        for anchor in receipt.anchors:
            yield AnchorPart(receipt.record, now, 9, anchor)


async def _issued(node: Node) -> list[JsonObject]:
    async with node.reading() as c:
        rows = await c.execute(
            select(schema.credentials.c.document).order_by(schema.credentials.c.uuid)
        )
        return [parse_json_object(row.document.encode()) for row in rows]


def _run(office: Path, given: Path) -> tuple[float, float]:
    """Return seconds and peak memory in MB of one cold command."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(office / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    pack = ["--pack", str(office / "pack.zip"), "--root", str(office / "federation.json")]
    arguments = ["verify", str(given), "--offline", "--json", *pack]
    start = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-c", PROGRAM, *arguments],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[1],
        env=environment,
    )
    seconds = time.perf_counter() - start
    said = json.loads(done.stdout)
    if said["outcome"] != "valid":
        raise RuntimeError(f"found {said['outcome']}, want valid")
    return seconds, int(done.stderr) * 1024 / MB
