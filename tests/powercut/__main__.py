"""`make powercut`: cut the power of a node many times, and see that nothing is lost.

Then lets single changes of the disk fail, which must lose nothing either. Then cuts the
power again in three ways that must lose something: a disk that forgets what was synced in
files, one that forgets it in folders, and a database that does not wait. Exit code 1 if
something was lost, or if nothing was where it must be. Needs root.
"""

import argparse
import sys
from typing import Final

from tests.powercut.campaign import CONTROLS, Stage, run_cuts, run_faults, staged

_CONTROL_CUTS: Final = 30


def main() -> int:
    """Run the campaign and its controls."""
    parser = argparse.ArgumentParser(prog="make powercut", description=__doc__)
    parser.add_argument("--cuts", type=int, default=1_000, metavar="N")
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    with staged() as stage:
        return _run(stage, options.seed, options.cuts)


def _run(stage: Stage, seed: int, cuts: int) -> int:
    found = run_cuts(stage, seed, cuts, say=say)
    for each in found.lost:
        say(f"LOST {each}")
    say(
        f"seed {seed}: {found.cuts} cuts in {found.seconds:.0f} s,"
        f" {found.looks} times looked at everything, {len(found.lost)} lost"
    )
    say(f"acknowledged: {dict(found.acknowledged)}")
    say(f"said by nodes whose disk was gone: {dict(found.stopped)}")
    faults = run_faults(stage, seed, cuts // 2)
    for each in faults.lost:
        say(f"LOST {each}")
    say(
        f"{faults.looks} lives in which one change of the disk failed, in"
        f" {faults.seconds:.0f} s: {len(faults.lost)} lost, told as {dict(faults.stopped)}"
    )
    is_blind = False
    for name, control in CONTROLS.items():
        control_found = run_cuts(stage, seed, _CONTROL_CUTS, control)
        is_blind = is_blind or not control_found.lost
        say(
            f"control, {name}: {len(control_found.lost)} lost"
            f" within {control_found.cuts} cuts, want some"
        )
    return 1 if found.lost or faults.lost or is_blind else 0


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
