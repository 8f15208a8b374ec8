import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.mmap_dict import MmapedDict

from node import workers
from node.config_tables import MetricsConfig, ServeConfig
from node.home import Home
from node.listening import shared_listener
from node.shared_metrics import MULTIPROCESS_FOLDER
from node.unsealing import send_passphrase
from node.workers import WorkerPool, WorkersNotReady, decode_passphrase, encode_passphrase
from tests.node.test_judging import look_alike
from tests.node.test_metrics import samples
from tests.support.components import ROOT
from tests.support.nodes import PASSPHRASE, document_of, free_port, issue, opened

CONNECTIONS = 24

_PATUNAY = "from cli.main import main; main()"


@pytest.fixture
def metrics_port() -> int:
    return free_port()


@pytest.fixture
async def credential(home: Home) -> dict[str, Any]:
    async with opened(home) as node:
        (uuid,) = (await issue(node, 1)).issued
        return await document_of(node, uuid)


@pytest.fixture
def two_workers(home: Home, metrics_port: int) -> Home:
    changed = replace(
        home.config(),
        serve=ServeConfig(workers=2),
        metrics=MetricsConfig(listen=f"127.0.0.1:{metrics_port}"),
    )
    home.config_file.write_text(changed.to_toml(), encoding="utf-8")
    return home


@contextmanager
def serving(home: Home, *arguments: str) -> Iterator["tuple[subprocess.Popen[str], str]"]:
    """Run `patunay serve`; give its process and URL, and end that very process."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PATUNAY, "serve", "--port", "0", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "PATUNAY_HOME": str(home.root),
            "PATUNAY_PASSPHRASE": PASSPHRASE.decode(),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def children(process: "subprocess.Popen[str]") -> list[int]:
    """Return the processes that a process has started and that have not ended."""
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii")
    return [int(pid) for pid in found.split()]


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2][0]
    except FileNotFoundError:
        return True
    return state == "Z"


def comes_true(condition: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


async def ask_all(url: str, document: dict[str, Any], times: int = 4) -> set[int]:
    """Send a credential over many connections at once; return the statuses."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask() -> int:
            place = f"{url}/credentials/verify"
            async with session.post(place, json=document) as response:
                await response.read()
                return response.status

        return set(await asyncio.gather(*(ask() for _ in range(CONNECTIONS * times))))


async def read_metrics(port: int) -> dict[tuple[str, ...], float]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as response,
    ):
        return samples(await response.read())


async def test_two_processes_answer_and_one_that_dies_is_replaced(
    two_workers: Home, credential: dict[str, Any], metrics_port: int
) -> None:
    with serving(two_workers) as (process, url):
        (worker,) = children(process)
        assert await ask_all(url, credential) == {200}
        found = await read_metrics(metrics_port)
        assert found["patunay_workers",] == 2
        assert found["patunay_verifications_total", "valid"] == 4 * CONNECTIONS
        assert 0 < _answered(worker) < 4 * CONNECTIONS

        os.kill(worker, signal.SIGKILL)
        assert comes_true(lambda: bool({*children(process)} - {worker}))
        assert await ask_all(url, credential, times=1) == {200}
        (another,) = children(process)

        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "a worker ended with status -9; another is started" in err
        assert is_gone(another)


def _answered(pid: int) -> float:
    """Return how many verifications a process has counted, in the file of its own."""
    variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    folder = dict(v.partition("=")[::2] for v in variables)[MULTIPROCESS_FOLDER]
    file = f"{folder}/counter_{pid}.db"
    counted = MmapedDict.read_all_values_from_file(file)  # type: ignore[no-untyped-call]  # the library's
    wanted = "patunay_verifications_total"
    return sum(float(value) for key, value, *_ in counted if wanted in key)


async def test_workers_end_with_a_daemon_that_is_killed(two_workers: Home) -> None:
    with serving(two_workers) as (process, _):
        (worker,) = children(process)
        process.kill()
        assert comes_true(lambda: is_gone(worker))


async def test_a_sealed_daemon_hands_the_passphrase_on(
    two_workers: Home, credential: dict[str, Any]
) -> None:
    with serving(two_workers, "--sealed") as (process, url):
        assert await ask_all(url, credential, times=1) == {200}

        async def sealed() -> set[bool]:
            found = set()
            for _ in range(20):
                async with (
                    aiohttp.ClientSession() as session,
                    session.get(f"{url}/healthz") as response,
                ):
                    found.add((await response.json())["sealed"])
            return found

        assert await sealed() == {True}
        await asyncio.to_thread(send_passphrase, two_workers, PASSPHRASE)
        for _ in range(100):
            if await sealed() == {False}:
                break
            await asyncio.sleep(0.1)
        assert await sealed() == {False}
        assert process.poll() is None


async def test_what_is_in_hand_at_the_signal_is_finished(home: Home) -> None:
    body = json.dumps(look_alike()).encode()
    with serving(home) as (process, url):
        port = int(url.rpartition(":")[2])

        async def ask() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                f"POST /credentials/verify HTTP/1.1\r\nHost: localhost:{port}\r\n"
                "Content-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            status = await reader.readline()
            writer.close()
            return status

        asking = [asyncio.create_task(ask()) for _ in range(12)]
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        process.send_signal(signal.SIGTERM)
        waiting = [task for task in asking if not task.done()]
        assert waiting
        assert {*await asyncio.gather(*asking)} == {b"HTTP/1.1 400 Bad Request\r\n"}
        assert await asyncio.to_thread(process.wait, 30) == 0


async def test_workers_that_do_not_start_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "START_SECONDS", 3.0)
    pool = WorkerPool(Home(tmp_path / "nothing here"), None, 1)
    with (
        shared_listener("127.0.0.1", 0) as listener,
        pytest.raises(WorkersNotReady, match="found 0 workers after 3 seconds, want 1"),
    ):
        async with pool.running(listener):
            raise AssertionError("they cannot start")


@pytest.mark.parametrize("passphrase", [None, b"", b"two\nlines \xff"])
def test_a_passphrase_is_handed_over_in_one_line(passphrase: bytes | None) -> None:
    line = encode_passphrase(passphrase)
    assert line.count(b"\n") == 1
    assert decode_passphrase(line) == passphrase
