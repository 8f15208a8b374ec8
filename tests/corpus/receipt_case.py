"""One case about a receipt: its bytes, its credential, and what the chain says to it."""

import base64
import json
from dataclasses import dataclass, field, replace
from typing import Any

from anchoring.backend import AnchorReceipt
from anchoring.receipt import Receipt
from anchoring.record import build_record
from anchoring.tlog_proof import TlogProof
from contracts.artifact import load_artifact
from primitives.hashing import Digest
from primitives.instants import format_instant
from tests.corpus.case import DOCUMENTS, LISTS, pretty
from tests.support.credentials_support import (
    ISSUER,
    LOG_KEY,
    LOG_SIGNER,
    NOW,
    anchored,
    signed,
)

GOOD = anchored(signed())
"""A credential, its receipt, and the anchor that the chain shows."""

CHAIN_ID = 11_155_111
SENDER = "0x" + "5e" * 20
HEAD = GOOD.anchor.block_number + 11
"""The anchor's block is the twelfth from there."""

POLICY = {
    "version": 1,
    "required": ["structure", "proof", "issuer-key", "dates", "status", "anchor"],
}
TRUST = {
    "version": 1,
    "issuers": [{"did": ISSUER, "name": "The Example School"}],
    "logs": [{"issuer": ISSUER, "vkey": str(LOG_KEY)}],
}
UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class ReceiptCase:
    """A receipt, and what has to come of it."""

    name: str
    raw: bytes
    outcome: str
    code: str = ""
    report: tuple[str, str] | None = None
    """Outcome and code of the credential's report where the anchor is required. None
    stands for `undetermined` with the same code, or `valid`, or `malformed`: what is false
    about a receipt is not false about its credential."""

    chains: list[dict[str, Any]] = field(default_factory=lambda: [chain_answers()])
    more: dict[str, Any] = field(default_factory=dict)
    """Other members of the context."""

    def files(self) -> dict[str, bytes]:
        """Return what stands in the folder."""
        context = {
            "kind": "receipt",
            "asOf": format_instant(NOW),
            "credential": GOOD.document,
            "didDocuments": DOCUMENTS,
            "statusLists": LISTS,
            "policy": POLICY,
            "trust": TRUST,
            "chains": self.chains,
            **self.more,
        }
        usual = self.outcome if self.outcome in ("valid", "malformed") else UNDETERMINED
        outcome, code = self.report or (usual, self.code)
        expected = {
            "outcome": self.outcome,
            "code": self.code,
            "report": {"outcome": outcome, "code": code},
        }
        return {
            "input": self.raw,
            "context.json": pretty(context),
            "expect.json": pretty(expected),
        }


def receipt_case(
    name: str,
    receipt: Receipt = GOOD.receipt,
    outcome: str = "valid",
    code: str = "",
    **had: Any,
) -> ReceiptCase:
    """Return the case of a receipt that can be written."""
    raw = json.dumps(receipt.to_json()).encode()
    return ReceiptCase(name, raw, outcome, code, **had)


def edited_receipt(name: str, old: str, new: str, code: str, **had: Any) -> ReceiptCase:
    """Return the case of the good receipt with one text in it changed."""
    text = json.dumps(GOOD.receipt.to_json())
    if text.count(old) != 1:
        raise ValueError(f"found {text.count(old)} times {old!r}, want one")
    raw = text.replace(old, new).encode()
    return ReceiptCase(name, raw, had.pop("outcome", "malformed"), code, **had)


def edited_proof(name: str, old: str, new: str, code: str, **had: Any) -> ReceiptCase:
    """Return the case of the good receipt with one text of its tlog-proof changed."""
    text = str(GOOD.receipt.tlog_proof)
    if text.count(old) != 1:
        raise ValueError(f"found {text.count(old)} times {old!r}, want one")
    value = GOOD.receipt.to_json() | {"tlogProof": text.replace(old, new)}
    raw = json.dumps(value).encode()
    return ReceiptCase(name, raw, had.pop("outcome", "malformed"), code, **had)


def with_note(note: str, proof: TlogProof = GOOD.receipt.tlog_proof) -> Receipt:
    """Return the receipt with another signed checkpoint, in proof and record alike."""
    record = build_record(
        checkpoint=note, previous=None, did_documents={}, status_lists={}, tiles={}
    )
    return Receipt(replace(proof, checkpoint=note), record, (GOOD.anchor,))


