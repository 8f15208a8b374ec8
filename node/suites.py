"""The cryptosuites that a node signs with."""

from credentials.data_integrity import SUITES
from primitives.errors import Malformed


class SuiteUnknown(Malformed):
    """There is no such cryptosuite."""

    code = "cryptosuite-unknown"
    hint = "choose eddsa-rdfc-2022 or eddsa-jcs-2022, or leave it to the issuer"


def require_suite(name: str) -> None:
    """Return if there is a cryptosuite of that name.

    Raises:
        SuiteUnknown: There is none.
    """
    if name not in SUITES:
        raise SuiteUnknown(f"found {name[:64]!r}, want one of {SUITES}")
