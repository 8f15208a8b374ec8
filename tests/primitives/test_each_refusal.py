"""Refusals that no other test can tell from the one after them; found by `make mutants`."""

import pytest

from primitives.ed25519 import SEED_BYTES, KeyMalformed, SoftwareSigner


@pytest.mark.parametrize("length", [0, SEED_BYTES - 1, SEED_BYTES + 1, 2 * SEED_BYTES])
def test_a_seed_has_its_length(length: int) -> None:
    with pytest.raises(KeyMalformed, match=f"seed has {length} bytes, want 32"):
        SoftwareSigner(bytes(length))
