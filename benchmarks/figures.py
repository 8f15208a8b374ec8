"""A measurement beside its limit and its goal, and how rates are measured."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Job: TypeAlias = tuple[int, Callable[[], object]]
"""How many things one call does, and the call."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the output."""

    what: str
    figure: str
    """With its unit."""

    beside: str = ""
    """What it is compared with, measured in the same run."""

    ratio: float | None = None
    unit: str = ""
    """Of the ratio, where it has a name: S or V."""

    goal: float | None = None
    at_most: bool = False
    """Whether the goal is an upper limit."""

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None or self.ratio is None:
            return None
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal

    def cells(self) -> tuple[str, ...]:
        """Return the line as columns."""
        unit = f" {self.unit}" if self.unit else ""
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}{unit}"
        sign = "<=" if self.at_most else ">="
        goal = "" if self.goal is None else f"{sign} {self.goal:g}{unit}"
        words = {None: "", True: "reached", False: "NOT REACHED"}
        return self.what, self.figure, self.beside, ratio, goal, words[self.reached]

    def to_json(self) -> dict[str, str | float | bool | None]:
        """Return the line for a program to read."""
        return {
            "what": self.what,
            "figure": self.figure,
            "beside": self.beside,
            "ratio": self.ratio,
            "unit": self.unit,
            "goal": self.goal,
            "at_most": self.at_most,
            "reached": self.reached,
        }


HEAD = ("what", "figure", "beside, in the same run", "ratio", "goal", "")


def rates(jobs: Mapping[str, Job], rounds: int) -> dict[str, float]:
    """Return how often a second of CPU each job is done: the best of all rounds.

    In turns, so that a busy neighbour slows all alike; the best, because nothing makes a
    program faster than it is.
    """
    best = dict.fromkeys(jobs, float("inf"))
    for _ in range(rounds):
        for name, (_, work) in jobs.items():
            start = time.process_time()
            work()
            best[name] = min(best[name], time.process_time() - start)
    return {name: count / best[name] for name, (count, _) in jobs.items()}
