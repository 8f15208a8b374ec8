"""Every module of pages."""

from types import ModuleType
from typing import Final

from node.web import (
    check,
    credential_pages,
    holding,
    running,
    signing_in,
    template_pages,
    transparency,
)

MODULES: Final[tuple[ModuleType, ...]] = (
    check,
    credential_pages,
    holding,
    running,
    signing_in,
    template_pages,
    transparency,
)
