"""The bundled artifact against the compiler and against a real virtual machine."""

import hashlib
import json
from importlib.resources import files

import vyper
from eth_utils.crypto import keccak

from contracts.artifact import ARTIFACT_NAME, SOURCE_NAME, load_artifact
from contracts.build import compile_artifact, render_artifact


def test_the_artifact_is_what_the_compiler_makes_of_the_source() -> None:
    bundled = files("contracts").joinpath(ARTIFACT_NAME).read_text()
    assert bundled == render_artifact()


def test_the_artifact_names_its_source() -> None:
    source = files("contracts").joinpath(SOURCE_NAME).read_bytes()
    assert load_artifact().source_sha256 == hashlib.sha256(source).hexdigest()


def test_selector_and_topic_are_keccak_of_the_signatures() -> None:
    artifact = load_artifact()
    assert artifact.anchor_selector == keccak(text="anchor(bytes32)")[:4]
    assert artifact.anchored_topic == keccak(text="Anchored(address,bytes32)")


def test_the_contract_has_one_function_one_event_and_no_storage() -> None:
    names = [(item["type"], item["name"]) for item in load_artifact().abi]
    assert names == [("event", "Anchored"), ("function", "anchor")]
    # SSTORE is 0x55, SLOAD 0x54, SELFDESTRUCT 0xff, DELEGATECALL 0xf4, CALL 0xf1.
    assert not {0x55, 0x54, 0xFF, 0xF4, 0xF1} & _opcodes(load_artifact().deployed_bytecode)


def test_the_newest_rules_compile_to_the_same_code() -> None:
    source = files("contracts").joinpath(SOURCE_NAME).read_text()
    newest = vyper.compile_code(source, output_formats=["bytecode"])["bytecode"]
    assert newest == compile_artifact()["bytecode"]
    assert json.loads(render_artifact())["bytecode"] == newest


def _opcodes(code: bytes) -> set[int]:
    """Instructions only: the bytes that PUSH carries are data."""
    seen, position = set(), 0
    while position < len(code):
        instruction = code[position]
        seen.add(instruction)
        pushed = instruction - 0x5F if 0x60 <= instruction <= 0x7F else 0
        position += 1 + pushed
    return seen
