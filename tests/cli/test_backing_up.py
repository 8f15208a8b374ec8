import shutil
from pathlib import Path

import pytest

from node.home import Home
from tests.support.command_line import assert_refused, learners, run, run_json


@pytest.fixture
def backup(home: Home, tmp_path: Path) -> Path:
    file = tmp_path / "node.backup"
    with home.hold():  # as a daemon does
        made = run_json("backup", file, home=home.root)
    assert made["rows"] > 0
    assert made["files"] == ["patunay.toml", "keystore.json"]
    assert file.stat().st_mode & 0o777 == 0o600
    return file


@pytest.fixture
def restored(backup: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "restored"
    made = run_json("restore", backup, folder)
    assert made["directory"] == str(folder)
    return folder


def test_a_backup_says_nothing_to_who_has_no_passphrase(backup: Path) -> None:
    raw = backup.read_bytes()
    assert b"localhost" not in raw
    assert b"keystore" not in raw
    result = run("restore", backup, backup.parent / "x", passphrase="another")
    assert_refused(result, "backup-unlock-failed", exit_code=4)
    assert not (backup.parent / "x").exists()


def test_no_backup_is_written_over(home: Home, backup: Path) -> None:
    before = backup.read_bytes()
    assert_refused(run("backup", backup, home=home.root), "backup-exists", exit_code=4)
    assert backup.read_bytes() == before


def test_a_backup_that_fails_leaves_no_file(home: Home, tmp_path: Path) -> None:
    result = run("backup", tmp_path / "b", home=home.root, passphrase="another")
    assert_refused(result, "key-unlock-failed", exit_code=4)
    assert not [path for path in tmp_path.iterdir() if "b" in path.name[:3]]


def test_a_restored_node_signs_nothing_before_it_is_reconciled(
    restored: Path, tmp_path: Path
) -> None:
    file = tmp_path / "more.csv"
    file.write_text(learners(5), encoding="utf-8")
    asked = ("issue", "--template", "als-lifeskills-communication", file)
    assert_refused(run(*asked, home=restored), "restore-behind-published", exit_code=4)
    served = run("serve", "--port", "0", home=restored)
    assert_refused(served, "restore-behind-published", exit_code=4)
    nobody = run("reconcile", home=restored)
    assert_refused(nobody, "restore-nothing-asked", exit_code=3)
    found = run_json("reconcile", "--nothing-published-since", home=restored)
    assert (found["before"], found["published"], found["lost"]) == (0, 0, 0)
    assert any("localhost" in line for line in found["silent"])
    assert run(*asked, home=restored).exit_code == 0
    again = run("reconcile", "--nothing-published-since", home=restored)
    assert_refused(again, "not-restored", exit_code=4)


def test_what_was_issued_verifies_from_the_restored_node(
    restored: Path, credential: Path
) -> None:
    run_json("reconcile", "--nothing-published-since", home=restored)
    report = run_json("verify", "--offline", credential, home=restored)
    assert report["outcome"] == "valid"


def test_an_empty_mirror_is_no_answer(home: Home, restored: Path, tmp_path: Path) -> None:
    """A mirror without a checkpoint says nothing."""
    mirror = tmp_path / "mirror"
    shutil.copytree(home.public, mirror)
    result = run("reconcile", "--folder", mirror, home=restored)
    assert_refused(result, "restore-nothing-asked", exit_code=3)


def test_words_for_people(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "b"
    made = run("backup", file, home=home.root)
    assert "patunay.toml, keystore.json, as of " in made.stdout
    restored = run("restore", file, tmp_path / "r")
    assert "next: `patunay --data-dir" in restored.stderr
    assert "access tokens" not in restored.stderr
    found = run("reconcile", "--nothing-published-since", home=tmp_path / "r")
    assert "new ones from number 101" in found.stdout
    assert "no answer: http://localhost" in found.stderr


def test_into_another_store(backup: Path, tmp_path: Path) -> None:
    made = run_json("restore", backup, tmp_path / "r", "--database", "sqlite")
    assert made["rows"] > 0
    refused = run("restore", backup, tmp_path / "s", "--database", "mysql://x/y")
    assert_refused(refused, "config-invalid", exit_code=4)


def test_a_restored_node_lets_no_token_of_before_in(home: Home, tmp_path: Path) -> None:
    """One of them may have been revoked since."""
    run("token", "create", "office", "--role", "signer", home=home.root)
    backup = tmp_path / "b"
    run_json("backup", backup, home=home.root)
    restored = run("restore", backup, tmp_path / "r")
    assert "access tokens revoked: 1; hand out new ones" in restored.stderr
    (token,) = run_json("token", "list", home=tmp_path / "r")["tokens"]
    assert token["revokedAt"] is not None
    kept = run_json("restore", backup, tmp_path / "k", "--keep-tokens")
    assert kept["tokensRevoked"] == 0
    (token,) = run_json("token", "list", home=tmp_path / "k")["tokens"]
    assert token["revokedAt"] is None
