import subprocess
import sys

import pytest

from anchoring.entry import EntryKind
from node.home import Home
from node.node import Node
from node.setup import SlugInvalid, add_issuer
from node.storage import ledger
from node.storage.registry import (
    IssuerExists,
    IssuerUnknown,
    TemplateExists,
    TemplateUnknown,
    list_issuers,
    list_templates,
    require_issuer,
    save_template,
)
from node.templates import require_version
from primitives.hashing import sha256
from tests.support.nodes import HandClock, query

ON_BOTH_STORES = True

_ASSIGN = """
import asyncio, sys
from pathlib import Path
from node.home import Home
from node.storage.database import create_engine, locate, transaction
from node.storage.ledger import assign_leaves, enqueue
from anchoring.entry import EntryKind
from primitives.hashing import sha256

async def main():
    name = sys.argv[2]
    home = Home(Path(sys.argv[1]))
    engine = create_engine(locate(home.root, home.config()))
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(60):
        async with transaction(engine) as c:
            subject = f"{name} {n}"
            entry = (EntryKind.CREDENTIAL, sha256(subject.encode()), subject)
            await enqueue(c, [entry], "now")
        async with transaction(engine) as c:
            await assign_leaves(c)
    await engine.dispose()

asyncio.run(main())
"""


def test_two_processes_give_each_place_once(home: Home) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _ASSIGN, str(home.root), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("first", "second")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    # Both are at the line; now let them run.
    for writer in writers:
        writer.communicate("go\n", timeout=60)
        assert writer.returncode == 0
    places = [
        row[0] for row in query(home, "SELECT leaf_index FROM entries ORDER BY leaf_index")
    ]
    assert places == list(range(121))  # the node's own DID document, and 60 of each
    assert len(query(home, "SELECT DISTINCT subject FROM entries")) == 121


async def test_the_queue_keeps_its_order(node: Node) -> None:
    subjects = [f"{n}" for n in range(30)]
    async with node.writing() as c:
        await ledger.enqueue(
            c,
            [(EntryKind.CREDENTIAL, sha256(s.encode()), s) for s in subjects],
            node.now(),
        )
        assert await ledger.queue_state(c) == (31, node.now())
        assert await ledger.assign_leaves(c) == 31
        assert await ledger.assign_leaves(c) == 31
        assert await ledger.queue_state(c) == (0, None)
        found = await ledger.leaves(c, 1, 31)
    assert [subject for _, _, subject in found] == subjects


async def test_asking_twice_is_asking_once(node: Node) -> None:
    async with node.writing() as c:
        await ledger.save_request(c, "a", node.now())
        await ledger.save_request(c, "a", node.now())
        assert await ledger.has_request(c, "a")
        assert await ledger.take_request(c, "a")
        assert not await ledger.has_request(c, "a")
        assert not await ledger.take_request(c, "a")


# Issuers and templates


async def test_the_nodes_own_issuer_comes_first_whatever_the_others_are_called(
    node: Node, clock: HandClock
) -> None:
    await add_issuer(node, "aaa", "Added in the same second")
    clock.advance(-3600)
    await add_issuer(node, "bbb", "Added while the clock was wrong")
    async with node.reading() as c:
        assert [i.slug for i in await list_issuers(c)] == ["main", "bbb", "aaa"]


async def test_a_slug_is_taken_once(node: Node) -> None:
    await add_issuer(node, "sdo-batangas", "One")
    with pytest.raises(IssuerExists, match="'sdo-batangas' is taken"):
        await add_issuer(node, "sdo-batangas", "Two")


@pytest.mark.parametrize("slug", ["", "-a", "A", "a/b", "..", "ñ", "a_b", "a" * 41, "a b"])
async def test_a_slug_that_no_did_can_carry_is_refused(node: Node, slug: str) -> None:
    with pytest.raises(SlugInvalid) as caught:
        await add_issuer(node, slug, "A name")
    assert caught.value.code == "issuer-slug-invalid"


async def test_an_unknown_issuer_is_named(node: Node) -> None:
    async with node.reading() as c:
        with pytest.raises(IssuerUnknown, match="found no issuer 'x'"):
            await require_issuer(c, "x")


async def test_a_published_version_of_a_template_never_changes(node: Node) -> None:
    async with node.writing() as c:
        assert await save_template(c, "t", "1", "{}", node.now())
        assert not await save_template(c, "t", "1", "{}", node.now())
        with pytest.raises(TemplateExists):
            await save_template(c, "t", "1", '{"a":1}', node.now())
        assert await save_template(c, "t", "2", '{"a":1}', node.now())
        assert (await require_version(c, "t")).body == '{"a":1}'
        assert (await require_version(c, "t", "1")).body == "{}"
        assert [row[:2] for row in await list_templates(c)] == [("t", "1"), ("t", "2")]
        with pytest.raises(TemplateUnknown):
            await require_version(c, "u")
