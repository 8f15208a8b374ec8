"""The folder in which several processes of a node count together."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Variable that the library reads when it is imported."""


@contextmanager
def shared_metrics(processes: int) -> Iterator[None]:
    """Let what is imported inside count in files, where there are several processes."""
    if processes == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="patunay-metrics-") as folder:
        os.environ[MULTIPROCESS_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[MULTIPROCESS_FOLDER]
