import base64
import hashlib
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from aiohttp import web

from anchoring.evm_deploy import deploy
from anchoring.evm_purse import Purse
from anchoring.evm_rpc import HttpRpc
from node.config import Config
from node.config_tables import ChainConfig
from node.doctor.examine import examine
from node.doctor.files import examine_folder
from node.doctor.finding import Finding, Verdict
from node.doctor.network import examine_ipfs, examine_peers
from node.doctor.package import examine_package
from node.home import Home
from node.node import EVM_KEY
from node.storage.database import create_engine, locate, migrate
from tests.node.test_tls import make_pair, openssl
from tests.support.anvil import running_anvil
from tests.support.chains import fund
from tests.support.nodes import (
    PASSPHRASE,
    HandClock,
    copy_home,
    environment,
    free_port,
    issue,
    meddle,
    opened,
    plan,
)


@pytest.fixture
def in_sqlite(made_home: Home, tmp_path: Path) -> Home:
    """A node whose database is a file, wherever those of the other tests are."""
    return copy_home(made_home, tmp_path / "in-sqlite")


OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL


async def told(home: Home, now: datetime, passphrase: bytes | None = None) -> list[Finding]:
    port = str(free_port())
    with environment(PATUNAY_LISTEN_PORT=port):
        return [finding async for finding in examine(home, now, passphrase)]


async def codes(home: Home, now: datetime, passphrase: bytes | None = None) -> set[str]:
    return {f.code for f in await told(home, now, passphrase) if f.code}


def write_config(home: Home, **changes: object) -> None:
    config = replace(home.own_config(), **changes)  # type: ignore[arg-type]
    home.config_file.write_text(config.to_toml())


def snapshot(home: Home) -> dict[str, tuple[int, int, str]]:
    """Return mode, time and content of every file; SQLite's own notes aside."""
    found = {}
    for path in sorted(home.root.rglob("*")):
        if path.is_file() and not path.name.endswith(("-wal", "-shm")):
            info = path.stat()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path)] = (stat.S_IMODE(info.st_mode), info.st_mtime_ns, digest)
    return found


async def test_a_node_that_is_well_is_said_to_be_and_is_left_as_it_is(
    home: Home, clock: HandClock
) -> None:
    home.root.chmod(0o700)
    before = snapshot(home)
    findings = await told(home, clock.now(), PASSPHRASE)
    assert [f for f in findings if f.verdict is not OK] == []
    names = {f.name for f in findings}
    assert names >= {"package", "folder", "disk", "daemon", "keys", "config", "files"}
    assert names >= {"database", "schema", "clock", "port", "chain"}
    assert snapshot(home) == before
    assert not home.lock_file.exists()


async def test_whatever_is_not_well_says_what_to_do(home: Home, clock: HandClock) -> None:
    home.root.chmod(0o777)
    home.keystore_file.chmod(0o644)
    findings = await told(home, clock.now() - timedelta(days=1))
    bad = [f for f in findings if f.verdict is not OK]
    assert len(bad) >= 3
    assert all(f.hint and f.code for f in bad)
    assert all(not f.hint and not f.code for f in findings if f.verdict is OK)


@pytest.mark.parametrize(("mode", "verdict"), [(0o755, WARN), (0o770, FAIL), (0o700, OK)])
def test_who_may_look_into_the_directory_is_told(
    home: Home, mode: int, verdict: Verdict
) -> None:
    home.root.chmod(mode)
    (found,) = examine_folder(home)
    assert (found.name, found.verdict) == ("folder", verdict)


@pytest.mark.parametrize("name", ["keystore.json", "patunay.db"])
async def test_o08_a_secret_file_that_others_may_read_is_told(
    in_sqlite: Home, clock: HandClock, name: str
) -> None:
    path = in_sqlite.root / name
    path.chmod(0o640)
    findings = await told(in_sqlite, clock.now())
    found = [f for f in findings if f.name == "files" and f.verdict is FAIL]
    assert [f.code for f in found] == ["key-permissions"]
    assert name in found[0].detail
    assert found[0].hint == f"run `chmod 600 {path}`"


async def test_a_secret_file_that_is_named_and_not_there_is_told(
    home: Home, clock: HandClock
) -> None:
    with environment(PATUNAY_METRICS_TOKEN_FILE="gone"):
        assert "storage-failed" in await codes(home, clock.now())


async def test_leftovers_are_told_and_the_daemon_takes_the_old_ones_away(
    home: Home, clock: HandClock
) -> None:
    home.root.chmod(0o700)
    old, new = home.public / ".did.json.ab12_c3d", home.root / ".keystore.json.abcdefgh"
    for path in (old, new):
        path.write_bytes(b"half")
    hour_ago = clock.now().timestamp() - 3601
    os.utime(old, (hour_ago, hour_ago))
    os.utime(new, (clock.now().timestamp(), clock.now().timestamp()))
    (home.root / ".hidden").write_bytes(b"somebody's own")
    assert await codes(home, clock.now()) == {"files-left-over"}
    assert home.remove_leftovers(clock.now()) == 1
    assert not old.exists()
    assert new.exists()
    assert (home.root / ".hidden").exists()


