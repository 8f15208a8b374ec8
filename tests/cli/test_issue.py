"""`patunay template` and `patunay issue`."""

import asyncio
import json
from pathlib import Path

import pytest

from node.home import Home
from node.node import Node
from node.storage.ledger import all_documents
from primitives.clock import SystemClock
from tests.support.command_line import (
    TEMPLATE,
    TEMPLATE_ID,
    assert_refused,
    create_home,
    issue,
    learners,
    run,
    run_json,
)
from tests.support.components import ROOT
from tests.support.workbooks import workbook

ISSUE = ("issue", "--template", TEMPLATE_ID)


def stored(home: Home) -> dict[str, str]:
    async def read() -> list[tuple[str, str]]:
        async with Node.open(home, SystemClock()) as node, node.reading() as c:
            return await all_documents(c, "", 1000)

    return dict(asyncio.run(read()))


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """The three learners that the shared node has issued to, and two more."""
    file = tmp_path / "learners.csv"
    file.write_text(learners(5), encoding="utf-8")
    return file


def test_each_file_holds_exactly_the_stored_bytes(shared_home: Home) -> None:
    files = {path.stem: path.read_text("utf-8") for path in shared_home.issued.iterdir()}
    assert len(files) == 3
    assert files == stored(shared_home)


def test_a_second_run_issues_to_those_who_are_new(home: Home, csv: Path) -> None:
    before = stored(home)
    found = run_json(*ISSUE, csv, home=home.root)
    assert sorted(found["earlier"]) == sorted(before)
    assert len(found["issued"]) == 2
    assert len(stored(home)) == 5
    again = run_json(*ISSUE, csv, home=home.root)
    assert (again["issued"], len(again["earlier"]), again["held"]) == ([], 5, 0)


def test_the_workbook_of_a_csv_issues_to_nobody_twice(
    home: Home, csv: Path, tmp_path: Path
) -> None:
    file = tmp_path / "learners.xlsx"
    file.write_bytes(workbook(line.split(",") for line in learners(5).splitlines()))
    found = run_json(*ISSUE, file, "--sheet", "Sheet", home=home.root)
    assert (len(found["earlier"]), len(found["issued"])) == (3, 2)
    again = run_json(*ISSUE, csv, home=home.root)
    assert (len(again["earlier"]), again["issued"]) == (5, [])


