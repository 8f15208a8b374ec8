"""The matrix: each part missing, old, or of the wrong hands, and what has to come of it."""

from tests.matrix.evidence_cases import evidence_cases
from tests.matrix.office import Case
from tests.matrix.time_cases import time_cases
from tests.matrix.trust_cases import trust_cases


def cases() -> list[Case]:
    """Return all of them; each name says what is special."""
    return [*trust_cases(), *evidence_cases(), *time_cases()]
