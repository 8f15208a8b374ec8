"""One case of the corpus, and what most of them start from."""

import json
from dataclasses import dataclass, field
from typing import Any

from primitives.canonical_json import JsonObject
from primitives.instants import format_instant
from tests.support.credentials_support import (
    ISSUER,
    NOW,
    REVOCATIONS,
    SUSPENSIONS,
    did_document,
    status_list,
)

X = "https://terms.example/"
ORDER = 2**252 + 27742317777372353535851937790883648493

DOCUMENTS: dict[str, Any] = {ISSUER: did_document()}
LISTS: dict[str, Any] = {
    REVOCATIONS: status_list(),
    SUSPENSIONS: status_list(url=SUSPENSIONS, purpose="suspension"),
}


@dataclass(frozen=True)
class Case:
    """One input, and what has to come of it."""

    name: str
    raw: bytes
    outcome: str
    code: str = ""
    did_documents: dict[str, Any] = field(default_factory=lambda: DOCUMENTS)
    status_lists: dict[str, Any] = field(default_factory=lambda: LISTS)
    more: dict[str, Any] = field(default_factory=dict)
    """Other members of the context, see `tests.corpus.build`."""

    def files(self) -> dict[str, bytes]:
        """Return what stands in the folder."""
        context = {
            "asOf": format_instant(NOW),
            "didDocuments": self.did_documents,
            "statusLists": self.status_lists,
            **self.more,
        }
        return {
            "input": self.raw,
            "context.json": pretty(context),
            "expect.json": pretty({"outcome": self.outcome, "code": self.code}),
        }


def pretty(value: object) -> bytes:
    """Return a value as a file that people read."""
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def as_bytes(document: JsonObject) -> bytes:
    """Return `document` as the bytes of a case."""
    return json.dumps(document, ensure_ascii=False).encode()


def edited(document: JsonObject, old: str, new: str) -> bytes:
    """Change the text of a signed document, as an attacker would."""
    text = as_bytes(document).decode()
    if text.count(old) != 1:
        raise ValueError(f"found {text.count(old)} times {old!r}, want one")
    return text.replace(old, new).encode("utf-8", "surrogatepass")


def case(name: str, document: JsonObject, outcome: str, code: str = "", **had: Any) -> Case:
    """Return the case of one document."""
    return Case(name, as_bytes(document), outcome, code, **had)
