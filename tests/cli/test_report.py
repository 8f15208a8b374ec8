"""`patunay verify --report`: a file or a folder, on paper."""

import json
import sys
from pathlib import Path

import pytest

from cli.credential_files import _below
from credentials.bundle import encode_bundle
from tests.support.bundles import kit, trust_file
from tests.support.command_line import run, run_json

AS_OF = "2026-11-22T08:00:00Z"


@pytest.fixture
def office(tmp_path: Path) -> tuple[Path, list[str | Path]]:
    """A stick with bundles on it, and what the office believes."""
    made = kit()
    stick = tmp_path / "stick"
    (stick / "2026" / "A").mkdir(parents=True)
    (stick / ".Trashes").mkdir()
    for name in ("one.json", "2026/two.JSON", "2026/A/three.json", ".Trashes/old.json"):
        (stick / name).write_bytes(encode_bundle(made.bundle))
    (stick / "._one.json").write_bytes(b"\0\5\x16\7")
    (tmp_path / "policy.json").write_text(json.dumps(made.policy_file()), encoding="utf-8")
    (tmp_path / "trust.json").write_text(json.dumps(trust_file()), encoding="utf-8")
    known = ("--policy", tmp_path / "policy.json", "--trust", tmp_path / "trust.json")
    return stick, [*known, "--as-of", AS_OF, "--offline"]


def test_a_folder_is_verified_with_the_folders_in_it(
    office: tuple[Path, list[str | Path]],
) -> None:
    stick, known = office
    reports = run_json("verify", stick, *known)["reports"]
    found = [Path(one["file"]).relative_to(stick).as_posix() for one in reports]
    assert found == ["2026/A/three.json", "2026/two.JSON", "one.json"]


def test_links_out_of_a_folder_are_not_followed(
    office: tuple[Path, list[str | Path]], tmp_path: Path
) -> None:
    stick, known = office
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.json").write_text("{}", encoding="utf-8")
    (stick / "link").symlink_to(tmp_path / "elsewhere")
    (stick / "circle").symlink_to(stick)
    assert len(run_json("verify", stick, *known)["reports"]) == 3


@pytest.mark.parametrize("ending", ["html", "pdf"])
def test_one_broken_file_never_stops_the_rest(
    office: tuple[Path, list[str | Path]], ending: str
) -> None:
    stick, known = office
    (stick / "broken.json").write_bytes(b"\xff\xfe not JSON")
    (stick / "deep.json").write_text("[" * 5000, encoding="utf-8")
    paper = stick.parent / f"report.{ending}"
    result = run("verify", stick, *known, "--report", paper, "--office", "Opisina")
    assert result.exit_code == 2
    assert "5 files: 3 valid, 2 malformed" in result.stdout
    assert paper.stat().st_size > 4000
    if ending == "html":
        text = paper.read_text(encoding="utf-8")
        assert "5 documents were checked. 2 need attention" in text
        assert text.index("broken.json") < text.index("three.json")
        assert "Opisina" in text


def test_a_folder_that_cannot_be_entered_is_told(tmp_path: Path) -> None:
    # Root may enter every folder; none enters one that is gone by now.
    gone = tmp_path / "gone"
    assert list(_below(gone)) == [gone]
    result = run("verify", gone, tmp_path / "other.json", "--offline")
    assert result.stdout.count("(file-not-found)") == 2


def test_a_single_file_that_cannot_be_read_has_a_report_all_the_same(
    tmp_path: Path,
) -> None:
    file, paper = tmp_path / "broken.json", tmp_path / "report.html"
    file.write_text("{", encoding="utf-8")
    result = run("verify", file, "--offline", "--report", paper, "--lang", "fil")
    assert result.exit_code == 2
    assert "Hindi mabasa bilang kredensiyal ang file na ito." in paper.read_text("utf-8")


def test_what_is_printed_stays_the_same(office: tuple[Path, list[str | Path]]) -> None:
    stick, known = office
    plain = run("verify", stick / "one.json", *known, "--json")
    paper = stick.parent / "report.html"
    with_report = run("verify", stick / "one.json", *known, "--json", "--report", paper)
    assert with_report.stdout == plain.stdout
    assert with_report.exit_code == plain.exit_code == 0


def test_another_ending_is_refused_before_anything_is_judged(tmp_path: Path) -> None:
    result = run("verify", tmp_path / "nowhere.json", "--report", tmp_path / "report.doc")
    assert result.exit_code == 2
    assert "found --report report.doc, want a name in .html or .pdf" in result.stderr


def test_the_report_is_loaded_only_when_it_is_asked_for(
    office: tuple[Path, list[str | Path]],
) -> None:
    import subprocess  # noqa: PLC0415

    stick, known = office
    arguments = ["verify", *map(str, (stick / "one.json", *known))]
    code = (
        "import sys; from click.testing import CliRunner; from cli.root import root;"
        f"CliRunner().invoke(root, {arguments!r});"
        "print(*(m for m in ('node.printed.content', 'fpdf', 'babel', 'credentials.foreign"
        ".suites') if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
