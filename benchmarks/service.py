"""The node as a whole: durable batch issuing, and verifying over HTTP."""

import asyncio
import csv
import io
import tempfile
import time
from datetime import date
from pathlib import Path

import aiohttp
from aiohttp import web
from nacl.signing import SigningKey

from cli.demo_steps import LEARNERS, TEMPLATE
from credentials.registrar import RegistrarFile, read_registrar_file
from credentials.template import parse_template
from did.keyfile import Argon2Cost
from node.config import Config
from node.daemon import serving
from node.home import Home
from node.issuance import issue_rows
from node.logbook import close_batch
from node.node import MAIN, Node
from node.setup import create_node
from node.storage import ledger
from primitives.clock import SystemClock
from primitives.strict_json import parse_json_object

Row = tuple[str, str, str, str]

CREDENTIALS = 2_000
REQUESTS = 600
CONNECTIONS = 8
_CHEAP = Argon2Cost(1, 8192)
"""Unlocking is not measured here."""


def service_rows() -> list[Row]:
    """Return what was measured: what, figure, limit, ratio."""
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    clock = SystemClock()
    suites = ("eddsa-rdfc-2022", "eddsa-jcs-2022")
    rows: list[Row] = []
    signing = _sign_rate()
    for suite in suites:
        with tempfile.TemporaryDirectory() as folder:
            home = Home(Path(folder) / "node")
            config = Config(
                domain="localhost:8461",
                public_url="http://localhost:8461",
                listen_port=0,
                allow_loopback_http=True,
            )
            await create_node(home, config, b"bench", clock, name="Bench", cost=_CHEAP)
            async with Node.open(home, clock, b"bench") as node:
                seconds = await _issue(node, suite)
                rate = CREDENTIALS / seconds
                rows.append(
                    (
                        f"issue, batch, durable, {suite}",
                        f"{rate:,.0f}/s",
                        f"S = {signing:,.0f}/s",
                        f"{rate / signing:.3f} S",
                    )
                )
                rows.append(await _verify(node, suite))
    return rows


def _sign_rate(count: int = 4_000) -> float:
    """Return PyNaCl's signatures a second over 64 bytes: the limit of all issuing."""
    key, message = SigningKey.generate(), bytes(64)
    start = time.perf_counter()
    for _ in range(count):
        key.sign(message)
    return count / (time.perf_counter() - start)


async def _issue(node: Node, suite: str) -> float:
    template = parse_template(parse_json_object(TEMPLATE.read_bytes()))
    file = _many_learners()
    start = time.perf_counter()
    report = await issue_rows(node, template, file, MAIN, cryptosuite=suite)
    await close_batch(node)
    seconds = time.perf_counter() - start
    if len(report.issued) != CREDENTIALS:
        raise RuntimeError(f"issued {len(report.issued)}, want {CREDENTIALS}")
    return seconds


def _many_learners() -> RegistrarFile:
    """Return the example file, repeated with other learner numbers."""
    table = list(csv.reader(io.StringIO(LEARNERS.read_text(encoding="utf-8"))))
    header, learners = table[0], table[1:]
    place = header.index("learner_ref")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    for number in range(CREDENTIALS):
        row = list(learners[number % len(learners)])
        row[place] = str(500_000_000_000 + number)
        writer.writerow(row)
    return read_registrar_file(out.getvalue().encode(), today=date(2026, 11, 22))


async def _verify(node: Node, suite: str) -> Row:
    async with node.reading() as c:
        bodies = [body.encode() for _, body in await ledger.all_documents(c, "", REQUESTS)]
    async with serving(node) as url, _echo() as bare:
        verified = await _load(f"{url}/credentials/verify", bodies)
        echoed = await _load(bare, bodies)
    return (
        f"verify over HTTP, {suite}",
        f"{verified:,.0f}/s",
        f"aiohttp JSON echo {echoed:,.0f}/s",
        f"{verified / echoed:.2f}",
    )


async def _load(url: str, bodies: list[bytes]) -> float:
    """Return answers a second over `CONNECTIONS` connections; every answer must be 200."""
    queue = list(bodies)
    headers = {"Content-Type": "application/json"}

    async def worker(session: aiohttp.ClientSession) -> None:
        while queue:
            async with session.post(url, data=queue.pop(), headers=headers) as answer:
                await answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"found status {answer.status}, want 200")

    async with aiohttp.ClientSession() as session:
        start = time.perf_counter()
        await asyncio.gather(*(worker(session) for _ in range(CONNECTIONS)))
        return len(bodies) / (time.perf_counter() - start)


class _echo:  # noqa: N801 - used as a context manager
    """A bare aiohttp server that reads JSON and sends it back: the limit of ours."""

    async def __aenter__(self) -> str:
        async def echo(request: web.Request) -> web.Response:
            return web.json_response(await request.json())

        app = web.Application()
        app.router.add_post("/", echo)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}/"

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()
