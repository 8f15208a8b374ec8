"""A node with something in it, and schemathesis let loose on what it says of itself.

Schemathesis reads `/openapi.json`, makes requests that fit it and requests that do not, and
compares each answer with what is described. It is not ours, and lives in an environment
of its own, so that none of its packages is among those that the node is tested with.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from anchoring.memory import MemoryAnchor
from node.access import create_token
from node.api.app import build_app
from node.node import Node
from node.permissions import Role
from node.setup import add_issuer
from node.templates import add_template
from node.uploads import Submitted, check_file, store_checked
from node.webhook_settings import add_webhook
from node.webhooks import Event
from primitives.strict_json import parse_json_object
from tests.support.nodes import (
    LEARNERS_FILE,
    TEMPLATE_FILE,
    HandClock,
    anchor,
    issue,
    make_home_here,
    opened,
)

_CONFIG: Final = Path(__file__).with_name("schemathesis.toml")

EXCLUDED_CHECKS: Final = {
    "positive_data_acceptance": (
        "what fits the schema may still break a rule that no schema can say: of a "
        "credential's data model, of a template, of a CSV table"
    ),
    "missing_required_header": "none is required but the token, which is another check",
}
"""Checks that are left out, and why."""

SKIPPED: Final = {
    "GET /batches/{batch}/events": "goes on for ten minutes while a batch is under way",
}


@dataclass(frozen=True)
class Figures:
    """What a run came to."""

    operations: int
    cases: int
    failures: tuple[str, ...]
    """One line each."""

    output: str


@asynccontextmanager
async def served() -> AsyncIterator[tuple[str, str]]:
    """Give the address of a node with something in it, and a token that may do all."""
    with tempfile.TemporaryDirectory() as folder:
        clock = HandClock()
        home = await make_home_here(Path(folder) / "node", clock)
        async with opened(home, clock) as node:
            secret = await _fill(node)
            runner = web.AppRunner(build_app(node), auto_decompress=False)
            await runner.setup()
            site = web.TCPSite(runner, "localhost", 0)
            await site.start()
            try:
                yield f"http://localhost:{runner.addresses[0][1]}", secret
            finally:
                await runner.cleanup()


async def _fill(node: Node) -> str:
    await add_issuer(node, "north", "North")
    template = parse_json_object(TEMPLATE_FILE.read_bytes())
    async with node.writing() as c:
        await add_template(node, c, template)
    await issue(node, 20)
    await anchor(node, MemoryAnchor())
    lines = LEARNERS_FILE.read_bytes().splitlines(keepends=True)
    submitted = Submitted(b"".join(lines[:40]), str(template["templateId"]), "main")
    checked = await check_file(node, submitted)
    async with node.writing() as c:
        await store_checked(node, c, checked)
        await add_webhook(node, c, "https://portal.example/hook", [Event.ISSUED])
    _, secret = await create_token(node, "schemathesis", list(Role))
    return secret


async def run(program: Path, arguments: Sequence[str]) -> Figures:
    """Let schemathesis loose on a node; return what it found."""
    async with served() as (url, secret):
        with tempfile.TemporaryDirectory() as folder:
            process = await asyncio.create_subprocess_exec(
                str(program),
                "--config-file",
                str(_CONFIG),
                "run",
                f"{url}/openapi.json",
                "--header",
                f"Authorization: Bearer {secret}",
                "--exclude-checks",
                ",".join(EXCLUDED_CHECKS),
                *(
                    word
                    for name in SKIPPED
                    for word in ("--exclude-path", name.partition(" ")[2])
                ),
                "--continue-on-failure",
                "--no-color",
                *arguments,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=folder,
            )
            output = (await process.communicate())[0].decode()
            return _figures(output)


def _figures(output: str) -> Figures:
    failures = re.findall(r"^  ❌ (ST\d+ .+)$", output, re.MULTILINE)
    return Figures(
        operations=_number(r"Tested: +(\d+)", output),
        cases=_number(r"(\d+) generated", output),
        failures=tuple(failures),
        output=output,
    )


def _number(pattern: str, output: str) -> int:
    found = re.search(pattern, output)
    return int(found[1]) if found is not None else 0


def main() -> int:
    """Run it whole, and print what schemathesis prints."""
    program, *arguments = sys.argv[1:]
    # It runs in a folder of its own.
    figures = asyncio.run(run(Path(program).absolute(), arguments))
    sys.stdout.write(figures.output)
    sys.stdout.write(
        f"{figures.operations} operations, {figures.cases} cases, "
        f"{len(figures.failures)} kinds of failures\n"
    )
    return 0 if figures.operations and not figures.failures else 1
