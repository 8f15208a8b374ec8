"""The rows of the table about checkpoints, witnesses and IPFS: none is of a credential.

Each row is in the name of one test here. What a row calls invalid is `Rejected` or
`Malformed`, what it calls indeterminate is `Undetermined`.
"""

from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anchoring.blocks import MAX_BLOCK_BYTES, BlockTooLarge, CidMismatch, fetch_block
from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.cosignature import (
    WitnessKey,
    WitnessQuorum,
    cosign,
    require_witnesses,
    with_cosignatures,
)
from anchoring.ipfs import IpfsUnreachable, Kubo
from anchoring.merkle import hash_leaf
from anchoring.note import VerifierKey
from anchoring.record import cid_digest, raw_cid, record_cid
from anchoring.tree import Tree
from anchoring.witness import AddCheckpoint, judge_request
from node.config import Config
from primitives.ed25519 import SoftwareSigner
from primitives.encodings import encode_base58btc
from primitives.errors import (
    Malformed,
    Misconfigured,
    PatunayError,
    Rejected,
    Undetermined,
)
from primitives.hashing import sha256

ORIGIN = "log.example/log"
LOG, STRANGER = SoftwareSigner(bytes(32)), SoftwareSigner(b"\x01" * 32)
KEY = VerifierKey(ORIGIN, LOG.public_key)
TREE = Tree(hash_leaf(bytes([n])) for n in range(20))
OTHER = Tree(hash_leaf(bytes([n, n])) for n in range(20))
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def checkpoint(size: int, tree: Tree = TREE) -> Checkpoint:
    return Checkpoint(ORIGIN, size, tree.root(size))


NOTE = sign_checkpoint(checkpoint(7), LOG)
TEXT = checkpoint(7).text


def cosigned(*numbers: int) -> str:
    lines = []
    for number in numbers:
        signer = SoftwareSigner(bytes([number]) * 32)
        lines.append(str(cosign(TEXT, f"w{number}.example/w", signer, AT)))
    return with_cosignatures(NOTE, lines)


def quorum(threshold: int, *numbers: int) -> WitnessQuorum:
    keys = [
        WitnessKey(f"w{n}.example/w", SoftwareSigner(bytes([n]) * 32).public_key)
        for n in numbers
    ]
    return WitnessQuorum(tuple(keys), threshold)


def test_k04_fewer_cosignatures_than_the_quorum_leave_it_open() -> None:
    assert require_witnesses(cosigned(1, 2), quorum(2, 1, 2, 3)).count == 2
    with pytest.raises(Undetermined) as caught:
        require_witnesses(cosigned(1), quorum(2, 1, 2, 3))
    assert caught.value.code == "witnesses-too-few"


def test_k05_one_witness_twice_counts_once() -> None:
    with pytest.raises(Undetermined) as caught:
        require_witnesses(cosigned(1, 1), quorum(2, 1, 2, 3))
    assert caught.value.code == "witnesses-too-few"


def answer_of_a_witness(size: int, tree: Tree, old: int, latest: int) -> PatunayError:
    proof = TREE.consistency_proof(old, size) if 0 < old <= size else ()
    request = AddCheckpoint(old, proof, sign_checkpoint(checkpoint(size, tree), LOG))
    with pytest.raises(PatunayError) as caught:
        judge_request(request, KEY, checkpoint(latest))
    return caught.value


def test_k09_a_log_that_shrinks_is_not_cosigned() -> None:
    assert answer_of_a_witness(7, TREE, 7, 9).code == "witness-conflict"
    assert answer_of_a_witness(7, TREE, 9, 9).code == "witness-request-malformed"


def test_k10_two_roots_of_one_size_are_not_cosigned() -> None:
    found = answer_of_a_witness(9, OTHER, 9, 9)
    assert isinstance(found, Rejected)
    assert found.code == "witness-proof-invalid"


DIGEST = sha256(b"block").hex()


@pytest.mark.parametrize(
    "binary",
    ["01550005626c6f636b", "01551114" + DIGEST[:40], "01552210" + DIGEST[:32]],
    ids=["identity", "sha-1", "murmur"],
)
def test_i02_a_cid_of_a_forbidden_hash_is_refused(binary: str) -> None:
    assert_no_cid(base32(binary))


@pytest.mark.parametrize("codec", ["70", "71"], ids=["dag-pb", "dag-cbor"])
def test_i03_a_cid_of_several_blocks_is_refused(codec: str) -> None:
    assert_no_cid(base32(f"01{codec}1220{DIGEST}"))
    assert cid_digest(base32(f"01551220{DIGEST}")).hex() == DIGEST


@pytest.mark.parametrize(
    "cid",
    [
        raw_cid(b"block").upper(),
        raw_cid(b"block") + "=",
        raw_cid(b"block") + "a",
        raw_cid(b"block") + "\n",
        "z" + encode_base58btc(bytes.fromhex("01551220" + DIGEST)),
        encode_base58btc(bytes.fromhex("1220" + DIGEST)),
    ],
    ids=["upper", "padding", "longer", "newline", "base58", "version 0"],
)
def test_i04_another_spelling_of_a_cid_is_refused(cid: str) -> None:
    assert_no_cid(cid)


def base32(binary: str) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    width = len(binary) * 4
    number = int(binary, 16) << -width % 5
    digits = -(-width // 5)
    return "b" + "".join(alphabet[number >> 5 * i & 31] for i in reversed(range(digits)))


def assert_no_cid(cid: str) -> None:
    with pytest.raises(Malformed) as caught:
        cid_digest(cid)
    assert caught.value.code == "cid-malformed"


async def what_comes_of(status: int, body: bytes, cut: int = 0) -> PatunayError:
    """Put and get a block at a Kubo that answers so; `cut` bytes fewer than promised."""

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(status=status)
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: len(body) - cut])
        if cut and request.transport is not None:
            request.transport.close()
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server:
        kubo = Kubo(f"http://127.0.0.1:{server.port}", timeout_seconds=5)
        try:
            with pytest.raises(PatunayError) as caught:
                await fetch_block(kubo, record_cid(b"{}"))
        finally:
            await kubo.close()
    return caught.value


async def test_i05_a_broken_or_endless_answer_leaves_it_open() -> None:
    assert isinstance(await what_comes_of(200, b"{}", cut=1), IpfsUnreachable)
    assert isinstance(await what_comes_of(504, b"gateway time-out"), IpfsUnreachable)
    endless = bytes(MAX_BLOCK_BYTES + 1)
    assert isinstance(await what_comes_of(200, endless), BlockTooLarge)


async def test_i07_an_error_that_is_sent_as_a_success_is_not_believed() -> None:
    found = await what_comes_of(200, b'{"Message":"block not found","Type":"error"}')
    assert isinstance(found, CidMismatch)


def test_i08_an_exposed_rpc_is_refused_at_the_start() -> None:
    assert Config("school.example", ipfs_api="http://127.0.0.1:5001").ipfs_api
    with pytest.raises(Misconfigured) as caught:
        Config("school.example", ipfs_api="http://192.0.2.7:5001")
    assert caught.value.code == "ipfs-api-exposed"
