"""A daemon that starts without its passphrase, and gets it while it runs."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import pytest

from did.keystore import KeyUnlockFailed
from node.anchor_request import ANCHOR_NOW
from node.home import Home
from node.issuance import issue_document
from node.node import Node
from node.storage import ledger
from node.unsealing import (
    SOCKET_NAME,
    NotSealed,
    UnsealRefused,
    accepting_passphrase,
    send_passphrase,
)
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from tests.support.api import problem_of
from tests.support.command_line import assert_refused, run, run_json
from tests.support.nodes import PASSPHRASE, client_of, make_home_here, opened, query

UNSIGNED: JsonObject = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "did:web:localhost%3A8460",
    "credentialSubject": {"id": "did:example:learner"},
}


@contextmanager
def sealed_daemon(home: Home, *arguments: str) -> Iterator[str]:
    """Run `patunay serve`, with nobody to type and no passphrase; give its address."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PATUNAY_")}
    running = subprocess.Popen(
        [
            *(sys.executable, "-c", "from cli.main import main; main()"),
            *("--data-dir", str(home.root), "serve", "--port", "0", *arguments),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**kept, "PATUNAY_LOG_LEVEL": "error"},
    )
    try:
        assert running.stdout is not None
        yield running.stdout.readline().strip()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
        assert running.returncode == 0
        assert err.splitlines() == [
            "patunay: sealed: verifies and serves its files; `patunay unseal` lets it sign",
            "patunay: ready; stop with Ctrl-C",
        ]
    finally:
        running.kill()
        running.communicate()


async def health(url: str) -> dict[str, object]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/healthz") as found:
        assert found.status == 200
        return dict(await found.json())


async def settled(url: str, home: Home) -> None:
    """Wait until the daemon has anchored."""
    for _ in range(200):
        if (await health(url))["anchor"] == "final":
            return
        await asyncio.sleep(0.1)
    raise AssertionError(query(home, "SELECT reference, state FROM transactions"))


async def test_a_sealed_daemon_verifies_and_waits_and_is_unsealed_without_restart(
    tmp_path: Path,
) -> None:
    # Longer than a socket's address may be.
    home = await make_home_here(tmp_path / ("long" * 25), SystemClock())
    async with opened(home, SystemClock()) as node:
        signed = await issue_document(node, UNSIGNED, None)
        async with node.writing() as c:
            await ledger.save_request(c, ANCHOR_NOW, node.now())
    made = await asyncio.to_thread(
        run_json, "token", "create", "sis", "--role", "signer", home=home.root
    )
    headers = {"Authorization": f"Bearer {made['token']}"}
    with sealed_daemon(home) as url:
        assert (await health(url))["sealed"] is True
        async with aiohttp.ClientSession(url) as session:
            found = await session.post("/credentials/verify", json=signed)
            assert found.status == 200
            assert (await session.get("/.well-known/did.json")).status == 200
            body = {"credential": UNSIGNED}
            found = await session.post("/credentials/issue", json=body, headers=headers)
            assert (await problem_of(found, 503))["code"] == "node-sealed"
            assert found.headers["Retry-After"] == "30"
            assert (await health(url))["anchor"] == "none"

            now = await asyncio.to_thread(run, "anchor", "now", home=home.root)
            assert_refused(now, "node-sealed", exit_code=4)
            wrong = await asyncio.to_thread(
                run, "unseal", home=home.root, passphrase="guess"
            )
            assert_refused(wrong, "key-unlock-failed", exit_code=4)
            assert (await health(url))["sealed"] is True
            right = await asyncio.to_thread(
                run, "unseal", home=home.root, passphrase=PASSPHRASE.decode()
            )
            assert right.stdout == "unsealed\n"
            assert (await health(url))["sealed"] is False
            found = await session.post("/credentials/issue", json=body, headers=headers)
            assert found.status == 201
            again = await asyncio.to_thread(
                run, "unseal", home=home.root, passphrase=PASSPHRASE.decode()
            )
            assert_refused(again, "daemon-not-sealed", exit_code=4)
        await settled(url, home)
    assert not (home.root / SOCKET_NAME).exists()


@asynccontextmanager
async def sealed_node(tmp_path: Path) -> AsyncIterator[tuple[Node, asyncio.Event]]:
    home = await make_home_here(tmp_path / "node")
    async with opened(home, sealed=True) as node, accepting_passphrase(node) as unsealed:
        yield node, unsealed


async def test_only_the_nodes_own_user_can_reach_the_socket(tmp_path: Path) -> None:
    async with sealed_node(tmp_path) as (node, _):
        mode = (node.home.root / SOCKET_NAME).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600


async def test_a_wrong_passphrase_leaves_the_node_sealed(tmp_path: Path) -> None:
    async with sealed_node(tmp_path) as (node, unsealed):
        for wrong in (b"guess", b"", b"x" * 5_000):
            with pytest.raises(UnsealRefused, match="found key-unlock-failed"):
                await asyncio.to_thread(send_passphrase, node.home, wrong)
        assert node.unlocked is None
        assert not unsealed.is_set()
        await asyncio.to_thread(send_passphrase, node.home, PASSPHRASE)
        await asyncio.wait_for(unsealed.wait(), 5)
        assert node.signer("log").public_key


async def test_one_who_says_nothing_holds_nobody_up_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.unsealing.READ_SECONDS", 0.2)
    async with sealed_node(tmp_path) as (node, _):
        with socket.socket(socket.AF_UNIX) as silent:
            monkeypatch.chdir(node.home.root)
            silent.connect(SOCKET_NAME)
            await asyncio.to_thread(send_passphrase, node.home, PASSPHRASE)
        assert node.unlocked is not None


async def test_a_socket_that_a_crash_has_left_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await make_home_here(tmp_path / "node")
    with pytest.raises(NotSealed):
        send_passphrase(home, PASSPHRASE)
    with socket.socket(socket.AF_UNIX) as left:
        monkeypatch.chdir(home.root)
        left.bind(SOCKET_NAME)
    with pytest.raises(NotSealed):
        send_passphrase(home, PASSPHRASE)
    async with opened(home, sealed=True) as node, accepting_passphrase(node) as unsealed:
        await asyncio.to_thread(send_passphrase, home, PASSPHRASE)
        await asyncio.wait_for(unsealed.wait(), 5)


async def test_unsealing_with_a_wrong_passphrase_keeps_the_keys_that_are_there(
    tmp_path: Path,
) -> None:
    home = await make_home_here(tmp_path / "node")
    async with opened(home) as node:
        with pytest.raises(KeyUnlockFailed):
            await node.unseal(b"guess")
        assert node.unlocked is not None
        async with client_of(node) as client:
            assert (await (await client.get("/healthz")).json())["sealed"] is False
