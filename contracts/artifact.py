"""The compiled contract, as package data.

AnchorRegistry.json is trusted like source code: it is part of the package, and a test
compiles the source again and compares.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ARTIFACT_NAME = "AnchorRegistry.json"
SOURCE_NAME = "AnchorRegistry.vy"


@dataclass(frozen=True, slots=True)
class Artifact:
    """What the compiler made of AnchorRegistry.vy."""

    abi: tuple[dict[str, Any], ...]
    """Contract ABI, for tools that want one."""

    bytecode: bytes
    """Sent in the transaction that creates the contract; no constructor arguments."""

    deployed_bytecode: bytes
    """What `eth_getCode` answers at the contract's address, to the byte."""

    anchor_selector: bytes
    """First 4 bytes of the calldata of `anchor(bytes32)`."""

    anchored_topic: bytes
    """First topic of the event: Keccak-256 of `Anchored(address,bytes32)`."""

    compiler: str
    """Such as `vyper 0.4.3`."""

    evm_version: str
    """Oldest rules of Ethereum that the code runs under."""

    source_sha256: str
    """Lower-case hex."""


@cache
def load_artifact() -> Artifact:
    """Return the contract that is bundled with this package."""
    # Not by importlib.resources, which is slow to import.
    text = (Path(__file__).parent / ARTIFACT_NAME).read_text(encoding="utf-8")
    raw = json.loads(text)  # noqa: TID251  # package data; this floor imports no other
    return Artifact(
        abi=tuple(raw["abi"]),
        bytecode=bytes.fromhex(raw["bytecode"].removeprefix("0x")),
        deployed_bytecode=bytes.fromhex(raw["deployedBytecode"].removeprefix("0x")),
        anchor_selector=bytes.fromhex(raw["anchorSelector"].removeprefix("0x")),
        anchored_topic=bytes.fromhex(raw["anchoredTopic"].removeprefix("0x")),
        compiler=raw["compiler"],
        evm_version=raw["evmVersion"],
        source_sha256=raw["sourceSha256"],
    )
