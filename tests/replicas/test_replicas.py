"""Two kills; `make replicas` does twenty."""

from pathlib import Path

from tests.replicas.campaign import HANDOVER_SECONDS, play


async def test_a_leader_that_is_killed_loses_nothing_and_is_followed_within_seconds(
    tmp_path: Path,
) -> None:
    found = await play(tmp_path, kills=2, pause_seconds=1)
    assert found.wrong == []
    assert len(found.handovers) == 2
    assert max(found.handovers) < HANDOVER_SECONDS
    assert len(found.acknowledged) > 10
    assert found.checkpoints > 1
