"""`patunay chain account`."""

import json
from pathlib import Path

from did.keystore import Keystore
from node.home import Home
from node.node import EVM_KEY
from tests.anchoring.test_evm_keyfile import ADDRESS, PASSPHRASE, PBKDF2, SECRET
from tests.support.command_line import PASSPHRASE as OF_NODE
from tests.support.command_line import assert_refused, run, run_json
from tests.support.nodes import meddle


def account_of(keystore: Keystore, key_id: str = EVM_KEY) -> tuple[str, bytes]:
    keys = keystore.unlock(OF_NODE.encode())
    return keystore.entry(key_id).public, keys.secret(key_id)


def test_an_account_goes_out_and_comes_back(home: Home, tmp_path: Path) -> None:
    address, secret = account_of(home.keystore())
    word = tmp_path / "word"
    word.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
    own = ("--account-passphrase-file", word)
    out = ("chain", "account", "export", "-o", tmp_path / "own.json")
    assert run_json(*out, *own, home=home.root)["account"] == address
    assert json.loads((tmp_path / "own.json").read_bytes())["version"] == 3
    (tmp_path / "other.json").write_text(json.dumps(PBKDF2), encoding="utf-8")

    other = ("chain", "account", "import", tmp_path / "other.json", *own)
    assert run(*other, home=home.root).stdout == f"{ADDRESS}\n"
    assert account_of(home.keystore()) == (ADDRESS, SECRET)
    retired = f"evm-{address[2:].lower()}"
    assert account_of(home.keystore(), retired) == (address, secret)
    act = run_json("audit-log", "show", home=home.root)["entries"][-1]
    assert (act["action"], act["objects"]) == ("key.change", [f"account:{ADDRESS}"])

    back = ("chain", "account", "import", tmp_path / "own.json", *own)
    assert run_json(*back, home=home.root)["account"] == address
    assert run(*other, home=home.root).exit_code == 0
    assert run(*back, home=home.root).exit_code == 0
    assert account_of(home.keystore()) == (address, secret)


def test_an_account_with_anchors_on_their_way_stays(home: Home, tmp_path: Path) -> None:
    address, _ = account_of(home.keystore())
    assert meddle(
        home,
        "INSERT INTO transactions (reference, tree_size, chain, contract, sender, nonce,"
        " raw, state, stored_at) VALUES ('0x1', 1, 'eip155:5', 'c', ?, 0, x'00', 'sent',"
        " '2026-01-01T00:00:00Z')",
        address,
    )
    (tmp_path / "a").write_text(json.dumps(PBKDF2), encoding="utf-8")
    (tmp_path / "word").write_text(PASSPHRASE, encoding="utf-8")
    arguments = ("chain", "account", "import", tmp_path / "a")
    own = ("--account-passphrase-file", tmp_path / "word")
    refused = run(*arguments, *own, home=home.root)
    assert_refused(refused, "account-in-use", exit_code=4)
    (tmp_path / "word").write_text("guess", encoding="utf-8")
    wrong = run(*arguments, *own, home=home.root)
    assert_refused(wrong, "account-file-locked", exit_code=4)
    assert account_of(home.keystore())[0] == address
