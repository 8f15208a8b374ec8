"""Merkle-Patricia proofs: against a block of a real chain, and the `trie` package."""

import random
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from trie.hexary import HexaryTrie
from web3.types import RPCEndpoint

from anchoring.chain_proof import (
    MAX_HEADER_BYTES,
    MAX_INDEX,
    MAX_NODES,
    ChainProof,
    ChainProofInvalid,
    prove_anchored,
)
from anchoring.chain_proof_making import (
    ChainProofUnavailable,
    encode_header,
    encode_receipt,
    make_chain_proof,
)
from anchoring.evm_deploy import deploy
from anchoring.evm_purse import Purse
from anchoring.evm_rpc import HttpRpc
from anchoring.rlp import decode_rlp, encode_rlp, encode_rlp_number
from contracts.artifact import load_artifact
from primitives.hashing import Digest, sha256
from primitives.keccak import keccak256
from tests.support.anvil import running_anvil
from tests.support.chains import ANVIL_CHAIN, fund
from tests.support.proven_blocks import (
    ADDRESS,
    DIGEST,
    SECONDS,
    SENDER,
    TOPIC,
    header_with,
    oracle_root,
    other,
    proof_in_block,
    receipt,
)


def prove(proof: ChainProof, digest: Digest = DIGEST) -> Any:
    return prove_anchored(proof, address=ADDRESS, topic=TOPIC, digest=digest)


