import json
from pathlib import Path

import pytest

from node.home import Home
from tests.support.command_line import assert_refused, run, run_json
from tests.support.nodes import LEARNERS_FILE

ISSUE = ("issue", "--template", "als-lifeskills-communication")


@pytest.fixture
def strict(home: Home) -> Home:
    """A node that asks for two people, with a template."""
    text = home.config_file.read_text().replace(
        "batch_approval = false", "batch_approval = true"
    )
    home.config_file.write_text(text)
    return home


def token(home: Home, file: Path, *roles: str) -> Path:
    options = [part for role in roles for part in ("--role", role)]
    made = run_json("token", "create", file.stem, *options, home=home.root)
    file.write_text(made["token"] + "\n")
    return file


def three_learners(folder: Path) -> Path:
    """Return a file of learners to whom the node has issued nothing."""
    lines = LEARNERS_FILE.read_bytes().splitlines(keepends=True)
    file = folder / "learners.csv"
    file.write_bytes(b"".join([lines[0], *lines[10:13]]))
    return file


def test_a_file_is_drafted_approved_by_another_and_then_written(
    strict: Home, tmp_path: Path
) -> None:
    file, out = three_learners(tmp_path), tmp_path / "out"
    clerk = token(strict, tmp_path / "clerk", "drafter", "approver")
    drafted = run(*ISSUE, file, "--out", out, "--token-file", clerk, home=strict.root)
    assert drafted.exit_code == 0
    assert "3 wait for approval, in batch " in drafted.stderr
    assert list(out.iterdir()) == []
    (waiting,) = run_json("batch", "list", "--waiting", home=strict.root)["batches"]
    assert (waiting["credentials"], waiting["draftedBy"]) == (3, "clerk")
    name = waiting["id"]
    assert name in run("batch", "list", home=strict.root).stdout
    shown = run_json("batch", "show", name, home=strict.root)
    assert len(shown["drafts"]) == 3
    assert "proof" not in shown["drafts"][0]
    assert "draftedBy" in run("batch", "show", name, home=strict.root).stdout

    same = run("batch", "approve", name, "--token-file", clerk, home=strict.root)
    assert_refused(same, "approval-same-person", exit_code=1)
    nobody = run("batch", "approve", name, home=strict.root)
    assert_refused(nobody, "approval-needs-token", exit_code=1)
    other = token(strict, tmp_path / "registrar", "approver")
    done = run_json("batch", "approve", name, "--token-file", other, home=strict.root)
    assert (done["approval"], done["decidedBy"]) == ("approved", "registrar")

    again = run_json(*ISSUE, file, "--out", out, home=strict.root)
    assert (again["issued"], again["waiting"]) == ([], {})
    assert len(list(out.glob("*.json"))) == 3
    assert "proof" in json.loads(next(out.glob("*.json")).read_bytes())
    assert run_json("batch", "show", name, home=strict.root)["signed"] == 3


def test_a_rejected_batch_is_drafted_anew(strict: Home, tmp_path: Path) -> None:
    file = three_learners(tmp_path)
    first = run_json(*ISSUE, file, home=strict.root)["batch"]
    reject = ("batch", "reject", first, "--reason", "wrong year")
    assert run(*reject, home=strict.root).stdout == f"rejected {first}\n"
    assert_refused(run(*reject, home=strict.root), "batch-already-decided", exit_code=1)
    second = run_json(*ISSUE, file, home=strict.root)
    assert (len(second["issued"]), second["earlier"]) == (3, [])
    assert run_json("batch", "show", first, home=strict.root)["reason"] == "wrong year"


def test_a_token_that_may_not_draft_issues_nothing(strict: Home, tmp_path: Path) -> None:
    reader = token(strict, tmp_path / "reader", "auditor")
    file = three_learners(tmp_path)
    result = run(*ISSUE, file, "--token-file", reader, home=strict.root)
    assert_refused(result, "role-refused", exit_code=1)
    reader.write_text("ptn_unknown")
    result = run(*ISSUE, file, "--token-file", reader, home=strict.root)
    assert_refused(result, "token-refused", exit_code=2)
