"""The provider is gone: no domain, no node. What it anchored is enough to verify with."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from web3.types import RPCEndpoint

from anchoring.car import encode_car, parse_car
from anchoring.evm_rpc import HttpRpc
from anchoring.record import parse_record
from did.web import DidWeb
from node.config_tables import ChainConfig
from node.home import Home
from node.node import EVM_KEY
from primitives.instants import format_instant, parse_instant
from tests.support.anvil import running_anvil
from tests.support.command_line import create_home, issue, run, run_json
from tests.support.kubo import running_kubo
from tests.support.nodes import free_port

CHAIN_ID = 424_242
"""No development chain by its number, so that its blocks count as evidence."""


@dataclass
class Left:
    """What a holder and a verifier still have."""

    credential: Path
    receipt: Path
    trust: Path
    car: Path
    rpc: str
    anchored: str
    """Time of the block."""

    folder: Path

    def verify(self, source: str | Path, *more: str | Path, code: int) -> Any:
        arguments = ("--trust", self.trust, "--record-source", source, *more)
        report = run_json("verify", self.credential, *arguments, code=code)
        return {check["name"]: check for check in report["checks"]} | {"": report}

    @property
    def chain(self) -> tuple[str | Path, ...]:
        return ("--receipt", self.receipt, "--rpc", self.rpc)

    def write(self, name: str, value: Any) -> Path:
        file = self.folder / name
        file.write_text(json.dumps(value), encoding="utf-8")
        return file


@asynccontextmanager
async def provider(folder: Path) -> AsyncIterator[tuple[Home, Left]]:
    """A provider on a chain, with two credentials anchored; it is still there."""
    async with running_anvil("--chain-id", str(CHAIN_ID)) as url:
        home = await asyncio.to_thread(
            create_home, folder / "home", free_port(), chain=ChainConfig(url=url)
        )
        rpc = HttpRpc(url, timeout_seconds=10)
        account = home.keystore().entry(EVM_KEY).public
        await rpc.make_request(RPCEndpoint("anvil_setBalance"), [account, hex(10**18)])
        await rpc.disconnect()
        yield home, await asyncio.to_thread(anchored, home, folder, url)


def anchored(home: Home, folder: Path, url: str) -> Left:
    contract = run_json("chain", "deploy", home=home.root)["contract"]
    text = home.config_file.read_text(encoding="utf-8")
    text = text.replace('contract = ""', f'contract = "{contract}"')
    home.config_file.write_text(text.replace("= 4\n", "= 1\n"), encoding="utf-8")
    file, revoked = issue(home, folder, rows=2)
    shutil.copy(revoked, folder / "revoked.json")
    run("credential", "revoke", revoked.stem, "--reason", "a test", home=home.root)
    found = run_json("anchor", "now", home=home.root)
    shutil.copy(file, folder / "diploma.json")
    run("receipt", file.stem, "-o", folder / "receipt.json", home=home.root)
    run("anchor", "export", "-o", folder / "record.car", home=home.root)
    described = json.loads((home.public / "node.json").read_bytes())
    did = described["issuers"][0]["did"]
    assert did == str(DidWeb.for_host(home.config().domain))
    left = Left(
        credential=folder / "diploma.json",
        receipt=folder / "receipt.json",
        trust=folder / "trust.json",
        car=folder / "record.car",
        rpc=url,
        anchored=found["blockTime"],
        folder=folder,
    )
    left.write(
        "trust.json",
        {
            "version": 1,
            "issuers": [{"did": did, "name": "Sample Schools Division"}],
            "logs": [{"issuer": did, "vkey": described["log"]["vkey"]}],
        },
    )
    return left


async def test_a_car_file_and_the_chain_are_enough(tmp_path: Path) -> None:
    async with provider(tmp_path) as (home, left):
        shutil.rmtree(home.root)
        await asyncio.to_thread(verify_from_a_car, left)
        await asyncio.to_thread(verify_what_is_wrong, left)


def verify_from_a_car(left: Left) -> None:
    # Nothing else would have had the DID document.
    alone = run_json("verify", left.credential, "--trust", left.trust, code=3)
    assert alone["authenticity"] == "undetermined"

    # Signed, and since when; whether it is in force today, nobody is left to say.
    later = format_instant(parse_instant(left.anchored) + timedelta(days=400))
    found = left.verify(left.car, *left.chain, "--as-of", later, code=3)
    assert found[""]["authenticity"] == "valid"
    assert found["anchor"]["result"] == "passed", found["anchor"]
    assert left.anchored in found["anchor"]["detail"]
    assert found["issuer-key"]["source"].startswith("record baguqee")
    assert found["status"]["code"] == "status-list-stale"

    # At the time of the anchor it was.
    then = left.verify(left.car, *left.chain, "--as-of", left.anchored, code=0)
    assert then[""]["standing"] == "in-force"
    assert left.anchored in then["status"]["detail"]

    policy = left.write(
        "policy.json", {"version": 1, "required": ["proof", "issuer-key", "anchor"]}
    )
    more = ("--policy", policy, "--as-of", later)
    left.verify(left.car, *left.chain, *more, code=0)

    # Without the chain there is no time: for the list, and for the credential.
    undated = left.verify(left.car, "--offline", code=3)
    assert undated[""]["authenticity"] == "valid"
    assert undated["status"]["code"] == "record-undated"
    assert undated["anchor"]["code"] == "anchor-not-shown"


def verify_what_is_wrong(left: Left) -> None:
    # What was revoked stays revoked.
    kept = left.credential
    left.credential = left.folder / "revoked.json"
    assert left.verify(left.car, *left.chain, code=1)["status"]["code"] == "revoked"
    left.credential = kept

    # Without the log's key from the verifier himself, anybody could have made the record.
    trust = json.loads(left.trust.read_bytes())
    without = left.write("without.json", {**trust, "logs": []})
    found = run_json(
        *("verify", left.credential, "--trust", without, "--record-source", left.car),
        *left.chain,
        code=3,
    )
    assert found["authenticity"] == "undetermined"
    assert found["checks"][1]["code"] == "log-not-bound"

    # Another log's key does not do.
    vkey = "school.example/log+ba324001+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR"
    other = {**trust, "logs": [{**trust["logs"][0], "vkey": vkey}]}
    left.trust = left.write("other.json", other)
    found = left.verify(left.car, *left.chain, code=3)
    assert found["proof"]["code"] == "checkpoint-unknown-origin"
    left.trust = left.write("trust.json", trust)

    # A block that is not in the file leaves it open; one that was changed is refused.
    raw = left.car.read_bytes()
    car = parse_car(raw)
    record = parse_record(car.blocks[car.roots[0]])
    fewer = {cid: b for cid, b in car.blocks.items() if cid != record.did_documents[0].cid}
    left.folder.joinpath("fewer.car").write_bytes(
        b"".join(encode_car(car.roots, fewer.items()))
    )
    found = left.verify(left.folder / "fewer.car", *left.chain, code=3)
    assert found["issuer-key"]["code"] == "block-not-found"
    place = raw.index(b"assertionMethod")
    changed = left.folder / "changed.car"
    changed.write_bytes(raw[:place] + b"A" + raw[place + 1 :])
    refused = run("verify", left.credential, "--record-source", changed)
    assert refused.exit_code == 1
    assert "(cid-mismatch)" in refused.stderr


async def test_any_kubo_that_has_the_blocks_is_enough(tmp_path: Path) -> None:
    async with (
        provider(tmp_path) as (home, left),
        running_kubo(tmp_path / "own") as own,
        running_kubo(tmp_path / "other") as other,
    ):
        text = home.config_file.read_text(encoding="utf-8")
        text = text.replace('ipfs_api = ""', f'ipfs_api = "{own.api}"')
        home.config_file.write_text(text, encoding="utf-8")
        told = await asyncio.to_thread(run, "anchor", "now", home=home.root)
        assert "ipfs      1 records published" in told.stdout, told.output
        shutil.rmtree(home.root)
        await other.connect(own)
        await asyncio.to_thread(verify_from_kubo, left, other.gateway, other.api)


def verify_from_kubo(left: Left, gateway: str, api: str) -> None:
    policy = left.write(
        "policy.json", {"version": 1, "required": ["proof", "issuer-key", "anchor"]}
    )
    more = (*left.chain, "--policy", policy)
    found = left.verify(f"{api}/api/v0", *more, code=0)
    (record,) = parse_car(left.car.read_bytes()).roots
    source = f"record {record} from {api}/api/v0"
    assert found["issuer-key"]["source"] == source
    left.verify(gateway, *more, "--allow-loopback", code=0)
    # Without a receipt, the address has to name the record.
    named = left.verify(f"{gateway}/ipfs/{record}", "--allow-loopback", code=3)
    assert named[""]["authenticity"] == "valid"
    unnamed = left.verify(gateway, "--allow-loopback", code=3)
    assert unnamed["proof"]["code"] == "record-not-named"


def test_a_place_on_the_web_is_not_asked_offline(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("{}", encoding="utf-8")
    result = run("verify", file, "--offline", "--record-source", "https://ipfs.example")
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr
