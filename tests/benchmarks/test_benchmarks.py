"""That each part of `make bench` runs. No time is asserted: a busy machine would fail."""

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import PARTS, main
from benchmarks.audit import audit_rows
from benchmarks.cold import cold_rows
from benchmarks.credentials import credential_rows
from benchmarks.documents import batches
from benchmarks.figures import Figure
from benchmarks.gas import gas_rows
from benchmarks.merkle import merkle_rows
from benchmarks.offline import offline_rows
from benchmarks.peers import peer_rows
from benchmarks.service import service_rows
from tests.support.components import require


def assert_measured(figures: list[Figure]) -> None:
    for figure in figures:
        assert figure.figure, figure
        assert figure.ratio is None or math.isfinite(figure.ratio), figure
        assert figure.reached is not None or figure.goal is None, figure


def test_the_short_document_is_of_the_size_that_the_goals_were_set_on() -> None:
    assert [batch.title for batch in batches(1)] == [
        "3.4 KB, 83 quads",
        "7.6 KB, 204 quads",
    ]


def test_measures_credentials() -> None:
    figures = credential_rows(2, 1)
    assert_measured(figures)
    assert len(figures) == 2 + 2 * 13


def test_measures_a_node() -> None:
    figures = service_rows(3)
    assert_measured(figures)
    assert len(figures) == 2 * 2 * 2 + 2 * 2


def test_the_merkle_tree_holds_its_goals_of_size() -> None:
    figures = merkle_rows(20_000, 1)
    assert_measured(figures)
    memory, proof = figures[2:]
    assert memory.reached
    assert proof.reached
    assert proof.ratio == 8


def test_an_audit_finds_what_was_logged() -> None:
    figures = audit_rows(600, 3)
    assert_measured(figures)
    assert figures[0].what == "audit of 600 credentials in 3 records"
    assert figures[1].reached


def test_bundles_are_verified_offline() -> None:
    figures = offline_rows(5, 1)
    assert_measured(figures)
    assert len(figures) == 4
    assert figures[1].what == "patunay verify, 5 bundles, cold"


def test_an_anchor_holds_its_goals() -> None:
    figures = gas_rows()
    assert_measured(figures)
    assert [figure.reached for figure in figures] == [True, True]


def test_a_cold_verification_imports_nothing_slow() -> None:
    figures = cold_rows(1)
    assert_measured(figures)
    assert figures[1].reached, figures[1].figure


def test_measures_other_implementations() -> None:
    require("node")
    require("npm-jcs-peer")
    figures = peer_rows(2, 0.01, 1)
    assert_measured(figures)
    assert len(figures) == 2 * 7


def test_says_how_to_get_the_other_implementations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    (figure,) = peer_rows(1)
    assert (figure.what, figure.figure) == ("SKIPPED: peers", "no Node.js")
    assert "make tools" in figure.beside


def test_prints_and_writes_one_part(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    done = CliRunner().invoke(main, ["--only", "gas", "--json", str(file)])
    assert done.exit_code == 0, done.output
    assert "gas of anchor(digest)" in done.output
    assert "<= 1.05  reached" in done.output
    written = json.loads(file.read_text(encoding="utf-8"))
    assert list(written) == ["gas"]
    assert set(written) < set(PARTS)
    assert [row["reached"] for row in written["gas"]] == [True, True]


@pytest.mark.parametrize(
    ("ratio", "at_most", "words"),
    [
        (1.0, False, "reached"),
        (0.9, False, "NOT REACHED"),
        (1.0, True, "reached"),
        (1.1, True, "NOT REACHED"),
    ],
)
def test_says_whether_a_goal_is_reached(ratio: float, at_most: bool, words: str) -> None:
    figure = Figure("what", "figure", ratio=ratio, goal=1, at_most=at_most)
    assert figure.cells()[-1] == words
