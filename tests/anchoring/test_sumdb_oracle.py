"""Go's own transparency log code reads what Patunay writes, and writes what it reads."""

import base64
import json
import os
import random
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from anchoring.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from anchoring.cosignature import WitnessKey, cosign, with_cosignatures
from anchoring.merkle import hash_leaves
from anchoring.note import VerifierKey
from anchoring.tiles import hash_tiles
from anchoring.tree import Tree
from primitives.ed25519 import SoftwareSigner
from primitives.encodings import encode_base64
from tests.anchoring import go_vector
from tests.support.components import ROOT, require

MODULE = ROOT / "tests" / "oracles" / "sumdb"
NAME = "log.example/patunay"

Ask: TypeAlias = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    go = require("go")
    fetched = subprocess.run(
        [go, "mod", "download"], cwd=MODULE, capture_output=True, text=True, check=False
    )
    if fetched.returncode and os.environ.get("PATUNAY_REQUIRE_COMPONENTS") != "1":
        pytest.skip(f"golang.org/x/mod cannot be fetched: {fetched.stderr.strip()[-200:]}")
    program = tmp_path_factory.mktemp("sumdb") / "sumdb"
    subprocess.run([go, "build", "-o", program, "."], cwd=MODULE, check=True)

    def answer(**question: Any) -> dict[str, Any]:
        done = run(program, question)
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    return answer


def run(program: Path, question: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program], input=json.dumps(question), capture_output=True, text=True, check=False
    )


def texts(proof: tuple[bytes, ...]) -> list[str]:
    return [encode_base64(value) for value in proof]


def test_go_opens_what_we_sign_and_we_open_what_go_signs(ask: Ask) -> None:
    signer = SoftwareSigner(go_vector.SEED)
    key = VerifierKey(NAME, signer.public_key)
    checkpoint = Checkpoint(NAME, 13, go_vector.ROOT_13)
    note = sign_checkpoint(checkpoint, signer)
    answer = ask(
        note=note,
        verifierKey=str(key),
        seed=encode_base64(go_vector.SEED),
        signName=NAME,
        text=checkpoint.text,
    )
    assert answer["opened"] == checkpoint.text
    assert answer["signerKey"] == str(key) == go_vector.VERIFIER_KEY
    assert answer["signed"] == note == go_vector.NOTE
    assert open_checkpoint(answer["signed"], key) == checkpoint


def test_go_finds_our_cosignature_and_its_time(ask: Ask) -> None:
    log, witness = SoftwareSigner(go_vector.SEED), SoftwareSigner(bytes(32))
    checkpoint = Checkpoint(NAME, 13, go_vector.ROOT_13)
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    line = cosign(checkpoint.text, "w.example/witness", witness, at)
    answer = ask(
        note=with_cosignatures(sign_checkpoint(checkpoint, log), [str(line)]),
        verifierKey=str(VerifierKey(NAME, log.public_key)),
        witness=str(WitnessKey("w.example/witness", witness.public_key)),
    )
    assert answer["opened"] == checkpoint.text
    assert answer["cosigned"] == at.timestamp()


@pytest.mark.parametrize("size", [1, 2, 13, 255, 256, 257, 1000])
def test_go_accepts_our_proofs_and_makes_the_same(ask: Ask, size: int) -> None:
    dice = random.Random(size)
    entries = [dice.randbytes(33) for _ in range(size)]
    tree = Tree(hash_leaves(entries))
    inclusion = []
    consistency = []
    for _ in range(40):
        whole = dice.randint(1, size)
        inclusion.append({"from": dice.randrange(whole), "size": whole})
        consistency.append({"from": dice.randint(1, whole), "size": whole})
    ours = [texts(tree.inclusion_proof(s["from"], tree_size=s["size"])) for s in inclusion]
    ours += [texts(tree.consistency_proof(s["from"], s["size"])) for s in consistency]
    answer = ask(
        entries=[base64.b64encode(entry).decode() for entry in entries],
        inclusion=inclusion,
        consistency=consistency,
        proofs=ours,
    )
    assert answer["proofs"] == ours
    # Go's package writes a tree without leaves as 32 zero bytes; RFC 9162 does not.
    roots = [encode_base64(tree.root(n)) for n in range(1, size + 1)]
    assert answer["roots"][1:] == roots
    # Its paths name the height of a tile, which C2SP fixes at 8.
    paths = [path for path, _ in hash_tiles(tree, old_size=0, new_size=size)]
    assert sorted(answer["tiles"]) == sorted(p.replace("tile/", "tile/8/") for p in paths)


def test_the_oracle_refuses_a_wrong_proof(ask: Ask) -> None:
    entries = [base64.b64encode(entry).decode() for entry in go_vector.ENTRIES]
    wrong = list(reversed(go_vector.INCLUSION_5_OF_13))
    with pytest.raises(AssertionError, match="invalid transparency proof"):
        ask(entries=entries, inclusion=[{"from": 5, "size": 13}], proofs=[wrong])
