"""Two nodes watch each other's log over loopback, and a verifier believes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from anchoring.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from anchoring.cosignature import WitnessKey, WitnessQuorum, require_witnesses
from anchoring.note import SignedNote
from anchoring.witness import AddCheckpoint
from credentials.evidence import Obtained
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Check
from node.api.app import build_app
from node.config import Config
from node.config_checks import ConfigInvalid, IpfsApiExposed
from node.gather import Gatherer
from node.home import Home
from node.logbook import LogCorrupt, NotYetAnchored, build_receipt, close_batch
from node.node import LOG_KEY, Node, RestoreBehindPublished
from node.own_node import OwnNode
from node.peers import WitnessPeer
from node.publishing import log_file
from node.reconciling import Answers, reconcile
from node.storage import anchor_store
from node.storage.witnesses import cosignatures_of, last_cosigned
from node.witnesses import (
    WitnessDeclined,
    WitnessJob,
    WitnessUnreachable,
    ask_size,
    ask_witness,
    new_session,
)
from node.witnessing import cosign_checkpoint, ensure_witness_key, witness_key
from primitives.hashing import Digest
from tests.restore_drill.drill import back_up, place_of, quiet, restore
from tests.support.nodes import (
    HandClock,
    client_of,
    copy_home,
    document_of,
    issue,
    make_home_here,
    meddle,
    opened,
    plan,
)

ON_BOTH_STORES = True


def watching(node: Node, *others: Node) -> None:
    """Let a node witness the logs of others, as if it had been started so."""
    logs = " ".join(str(other.vkey) for other in others)
    node.config = replace(node.config, witnessed_logs=logs)
    ensure_witness_key(node)


def key_of(node: Node) -> WitnessKey:
    key = witness_key(node.home, node.config)
    assert key is not None
    return key


@asynccontextmanager
async def served(node: Node) -> AsyncIterator[WitnessPeer]:
    async with TestServer(build_app(node), host="localhost") as server:
        yield WitnessPeer(key_of(node), f"http://localhost:{server.port}/witness")


@dataclass
class Pair:
    own: Node
    other: Node


@pytest.fixture
async def pair(home: Home, tmp_path: Path) -> AsyncIterator[Pair]:
    second = await make_home_here(tmp_path / "other", port=8461)
    async with opened(home) as own, opened(second) as other:
        watching(own, other)
        watching(other, own)
        yield Pair(own, other)


async def log_more(node: Node, count: int) -> int:
    await issue(node, count)
    made = await close_batch(node)
    assert made is not None
    return made.tree_size


async def ask(node: Node, peer: WitnessPeer) -> bool:
    async with new_session() as session:
        return await ask_witness(node, peer, session)


async def lines(node: Node, size: int) -> list[str]:
    async with node.reading() as c:
        return await cosignatures_of(c, size)


async def anchor_check(pair: Pair, uuid: str, threshold: int = 1) -> Check:
    """Judge a credential with its receipt alone, and no chain at all."""
    document = await document_of(pair.own, uuid)
    clock = HandClock()
    gatherer = Gatherer(clock, OwnNode.load(pair.own.home, clock))
    stranger = WitnessKey("w.example/witness", pair.own.vkey.public_key)
    quorum = WitnessQuorum((key_of(pair.other), stranger), threshold)
    receipt = Obtained(await build_receipt(pair.own, uuid), "a file", clock.now())
    evidence = await gatherer.gather(document, receipt=receipt)
    policy = gatherer.policy(Policy(witnesses=quorum))
    return judge(document, evidence, policy, clock.now()).checks[-1]


async def test_two_nodes_cosign_each_other(pair: Pair) -> None:
    for node, witness in ((pair.own, pair.other), (pair.other, pair.own)):
        async with served(witness) as peer:
            for count in (2, 5, 300):
                size = await log_more(node, count)
                assert await ask(node, peer) is True
                assert await ask(node, peer) is False
                (line,) = await lines(node, size)
                assert line.startswith(f"\u2014 {peer.key.name} ")


async def test_the_published_checkpoint_carries_the_cosignatures(pair: Pair) -> None:
    file = log_file(pair.own.home, "checkpoint")
    size = await log_more(pair.own, 2)
    alone = file.read_text(encoding="utf-8")
    async with served(pair.other) as peer:
        await ask(pair.own, peer)
        (line,) = await lines(pair.own, size)
        assert file.read_text(encoding="utf-8") == f"{alone}{line}\n"
        assert open_checkpoint(alone + line + "\n", pair.own.vkey).tree_size == size
        # The next one begins without: nobody has cosigned it yet.
        await log_more(pair.own, 5)
        assert len(SignedNote.parse(file.read_text(encoding="utf-8")).signatures) == 1


async def test_what_a_crash_kept_from_being_published_is_published_next_time(
    pair: Pair,
) -> None:
    file = log_file(pair.own.home, "checkpoint")
    await log_more(pair.own, 2)
    alone = file.read_bytes()
    async with served(pair.other) as peer:
        await ask(pair.own, peer)
    whole = file.read_bytes()
    file.write_bytes(alone)
    assert await close_batch(pair.own) is None
    assert file.read_bytes() == whole


async def test_never_publishes_over_another_root_of_one_size(pair: Pair) -> None:
    file = log_file(pair.own.home, "checkpoint")
    size = await log_more(pair.own, 2)
    other = Checkpoint(pair.own.config.log_name, size, Digest(bytes(32)))
    forked = sign_checkpoint(other, pair.own.signer(LOG_KEY))
    file.write_text(forked, encoding="utf-8")
    with pytest.raises(LogCorrupt, match=f"has the root {bytes(32).hex()}"):
        await close_batch(pair.own)
    assert file.read_text(encoding="utf-8") == forked


async def test_a_receipt_carries_the_cosignatures_and_shows_time_without_a_chain(
    pair: Pair,
) -> None:
    (uuid,) = (await issue(pair.own, 1)).issued
    await close_batch(pair.own)
    with pytest.raises(NotYetAnchored):
        await build_receipt(pair.own, uuid)
    async with served(pair.other) as peer:
        await ask(pair.own, peer)
    receipt = await build_receipt(pair.own, uuid)
    assert receipt.anchors == ()
    assert type(receipt).parse(receipt.to_json()) == receipt
    note = receipt.tlog_proof.checkpoint
    assert require_witnesses(note, WitnessQuorum((peer.key,), 1)).count == 1
    found = await anchor_check(pair, uuid)
    assert found.result.value == "passed", found
    assert found.detail == (
        "in the log localhost:8460/log, witnessed by 1 of 2 at 2026-03-02T08:00:00Z"
    )
    few = await anchor_check(pair, uuid, threshold=2)
    assert (few.result.value, few.code) == ("undetermined", "witnesses-too-few")


async def test_what_was_cosigned_is_stored_before_the_answer_and_outlives_a_restart(
    home: Home, tmp_path: Path
) -> None:
    second = await make_home_here(tmp_path / "other", port=8461)
    async with opened(home) as own, opened(second) as other:
        watching(other, own)
        size = await log_more(own, 2)
        async with served(other) as peer:
            await ask(own, peer)
            # The log is set back to before that, and grows another way.
            await own.engine.dispose()
            copy = copy_home(home, tmp_path / "copy")
        key = key_of(other)
    meddle(copy, "DELETE FROM cosignatures")
    meddle(copy, "DELETE FROM checkpoints")
    meddle(copy, "UPDATE entries SET leaf_index = NULL, subject = subject || '-'")
    meddle(copy, "UPDATE entries SET digest = ? WHERE kind = 1", bytes(32))
    (copy.public / "log" / "checkpoint").unlink()
    async with opened(copy) as forked, opened(second) as other:
        watching(other, forked)
        assert key_of(other) == key
        assert await log_more(forked, 6) > size
        async with served(other) as peer:
            with pytest.raises(WitnessDeclined, match="status 422"):
                await ask(forked, peer)
        async with other.reading() as c:
            last = await last_cosigned(c, forked.config.log_name)
    assert last is not None
    assert last.tree_size == size


async def test_an_answer_that_was_lost_is_asked_for_again(pair: Pair) -> None:
    async with served(pair.other) as peer:
        await log_more(pair.own, 2)
        await ask(pair.own, peer)
        size = await log_more(pair.own, 4)
        await ask(pair.own, peer)
        meddle(pair.own.home, "DELETE FROM cosignatures")
        # 409, with the size that the witness knows; then a proof from there.
        assert await ask(pair.own, peer) is True
        assert len(await lines(pair.own, size)) == 1


async def test_of_two_racing_requests_one_is_cosigned(pair: Pair) -> None:
    await log_more(pair.own, 2)
    async with pair.own.reading() as c:
        first = await anchor_store.latest_checkpoint(c)
    await log_more(pair.own, 4)
    async with pair.own.reading() as c:
        second = await anchor_store.latest_checkpoint(c)
    assert first is not None
    assert second is not None
    asked = [bytes(AddCheckpoint(0, (), k.note)) for k in (first, second)]
    answers = await asyncio.gather(
        *(cosign_checkpoint(pair.other, raw) for raw in asked), return_exceptions=True
    )
    kinds = sorted(type(answer).__name__ for answer in answers)
    assert kinds == ["WitnessConflict", "str"]


async def test_a_witness_shows_a_restored_copy_how_far_it_is_behind(
    pair: Pair, tmp_path: Path
) -> None:
    await log_more(pair.own, 2)
    raw = await back_up(pair.own)
    newest = await log_more(pair.own, 5)
    copy = await restore(raw, tmp_path / "copy", HandClock())
    async with (
        served(pair.other) as peer,
        new_session() as session,
        client_of(pair.own) as mirror,
        opened(copy) as again,
    ):
        assert await ask_witness(pair.own, peer, session)
        size = await ask_size(again, peer, session)
        assert size == newest
        told = ((peer.key.name, size),)
        with pytest.raises(RestoreBehindPublished, match=f"has cosigned {newest} leaves"):
            await reconcile(again, Answers(sizes=told), quiet)
        with pytest.raises(RestoreBehindPublished):
            await log_more(again, 5)
        place = place_of(mirror, again.config.base_url)
        said = Answers(place, (await place.head(again.vkey),), sizes=told)
        assert (await reconcile(again, said, quiet)).published == newest
        # It goes on from there, and the witness cosigns what it signs now.
        assert await log_more(again, 9) > newest
        assert await ask_witness(again, peer, session)


async def post(peer: WitnessPeer, raw: bytes) -> tuple[int, str, str]:
    async with (
        new_session() as session,
        session.post(f"{peer.url}/add-checkpoint", data=raw) as response,
    ):
        return response.status, response.content_type, await response.text()


async def test_the_statuses_are_those_of_the_standard(pair: Pair) -> None:
    size = await log_more(pair.own, 2)
    async with pair.own.reading() as c:
        stored = await anchor_store.latest_checkpoint(c)
    assert stored is not None
    good = bytes(AddCheckpoint(0, (), stored.note))
    async with served(pair.other) as peer:
        unsigned = good.replace(b"\n%d\n" % size, b"\n%d\n" % (size + 1))
        assert (await post(peer, b"old x"))[0] == 400
        assert (await post(peer, unsigned))[0] == 403
        unknown = good.replace(b"localhost:8460/log", b"localhost:9999/log")
        assert (await post(peer, unknown))[0] == 404
        conflict = await post(peer, good.replace(b"old 0", b"old 1"))
        assert conflict == (409, "text/x.tlog.size", "0\n")
        status, kind, text = await post(peer, good)
        assert (status, kind) == (200, "text/plain")
        assert text.endswith("\n")
        assert SignedNote.parse(stored.note + text).signatures[-1].name == peer.key.name
        assert await post(peer, good) == (409, "text/x.tlog.size", f"{size}\n")
        large = await post(peer, b"old 0\n\n" + b"x" * 80_000)
        assert large[0] == 413


async def test_a_log_that_is_not_watched_is_not_cosigned(pair: Pair) -> None:
    await log_more(pair.own, 1)
    async with served(pair.other) as peer:
        watching(pair.other, pair.other)
        with pytest.raises(WitnessDeclined, match="status 404"):
            await ask(pair.own, peer)


async def test_an_answer_that_is_no_cosignature_is_not_kept(pair: Pair) -> None:
    size = await log_more(pair.own, 1)
    async with served(pair.other) as peer:
        mistaken = replace(peer, key=WitnessKey("x.example/w", peer.key.public_key))
        with pytest.raises(WitnessUnreachable, match=r"found no line by x\.example/w"):
            await ask(pair.own, mistaken)
    assert await lines(pair.own, size) == []
    gone = replace(peer, url="http://localhost:9/witness")
    with pytest.raises(WitnessUnreachable):
        await ask(pair.own, gone)


async def test_the_job_asks_until_it_is_answered(pair: Pair) -> None:
    size = await log_more(pair.own, 1)
    async with served(pair.other) as peer:
        pair.own.config = replace(pair.own.config, witnesses=f"{peer.key}@{peer.url}")
        assert pair.own.config.peers == (peer,)
        job = asyncio.create_task(WitnessJob(pair.own).run())
        try:
            for _ in range(500):
                if await lines(pair.own, size):
                    break
                await asyncio.sleep(0.02)
        finally:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)
    assert len(await lines(pair.own, size)) == 1


VKEY = "w.example/witness+0ca6c2da+BMqTrBcFGHBx1nuDx/8O/oEI6OxFMFdddyaHkzPb2r58"
LOG = "school.example/log+ba324001+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"witnesses": LOG}, "want vkey@https"),
        ({"witnesses": f"{LOG}@https://w.example"}, "of algorithm 01"),
        ({"witnesses": f"{VKEY}@ftp://w.example"}, "want vkey@https"),
        ({"witnessed_logs": "school.example/log"}, "of algorithm none"),
        ({"witnessed_logs": f"{LOG} {LOG}"}, "found 2 logs with 1 names"),
        ({"ipfs_api": "http://127.0.0.1:5001/api/v0"}, "want http://127.0.0.1:5001"),
    ],
)
def test_peers_of_another_form_are_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        plan(**changes)


@pytest.mark.parametrize("host", ["0.0.0.0", "ipfs.example", "10.0.0.7", "kubo"])
def test_an_exposed_rpc_of_kubo_is_refused(host: str) -> None:
    with pytest.raises(IpfsApiExposed) as caught:
        plan(ipfs_api=f"http://{host}:5001")
    assert caught.value.code == "ipfs-api-exposed"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_the_rpc_of_kubo_may_be_on_loopback(host: str) -> None:
    assert isinstance(plan(ipfs_api=f"http://{host}:5001"), Config)