def test_files_that_are_gone_are_written_again_and_others_left_alone(
    home: Home, csv: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "folder"
    assert run(*ISSUE, csv, "--out", out, home=home.root).exit_code == 0
    first, second, *_ = sorted(out.iterdir())
    first.unlink()
    second.write_text("annotated by hand", encoding="utf-8")
    assert run(*ISSUE, csv, "--out", out, home=home.root).exit_code == 0
    assert first.read_text("utf-8") == stored(home)[first.stem]
    assert second.read_text("utf-8") == "annotated by hand"


def test_rows_that_cannot_be_issued_are_held_and_listed(
    home: Home, csv: Path, tmp_path: Path
) -> None:
    lines = csv.read_text("utf-8").splitlines()
    lines[4] = lines[4].replace("2025-", "2525-")
    lines[5] = lines[5][: lines[5].rindex("-") + 3] + ",1,1,1,1,1"
    csv.write_text("\n".join(lines), encoding="utf-8")
    result = run(*ISSUE, csv, "--out", tmp_path / "out", home=home.root)
    assert result.exit_code == 1
    header, *rows = result.stdout.split("\n\n")[0].splitlines()
    assert header.split() == ["row", "column", "kind", "code", "detail"]
    assert {row.split()[0] for row in rows} == {"5", "6"}
    assert "0 issued, 3 issued earlier, 2 held" in result.stdout
    assert len(list((tmp_path / "out").iterdir())) == 3

    found = run_json(*ISSUE, csv, home=home.root, code=1)
    assert found["held"] == 2
    members = {"row", "column", "severity", "code", "detail", "hint"}
    assert all(finding.keys() == members for finding in found["findings"])


def test_nothing_hostile_in_a_cell_reaches_the_terminal(home: Home, csv: Path) -> None:
    lines = csv.read_text("utf-8").splitlines()
    lines[5] = lines[5].replace(",", ",\x1b[2J\u202e", 1)
    csv.write_text("\n".join(lines), encoding="utf-8")
    result = run(*ISSUE, csv, home=home.root)
    assert result.exit_code == 1
    assert result.output.replace("\n", "").isprintable()


BAD_FILES = {
    "empty": (b"", "csv-column-missing"),
    "spreadsheet": (b"PK\x03\x04" + b"\0" * 100, "xlsx-malformed"),
    "latin": ("family_name,given_name,completed_on\nPeña,Ana,2025-01-01\n".encode("cp1252"),
              "csv-not-utf8"),
    "columns": (b"name,date\nAna,2025-01-01\n", "csv-column-missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_cannot_be_read_issues_nothing(
    home: Home, tmp_path: Path, name: str
) -> None:
    content, code = BAD_FILES[name]
    (tmp_path / "bad.csv").write_bytes(content)
    out = tmp_path / "out"
    result = run(*ISSUE, tmp_path / "bad.csv", "--out", out, home=home.root)
    assert result.stderr.splitlines()[0].endswith(f"({code})")
    assert "Traceback" not in result.output
    assert result.exit_code == 2
    assert not out.exists()
    assert len(stored(home)) == 3


def test_cp1252_is_read_when_it_is_confirmed(home: Home, csv: Path) -> None:
    csv.write_bytes(learners(5).encode("cp1252"))
    assert run(*ISSUE, csv, home=home.root).exit_code == 2
    result = run(*ISSUE, csv, "--encoding", "cp1252", home=home.root)
    assert result.exit_code == 0, result.output
    assert any("Peñaflor" in body for body in stored(home).values())


def test_a_wrong_passphrase_issues_nothing(home: Home, csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(*ISSUE, csv, "--out", out, home=home.root, passphrase="guess")
    assert_refused(result, "key-unlock-failed", exit_code=4)
    assert not out.exists()
    assert len(stored(home)) == 3


def test_an_unknown_template_or_issuer_is_named(home: Home, csv: Path) -> None:
    result = run("issue", "--template", "nothing", csv, home=home.root)
    assert_refused(result, "template-unknown", exit_code=4)
    result = run(*ISSUE, csv, "--issuer", "nobody", home=home.root)
    assert_refused(result, "issuer-unknown", exit_code=4)


def test_a_file_in_the_place_of_the_folder_is_refused_before_issuing(
    home: Home, csv: Path
) -> None:
    result = run(*ISSUE, csv, "--out", csv, home=home.root)
    assert_refused(result, "file-not-directory", exit_code=2)
    assert len(stored(home)) == 3


def test_an_unknown_suite_is_refused(home: Home, csv: Path) -> None:
    result = run(*ISSUE, csv, "--cryptosuite", "rsa", home=home.root)
    assert_refused(result, "usage", exit_code=2)


def test_jcs_is_signed_where_it_is_asked_for(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home")
    run("template", "add", TEMPLATE, home=home.root)
    (tmp_path / "l.csv").write_text(learners(1), encoding="utf-8")
    suite = "eddsa-jcs-2022"
    run(*ISSUE, tmp_path / "l.csv", "--cryptosuite", suite, home=home.root)
    (body,) = stored(home).values()
    assert json.loads(body)["proof"][0]["cryptosuite"] == suite


def test_an_issuer_signs_in_its_own_suite_unless_asked_for_another(
    home: Home, tmp_path: Path
) -> None:
    add = ("issuer", "add", "north", "--name", "North", "--cryptosuite", "eddsa-jcs-2022")
    run(*add, home=home.root)
    (tmp_path / "l.csv").write_text(learners(1), encoding="utf-8")
    issue = (*ISSUE, tmp_path / "l.csv", "--issuer", "north")
    for more, suite in (
        ([], "eddsa-jcs-2022"),
        (["--cryptosuite", "eddsa-rdfc-2022"], "eddsa-rdfc-2022"),
    ):
        folder = tmp_path / suite
        if more:
            (tmp_path / "l.csv").write_text(learners(2), encoding="utf-8")
        run(*issue, *more, "--out", folder, home=home.root)
        made = {p: json.loads(p.read_bytes())["proof"][0] for p in folder.glob("*.json")}
        assert suite in {proof["cryptosuite"] for proof in made.values()}


def test_another_issuer_signs_in_its_own_name(home: Home, csv: Path) -> None:
    made = run_json(
        "issuer", "add", "sdo-batangas", "--name", "SDO Batangas", home=home.root
    )
    assert made["did"] == "did:web:localhost%3A8460:issuers:sdo-batangas"
    found = run_json(*ISSUE, csv, "--issuer", "sdo-batangas", home=home.root)
    assert len(found["issued"]) == 5
    file = home.issued / f"{found['issued'][0]}.json"
    assert run("verify", file, "--offline", home=home.root).exit_code == 0


def test_a_template_is_added_once_and_its_version_never_changes(
    tmp_path: Path,
) -> None:
    home = create_home(tmp_path / "home")
    assert run_json("template", "add", TEMPLATE, home=home.root)["new"] is True
    assert run_json("template", "add", TEMPLATE, home=home.root)["new"] is False
    assert run_json("template", "list", home=home.root) == {
        "templates": [{"id": TEMPLATE_ID, "version": "2025.1"}]
    }
    document = json.loads(TEMPLATE.read_bytes())
    document["description"] = "another text"
    (tmp_path / "t.json").write_text(json.dumps(document), encoding="utf-8")
    result = run("template", "add", tmp_path / "t.json", home=home.root)
    assert_refused(result, "template-version-exists", exit_code=4)


def test_a_retired_template_is_shown_and_not_issued_from(home: Home) -> None:
    run("template", "add", TEMPLATE, home=home.root)
    name = "als-lifeskills-communication"
    shown = run_json("template", "show", name, home=home.root)
    assert (shown["id"], shown["retiredAt"]) == (name, None)
    assert run_json("template", "retire", name, home=home.root)["id"] == name
    assert run_json("template", "show", name, home=home.root)["retiredAt"] is not None
    csv = ROOT / "examples" / "learners.csv"
    result = run("issue", "--template", name, csv, home=home.root)
    assert_refused(result, "template-retired", exit_code=1)
    result = run("template", "show", name, "--version", "9", home=home.root)
    assert_refused(result, "template-unknown", exit_code=4)


def test_what_is_no_template_is_refused(home: Home, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text("{}", encoding="utf-8")
    result = run("template", "add", tmp_path / "t.json", home=home.root)
    assert result.stderr.splitlines()[0].endswith("(template-malformed)")
    assert result.exit_code == 2


def test_the_first_files_lie_in_the_node(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home")
    files = issue(home, tmp_path, rows=2)
    assert [path.parent for path in files] == [home.root / "issued"] * 2