async def test_a_running_daemon_is_told_and_its_port_is_its_own(
    home: Home, clock: HandClock
) -> None:
    with home.hold(), socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with environment(PATUNAY_LISTEN_PORT=str(taken.getsockname()[1])):
            findings = [finding async for finding in examine(home, clock.now())]
    found = {f.name: f for f in findings}
    assert found["daemon"].detail == "one runs on this directory"
    assert found["port"].verdict is OK


async def test_a_port_that_another_program_has_is_told(
    home: Home, clock: HandClock
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with environment(PATUNAY_LISTEN_PORT=str(taken.getsockname()[1])):
            findings = [finding async for finding in examine(home, clock.now())]
    (found,) = [f for f in findings if f.name == "port"]
    assert (found.verdict, found.code) == (FAIL, "port-busy")


async def test_o07_a_wrong_passphrase_is_told(home: Home, clock: HandClock) -> None:
    assert "key-unlock-failed" in await codes(home, clock.now(), b"another one")
    home.keystore_file.write_bytes(b"{")
    assert {f.name for f in await told(home, clock.now()) if f.verdict is FAIL} == {"keys"}


async def test_a_configuration_that_is_none_is_told_and_ends_the_looks(
    home: Home, clock: HandClock
) -> None:
    home.config_file.write_text("domain = 1\n")
    findings = await told(home, clock.now())
    assert (findings[-1].name, findings[-1].code) == ("config", "config-invalid")


async def test_t02_a_clock_before_what_was_stored_is_told(
    home: Home, clock: HandClock
) -> None:
    start = clock.now()
    async with opened(home, clock) as node:
        clock.advance(86_400)
        await issue(node, 1)
    assert "time-went-backwards" not in await codes(home, clock.now())
    assert "time-went-backwards" not in await codes(home, clock.now() - timedelta(0, 60))
    assert "time-went-backwards" in await codes(home, clock.now() - timedelta(0, 61))
    assert "time-went-backwards" in await codes(home, start)


async def test_o10_a_newer_schema_is_told_and_an_older_one_is_not_migrated(
    home: Home, clock: HandClock
) -> None:
    engine = create_engine(locate(home.root, home.config()))
    await migrate(engine, "0009")
    await engine.dispose()
    found = {f.name: f for f in await told(home, clock.now())}
    assert (found["schema"].verdict, found["schema"].code) == (
        WARN,
        "storage-schema-older",
    )
    again = {f.name: f for f in await told(home, clock.now())}
    assert again["schema"] == found["schema"]
    meddle(home, "UPDATE alembic_version SET version_num = '9999'")
    assert "storage-schema-newer" in await codes(home, clock.now())


async def test_a_damaged_database_and_one_that_is_gone_are_told(
    in_sqlite: Home, clock: HandClock
) -> None:
    file = in_sqlite.root / "patunay.db"
    meddle(in_sqlite, "PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(file.read_bytes())
    raw[4096 : 4096 * 6] = b"\x55" * (4096 * 5)
    file.write_bytes(bytes(raw))
    found = await codes(in_sqlite, clock.now())
    assert found & {"database-damaged", "storage-failed"}
    file.unlink()
    assert "database-missing" in await codes(in_sqlite, clock.now())


async def test_the_end_of_the_certificate_is_told(home: Home) -> None:
    make_pair(home.root)  # good for two days from now
    files = {"tls_certificate_file": "certificate.pem", "tls_key_file": "key.pem"}
    write_config(home, **files)
    now = datetime.now(UTC)
    assert "certificate-expires-soon" in await codes(home, now)
    assert "certificate-expired" in await codes(home, now + timedelta(days=3))
    openssl(
        *("req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "300"),
        *("-keyout", home.root / "key.pem", "-out", home.root / "certificate.pem"),
        *("-subj", "/CN=localhost"),
    )
    (home.root / "key.pem").chmod(0o600)
    found = {f.name: f.verdict for f in await told(home, now)}
    assert found["tls"] is OK
    (home.root / "key.pem").unlink()
    assert "tls-file-missing" in await codes(home, now)


# The chain


async def test_endpoint_contract_and_money_are_looked_at_on_a_real_chain(
    home: Home,
) -> None:
    async with running_anvil() as url:
        rpc = HttpRpc(url, timeout_seconds=5)
        key = os.urandom(32)
        await fund(rpc, Purse(key).address)
        contract = await deploy(rpc, "eip155:31337", key)
        account = home.keystore().entry(EVM_KEY).public
        chain = ChainConfig(url=url, contract=contract, confirmations=1, final_depth=1)
        now = datetime.now(UTC)
        write_config(home, chain=chain)
        assert "balance-low" in await codes(home, now)
        await fund(rpc, account)
        found = {f.name: f for f in await told(home, now)}
        assert (found["endpoint 1"].verdict, found["chain"].verdict) == (OK, OK)
        assert "clock-skewed" in await codes(home, now - timedelta(minutes=5))
        assert "clock-skewed" in await codes(home, now + timedelta(hours=2))
        other = replace(chain, contract=f"eip155:31337:0x{'00' * 19}01")
        write_config(home, chain=other)
        assert "anchor-backend-mismatch" in await codes(home, now)
        write_config(home, chain=replace(chain, contract=f"eip155:5:0x{'00' * 19}01"))
        assert "anchor-backend-mismatch" in await codes(home, now)
        await rpc.disconnect()


async def test_an_endpoint_that_gives_no_answer_is_not_known_to_be_bad(
    home: Home, clock: HandClock
) -> None:
    chain = ChainConfig(url=f"http://127.0.0.1:{free_port()}", contract="")
    write_config(home, chain=chain)
    assert "config-invalid" in await codes(home, clock.now())
    contract = f"eip155:31337:0x{'00' * 19}01"
    write_config(home, chain=replace(chain, contract=contract))
    findings = [f for f in await told(home, clock.now()) if f.verdict is not OK]
    chain_findings = [f for f in findings if f.name in ("endpoint 1", "chain")]
    assert {f.verdict for f in chain_findings} == {WARN}


# Others


@asynccontextmanager
async def answering(date: str, status: int = 200) -> AsyncIterator[str]:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"Version": "0"}, status=status, headers={"Date": date})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def watched(url: str) -> Config:
    vkey = "w.example/witness+0ca6c2da+BMqTrBcFGHBx1nuDx/8O/oEI6OxFMFdddyaHkzPb2r58"
    return plan(witnesses=f"{vkey}@{url}/witness")


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "verdict"),
    [
        ("Sun, 22 Nov 2026 12:01:59 GMT", OK),
        ("Sun, 22 Nov 2026 12:02:01 GMT", WARN),
        ("Sun, 22 Nov 2026 11:00:00 GMT", WARN),
        ("yesterday", WARN),
        ("", WARN),
    ],
)
async def test_the_clock_is_compared_with_the_witnesses(
    date: str, verdict: Verdict
) -> None:
    async with answering(date) as url:
        (found,) = [f async for f in examine_peers(watched(url), NOON)]
    assert found.verdict is verdict


