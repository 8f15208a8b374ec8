"""A slice of `make schemathesis`: a few requests to each route."""

from tests.openapi.campaign import EXCLUDED_CHECKS, SKIPPED, run
from tests.support.components import require


async def test_every_answer_to_a_strange_request_is_described() -> None:
    program = require("schemathesis")
    figures = await run(
        program,
        ["--phases", "fuzzing", "--max-examples", "1", "--max-time", "20", "--seed", "1"],
    )
    assert figures.failures == (), figures.output
    assert figures.operations > 50
    assert figures.cases > figures.operations


def test_whatever_is_left_out_has_its_reason() -> None:
    for reason in (*EXCLUDED_CHECKS.values(), *SKIPPED.values()):
        assert len(reason.split()) > 5
