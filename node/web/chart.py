"""A chart of bars, worked out here and drawn by the page as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

WIDTH: Final = 640
HEIGHT: Final = 160
_TOP: Final = 14
_FOOT: Final = 22


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in the units of the picture."""

    x: float
    y: float
    width: float
    height: float
    day: date
    count: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of days."""

    bars: tuple[Bar, ...]
    largest: int
    total: int


def bars_of(values: Sequence[tuple[date, int]]) -> Chart:
    """Return a bar for each day; one of none has no height."""
    largest = max((count for _, count in values), default=0)
    step = WIDTH / max(len(values), 1)
    room = HEIGHT - _TOP - _FOOT
    bars = []
    for index, (day, count) in enumerate(values):
        height = round(room * count / largest, 1) if largest else 0.0
        x = round(index * step + step * 0.14, 1)
        width, top = round(step * 0.72, 1), round(_TOP + room - height, 1)
        bars.append(Bar(x, top, width, height, day, count))
    return Chart(tuple(bars), largest, sum(count for _, count in values))
