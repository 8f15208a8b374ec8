"""A slice of the alterations; `python -m tests.matrix.alterations` makes all of them."""

import pytest

from credentials.report import Outcome
from primitives.canonical_json import canonicalize
from tests.matrix.alterations import (
    BEHIND_A_PACK,
    OF_NO_MEANING,
    SETTINGS,
    VALID,
    Tally,
    alter_bundle,
    alter_pack,
    flip_block,
    flip_pack,
    meaningless,
)
from tests.matrix.office import world

EVERY = 31
"""One of so many; no multiple of the four ways to alter."""


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_no_altered_field_of_a_bundle_is_believed(name: str) -> None:
    tally = Tally()
    alter_bundle(name, tally, every=EVERY)
    assert tally.made > 20
    assert tally.bad == []
    setting = SETTINGS[name]
    if name in VALID:
        assert [f for f in tally.equal if not meaningless(f, setting)] == []


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_what_is_altered_was_judged_before(name: str) -> None:
    setting = SETTINGS[name]
    outcome = setting.report(canonicalize(world()["bundles"][setting.bundle])).outcome
    assert (outcome is Outcome.VALID) == (name in VALID)


def test_no_altered_field_of_a_pack_is_believed() -> None:
    tally = Tally()
    alter_pack(tally, every=EVERY)
    flip_pack(tally, 100)
    assert tally.bad == []
    assert sum(tally.refused.values()) == tally.made > 200
    assert {"pack-file-changed", "pack-signature-invalid"} <= tally.refused.keys()


def test_no_flipped_bit_of_a_block_is_believed() -> None:
    tally = Tally()
    flip_block(tally, 60)
    assert (tally.made, tally.bad) == (60, [])
    assert tally.refused.keys() <= {"chain-proof-invalid", "block-not-attested"}


def test_each_field_that_is_let_pass_has_a_reason() -> None:
    assert all(len(why) > 10 for why in (OF_NO_MEANING | BEHIND_A_PACK).values())