def with_checkpoint_text(text: str) -> bytes:
    """Return the receipt's bytes with any text, signed by the log, as the checkpoint."""
    return with_any_note(signed_by_log(text))


def with_any_note(note: str) -> bytes:
    """Return the receipt's bytes with anything at all as the note, in record and proof."""
    good = GOOD.receipt.tlog_proof.checkpoint
    value = GOOD.receipt.to_json()
    record = GOOD.receipt.record.decode()
    value["record"] = base64.b64encode(
        record.replace(json.dumps(good)[1:-1], json.dumps(note)[1:-1]).encode()
    ).decode()
    value["tlogProof"] = str(GOOD.receipt.tlog_proof).replace(good, note)
    return json.dumps(value).encode()


def signed_by_log(text: str) -> str:
    """Return a note of any text at all with a good signature by the log's key."""
    signature = LOG_KEY.key_id + LOG_SIGNER.sign(text.encode())
    encoded = base64.b64encode(signature).decode()
    return f"{text}\n\N{EM DASH} {LOG_KEY.name} {encoded}\n"


def chain_answers(receipt: Receipt = GOOD.receipt, **changes: Any) -> dict[str, Any]:
    """Return what an honest endpoint says; `changes` are of the transaction's receipt."""
    anchor = receipt.anchors[0]
    mined = mined_receipt(anchor, receipt.digest) | changes
    return {
        "eth_chainId": {"result": hex(CHAIN_ID)},
        "eth_syncing": {"result": False},
        "eth_getTransactionReceipt": {"result": mined},
        f"eth_getBlockByNumber {hex(anchor.block_number)}": {"result": block_of(anchor)},
        "eth_getBlockByNumber latest": {"result": head_block()},
    }


def mined_receipt(anchor: AnchorReceipt, digest: Digest) -> dict[str, Any]:
    """Return the receipt of the transaction that anchored `digest`."""
    return {
        "transactionHash": anchor.transaction,
        "transactionIndex": "0x0",
        "blockHash": anchor.block_hash,
        "blockNumber": hex(anchor.block_number),
        "from": SENDER,
        "to": contract_address(anchor),
        "cumulativeGasUsed": "0x5a6f",
        "gasUsed": "0x5a6f",
        "effectiveGasPrice": "0x3b9aca00",
        "contractAddress": None,
        "logs": [event_log(anchor, digest)],
        "logsBloom": "0x" + "00" * 256,
        "status": "0x1",
        "type": "0x2",
    }


def event_log(anchor: AnchorReceipt, digest: Digest, **changes: Any) -> dict[str, Any]:
    """Return the event in which `digest` stands."""
    return {
        "address": contract_address(anchor),
        "topics": [
            "0x" + load_artifact().anchored_topic.hex(),
            "0x" + SENDER[2:].rjust(64, "0"),
            "0x" + digest.hex(),
        ],
        "data": "0x",
        "blockNumber": hex(anchor.block_number),
        "transactionHash": anchor.transaction,
        "transactionIndex": "0x0",
        "blockHash": anchor.block_hash,
        "logIndex": hex(anchor.log_index),
        "removed": False,
    } | changes


def block_of(anchor: AnchorReceipt, **changes: Any) -> dict[str, Any]:
    """Return the block that the receipt names, as the chain has it now."""
    return {
        "number": hex(anchor.block_number),
        "hash": anchor.block_hash,
        "timestamp": hex(int(anchor.timestamp.timestamp())),
        "transactions": [anchor.transaction],
        "baseFeePerGas": "0x7",
    } | changes


def head_block(**changes: Any) -> dict[str, Any]:
    """Return the newest block, of a minute ago."""
    return {
        "number": hex(HEAD),
        "hash": "0x" + "4d" * 32,
        "timestamp": hex(int(NOW.timestamp()) - 60),
        "transactions": [],
        "baseFeePerGas": "0x7",
    } | changes


def contract_address(anchor: AnchorReceipt) -> str:
    """Return the address without its chain."""
    return anchor.contract.rpartition(":")[2]
