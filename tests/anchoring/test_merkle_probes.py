"""Probes by the authors of transparency-dev/merkle, named by how each was mutated."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anchoring.merkle import verify_consistency, verify_inclusion
from primitives.errors import PatunayError
from primitives.hashing import Digest
from tests.support.reference_tree import split

FOLDER = Path(__file__).parents[3] / "shared" / "standards" / "merkle" / "testdata"


def probes(kind: str) -> Iterator[Any]:
    files = sorted((FOLDER / kind).rglob("*.json"))
    if not files:
        why = pytest.mark.skip(reason=f"no Merkle probes: {FOLDER / kind} is absent")
        yield pytest.param({}, marks=why, id="absent")
    for file in files:
        name = file.relative_to(FOLDER).as_posix()
        yield pytest.param(json.loads(file.read_bytes()), id=name)


def digests(*texts: str) -> list[Digest]:
    return [Digest(base64.b64decode(text)) for text in texts]


def outcome(check: Any, **arguments: Any) -> str:
    try:
        check(**arguments)
    except PatunayError as e:
        return e.code
    return "accepted"


@pytest.mark.parametrize("probe", list(probes("inclusion")))
def test_inclusion_probe(probe: dict[str, Any]) -> None:
    proof = digests(*(probe["proof"] or []))
    leaf, root = digests(probe["leafHash"], probe["root"])
    index, size = probe["leafIdx"], probe["treeSize"]
    found = outcome(
        verify_inclusion,
        leaf_hash=leaf,
        index=index,
        tree_size=size,
        proof=proof,
        root=root,
    )
    fits = 0 <= index < size and len(proof) == inclusion_length(index, size)
    assert found == want(probe, fits=fits, hashes=[leaf, root, *proof])


@pytest.mark.parametrize("probe", list(probes("consistency")))
def test_consistency_probe(probe: dict[str, Any]) -> None:
    proof = digests(*(probe["proof"] or []))
    old_root, new_root = digests(probe["root1"], probe["root2"])
    old, new = probe["size1"], probe["size2"]
    found = outcome(
        verify_consistency,
        old_size=old,
        old_root=old_root,
        new_size=new,
        new_root=new_root,
        proof=proof,
    )
    fits = 0 < old <= new and len(proof) == consistency_length(old, new, whole=True)
    assert found == want(probe, fits=fits, hashes=[old_root, new_root, *proof])


def want(probe: dict[str, Any], *, fits: bool, hashes: list[Digest]) -> str:
    """The probes only tell right from wrong; shapes tell malformed from mismatching.

    Some probes that must pass have roots of another length, which Patunay never reads.
    """
    if not fits or any(len(value) != 32 for value in hashes):
        return "proof-malformed"
    return "root-mismatch" if probe["wantErr"] else "accepted"


def inclusion_length(m: int, n: int) -> int:
    """RFC 9162 section 2.1.3.1, counted."""
    if n == 1:
        return 0
    k = split(n)
    return 1 + (inclusion_length(m, k) if m < k else inclusion_length(m - k, n - k))


def consistency_length(m: int, n: int, *, whole: bool) -> int:
    """RFC 9162 section 2.1.4.1, counted."""
    if m == n:
        return 0 if whole else 1
    k = split(n)
    if m <= k:
        return 1 + consistency_length(m, k, whole=whole)
    return 1 + consistency_length(m - k, n - k, whole=False)
