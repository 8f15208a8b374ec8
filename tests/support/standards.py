"""Finds the official vectors, contexts and schemas that stand beside the checkout."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2].parent / "shared"


def standards(*parts: str) -> Path:
    """Return a folder or file of the official data, or skip with a line that says why."""
    return shared("standards", *parts)


def shared(*parts: str) -> Path:
    """Return a folder or file beside the checkout, or skip with a line that says why."""
    found = SHARED.joinpath(*parts)
    if not found.exists():
        pytest.skip(f"official data not found: put it at ../shared/{'/'.join(parts)}")
    return found
