"""Areas M and K, continued: what somebody else has of a log that is audited."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from did.history import build_history
from primitives.canonical_json import canonicalize
from primitives.instants import format_instant
from tests.corpus.case import pretty
from tests.support.audited import DID, KEY, START, Provider

SIZE = 9
"""Leaves that the log serves."""


@dataclass(frozen=True)
class HistoryCase:
    """A checkpoint that somebody has of the log in the context."""

    name: str
    note: str
    outcome: str
    code: str = ""

    def files(self) -> dict[str, bytes]:
        """Return what stands in the folder."""
        files = _published(_provider(SIZE))
        context = {
            "kind": "history",
            "didDocuments": {},
            "statusLists": {},
            "asOf": format_instant(START + timedelta(days=30)),
            "files": {path: base64.b64encode(raw).decode() for path, raw in files.items()},
        }
        return {
            "input": self.note.encode(),
            "context.json": pretty(context),
            "expect.json": pretty({"outcome": self.outcome, "code": self.code}),
        }


def history_rows() -> Iterator[HistoryCase]:
    """Give the cases, in the order of the table."""
    same, longer, fork = _provider(SIZE), _provider(SIZE + 2), _provider(SIZE)
    fork.entries[4] = b"\x01" + bytes(32)
    behind, split = "log-behind", "split-view"
    yield HistoryCase("M13-an-earlier-one", same.note(5), "valid")
    yield HistoryCase("M13-an-earlier-fork", fork.note(5), "rejected", split)
    yield HistoryCase("M13-before-they-differ", fork.note(4), "valid")
    yield HistoryCase("K09-the-size-that-is-served", same.note(), "valid")
    yield HistoryCase("K09-a-later-one", longer.note(), "rejected", behind)
    yield HistoryCase("K10-another-root", fork.note(), "rejected", split)
    unsigned = same.note().replace(KEY.name, "stranger.example")
    remark = "checkpoint-unknown-origin"
    yield HistoryCase("K10-of-another-log", unsigned, "valid", remark)


def _provider(size: int) -> Provider:
    provider = Provider()
    endpoint = {"log": "https://school.example/log/", "vkey": str(KEY), "anchors": []}
    service = {"id": f"{DID}#log", "type": "PatunayLog", "serviceEndpoint": endpoint}
    provider.publish_did(service=[service])
    provider.issue(size - 1)
    return provider


def _published(provider: Provider) -> dict[str, bytes]:
    """Return the files that a web server of the provider would have, by path."""
    (document, _), *_ = provider.documents
    history = json.dumps(build_history(DID, provider.documents)).encode()
    tiles = {f"log/{path}": raw for path, raw in provider.tiles().items()}
    return {
        ".well-known/did.json": canonicalize(document),
        ".well-known/did-history.json": history,
        "log/checkpoint": provider.note().encode(),
        **tiles,
    }
