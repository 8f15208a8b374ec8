"""What witnesses and Kubo do with the rows about logs and IPFS that are cases too."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anchoring.blocks import MAX_BLOCK_BYTES, BlockTooLarge, CidMismatch, fetch_block
from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.ipfs import IpfsUnreachable, Kubo
from anchoring.merkle import hash_leaf
from anchoring.note import VerifierKey
from anchoring.record import record_cid
from anchoring.tree import Tree
from anchoring.witness import AddCheckpoint, judge_request
from node.config import Config
from primitives.ed25519 import SoftwareSigner
from primitives.errors import (
    Misconfigured,
    PatunayError,
    Rejected,
)

ORIGIN = "log.example/log"
LOG = SoftwareSigner(bytes(32))
KEY = VerifierKey(ORIGIN, LOG.public_key)
TREE = Tree(hash_leaf(bytes([n])) for n in range(20))
OTHER = Tree(hash_leaf(bytes([n, n])) for n in range(20))


def checkpoint(size: int, tree: Tree = TREE) -> Checkpoint:
    return Checkpoint(ORIGIN, size, tree.root(size))


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
