"""Makes inputs from a seed, sends each through every way in, and keeps what went wrong."""

import base64
import json
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.fuzz.mutations import Mutator
from tests.fuzz.samples import Sample
from tests.fuzz.ways import (
    Answer,
    Wrong,
    by_command,
    by_http,
    by_library,
    nothing_said,
    require_same,
)
from tests.fuzz.world import World, world_in

COMMAND_EVERY: Final = 40
"""The command line takes ten times as long, and asks the same functions."""

SLOW_SECONDS: Final = 0.05
"""p99 of one verification, by the library and over HTTP, of the processor: a machine that
is busy with something else makes no input slow."""


_KINDS: Final = (("credential", "presentation", "request"), (65, 20, 15))


@dataclass(frozen=True)
class Input:
    """One thing that is sent."""

    index: int
    sample: str
    kind: str
    steps: tuple[str, ...]
    raw: bytes
    """The mutated document."""

    body: bytes
    """What is posted: the document, or a request around it."""


@dataclass
class Findings:
    """What a run came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    library: list[tuple[float, int]] = field(default_factory=list)
    http: list[tuple[float, int]] = field(default_factory=list)
    """Seconds, and which input."""

    library_cpu: list[tuple[float, int]] = field(default_factory=list)
    http_cpu: list[tuple[float, int]] = field(default_factory=list)
    """The same of the processor alone; over HTTP the client's are among them."""

    commands: int = 0
    neutral: int = 0
    """Inputs that were accepted, because they say what was signed."""

    failures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        """Take in what another worker found."""
        self.outcomes += other.outcomes
        self.library += other.library
        self.http += other.http
        self.library_cpu += other.library_cpu
        self.http_cpu += other.http_cpu
        self.commands += other.commands
        self.neutral += other.neutral
        self.failures += other.failures


def make_input(seed: int, index: int, samples: tuple[Sample, ...]) -> Input:
    """Return input number `index`: the same, whichever worker makes it."""
    random = Random(f"{seed}:{index}")
    wanted = random.choices(*_KINDS)[0]
    sample = random.choice([each for each in samples if each.kind == wanted])
    mutator = Mutator(random, [each.document for each in samples])
    raw = mutator.bytes_from(sample.document)
    kind, body = sample.kind, raw
    if kind == "presentation":
        options = b"{}"
        proof = sample.document["proof"]
        if isinstance(proof, dict) and "challenge" in proof:
            asked = {"challenge": proof["challenge"], "domain": proof["domain"]}
            options = json.dumps(asked).encode()
        body = b'{"verifiablePresentation": ' + raw + b', "options": ' + options + b"}"
    elif kind == "credential" and random.random() < 0.3:
        body = b'{"verifiableCredential": ' + raw + b"}"
    return Input(index, sample.name, kind, tuple(mutator.steps), raw, body)


async def run_inputs(
    seed: int, indexes: Iterable[int], told: Callable[[], object] = lambda: None
) -> Findings:
    """Send the inputs `indexes` of `seed`; `told` is called after each."""
    found = Findings()
    with tempfile.TemporaryDirectory() as folder:
        async with world_in(Path(folder)) as world:
            for index in indexes:
                made = make_input(seed, index, world.samples)
                await _send(world, made, seed, found, Path(folder) / "input.json")
                told()
    return found


async def replay(failure: dict[str, Any]) -> Findings:
    """Send one input again: as it was made, and made anew from its seed."""
    found = Findings()
    with tempfile.TemporaryDirectory() as folder:
        async with world_in(Path(folder)) as world:
            file = Path(folder) / "input.json"
            kept = Input(
                failure["index"],
                failure["sample"],
                failure["kind"],
                tuple(failure["steps"]),
                base64.b64decode(failure["raw"]),
                base64.b64decode(failure["body"]),
            )
            anew = make_input(failure["seed"], failure["index"], world.samples)
            for made in (kept, anew):
                await _send(world, made, failure["seed"], found, file, command=True)
    return found


async def _send(
    world: World,
    made: Input,
    seed: int,
    found: Findings,
    file: Path,
    *,
    command: bool = False,
) -> None:
    try:
        with nothing_said():
            answer = await by_http(world, made.kind, made.body)
            await _compare(world, made, answer, found)
            command = command or made.index % COMMAND_EVERY == 0
            if made.kind != "request" and command:
                await by_command(world, made.raw, file)
                found.commands += 1
    except Exception as e:  # noqa: BLE001 - whatever it is, it is a finding
        found.failures.append(_failure(made, seed, e))
        return
    found.outcomes[f"{made.kind} {answer.outcome}"] += 1
    found.http.append((answer.seconds, made.index))
    found.http_cpu.append((answer.cpu, made.index))


async def _compare(world: World, made: Input, answer: Answer, found: Findings) -> None:
    if made.kind == "request":
        return
    library = await by_library(world, made.kind, made.body)
    require_same(library, answer, "HTTP")
    found.library.append((library.seconds, made.index))
    found.library_cpu.append((library.cpu, made.index))
    if answer.outcome == "valid":
        world.honest.require(made.raw)
        found.neutral += 1


def _failure(made: Input, seed: int, error: Exception) -> dict[str, Any]:
    words = str(error) if isinstance(error, Wrong) else traceback.format_exc()
    return {
        "seed": seed,
        "index": made.index,
        "sample": made.sample,
        "kind": made.kind,
        "steps": made.steps,
        "problem": f"{type(error).__name__}: {words}",
        "raw": base64.b64encode(made.raw).decode(),
        "body": base64.b64encode(made.body).decode(),
    }
