"""`patunay anchor export`, and IPFS in `patunay anchor status`."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from anchoring.car import parse_car
from anchoring.record import parse_record
from node.home import Home
from node.logbook import close_batch
from node.node import Node
from primitives.clock import SystemClock
from tests.support.command_line import (
    PASSPHRASE,
    TEMPLATE_ID,
    assert_refused,
    learners,
    run,
    run_json,
)
from tests.support.kubo import new_kubo
from tests.support.nodes import free_port


def close(home: Home) -> None:
    async def sign() -> None:
        async with Node.open(home, SystemClock(), PASSPHRASE.encode()) as node:
            assert await close_batch(node) is not None

    asyncio.run(sign())


def issue_more(home: Home, folder: Path) -> None:
    file = folder / "more.csv"
    file.write_text(learners(6), encoding="utf-8")
    result = run("issue", "--template", TEMPLATE_ID, file, home=home.root)
    assert result.exit_code == 0, result.output


def set_api(home: Home, url: str) -> None:
    text = home.config_file.read_text(encoding="utf-8")
    changed = text.replace('ipfs_api = ""', f'ipfs_api = "{url}"')
    assert changed != text
    home.config_file.write_text(changed, encoding="utf-8")


def test_there_is_nothing_to_export_before_the_first_record(home: Home) -> None:
    result = run("anchor", "export", home=home.root)
    assert_refused(result, "nothing-anchored", exit_code=3)


def test_export_writes_the_record_and_all_that_it_pins(home: Home, tmp_path: Path) -> None:
    close(home)
    file = tmp_path / "record.car"
    told = run_json("anchor", "export", "-o", file, home=home.root)
    raw = file.read_bytes()
    car = parse_car(raw)
    record = parse_record(car.blocks[car.roots[0]])
    assert told == {
        "version": 1,
        "file": str(file),
        "roots": list(car.roots),
        "blocks": len(car.blocks),
        "bytes": len(raw),
    }
    pinned = {link.cid for link in record.links if link.pinned}
    assert car.blocks.keys() == {*car.roots, *pinned}
    digest = run_json("anchor", "status", home=home.root)["recordDigest"]
    assert bytes.fromhex(digest) in raw


def test_export_all_writes_every_record_newest_first(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(home)
    issue_more(home, tmp_path)
    close(home)
    monkeypatch.chdir(tmp_path)
    result = run("anchor", "export", "--all", home=home.root)
    newest = result.stdout.strip()
    car = parse_car((tmp_path / f"{newest}.car").read_bytes())
    assert car.roots[0] == newest
    assert result.stderr.startswith("patunay: wrote 2 records in ")
    second, first = (parse_record(car.blocks[root]) for root in car.roots)
    assert second.previous == car.roots[1]
    assert first.previous is None


def test_without_kubo_configured_status_says_nothing_of_ipfs(shared_home: Home) -> None:
    assert run_json("anchor", "status", home=shared_home.root)["ipfs"] is None
    assert "ipfs" not in run("anchor", "status", home=shared_home.root).stdout


def test_an_address_of_another_form_ends_every_command(home: Home) -> None:
    set_api(home, "/ip4/127.0.0.1/tcp/5001")
    result = run("anchor", "status", home=home.root)
    assert_refused(result, "config-invalid", exit_code=4)


@contextmanager
def daemon(home: Home) -> Iterator[None]:
    running = subprocess.Popen(
        [
            *(sys.executable, "-c", "from cli.main import main; main()"),
            *("--data-dir", str(home.root), "serve", "--port", "0"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PATUNAY_PASSPHRASE": PASSPHRASE},
    )
    assert running.stdout is not None
    try:
        assert running.stdout.readline().startswith("http://localhost:")
        yield
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


def ipfs_status(home: Home, wanted: str) -> dict[str, Any]:
    """Wait until a member of the status is not null or zero."""
    end = time.monotonic() + 40
    while True:
        found: dict[str, Any] = run_json("anchor", "status", home=home.root)["ipfs"]
        if found[wanted]:
            return found
        assert time.monotonic() < end, f"{wanted} never came: {found}"
        time.sleep(0.2)


def test_what_kubo_missed_is_published_once_it_runs(home: Home, tmp_path: Path) -> None:
    kubo = new_kubo(tmp_path / "repo")
    port = free_port()
    kubo.fix_api_port(port)
    api = f"http://127.0.0.1:{port}"
    set_api(home, api)
    told = run("anchor", "status", home=home.root).stdout
    assert "ipfs      nothing to publish yet\n" in told
    with daemon(home):
        anchored = run_json("anchor", "now", "--timeout", "60", home=home.root)
        assert anchored["anchored"] is True
        # The chain does not wait for IPFS.
        missed = ipfs_status(home, "problem")
        assert (missed["api"], missed["published"], missed["waiting"]) == (api, 0, 1)
        assert missed["problem"].endswith("(ipfs-unreachable)")
        told = run("anchor", "status", home=home.root).stdout
        assert "ipfs      1 of 1 records wait, " in told

        async def start_and_wait() -> dict[str, Any]:
            await kubo.start()
            try:
                return await asyncio.to_thread(ipfs_status, home, "published")
            finally:
                await kubo.stop()

        done = asyncio.run(start_and_wait())
    assert (done["waiting"], done["problem"]) == (0, None)
    told = run("anchor", "status", home=home.root).stdout
    assert f"ipfs      1 records published, latest {done['record']}\n" in told
