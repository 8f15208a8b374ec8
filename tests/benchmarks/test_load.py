"""That the load and the soak run, and judge their figures right. No time is asserted."""

import asyncio

import pytest

from benchmarks.daemons import Load
from benchmarks.load import load_rows
from benchmarks.soak import LOOKS, growth_of, slope_of, soak
from tests.benchmarks.test_benchmarks import assert_measured


def test_measures_the_daemon_under_load() -> None:
    figures = load_rows(requests=20, credentials=20, documents=1)
    assert_measured(figures)
    names = [figure.what for figure in figures]
    assert sum("verify over HTTP" in name for name in names) == 2
    assert {"two processes: verify", "two processes: issue"} <= {*names}
    assert names[-1] == "memory of a daemon with 20 credentials"


def test_a_soak_looks_at_the_memory_as_often_as_it_says() -> None:
    sizes = asyncio.run(soak(0.1, credentials=10))
    assert len(sizes) == LOOKS
    assert min(sizes) > 20_000_000


def test_growth_is_that_after_the_first_third() -> None:
    assert growth_of(
        [10, 20, 50, 60, 100, 100, 100, 100, 104, 106, 105, 105]
    ) == pytest.approx(0.05)
    assert growth_of([1, 1, 1, 1, 100, 100, 100, 100, 90, 90, 90, 90]) < 0


def test_quantiles_are_of_the_sorted_latencies() -> None:
    load = Load(4, 2.0, 0.5, [0.1, 0.2, 0.3, 0.4])
    assert (load.rate, load.cpu_rate) == (2.0, 8.0)
    assert (load.quantile(0.5), load.quantile(0.99)) == (0.3, 0.4)


def test_the_slope_of_a_soak_leaves_out_its_first_third() -> None:
    assert slope_of([900, 100, 10, 12, 14, 16], 0.5) == 4
