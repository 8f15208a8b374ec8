"""Watches how late the event loop comes back: whatever blocks it makes everybody wait."""

import asyncio
import logging
from collections import deque
from typing import Final

from node.metrics import Metrics

logger = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 0.05

ALLOWED_SECONDS: Final = 0.1
"""Longest time that nothing may block the loop for."""

WINDOW_SECONDS: Final = 60.0


class LoopWatch:
    """Measures the lag of the loop it runs in."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._longest: deque[tuple[float, float]] = deque()
        """Times and lags of the window, each lag longer than those after it."""

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            wanted = loop.time() + INTERVAL_SECONDS
            await asyncio.sleep(INTERVAL_SECONDS)
            now = loop.time()
            self.record(now, max(0.0, now - wanted))

    def record(self, now: float, lag: float) -> None:
        """Count one lag, in seconds; `now` is the loop's time."""
        self._metrics.loop_lag_seconds.observe(lag)
        while self._longest and self._longest[-1][1] <= lag:
            self._longest.pop()
        self._longest.append((now, lag))
        while self._longest[0][0] < now - WINDOW_SECONDS:
            self._longest.popleft()
        self._metrics.loop_lag_max_seconds.set(self._longest[0][1])
        if lag > ALLOWED_SECONDS:
            logger.info("the event loop was blocked for %.0f ms", lag * 1000)
