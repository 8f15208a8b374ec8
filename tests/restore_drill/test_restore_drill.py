"""A few random moments on each store; `make restore-drill N=100` tries more."""

from pathlib import Path

import pytest

from node.config_tables import DatabaseConfig
from tests.restore_drill.drill import play
from tests.support.nodes import make_home_here
from tests.support.postgres import Cluster, drop


@pytest.mark.parametrize("seed", range(3))
async def test_a_copy_restored_into_sqlite_fits_what_was_published(
    tmp_path: Path, seed: int
) -> None:
    made = await make_home_here(tmp_path / "made")
    await play(made, tmp_path, seed, None)


@pytest.mark.parametrize(("seed", "source"), [(3, "sqlite"), (4, "postgres")])
async def test_a_copy_restored_into_postgresql_fits_what_was_published(
    tmp_path: Path, postgres: Cluster, seed: int, source: str
) -> None:
    url = postgres.create()
    from_there = DatabaseConfig(url=postgres.create() if source == "postgres" else "")
    made = await make_home_here(tmp_path / "made", database=from_there)
    try:
        await play(made, tmp_path, seed, DatabaseConfig(url=url))
    finally:
        drop(url)
        if from_there.url:
            drop(from_there.url)
