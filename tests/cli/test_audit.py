"""`patunay audit` and `patunay check-split` on a real node, its files and a real chain."""

import asyncio
import json
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from anchoring.blocks import GatewayBlocks
from anchoring.cosignature import WitnessKey, cosign, with_cosignatures
from anchoring.evm import EvmAnchor
from anchoring.evm_deploy import deploy
from anchoring.evm_event_reader import EventReader
from anchoring.evm_purse import Purse
from anchoring.evm_rpc import HttpRpc
from anchoring.note import SignedNote
from anchoring.split import SplitView
from credentials.audit.report import AuditReport
from did.fetch import PublicFetcher
from node.api.app import build_app
from node.auditing import (
    AuditFileMissing,
    AuditSources,
    audit_log,
    find_target,
    folder_fetch,
)
from node.home import Home
from node.node import EVM_KEY, Node
from node.setup import publish_all, refresh_documents
from node.status import revoke
from primitives.clock import SystemClock
from primitives.ed25519 import SoftwareSigner
from tests.support.anvil import running_anvil
from tests.support.audited import KEY, Provider
from tests.support.chains import ANVIL_CHAIN, fund
from tests.support.command_line import assert_refused, run, run_json
from tests.support.nodes import (
    anchor,
    free_port,
    issue,
    make_home_here,
    opened,
)


@dataclass
class Audited:
    home: Home
    rpc: str
    contract: str
    port: int

    def folder(self, root: Path) -> Path:
        """Copy what any web server could serve."""
        return Path(shutil.copytree(self.home.public, root / "public"))


@pytest.fixture
async def audited(tmp_path: Path) -> AsyncIterator[Audited]:
    """Give a node with three anchors on anvil, and a revocation between two of them."""
    async with running_anvil() as url:
        rpc = HttpRpc(url, timeout_seconds=5)
        key = secrets.token_bytes(32)
        await fund(rpc, Purse(key).address)
        contract = await deploy(rpc, ANVIL_CHAIN, key)
        port = free_port()
        home = await make_home_here(tmp_path / "node", port=port)
        text = home.config_file.read_text(encoding="utf-8")
        text = text.replace('url = "dev"', f'url = "{url}"')
        text = text.replace('contract = ""', f'contract = "{contract}"')
        home.config_file.write_text(text, encoding="utf-8")
        async with opened(home) as node:
            await fund(rpc, Purse(node.keys().secret(EVM_KEY)).address)
            assert await refresh_documents(node) == 1
            await publish_all(node)
            await fill(node, url, contract)
        yield Audited(home, url, contract, port)
        await rpc.disconnect()


async def fill(node: Node, url: str, contract: str) -> None:
    backend = EvmAnchor.connect(url, contract, private_key=node.keys().secret(EVM_KEY))
    done = await issue(node, 3)
    await anchor(node, backend)
    await issue(node, 5)
    await revoke(node, done.issued[0], "issued in error")
    await anchor(node, backend)
    await issue(node, 7)
    await anchor(node, backend)
    await backend.close()


def serious(report: Any) -> list[str]:
    """Return the codes of what is more than a remark.

    A node begins on the development chain, whose contract stays listed: a remark.
    """
    return [f["code"] for f in report["findings"] if f["severity"] != "remark"]


async def test_a_node_is_sound_by_its_database_and_over_the_web(audited: Audited) -> None:
    own = await asyncio.to_thread(
        run_json, "audit", audited.home.root, "--chain", audited.rpc
    )
    assert serious(own) == []
    assert (own["outcome"], own["anchors"], own["records"]) == ("valid", 3, 3)
    assert own["credentials"] == 7
    seen = (await over_the_web(audited)).to_json()
    assert {**seen, "as_of": ""} == {**own, "as_of": ""}


async def over_the_web(audited: Audited) -> AuditReport:
    """Audit the node while it serves, by its DID document alone."""
    reader = EventReader(audited.rpc)
    async with opened(audited.home) as node:
        server = TestServer(build_app(node), host="localhost", port=audited.port)
        async with server, PublicFetcher(allow_loopback_http=True) as fetcher:

            async def fetch(url: str, max_bytes: int) -> bytes:
                return (await fetcher.get(url, max_bytes=max_bytes, accept="*/*")).body

            site = f"http://localhost:{audited.port}"
            target = await find_target(fetch, f"{site}/log/")
            sources = AuditSources(fetch, (GatewayBlocks(site, fetch),), (reader,))
            report = await audit_log(
                target, sources, SystemClock(), earlier=None, progress=lambda *_: None
            )
    await reader.close()
    return report


async def test_a_copy_of_its_files_needs_a_car_file(
    audited: Audited, tmp_path: Path
) -> None:
    folder, car = audited.folder(tmp_path), tmp_path / "records.car"
    chain = ("--chain", audited.rpc)
    alone = await asyncio.to_thread(run_json, "audit", folder, *chain, code=3)
    assert set(serious(alone)) == {"anchor-gap"}
    await asyncio.to_thread(
        run_json, "anchor", "export", "--all", "-o", car, home=audited.home.root
    )
    whole = await asyncio.to_thread(run_json, "audit", folder, *chain, "--car", car)
    assert (serious(whole), whole["records"]) == ([], 3)
    unasked = await asyncio.to_thread(run_json, "audit", folder, "--car", car)
    assert (serious(unasked), unasked["anchors"], unasked["records"]) == ([], 0, 3)