async def test_a_witness_and_a_kubo_that_are_down_are_told() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    (found,) = [f async for f in examine_peers(watched(url), NOON)]
    assert (found.verdict, found.code) == (WARN, "fetch-failed")
    (found,) = [f async for f in examine_ipfs(plan(ipfs_api=url))]
    assert (found.verdict, found.code) == (WARN, "ipfs-unreachable")
    async with answering("", status=500) as url:
        (found,) = [f async for f in examine_ipfs(plan(ipfs_api=url))]
    assert found.code == "ipfs-unreachable"
    async with answering("") as url:
        (found,) = [f async for f in examine_ipfs(plan(ipfs_api=url))]
    assert found.verdict is OK


# Our own files


def installed(folder: Path, content: bytes) -> PathDistribution:
    """Return a package as pip would have installed it into `folder`."""
    info = folder / "patunay-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: patunay\nVersion: 9\n")
    digest = hashlib.sha256(content).digest()
    value = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    record = f"node/one.py,sha256={value},{len(content)}\nother/x.py,,\n"
    (info / "RECORD").write_text(record)
    (folder / "node").mkdir()
    (folder / "node" / "one.py").write_bytes(content)
    return PathDistribution(info)


def test_a_file_that_is_not_as_it_was_installed_is_told(tmp_path: Path) -> None:
    own = installed(tmp_path, b"x = 1\n")
    (found,) = examine_package(own)
    # The tests' own `node` is elsewhere: as where another package took the name.
    assert (found.verdict, found.code) == (FAIL, "package-shadowed")
    (tmp_path / "node" / "one.py").write_bytes(b"x = 2\n")
    (found,) = examine_package(own)
    assert (found.verdict, found.code) == (FAIL, "package-changed")
    assert "1 of 1 files" in found.detail
    assert "node/one.py" in found.detail
    (tmp_path / "node" / "one.py").unlink()
    (found,) = examine_package(own)
    assert found.code == "package-changed"


def test_a_working_copy_has_nothing_to_compare() -> None:
    (found,) = examine_package()
    assert found.verdict is OK
