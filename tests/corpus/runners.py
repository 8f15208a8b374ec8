"""Every way in: the library, HTTP, and the command line, all in one stand-in web."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.network import Surroundings
from credentials.judge import judge
from credentials.kinds import is_presentation
from credentials.policy import Policy
from credentials.presentation import judge_presentation
from did.web import parse_did_web
from node.gather_presentation import gather_presentation
from node.home import Home
from node.node import Node
from node.web_lookups import web_gatherer
from primitives.errors import Malformed
from primitives.instants import parse_instant
from primitives.strict_json import parse_json_object
from tests.support.command_line import run
from tests.support.nodes import HandClock, client_of, make_home_here, opened
from tests.support.scripted_server import ScriptedServer
from tests.support.stand_in_web import Page, StandInWeb, World

HTTP_STATUS = {"valid": (200,), "malformed": (400, 413), "rejected": (400,)} | {
    "undetermined": (400,)
}
EXIT_CODE = {"valid": 0, "rejected": 1, "malformed": 2, "undetermined": 3}


@dataclass(frozen=True)
class Answer:
    """What came of an input, whichever way it took."""

    outcome: str
    codes: frozenset[str]
    """Of the required checks that led to it, or of the error; of a valid one, the remarks.
    Without the anchor's: the ways in do not look for it in the same places."""

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> "Answer":
        """Return what a report's JSON says."""
        wanted = {"rejected": "failed", "undetermined": "undetermined"}
        decisive = wanted.get(report["outcome"])
        codes = {
            check["code"]
            for check in report["checks"]
            if check["name"] != "anchor"
            and (decisive is None or (check["required"] and check["result"] == decisive))
        }
        return cls(str(report["outcome"]), frozenset(codes) - {""})


@dataclass
class Runners:
    """A web, and a node in it."""

    web: StandInWeb
    node: Node
    clock: HandClock
    server: ScriptedServer
    """Chains and a gateway."""

    scratch: Path
    """A folder for the files of one command."""

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator["Runners"]:
        """Start both."""
        clock = HandClock()
        server = ScriptedServer()
        for name in ("web", "scratch"):
            (folder / name).mkdir()
        with StandInWeb(folder / "web").running() as web:
            stack = AsyncExitStack()

            async def start() -> Node:
                home: Home = await make_home_here(folder / "node", clock)
                await server.start()
                stack.push_async_callback(server.stop)
                return await stack.enter_async_context(opened(home, clock))

            try:
                node = web.run(start())
                yield cls(web, node, clock, server, folder / "scratch")
            finally:
                web.run(stack.aclose())

    def ask(self, way: str, folder: Path) -> Answer:
        """Return what comes of a case, one way or another."""
        return WAYS[way](self, folder / "input", self.enter(folder))

    def enter(self, folder: Path) -> dict[str, Any]:
        """Let the world be that of a case, and return its context."""
        context: dict[str, Any] = json.loads((folder / "context.json").read_bytes())
        self.clock.moment = parse_instant(context["asOf"])
        self.web.show(world_of(context))
        self.server.show(context)
        return context


def world_of(context: Mapping[str, Any]) -> World:
    """Return the web that a case is about."""
    pages: dict[str, tuple[Page, ...]] = {}
    pages |= {url: (_page(value),) for url, value in context["statusLists"].items()}
    for did, value in context["didDocuments"].items():
        pages[parse_did_web(did).document_url()] = (_page(value),)
    for url, answers in context.get("web", {}).items():
        pages[url] = tuple(map(_answer, answers))
    settings = {
        name: context[key]
        for name, key in (("loopback", "loopback"), ("deadline_seconds", "deadlineSeconds"))
        if key in context
    }
    pages = {url.replace(":443/", "/"): answers for url, answers in pages.items()}
    names = {
        name: tuple(map(tuple, answers))
        for name, answers in context.get("names", {}).items()
    }
    return World(pages, names, context.get("rebinding", {}), **settings)


def _answer(described: Mapping[str, Any]) -> Page:
    members = dict(described)
    body = base64.b64decode(members.pop("base64", "")) or members.pop("body", "").encode()
    return Page(body=body, **members)


def _page(document: Any) -> Page:
    return Page(json.dumps(document).encode())


def library(runners: Runners, file: Path, context: Mapping[str, Any]) -> Answer:
    """Gather, then judge."""

    async def work(raw: bytes) -> Mapping[str, Any]:
        document = parse_json_object(raw)
        async with runners.web.fetcher() as fetcher:
            gatherer = web_gatherer(fetcher, runners.clock)
            if not is_presentation(document):
                found = await gatherer.gather(document)
                return judge(document, found, Policy(), runners.clock.moment).to_json()
            return judge_presentation(
                document,
                await gather_presentation(document, gatherer, gatherer.gather),
                Policy(),
                runners.clock.moment,
                challenge=context.get("challenge"),
                domain=context.get("domain"),
            ).to_json()

    try:
        return Answer.of(runners.web.run(work(file.read_bytes())))
    except Malformed as e:
        return Answer("malformed", frozenset({e.code}))


def http(runners: Runners, file: Path, context: Mapping[str, Any]) -> Answer:
    """Ask a node that listens on this machine."""
    raw = file.read_bytes()
    options = {k: context[k] for k in ("challenge", "domain") if k in context}
    path = "/credentials/verify"
    if b'"VerifiablePresentation"' in raw:
        path = "/presentations/verify"
        end = json.dumps(options).encode()
        raw = b'{"verifiablePresentation": ' + raw + b', "options": ' + end + b"}"

    async def work() -> tuple[int, str, Any]:
        async with (
            client_of(runners.node, runners.web.fetcher()) as client,
            client.post(
                path, data=raw, headers={"Content-Type": "application/json"}
            ) as response,
        ):
            return response.status, response.content_type, await response.json()

    status, kind, body = runners.web.run(work())
    if kind == "application/problem+json":
        found = Answer("malformed", frozenset({body["code"]}))
    else:
        found = Answer.of(body)
        assert body["verified"] is (found.outcome == "valid")
    assert status in HTTP_STATUS[found.outcome], body
    return found


def command_line(runners: Runners, file: Path, context: Mapping[str, Any]) -> Answer:
    """Run `patunay verify`."""
    options: list[str | Path] = [
        f"--{name}={context[name]}" for name in ("challenge", "domain") if name in context
    ]
    result = run(
        *["verify", file, "--json", *options],
        surroundings=Surroundings(runners.clock, runners.web.fetcher),
    )
    body = json.loads(result.stdout)
    found = (
        Answer("malformed", frozenset({body["error"]["code"]}))
        if "error" in body
        else Answer.of(body)
    )
    assert result.exit_code == EXIT_CODE[found.outcome], result.output
    return found


WAYS: dict[str, Callable[[Runners, Path, Mapping[str, Any]], Answer]] = {
    "library": library,
    "http": http,
    "command-line": command_line,
}
"""What each of them answers has to be the same."""
