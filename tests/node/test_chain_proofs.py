"""Proofs that outlive the chain: fetched once an anchor is final, kept with the receipt."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from anchoring.backend import AnchorReceipt, AnchorUnreachable
from anchoring.chain_proof import ChainProof, prove_anchored
from anchoring.evm import EvmAnchor
from anchoring.evm_deploy import deploy
from anchoring.evm_purse import Purse
from anchoring.evm_rpc import HttpRpc
from contracts.artifact import load_artifact
from node.chain_proofs import ChainProofJob
from node.logbook import build_receipt
from node.node import EVM_KEY, Node
from tests.support.anvil import running_anvil
from tests.support.chains import ANVIL_CHAIN, fund
from tests.support.nodes import HandClock, anchor, issue, make_home_here, meddle, opened


@dataclass
class Stage:
    node: Node
    backend: EvmAnchor
    clock: HandClock
    uuid: str

    async def proof(self) -> ChainProof | None:
        return (await build_receipt(self.node, self.uuid)).anchors[0].proof


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Give a node with one final anchor on anvil."""
    async with running_anvil() as url:
        rpc = HttpRpc(url, timeout_seconds=5)
        key = secrets.token_bytes(32)
        await fund(rpc, Purse(key).address)
        contract = await deploy(rpc, ANVIL_CHAIN, key)
        clock = HandClock()
        home = await make_home_here(tmp_path / "node", clock)
        async with opened(home, clock) as node:
            own = node.keys().secret(EVM_KEY)
            await fund(rpc, Purse(own).address)
            backend = EvmAnchor.connect(url, contract, private_key=own)
            done = await issue(node, 2)
            state = await anchor(node, backend)
            assert state.transaction is not None
            assert state.transaction.state == "final"
            yield Stage(node, backend, clock, done.issued[0])
            await backend.close()
        await rpc.disconnect()


async def test_a_final_anchor_gets_its_proof_once(stage: Stage) -> None:
    assert await stage.proof() is None
    job = ChainProofJob(stage.node, stage.backend)
    assert await job.step() == 1
    assert await job.step() == 0
    receipt = await build_receipt(stage.node, stage.uuid)
    (made,) = receipt.anchors
    assert made.proof is not None
    event = prove_anchored(
        made.proof,
        address=made.contract.rpartition(":")[2],
        topic=load_artifact().anchored_topic,
        digest=receipt.digest,
    )
    assert event.block_hash == made.block_hash
    assert event.timestamp == made.timestamp


async def test_what_stands_in_the_way_is_tried_again_later_and_later(stage: Stage) -> None:
    class Down(EvmAnchor):
        asked = 0

        async def prove(self, receipt: AnchorReceipt) -> ChainProof:
            Down.asked += 1
            raise AnchorUnreachable(f"no answer about {receipt.block_hash}")

    down = Down.connect("http://127.0.0.1:1", stage.backend.contract)
    job = ChainProofJob(stage.node, down)
    for seconds, asked in ((0, 1), (60, 1), (60, 2), (180, 2), (60, 3)):
        stage.clock.advance(seconds)
        assert await job.step() == 0
        assert Down.asked == asked
    assert await stage.proof() is None
    await down.close()
    stage.clock.advance(3600)
    assert await ChainProofJob(stage.node, stage.backend).step() == 1
    assert await stage.proof() is not None


async def test_a_proof_of_another_block_is_not_kept(stage: Stage) -> None:
    class Liar(EvmAnchor):
        async def prove(self, receipt: AnchorReceipt) -> ChainProof:
            honest = await super().prove(receipt)
            return replace(honest, header=honest.header[:-1] + b"\x00")

    liar = Liar(stage.backend._quorum.endpoints[0]._provider, stage.backend.contract)
    assert await ChainProofJob(stage.node, liar).step() == 0
    assert await stage.proof() is None


async def test_a_proof_of_a_block_that_was_reorganised_away_is_not_handed_out(
    stage: Stage,
) -> None:
    assert await ChainProofJob(stage.node, stage.backend).step() == 1
    meddle(stage.node.home, "UPDATE transactions SET block_hash = ?", "0x" + "ab" * 32)
    assert await stage.proof() is None