async def test_the_next_audit_goes_on_from_the_report(
    audited: Audited, tmp_path: Path
) -> None:
    report = tmp_path / "audit.json"
    options = (audited.home.root, "--chain", audited.rpc)
    first = await asyncio.to_thread(run, "audit", *options, "-o", report)
    assert first.exit_code == 0
    assert first.stdout.startswith("Complete, in order, nothing taken back: 7 credentials")
    async with opened(audited.home) as node:
        await issue(node, 9)
        backend = EvmAnchor.connect(
            audited.rpc, audited.contract, private_key=node.keys().secret(EVM_KEY)
        )
        await anchor(node, backend)
        await backend.close()
    again = await asyncio.to_thread(run_json, "audit", *options, "--from", report)
    assert (serious(again), again["anchors"], again["records"]) == ([], 1, 2)


async def test_a_truncated_tile_is_named(audited: Audited, tmp_path: Path) -> None:
    folder = audited.folder(tmp_path)
    tiles = sorted((folder / "log" / "tile" / "entries").rglob("*"))
    newest = max((t for t in tiles if t.is_file()), key=lambda t: t.stat().st_size)
    newest.write_bytes(newest.read_bytes()[:-1])
    found = await asyncio.to_thread(run_json, "audit", folder, code=1)
    assert "tile-truncated" in {f["code"] for f in found["findings"]}


async def test_the_auditors_witnesses_are_counted(audited: Audited, tmp_path: Path) -> None:
    signer = SoftwareSigner(secrets.token_bytes(32))
    key = WitnessKey("w.example", signer.public_key)
    trust = tmp_path / "trust.json"
    known = {"witnesses": {"keys": [str(key)], "threshold": 1}, "version": 1}
    trust.write_text(json.dumps(known), encoding="utf-8")
    options = (audited.folder(tmp_path), "--trust", trust)
    found = await asyncio.to_thread(run, "audit", *options)
    assert "  remark   checkpoint-unwitnessed: found cosignatures of 0" in found.stdout
    file = tmp_path / "public" / "log" / "checkpoint"
    note = file.read_text(encoding="utf-8")
    at = datetime(2026, 3, 2, tzinfo=UTC)
    line = str(cosign(SignedNote.parse(note).text, key.name, signer, at))
    file.write_text(with_cosignatures(note, [line]), encoding="utf-8")
    found = await asyncio.to_thread(run, "audit", *options)
    assert "The checkpoint is cosigned by 1 of 1 at 2026-03-02T00:00:00Z.\n" in found.stdout


def test_a_trust_file_of_another_form_is_refused(tmp_path: Path) -> None:
    trust = tmp_path / "trust.json"
    trust.write_text('{"version": 1, "witness": {}}', encoding="utf-8")
    result = run("audit", tmp_path, "--trust", trust)
    assert_refused(result, "policy-malformed", exit_code=2)


def test_a_split_is_written_out_and_checked_alone(tmp_path: Path) -> None:
    honest, forked = Provider(), Provider()
    for provider in (honest, forked):
        provider.issue(40)
    forked.entries[7] = b"\x01" + bytes(32)
    split = SplitView(str(KEY), honest.note(), forked.note(), forked.tree.root())
    file = tmp_path / "split.json"
    file.write_text(json.dumps(split.to_json()), encoding="utf-8")
    result = run("check-split", file)
    assert result.exit_code == 0
    assert "Two histories of school.example/log: its key has signed both." in result.stdout
    assert run_json("check-split", file)["split"] is True
    other = "other.example/log" + split.vkey[len("school.example/log") :]
    assert_refused_split(run("check-split", file, "--vkey", other), "split-of-another-log")
    true = SplitView(split.vkey, split.first, split.first, honest.tree.root())
    file.write_text(json.dumps(true.to_json()), encoding="utf-8")
    assert_refused(run("check-split", file), "split-not-shown", exit_code=1)


def assert_refused_split(result: Any, code: str) -> None:
    assert f"({code})" in result.stderr
    assert result.exit_code == 1


def test_a_target_that_is_nothing_is_said_to_be_nothing(tmp_path: Path) -> None:
    result = run("audit", str(tmp_path / "nowhere"))
    assert_refused(result, "audit-target-unknown", exit_code=2)


async def test_a_folder_does_not_lead_out_of_itself(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("key", encoding="utf-8")
    inside = tmp_path / "public"
    inside.mkdir()
    (inside / "a").write_text("fine", encoding="utf-8")
    fetch = folder_fetch(inside)
    assert await fetch("https://x.example/a", 10) == b"fine"
    for url in ("https://x/../secret", "https://x/%2e%2e/secret", "https://x//secret"):
        with pytest.raises(AuditFileMissing):
            await fetch(url, 10)
    with pytest.raises(AuditFileMissing):
        await fetch("https://x/a", 3)
