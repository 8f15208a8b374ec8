"""A few random histories; `make chaos` plays 500 of them."""

from pathlib import Path

from tests.chaos.story import Story
from tests.chaos.world import world

SEEDS = range(6)


async def test_each_batch_is_anchored_exactly_once_whatever_happens(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as stage:
        played = [await Story(stage, seed, tmp_path).play() for seed in SEEDS]
    steps = {step for outcome in played for step in outcome.steps}
    assert steps == {
        *("issue", "mine", "reorganise", "drop", "spike"),
        *("steal", "lose_answers", "fail", "crash"),
    }
    assert sum(outcome.crashes for outcome in played) > 0
