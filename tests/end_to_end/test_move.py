"""The chain of a node ends; the log goes on on another."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anchoring.evm_rpc import HttpRpc
from node.config_tables import ChainConfig
from node.home import Home
from node.node import EVM_KEY
from tests.support.anvil import running_anvil
from tests.support.command_line import (
    assert_refused,
    create_home,
    issue,
    run,
    run_json,
    web_server,
)

OLD, NEW = 424_242, 424_243
"""No development chains by their numbers, so that their blocks count as evidence."""


async def fund(home: Home, url: str) -> None:
    rpc = HttpRpc(url, timeout_seconds=10)
    account = home.keystore().entry(EVM_KEY).public
    answer = await rpc.make_request("anvil_setBalance", [account, hex(10**18)])  # type: ignore[arg-type]
    assert "error" not in answer
    await rpc.disconnect()


async def test_after_a_move_old_and_new_credentials_verify_against_the_new_chain(
    tmp_path: Path,
) -> None:
    with web_server(tmp_path / "home" / "public") as port:
        async with running_anvil("--chain-id", str(OLD)) as url:
            place = ChainConfig(url=url, poll_seconds=1)
            home = await asyncio.to_thread(
                create_home, tmp_path / "home", port, chain=place
            )
            await fund(home, url)
            old_contract, old = await asyncio.to_thread(begin, home, tmp_path)
            same = await asyncio.to_thread(
                run, "anchor", "move", "--chain", url, home=home.root
            )
            assert_refused(same, "chain-not-new", exit_code=4)
        async with running_anvil("--chain-id", str(NEW)) as url:
            await asyncio.to_thread(refuse, home, url)
            await fund(home, url)
            moved = await asyncio.to_thread(
                run_json, "anchor", "move", "--chain", url, home=home.root
            )
            assert moved["before"] == old_contract
            assert moved["contract"].startswith(f"eip155:{NEW}:0x")
            await asyncio.to_thread(go_on, home, tmp_path, url, (old_contract, moved), old)


def begin(home: Home, folder: Path) -> tuple[str, Sequence[Path]]:
    """Anchor on the first chain, with one more that is left waiting."""
    contract = run_json("chain", "deploy", home=home.root)["contract"]
    run("chain", "register", contract, home=home.root)
    anchored = issue(home, folder, rows=2)[0]
    run_json("anchor", "now", home=home.root)
    waiting = set(issue(home, folder, rows=3)) - {anchored}
    return contract, (anchored, *sorted(waiting)[:1])


def refuse(home: Home, url: str) -> None:
    """Nothing has changed where the new chain does not take the account or contract."""
    before = home.config_file.read_bytes()
    broke = run("anchor", "move", "--chain", url, home=home.root)
    assert_refused(broke, "anchor-insufficient-funds", exit_code=1)
    nothing = f"eip155:{NEW}:0x{'00' * 19}01"
    arguments = ("anchor", "move", "--chain", url, "--contract", nothing)
    refused = run(*arguments, home=home.root)
    assert_refused(refused, "anchor-backend-mismatch", exit_code=1)
    with home.hold():
        held = run("anchor", "move", "--chain", url, home=home.root)
    assert_refused(held, "storage-locked", exit_code=4)
    assert home.config_file.read_bytes() == before


def go_on(
    home: Home,
    folder: Path,
    url: str,
    contracts: tuple[str, dict[str, Any]],
    old: Sequence[Path],
) -> None:
    old_contract, moved = contracts
    new_contract = moved["contract"]
    chain = home.config().chain
    assert (chain.url, chain.contract, chain.poll_seconds) == (url, new_contract, 1)
    status = run_json("anchor", "status", home=home.root)
    assert (status["contract"], status["anchored"]) == (new_contract, True)
    document = json.loads((home.public / ".well-known" / "did.json").read_bytes())
    (service,) = document["service"]
    listed = [anchor["contract"] for anchor in service["serviceEndpoint"]["anchors"]]
    assert listed == [old_contract, new_contract]

    before = set(home.issued.iterdir())
    recent = min(set(issue(home, folder, rows=5)) - before)
    run_json("anchor", "now", home=home.root)
    policy = {
        "version": 1,
        "required": ["proof", "issuer-key", "anchor"],
        "contracts": [old_contract, new_contract],
    }
    (folder / "policy.json").write_text(json.dumps(policy), encoding="utf-8")
    for file in (*old, recent):
        receipt = home.public / "credentials" / file.stem / "receipt"
        receipt.parent.mkdir(parents=True)
        run("receipt", file.stem, "-o", receipt, home=home.root)
        found = run_json(
            *("verify", file, "--allow-loopback", "--rpc", url),
            *("--policy", folder / "policy.json"),
        )
        anchor = found["checks"][-1]
        assert (anchor["result"], anchor["source"]) == ("passed", f"eip155:{NEW}"), anchor

    # What the first chain showed is still there for whoever believes it.
    first = run_json("receipt", old[0].stem, "--chain", f"eip155:{OLD}", home=home.root)
    assert [anchor["contract"] for anchor in first["anchors"]] == [old_contract]
    never = run("receipt", recent.stem, "--chain", f"eip155:{OLD}", home=home.root)
    assert_refused(never, "not-yet-anchored", exit_code=3)
    told = run("fsck", home=home.root)
    assert told.exit_code == 0
    assert "1 anchors were not looked up on their chain" in told.stderr
