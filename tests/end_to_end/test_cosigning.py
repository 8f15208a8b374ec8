"""Two daemons watch each other; a stranger believes a witness, and asks no chain."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from anchoring.cosignature import WitnessKey
from node.home import Home
from tests.support.command_line import PASSPHRASE, create_home, issue, run, run_json
from tests.support.nodes import free_port


@contextmanager
def daemon(home: Home) -> Iterator[None]:
    running = subprocess.Popen(
        [
            *(sys.executable, "-c", "from cli.main import main; main()"),
            *("--data-dir", str(home.root), "serve"),
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


def configure(home: Home, name: str, value: str) -> None:
    text = home.config_file.read_text(encoding="utf-8")
    changed = text.replace(f'{name} = ""', f'{name} = "{value}"')
    assert changed != text
    home.config_file.write_text(changed, encoding="utf-8")


def status(home: Home) -> Any:
    return run_json("anchor", "status", home=home.root)


def described(home: Home) -> Any:
    return json.loads((home.public / "node.json").read_bytes())


def wait_for_cosignature(home: Home) -> None:
    end = time.monotonic() + 30
    while status(home)["cosigned"] < 1:
        assert time.monotonic() < end, "nobody cosigned"
        time.sleep(0.2)


def test_two_daemons_cosign_each_other(tmp_path: Path) -> None:
    ports = free_port(), free_port()
    first, second = (create_home(tmp_path / str(port), port) for port in ports)
    pair = ((first, second, ports[1]), (second, first, ports[0]))
    assert status(first)["witness"] is None
    for home, other, _ in pair:
        configure(home, "witnessed_logs", described(other)["log"]["vkey"])
        with daemon(home):
            key = WitnessKey.parse(status(home)["witness"])
        assert key.name == f"{home.config().domain}/witness"
    for home, other, port in pair:
        url = f"http://localhost:{port}/witness"
        configure(home, "witnesses", f"{status(other)['witness']}@{url}")
    told = run("anchor", "status", home=first.root).stdout
    assert "cosigned  by 0 of 1 witnesses\n" in told

    file = issue(first, tmp_path, rows=1)[0]
    with ExitStack() as running:
        for home, _, _ in pair:
            running.enter_context(daemon(home))
            run_json("anchor", "now", "--timeout", "60", home=home.root)
        for home, _, _ in pair:
            wait_for_cosignature(home)
    told = run("anchor", "status", home=first.root).stdout
    assert "cosigned  by 1 of 1 witnesses\n" in told

    receipt, trust = tmp_path / "receipt.json", tmp_path / "trust.json"
    run("receipt", file.stem, "-o", receipt, home=first.root)
    did = described(first)["issuers"][0]["did"]
    named = {"keys": [status(second)["witness"]], "threshold": 1}
    known = {
        "version": 1,
        "logs": [{"issuer": did, "vkey": described(first)["log"]["vkey"]}],
        "witnesses": named,
    }
    trust.write_text(json.dumps(known), encoding="utf-8")
    arguments = ("verify", file, "--receipt", receipt, "--offline")
    found = run_json(*arguments, "--trust", trust, code=3)["checks"][-1]
    assert found["result"] == "passed", found
    assert "witnessed by 1 of 1 at 20" in found["detail"]
    # Without that witness there is the development chain alone.
    trust.write_text(json.dumps({**known, "witnesses": None}), encoding="utf-8")
    found = run_json(*arguments, "--trust", trust, code=3)["checks"][-1]
    assert found["code"] == "no-time-evidence"
