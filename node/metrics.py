"""What the node counts and times for whoever operates it.

Label values are of closed sets: routes, error codes, outcomes, states. No id, name,
address or content of a credential is in any of them.

Several processes of one node each count for themselves, in files of one folder, and
whoever is asked adds them up. The library looks at the variable that names the folder when
it is imported: `node.shared_metrics` sets it before.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from node.shared_metrics import MULTIPROCESS_FOLDER

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_REQUEST_SECONDS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    5,
    30,
)
_LAG_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
_STEP_SECONDS: Final = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60)
_ANCHOR_SECONDS: Final = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 21_600)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        registry = self._own = CollectorRegistry()
        self.requests = Counter(
            "patunay_http_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.request_seconds = Histogram(
            "patunay_http_request_seconds",
            "Time from a request's headers to its answer.",
            ("route",),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "patunay_http_requests_in_flight",
            "Requests in hand.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.refusals = Counter(
            "patunay_refusals", "Errors, by their code.", ("code",), registry=registry
        )
        self.verifications = Counter(
            "patunay_verifications",
            "Credentials that were judged.",
            ("outcome",),
            registry=registry,
        )
        self.verify_seconds = Histogram(
            "patunay_verify_seconds",
            "Time from a credential to its report, look-ups included.",
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self.loop_lag_seconds = Histogram(
            "patunay_event_loop_lag_seconds",
            "How much later than asked for the event loop came back.",
            buckets=_LAG_SECONDS,
            registry=registry,
        )
        self.loop_lag_max_seconds = Gauge(
            "patunay_event_loop_lag_max_seconds",
            "The longest such time of the last minute.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.workers = Gauge(
            "patunay_workers",
            "Processes that answer requests.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.anchor_step_seconds = Histogram(
            "patunay_anchor_step_seconds",
            "Time of one step towards an anchor, the chain's answers included.",
            buckets=_STEP_SECONDS,
            registry=registry,
        )
        self.anchor_seconds = Histogram(
            "patunay_anchor_seconds",
            "Time from a signed checkpoint to the block that anchors it.",
            buckets=_ANCHOR_SECONDS,
            registry=registry,
        )
        self.anchor_failures = Counter(
            "patunay_anchor_failures",
            "Steps that could not be taken, by the error's code.",
            ("code",),
            registry=registry,
        )
        self.balance_wei = Gauge(
            "patunay_chain_balance_wei",
            "What the account that pays for anchors holds.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.fee_wei = Gauge(
            "patunay_chain_fee_wei",
            "What the chain asks for a unit of gas, as the node would offer it.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )

        # What is labelled is looked up under a lock; these few come with each request.
        self.request = cache(self.requests.labels)
        self.request_time = cache(self.request_seconds.labels)

    def exposition(self, now: Mapping[str, tuple[str, float]]) -> bytes:
        """Return everything in Prometheus' text format, that of all processes added up.

        Args:
            now: More gauges: by name, what each means and its value.
        """
        moment = CollectorRegistry()
        moment.register(_Moment(now))
        folder = os.environ.get(MULTIPROCESS_FOLDER)
        counted = self._own
        if folder is not None:
            counted = CollectorRegistry()
            MultiProcessCollector(counted, folder)  # type: ignore[no-untyped-call]
        return generate_latest(counted) + generate_latest(moment)


class _Moment(Collector):
    """Values that are looked up when they are asked for, and kept nowhere."""

    def __init__(self, now: Mapping[str, tuple[str, float]]) -> None:
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, (meaning, value) in self._now.items():
            yield GaugeMetricFamily(name, meaning, value=value)


def forget_process(pid: int) -> None:
    """Take what a process that has ended had in hand out of the gauges."""
    folder = os.environ.get(MULTIPROCESS_FOLDER)
    if folder is not None:
        mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
