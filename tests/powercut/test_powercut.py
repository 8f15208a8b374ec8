"""A node whose power is cut: what it had acknowledged is there when it starts again."""

import os
from collections.abc import Iterator

import pytest

from tests.powercut.campaign import CONTROLS, Stage, run_cuts, run_faults, staged
from tests.support.components import require

CUTS = 125
FAULTS = 24
SEED = 7


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Skip where no file system can be mounted: a container rarely may."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount the disk that loses its power: run as root")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("there is no /dev/fuse here: load the kernel's module fuse")
    require("fuse")
    with staged() as stage:
        yield stage


def test_a_node_loses_nothing_that_it_had_acknowledged(stage: Stage) -> None:
    found = run_cuts(stage, SEED, CUTS)
    assert found.lost == []
    assert found.cuts == CUTS
    assert found.looks > CUTS / 2
    # A campaign in which little was acknowledged has shown little.
    least = {"credentials": 200, "checkpoints": 40, "files": 100, "revocations": 20}
    assert {k: v for k, v in least.items() if found.acknowledged[k] < v} == {}
    assert min(found.acknowledged[k] for k in ("keys", "issuers", "nodes")) > 5
    # A disk that fails is told as one: never as a bug.
    assert found.stopped["storage-io-error"] > 5
    assert found.stopped.keys() <= {"storage-io-error", "storage-failed", "file-failed"}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_that_syncs_too_little_loses_something(stage: Stage, name: str) -> None:
    assert run_cuts(stage, SEED, 24, CONTROLS[name]).lost != []


def test_a_node_loses_nothing_when_one_change_of_its_disk_fails(stage: Stage) -> None:
    found = run_faults(stage, SEED, FAULTS)
    assert found.lost == []
    assert found.looks == FAULTS
    assert found.acknowledged["credentials"] > FAULTS
    # Most of the faults were met, and each was told by its name.
    assert found.stopped["storage-io-error"] > FAULTS / 5
    assert found.stopped["storage-failed"] > FAULTS / 5
    told = {"storage-io-error", "storage-failed", "file-failed", "disk-full", "done"}
    assert found.stopped.keys() <= told
