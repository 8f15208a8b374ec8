"""`patunay serve`, `anchor`, `chain`, `receipt`, `fsck` and `verify --rpc`."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import to_checksum_address

from anchoring.evm_rpc import HttpRpc
from node.config_tables import ChainConfig
from node.home import Home
from node.node import EVM_KEY, Node
from node.storage.ledger import has_request
from primitives.clock import SystemClock
from tests.support.anvil import running_anvil
from tests.support.command_line import (
    PASSPHRASE,
    assert_refused,
    create_home,
    issue,
    run,
    run_json,
    web_server,
)

CHAIN_ID = 424_242
"""No development chain by its number, so that its blocks count as evidence."""


@contextmanager
def daemon(home: Home, *arguments: str) -> Iterator[str]:
    """Run `patunay serve` beside this process; give its address; stop it with Ctrl-C."""
    running = subprocess.Popen(
        [
            *(sys.executable, "-c", "from cli.main import main; main()"),
            *("--data-dir", str(home.root), "serve", "--port", "0", *arguments),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PATUNAY_PASSPHRASE": PASSPHRASE,
            "PATUNAY_LOG_LEVEL": "error",
        },
    )
    assert running.stdout is not None
    assert running.stderr is not None
    try:
        url = running.stdout.readline().strip()
        assert url.startswith("http://localhost:"), running.stderr.read()
        yield url
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 0
        assert running.stderr.read() == "patunay: ready; stop with Ctrl-C\n"
    finally:
        running.kill()
        running.wait()
        running.stdout.close()
        running.stderr.close()


def test_from_issuing_to_a_receipt_beside_the_daemon(home: Home, tmp_path: Path) -> None:
    name = min(home.issued.iterdir()).stem
    told = run("anchor", "status", home=home.root).stdout
    assert "state     nothing-anchored: no batch has been closed yet\n" in told
    assert "waiting   5 entries since 2" in told
    waiting = run("receipt", name, home=home.root)
    assert_refused(waiting, "not-yet-anchored", exit_code=3)
    with daemon(home):
        found = run_json("anchor", "now", "--timeout", "60", home=home.root)
        assert found["anchored"] is True
        assert (found["waiting"], found["treeSize"], found["daemon"]) == (0, 5, True)
        assert run_json("fsck", home=home.root)["anchors"] == 1
        # Its own receipt is found in the store that the daemon uses.
        own = run_json("verify", home.issued / f"{name}.json", home=home.root)
        assert own["outcome"] == "valid"
        assert own["checks"][-1]["code"] == "no-time-evidence"
        second = run("serve", home=home.root)
        assert_refused(second, "storage-locked", exit_code=4)

    receipt = run_json("receipt", f"urn:uuid:{name}", home=home.root)
    assert receipt["anchors"][0]["transaction"] == found["transaction"]
    assert run("receipt", name, "-o", tmp_path / "r", home=home.root).stdout == ""
    assert json.loads((tmp_path / "r").read_bytes()) == receipt
    text = run("receipt", name, "--text", home=home.root).stdout_bytes
    assert text.decode() == receipt["tlogProof"]

    report = run_json(
        *("verify", home.issued / f"{name}.json", "--receipt", tmp_path / "r"),
        home=home.root,
    )
    assert report["checks"][-1]["code"] == "no-time-evidence"


def test_the_development_chain_needs_the_daemon(home: Home) -> None:
    result = run("anchor", "now", home=home.root)
    assert_refused(result, "dev-chain-needs-daemon", exit_code=4)


def test_a_daemon_that_does_not_get_there_in_time_keeps_the_request(home: Home) -> None:
    async def asked() -> bool:
        async with Node.open(home, SystemClock()) as node, node.reading() as c:
            return await has_request(c, "anchor-now")

    with home.hold():
        result = run("anchor", "now", "--timeout", "1", home=home.root)
    assert_refused(result, "anchor-timeout", exit_code=3)
    assert asyncio.run(asked())


def test_a_port_that_is_taken_is_named(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [
                *(sys.executable, "-c", "from cli.main import main; main()"),
                *("--data-dir", str(home.root), "serve", "--port", port),
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "PATUNAY_PASSPHRASE": PASSPHRASE},
            check=False,
        )
    assert "(port-busy)" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 4


@pytest.mark.parametrize("command", [("serve",), ("issuer", "add", "x", "--name", "X")])
def test_a_wrong_passphrase_is_refused(home: Home, command: tuple[str, ...]) -> None:
    result = run(*command, home=home.root, passphrase="guess")
    assert_refused(result, "key-unlock-failed", exit_code=4)


@pytest.mark.parametrize(
    ("name", "code", "exit_code"),
    [
        ("diploma", "credential-id-malformed", 2),
        ("00000000-0000-4000-8000-000000000000", "credential-unknown", 1),
    ],
)
def test_a_receipt_of_nothing_is_refused(
    shared_home: Home, name: str, code: str, exit_code: int
) -> None:
    result = run("receipt", name, home=shared_home.root)
    assert result.stderr.splitlines()[0].endswith(f"({code})")
    assert result.exit_code == exit_code


def test_fsck_finds_nothing_wrong_in_a_sound_node(shared_home: Home) -> None:
    result = run("fsck", home=shared_home.root)
    assert result.exit_code == 0
    assert "0 wrong, 0 unknown" in result.stdout


def test_a_chain_without_contract_or_url_is_named(home: Home) -> None:
    result = run("chain", "deploy", home=home.root)
    assert_refused(result, "dev-chain-has-contract", exit_code=4)


def test_an_endpoint_that_does_not_answer_leaves_it_open(home: Home) -> None:
    result = run("chain", "deploy", "--chain", "http://127.0.0.1:9", home=home.root)
    assert_refused(result, "anchor-unreachable", exit_code=3)


def set_poll(home: Home) -> None:
    text = home.config_file.read_text(encoding="utf-8")
    home.config_file.write_text(text.replace("= 4\n", "= 1\n"), encoding="utf-8")


async def call(url: str, method: str, *params: Any) -> None:
    rpc = HttpRpc(url, timeout_seconds=10)
    await rpc.make_request(method, list(params))  # type: ignore[arg-type]
    await rpc.disconnect()


async def test_from_a_contract_to_evidence_of_time_on_a_public_chain(
    tmp_path: Path,
) -> None:
    async with running_anvil("--chain-id", str(CHAIN_ID)) as url:
        with web_server(tmp_path / "home" / "public") as port:
            home = await asyncio.to_thread(
                create_home, tmp_path / "home", port, chain=ChainConfig(url=url)
            )
            account = home.keystore().entry(EVM_KEY).public
            await call(url, "anvil_setBalance", account, hex(10**18))
            await asyncio.to_thread(anchor_and_verify, home, tmp_path, url)


def register_and_price(home: Home, contract: str) -> tuple[int, int]:
    """Use a contract; return the balance, and the most that an anchor costs."""
    chain = contract.rpartition(":")[0]
    for wrong, code, exit_code in (
        ("the one on Sepolia", "anchor-contract-malformed", 4),
        (f"{chain}:0x{'00' * 19}01", "anchor-backend-mismatch", 1),
        (contract.replace(chain, "eip155:1"), "anchor-backend-mismatch", 1),
    ):
        refused = run("chain", "register", wrong, home=home.root)
        assert_refused(refused, code, exit_code=exit_code)
    assert run_json("chain", "register", contract, home=home.root)["contract"] == contract
    act = run_json("audit-log", "show", home=home.root)["entries"][-1]
    assert (act["action"], act["objects"]) == ("settings", [f"contract:{contract}"])
    assert home.config().chain.contract == contract
    balance = int(run_json("chain", "balance", home=home.root)["wei"])
    assert 9 * 10**17 < balance < 10**18
    cost = run_json("anchor", "estimate", home=home.root)
    assert 22_280 <= cost["gas"] <= 23_394  # 1.05 times the floor
    most, each = int(cost["costWei"]), cost["perCredentialWei"]
    assert int(each["1000"]) == most // 1_000
    assert int(each["10000"]) == most // 10_000
    return balance, most


def anchor_and_verify(home: Home, folder: Path, url: str) -> None:
    refused = run("anchor", "now", home=home.root)
    assert_refused(refused, "config-invalid", exit_code=4)

    contract = run_json("chain", "deploy", home=home.root)["contract"]
    chain, _, address = contract.rpartition(":")
    assert chain == f"eip155:{CHAIN_ID}"
    assert to_checksum_address(address) == address
    before, most = register_and_price(home, contract)
    set_poll(home)

    file = issue(home, folder, rows=2)[0]
    found = run_json("anchor", "now", home=home.root)
    assert found["anchored"] is True
    assert found["contract"] == contract
    assert (found["trouble"], found["attempts"]) == (None, 1)
    paid = before - int(run_json("chain", "balance", home=home.root)["wei"])
    assert 0 < paid <= most
    assert run_json("fsck", home=home.root)["anchorsUnchecked"] == 0

    # A stranger is pointed to the receipt by the DID document, and asks the chain.
    receipt = home.public / "credentials" / file.stem / "receipt"
    receipt.parent.mkdir(parents=True)
    run("receipt", file.stem, "-o", receipt, home=home.root)
    options = ("--allow-loopback", "--rpc", url)
    anchor = run_json("verify", file, *options)["checks"][-1]
    assert anchor["result"] == "passed", anchor
    assert found["blockTime"] in anchor["detail"]
    assert anchor["source"] == chain

    # What the receipt says of the chain is not believed.
    claim = json.loads(receipt.read_bytes())
    claim["anchors"][0]["timestamp"] = "2001-01-01T00:00:00Z"
    (folder / "forged.json").write_text(json.dumps(claim), encoding="utf-8")
    arguments = ("verify", file, "--receipt", folder / "forged.json", *options)
    anchor = run_json(*arguments)["checks"][-1]
    assert (anchor["result"], anchor["code"]) == ("undetermined", "anchor-refused")

    # A contract that the policy accepts cannot borrow the event of one that it does not.
    other = re.sub("0x[0-9a-fA-F]{40}", "0x" + "00" * 19 + "01", contract)
    claim = json.loads(receipt.read_bytes())
    claim["anchors"].append({**claim["anchors"][0], "contract": other})
    (folder / "borrowed.json").write_text(json.dumps(claim), encoding="utf-8")
    policy = {
        "version": 1,
        "required": ["proof", "issuer-key", "anchor"],
        "contracts": [other],
    }
    (folder / "policy.json").write_text(json.dumps(policy), encoding="utf-8")
    arguments = ("verify", file, "--receipt", folder / "borrowed.json", *options)
    report = run_json(*arguments, "--policy", folder / "policy.json", code=3)
    assert report["checks"][-1]["code"] == "anchor-refused"
