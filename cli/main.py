"""Where the program begins: readies Python for a short life before anything else loads."""

import gc
from typing import Final, NoReturn

OBJECTS_BEFORE_COLLECTING: Final = 50_000
"""Python's own 700 has it look for garbage some hundred times while modules are imported,
of which none is garbage: a tenth of the time of a short command, and of issuing a batch."""


def main() -> NoReturn:
    """Run the command line."""
    gc.set_threshold(OBJECTS_BEFORE_COLLECTING)
    from cli.root import root  # noqa: PLC0415 - a hundred modules, after the line above

    try:
        root.main()
    finally:
        # Python's own end looks through all that was imported for garbage, several times;
        # for a short command that is a sixth of its time. The system takes all back.
        gc.freeze()
