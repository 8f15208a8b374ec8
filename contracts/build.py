"""Compile AnchorRegistry.vy into AnchorRegistry.json: `python -m contracts.build`.

Needs the development dependencies; the package itself never imports a compiler.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import vyper
from vyper.compiler.settings import Settings
from vyper.utils import keccak256

from contracts.artifact import ARTIFACT_NAME, SOURCE_NAME

EVM_VERSION = "shanghai"
"""The oldest rules that give these bytes; newer ones compile to the same."""

_FOLDER = Path(__file__).resolve().parent


def compile_artifact() -> dict[str, Any]:
    """Return what belongs into AnchorRegistry.json."""
    source = (_FOLDER / SOURCE_NAME).read_bytes()
    compiled = vyper.compile_code(
        source.decode(),
        output_formats=["abi", "bytecode", "bytecode_runtime", "method_identifiers"],
        settings=Settings(evm_version=EVM_VERSION),
    )
    selector = int(compiled["method_identifiers"]["anchor(bytes32)"], 16)
    return {
        "contractName": "AnchorRegistry",
        "compiler": f"vyper {vyper.__version__}",
        "evmVersion": EVM_VERSION,
        "sourceSha256": hashlib.sha256(source).hexdigest(),
        "abi": compiled["abi"],
        "anchorSelector": f"0x{selector:08x}",
        "anchoredTopic": "0x" + keccak256(b"Anchored(address,bytes32)").hex(),
        "bytecode": compiled["bytecode"],
        "deployedBytecode": compiled["bytecode_runtime"],
    }


def render_artifact() -> str:
    """Return the text of AnchorRegistry.json."""
    return json.dumps(compile_artifact(), indent=2) + "\n"


if __name__ == "__main__":
    (_FOLDER / ARTIFACT_NAME).write_text(render_artifact(), encoding="utf-8")
