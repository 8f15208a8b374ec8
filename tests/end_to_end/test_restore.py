"""A node is lost after its backup; its chain and a mirror know more than the backup."""

import asyncio
import json
from pathlib import Path

from anchoring.record import digest_cid
from node.config_tables import ChainConfig
from node.home import Home
from node.log_reading import LATEST, read_record
from node.node import Node
from primitives.clock import SystemClock
from primitives.hashing import Digest
from tests.end_to_end.test_move import fund
from tests.support.anvil import running_anvil
from tests.support.command_line import assert_refused, create_home, issue, run, run_json
from tests.support.nodes import query

CHAIN = 424_244


async def test_the_chain_shows_what_is_missing_and_a_mirror_has_it(tmp_path: Path) -> None:
    async with running_anvil("--chain-id", str(CHAIN)) as url:
        place = ChainConfig(url=url, confirmations=1, final_depth=1, poll_seconds=1)
        home = await asyncio.to_thread(create_home, tmp_path / "home", chain=place)
        await fund(home, url)
        await asyncio.to_thread(_play, home, tmp_path)


def _play(home: Home, folder: Path) -> None:
    contract = run_json("chain", "deploy", home=home.root)["contract"]
    run("chain", "register", contract, home=home.root)
    issue(home, folder, rows=2)
    run_json("anchor", "now", home=home.root)
    run_json("backup", folder / "b", home=home.root)
    issue(home, folder, rows=5)
    run_json("anchor", "now", home=home.root)
    last = query(home, "SELECT tree_size, record_digest FROM checkpoints ORDER BY 1 DESC")[
        0
    ]
    anchored = run_json("anchor", "status", home=home.root)

    restored = folder / "restored"
    run_json("restore", folder / "b", restored)
    alone = run("reconcile", home=restored)
    assert_refused(alone, "restore-behind-published", exit_code=4)
    assert f"anchors the record {last[1].hex()}" in alone.stderr
    note = folder / "kept"
    note.write_bytes((home.public / "log" / "checkpoint").read_bytes())
    shown = run("reconcile", "--checkpoint", note, home=restored)
    assert_refused(shown, "restore-behind-published", exit_code=4)
    assert f"kept shows a checkpoint of {last[0]} leaves" in shown.stderr
    bare = run("reconcile", "--folder", home.public, home=restored)
    assert_refused(bare, "published-log-incomplete", exit_code=3)
    assert "found no log/records/latest" in bare.stderr

    asyncio.run(_mirror(home))
    found = run_json("reconcile", "--folder", home.public, home=restored)
    assert (found["published"], found["lost"], found["lists"]) == (last[0], 3, 0)
    # It goes on: a longer log, another transaction, under a nonce of its own.
    assert run("issue", "--template", *_learners(folder), home=restored).exit_code == 0
    run_json("anchor", "now", home=restored)
    after = run_json("anchor", "status", home=restored)
    assert after["anchored"] is True
    assert after["treeSize"] > anchored["treeSize"]
    nonces = query(Home(restored), "SELECT nonce FROM transactions")
    assert len(set(nonces)) == len(nonces)
    fsck = run("fsck", "--json", home=restored)
    codes = {problem["code"] for problem in json.loads(fsck.stdout)["problems"]}
    assert codes == {"document-missing"}


def _learners(folder: Path) -> tuple[str, Path]:
    return "als-lifeskills-communication", folder / "learners.csv"


async def _mirror(home: Home) -> None:
    """Put beside the static files what a mirror also has: the records."""
    async with Node.open(home, SystemClock()) as node:
        latest = await read_record(node, LATEST)
        records = home.public / "log" / "records"
        records.mkdir()
        (records / LATEST).write_text(json.dumps(latest.to_json()))
        for (digest,) in query(home, "SELECT record_digest FROM checkpoints"):
            cid = digest_cid(Digest(digest))
            one = await read_record(node, cid)
            (records / cid).write_text(json.dumps(one.to_json()))
