"""An office makes a pack while the provider is there; a machine without network uses it."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer

from node.api.app import build_app
from node.node import Node
from primitives.clock import SystemClock
from tests.end_to_end.test_gone import Left, provider
from tests.support.command_line import PASSPHRASE, run, run_json
from tests.support.components import require


def told(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def make_pack(left: Left, did: str) -> tuple[Path, Path]:
    """Return a pack of two offices, and the federation's file."""
    one, two = left.folder / "one", left.folder / "two"
    mine = told("trust", "init", one, "--federation", "ph").strip()
    key = told(
        "trust", "init", two, "--federation", "ph", "--key", mine, "--threshold", "2"
    )
    told("trust", "federation", two / "federation.json", "--dir", one)
    assert key.strip() in (one / "federation.json").read_text()
    told("trust", "add-issuer", did, "--name", "The Division", "--dir", one)
    more = ("--dir", one, "--chain", left.rpc, "--allow-loopback")
    found = run_json("trust", "refresh", *more)
    assert found["troubles"] == []
    # The issuer, its log, its lists, and each anchor that the chain shows.
    assert found["parts"] >= 4
    assert run_json("trust", "refresh", *more)["parts"] == found["parts"]
    pack = left.folder / "pack.zip"
    told("trust", "sign", "--dir", one)
    result = run("trust", "export", "-o", pack, "--dir", one)
    bundled = ("-o", left.folder / "bundle.json", "--receipt", left.receipt)
    told("bundle", left.credential, *bundled, "--allow-loopback")
    assert "1 of 2 signatures: nobody believes this pack yet" in result.stderr
    return pack, one / "federation.json"


def isolated(left: Left, *arguments: str | Path, code: int) -> Any:
    """Verify in a network namespace without interfaces."""
    done = subprocess.run(
        [
            *(require("unshare"), "-rn", Path(sys.executable).with_name("patunay")),
            *("verify", "--json", "--offline", left.credential, *arguments),
        ],
        capture_output=True,
        check=False,
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    return json.loads(done.stdout)


async def test_a_pack_is_enough_after_the_provider_is_gone(tmp_path: Path) -> None:
    async with provider(tmp_path) as (home, left):
        config, did = home.config(), ""
        async with Node.open(home, SystemClock(), PASSPHRASE.encode()) as node:
            server = TestServer(build_app(node), host="localhost", port=config.listen_port)
            await server.start_server()
            did = json.loads((home.public / "node.json").read_bytes())["issuers"][0]["did"]
            pack, root = await asyncio.to_thread(make_pack, left, did)
            await server.close()
        shutil.rmtree(home.root)
    await asyncio.to_thread(use_pack, left, pack, root)


def use_pack(left: Left, pack: Path, root: Path) -> None:
    store = left.folder / "store"
    refused = run("trust", "import", pack, "--store", store, "--root", root)
    assert refused.exit_code == 1
    assert "(pack-quorum-missed)" in refused.stderr
    assert not store.exists()
    told("trust", "sign", pack, "--dir", left.folder / "two")
    shown = run_json("trust", "show", pack)
    assert len(shown["signatures"]) == 2

    # No chain, no web, no node: and each question has its answer.
    given = ("--receipt", left.receipt, "--pack", pack, "--root", root)
    report = isolated(left, *given, code=0)
    checks = {check["name"]: check for check in report["checks"]}
    assert {c["result"] for c in checks.values()} == {"passed"}
    assert checks["issuer-listed"]["detail"].startswith("listed as The Division by trust")
    assert left.anchored in checks["anchor"]["detail"]
    assert checks["status"]["source"].startswith("trust pack 1 of ph (")

    told("trust", "import", pack, "--store", store, "--root", root)
    kept = left.credential
    left.credential = left.folder / "bundle.json"
    report = isolated(left, "--pack", store, code=0)
    assert {check["result"] for check in report["checks"]} == {"passed"}
    left.credential = left.folder / "revoked.json"
    report = isolated(left, "--pack", store, code=1)
    assert report["standing"] == "revoked"
    left.credential = kept

    # The provider is gone, so nothing new can be had; what was had stays.
    one = left.folder / "one"
    troubled = run_json("trust", "refresh", "--dir", one, "--allow-loopback", code=3)
    assert [trouble["code"] for trouble in troubled["troubles"]]
    assert troubled["parts"] == len(shown["parts"])

    deny_and_go_back(left, store, pack)


def deny_and_go_back(left: Left, store: Path, first: Path) -> None:
    one, two = left.folder / "one", left.folder / "two"
    (did,) = (i["did"] for i in json.loads((one / "office.json").read_bytes())["issuers"])
    told("trust", "deny", did, "--reason", "closed by the ministry", "--dir", one)
    second = left.folder / "second.zip"
    told("trust", "sign", "--dir", one)
    told("trust", "export", "-o", second, "--dir", one)
    told("trust", "sign", second, "--dir", two)
    changes = run_json("trust", "diff", first, second)["changes"]
    assert changes == {"added": [f"denied   {did}: closed by the ministry"]}
    told("trust", "import", second, "--store", store)
    report = isolated(left, "--pack", store, code=1)
    (listed,) = (c for c in report["checks"] if c["name"] == "issuer-listed")
    assert (listed["result"], listed["code"]) == ("failed", "issuer-withdrawn")
    back = run("trust", "import", first, "--store", store)
    assert back.exit_code == 1
    assert "(pack-rolled-back)" in back.stderr