@pytest.mark.parametrize("size", [1, 2, 3, 16, 17, 127, 128, 129, 130, 255, 256, 257, 300])
def test_a_proof_holds_at_every_kind_of_place_in_a_block(size: int) -> None:
    for index in sorted({0, 1, size // 2, size - 1, 127, 128} & set(range(size))):
        event = prove(proof_in_block(size, index))
        assert event.block_number == 77
        assert event.timestamp == datetime.fromtimestamp(SECONDS, UTC)
        assert event.sender == SENDER


def test_nodes_are_those_of_the_trie_package() -> None:
    receipts = [other(i) for i in range(140)]
    root = oracle_root(receipts)
    trie: Any = HexaryTrie({})
    for i, raw in enumerate(receipts):
        trie[encode_rlp(encode_rlp_number(i))] = raw
    for index in range(140):
        made = make_chain_proof(header_with(root), root, receipts, index)
        key = encode_rlp(encode_rlp_number(index))
        wanted: Any = trie.get_proof(key)
        hashed = [encode_rlp(_plain(node)) for node in wanted]
        # Nodes of under 32 bytes stand inside their parent; the package lists them too.
        assert list(made.nodes) == [
            raw for i, raw in enumerate(hashed) if i == 0 or len(raw) >= 32
        ]


def _plain(node: Any) -> Any:
    return bytes(node) if isinstance(node, bytes) else [_plain(each) for each in node]


def test_six_hundred_flipped_bits_are_all_refused() -> None:
    proof = proof_in_block(136, 77)
    parts = [proof.header, *proof.nodes]
    truth = prove(proof)
    chance = random.Random(600)
    refused = 0
    for _ in range(600):
        which = chance.randrange(len(parts))
        at = chance.randrange(8 * len(parts[which]))
        bad = bytearray(parts[which])
        bad[at // 8] ^= 1 << at % 8
        changed = [*parts[:which], bytes(bad), *parts[which + 1 :]]
        try:
            seen = prove(replace(proof, header=changed[0], nodes=tuple(changed[1:])))
        except ChainProofInvalid:
            refused += 1
        else:
            # A header of other bytes is the header of another block, and says so.
            assert which == 0
            assert seen.block_hash != truth.block_hash
    assert refused > 400


def _good() -> ChainProof:
    return proof_in_block(140, 20)


def _reverted() -> ChainProof:
    return proof_in_block(140, 20, encode_receipt(receipt(status="0x0")))


CASES: dict[str, Callable[[], ChainProof]] = {
    "the receipt of another transaction": lambda: replace(_good(), transaction_index=21),
    "a transaction that is not there": lambda: replace(_good(), transaction_index=141),
    "a node left out": lambda: replace(_good(), nodes=_good().nodes[:-1]),
    "a node too many": lambda: replace(_good(), nodes=(*_good().nodes, b"\x80")),
    "no nodes": lambda: replace(_good(), nodes=()),
    "nodes in another order": lambda: replace(_good(), nodes=_good().nodes[::-1]),
    "more nodes than any block has": lambda: replace(
        _good(), nodes=_good().nodes * MAX_NODES
    ),
    "an index below 0": lambda: replace(_good(), transaction_index=-1),
    "an index above all": lambda: replace(_good(), transaction_index=MAX_INDEX + 1),
    "a header over the limit": lambda: replace(
        _good(), header=encode_rlp([bytes(MAX_HEADER_BYTES)])
    ),
    "a header that is no list": lambda: replace(_good(), header=b"\x83dog"),
    "a header with too few fields": lambda: replace(
        _good(), header=encode_rlp([b"\x01"] * 14)
    ),
    "a header with bytes after it": lambda: replace(
        _good(), header=_good().header + b"\x00"
    ),
    "a header of another block": lambda: replace(_good(), header=header_with(bytes(32))),
    "a time no calendar has": lambda: replace(
        _good(), header=header_with(keccak256(_good().nodes[0]), seconds=1 << 60)
    ),
    "a transaction that was reverted": _reverted,
    "no event": lambda: proof_in_block(140, 20, encode_receipt(receipt(logs=[]))),
    "an event about something else": lambda: proof_in_block(
        140, 20, encode_receipt(receipt(sha256(b"another")))
    ),
    "an event of another contract": lambda: proof_in_block(
        140,
        20,
        encode_receipt(
            receipt(logs=[dict(receipt()["logs"][0], address="0x" + "ba" * 20)])
        ),
    ),
    "another event of the contract": lambda: proof_in_block(
        140,
        20,
        encode_receipt(
            receipt(
                logs=[
                    dict(
                        receipt()["logs"][0],
                        topics=["0x" + "11" * 32, *receipt()["logs"][0]["topics"][1:]],
                    )
                ]
            )
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_prove_the_event_is_refused(name: str) -> None:
    prove(_good())
    with pytest.raises(ChainProofInvalid) as caught:
        prove(CASES[name]())
    assert caught.value.code == "chain-proof-invalid"


@pytest.mark.parametrize("kind", ["0x0", "0x1", "0x2", "0x3", "0x4"])
def test_receipts_of_every_transaction_type_are_read(kind: str) -> None:
    raw = encode_receipt(receipt(type=kind))
    assert raw[:1] == (b"\xf9" if kind == "0x0" else bytes([int(kind, 16)]))
    assert prove(proof_in_block(5, 3, raw)).sender == SENDER


def test_receipts_that_give_another_root_make_no_proof() -> None:
    receipts = [other(i) for i in range(9)]
    with pytest.raises(ChainProofUnavailable, match="found receipts of root"):
        make_chain_proof(b"", oracle_root(receipts), receipts[:-1], 3)
    with pytest.raises(ChainProofUnavailable, match="found 9 receipts, want over 9"):
        make_chain_proof(b"", oracle_root(receipts), receipts, 9)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"status": None}, "as status"),
        ({"status": "0xzz"}, "as status"),
        ({"logsBloom": "00"}, "as logsBloom"),
        ({"logsBloom": "0x0"}, "as logsBloom"),
        ({"logs": {}}, "as logs"),
        ({"logs": ["x"]}, "as a log"),
        ({"cumulativeGasUsed": 5}, "as cumulativeGasUsed"),
    ],
)
def test_odd_answers_are_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ChainProofUnavailable, match=says):
        encode_receipt(receipt(**changes))


def test_a_header_of_another_hash_is_not_taken() -> None:
    with pytest.raises(ChainProofUnavailable, match="as parentHash"):
        encode_header({}, bytes(32))


def test_the_proof_of_a_block_with_a_field_that_is_not_known_is_not_made() -> None:
    root = oracle_root([other(0)])
    fields = decode_rlp(header_with(root))
    assert len(fields) == 21
    with pytest.raises(ChainProofUnavailable, match="want 0x"):
        encode_header(
            {
                name: "0x" + "00" * width
                for name, width in {
                    "parentHash": 32,
                    "sha3Uncles": 32,
                    "miner": 20,
                    "stateRoot": 32,
                    "transactionsRoot": 32,
                    "receiptsRoot": 32,
                    "logsBloom": 256,
                    "difficulty": 1,
                    "number": 1,
                    "gasLimit": 1,
                    "gasUsed": 1,
                    "timestamp": 1,
                    "extraData": 1,
                    "mixHash": 32,
                    "nonce": 8,
                }.items()
            },
            b"\x01" * 32,
        )


async def test_an_anchor_among_136_transactions_of_a_real_block_is_proven() -> None:
    async with running_anvil() as url:
        rpc = HttpRpc(url, timeout_seconds=10)

        async def call(method: str, *params: Any) -> Any:
            answer = await rpc.make_request(RPCEndpoint(method), list(params))
            return answer["result"]

        key = secrets.token_bytes(32)
        await fund(rpc, Purse(key).address)
        contract = (await deploy(rpc, ANVIL_CHAIN, key)).rpartition(":")[2]
        await call("evm_setAutomine", False)
        accounts = await call("eth_accounts")
        sent = []
        for i in range(136):
            anchoring = i == 130
            data = load_artifact().anchor_selector + DIGEST if anchoring else b""
            reference = await call(
                "eth_sendTransaction",
                {
                    "from": accounts[0],
                    "to": contract if anchoring else accounts[1],
                    "data": "0x" + data.hex(),
                    "gas": hex(60_000),
                    # A higher tip is mined first: the anchor stays where it is wanted.
                    "maxPriorityFeePerGas": hex(10**9),
                    "maxFeePerGas": hex(10**10),
                },
            )
            sent.append(reference)
        await call("evm_mine")
        mined = await call("eth_getTransactionReceipt", sent[130])
        block = await call("eth_getBlockByHash", mined["blockHash"], False)
        receipts = await call("eth_getBlockReceipts", mined["blockHash"])
        await rpc.disconnect()
    assert len(receipts) == 136
    proof = make_chain_proof(
        encode_header(block, bytes.fromhex(block["hash"][2:])),
        bytes.fromhex(block["receiptsRoot"][2:]),
        [encode_receipt(each) for each in receipts],
        int(mined["transactionIndex"], 16),
    )
    event = prove_anchored(proof, address=contract, topic=TOPIC, digest=DIGEST)
    assert event.block_hash == block["hash"]
    assert event.block_number == int(block["number"], 16)
    assert event.timestamp.timestamp() == int(block["timestamp"], 16)
    assert event.sender == accounts[0].lower()
    assert sum(map(len, proof.nodes)) < 2_000
