"""Every module of pages."""

from types import ModuleType
from typing import Final

from node.web import (
    batch_pages,
    check,
    credential_pages,
    holding,
    running,
    signing_in,
    template_pages,
    transparency,
)

MODULES: Final[tuple[ModuleType, ...]] = (
    batch_pages,
    check,
    credential_pages,
    holding,
    running,
    signing_in,
    template_pages,
    transparency,
)
