"""Mutants that no test can notice, each with the reason why."""

from typing import Final

EQUIVALENT: Final[dict[str, str]] = {}
"""Name of the mutant, as the table has it: why the two behave alike."""
