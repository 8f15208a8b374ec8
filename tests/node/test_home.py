import inspect
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from did.keyfile import Argon2Cost
from did.keystore import KeyUnlockFailed, PassphraseUnusable
from node.disk import StorageFailed
from node.home import (
    Home,
    HomeExists,
    HomeLocked,
    HomeMissing,
    KeystorePermissions,
    create_folder,
    write_file,
)
from node.node import Node, NodeSealed
from node.setup import create_node
from tests.support.nodes import CHEAP, PASSPHRASE, HandClock, make_home_here, opened, plan


def test_only_a_directory_with_a_configuration_is_a_node(tmp_path: Path) -> None:
    with pytest.raises(HomeMissing, match="found no node at") as caught:
        Home.open(tmp_path)
    assert "patunay init" in caught.value.hint


def test_a_new_node_keeps_others_out(home: Home) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(home.root) == 0o700
    assert mode(home.keystore_file) == 0o600
    assert mode(home.root / "patunay.db") == 0o600
    assert mode(home.config_file) == 0o600
    assert Home.open(home.root) == home


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_store_that_others_may_open_is_refused(home: Home, mode: int) -> None:
    home.keystore_file.chmod(mode)
    with pytest.raises(KeystorePermissions, match=f"found mode {mode:04o}") as caught:
        home.keystore()
    assert caught.value.code == "key-permissions"
    assert "chmod 600" in caught.value.hint


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(HomeExists):
        create_folder(tmp_path)
    with pytest.raises(HomeExists):
        create_folder(tmp_path / "thesis.txt")
    create_folder(tmp_path / "new" / "node")
    create_folder(tmp_path / "new" / "node")  # empty: a node may still be made there


async def test_a_creation_that_dies_leaves_nothing_that_looks_like_a_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PassphraseUnusable):
        await create_node(
            Home(tmp_path / "a"), plan(), b"", HandClock(), name="T", cost=CHEAP
        )
    monkeypatch.setattr(Path, "touch", _die)
    with pytest.raises(KeyboardInterrupt):
        await make_home_here(tmp_path / "b")
    for name in ("a", "b"):
        with pytest.raises(HomeMissing):
            Home.open(tmp_path / name)


def _die(*_args: object, **_kwargs: object) -> None:
    raise KeyboardInterrupt


def test_one_holds_the_node_and_the_other_is_told(home: Home) -> None:
    with home.hold():
        assert home.is_held()
        with pytest.raises(HomeLocked) as caught, home.hold():
            pass
        assert caught.value.code == "storage-locked"
    assert not home.is_held()


def test_the_kernel_gives_the_node_back_after_kill_9(home: Home) -> None:
    code = (
        "import sys; from pathlib import Path; from node.home import Home\n"
        "with Home(Path(sys.argv[1])).hold(): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert home.is_held()
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert not home.is_held()


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "folder" / "a"
    write_file(file, b"old", mode=0o600)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_file(file, b"new")
    assert caught.value.filename == str(file)
    with pytest.raises(StorageFailed, match="No space left on device: a"):
        Home(tmp_path).store(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(file.parent.iterdir()) == [file]


def test_each_new_folder_is_synced_in_the_one_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    sync = os.fsync

    def noting(handle: int) -> None:
        synced.append(os.fstat(handle).st_ino)
        sync(handle)

    monkeypatch.setattr(os, "fsync", noting)
    write_file(tmp_path / "a" / "b" / "c", b"x")
    create_folder(tmp_path / "d" / "node")
    places = [tmp_path, tmp_path / "a", tmp_path / "a" / "b", tmp_path / "d"]
    assert {place.stat().st_ino for place in places} <= set(synced)
    assert stat.S_IMODE((tmp_path / "d" / "node").stat().st_mode) == 0o700
    before = len(synced)
    write_file(tmp_path / "a" / "b" / "c", b"y")
    assert len(synced) == before + 2  # the file and its folder


def _full(_handle: int) -> None:
    raise OSError(28, "No space left on device")


# Keys


async def test_a_wrong_passphrase_opens_nothing(home: Home) -> None:
    with pytest.raises(KeyUnlockFailed):
        async with Node.open(home, HandClock(), PASSPHRASE + b"x"):
            pass


async def test_a_sealed_node_signs_nothing_and_still_names_its_log(home: Home) -> None:
    async with opened(home) as node:
        vkey = node.vkey
    async with opened(home, sealed=True) as node:
        assert node.vkey == vkey
        with pytest.raises(NodeSealed) as caught:
            node.signer("log")
        assert caught.value.code == "node-sealed"


def test_nodes_are_made_with_a_cost_that_slows_guessing() -> None:
    default = inspect.signature(create_node).parameters["cost"].default
    assert isinstance(default, Argon2Cost)
    assert default.memory_bytes >= 64 << 20
    assert default.operations >= 3
