from dataclasses import replace
from functools import partial
from typing import Any

from credentials.evidence import Obtained
from credentials.policy import Policy
from node.api.verify import Verifier, render_report
from node.gather import Gatherer
from node.home import write_file
from node.node import MAIN, Node, credential_key
from node.own_node import OwnNode
from node.parsed_files import ParsedFiles
from node.publishing import status_list_file
from node.rotation import rotate
from node.status import revoke
from primitives.canonical_json import JsonObject, canonicalize
from primitives.strict_json import parse_json_object
from tests.support.declaring import declare_compromised
from tests.support.nodes import HandClock


class _AtOnce(ParsedFiles):
    """Keeps what it reads without waiting for it to settle."""

    settled_ns = -(10**12)


def _verifier(node: Node, files: ParsedFiles) -> Verifier:
    loaded = OwnNode.load(node.home, node.clock)
    own = replace(loaded, files=files)
    return Verifier(node, Gatherer(node.clock, own), Policy())


def _states(report: JsonObject) -> tuple[str, str]:
    """Return the standing, and what is said of the key."""
    checks: Any = report["checks"]
    (key,) = (check for check in checks if check["name"] == "issuer-key")
    return str(report["standing"]), str(key["code"])


async def test_a_kept_file_answers_as_one_that_is_read_anew(
    node: Node, credential: dict[str, Any], clock: HandClock
) -> None:
    kept = _verifier(node, _AtOnce())
    seen = []
    for change in (
        None,
        partial(rotate, node, MAIN),
        partial(revoke, node, credential["id"], "tried"),
        partial(declare_compromised, node, credential_key(MAIN), node.instant()),
    ):
        if change is not None:
            await change()
        for _ in range(2):
            clock.advance(1)
            anew = _verifier(node, ParsedFiles())
            reports = [
                render_report(await verifier.verify(credential))
                for verifier in (kept, anew)
            ]
            assert reports[0] == reports[1]
            seen.append(_states(reports[0]))
    assert seen[::2] == seen[1::2]
    assert seen[::2] == [
        ("in-force", ""),
        ("in-force", "time-only-claimed"),
        ("revoked", "time-only-claimed"),
        ("unknown", "anchor-not-shown"),
    ]


async def test_a_kept_list_has_its_digest_with_it_until_it_changes(
    node: Node, credential: dict[str, Any], clock: HandClock
) -> None:
    own = _verifier(node, _AtOnce()).gatherer.own
    assert own is not None
    url = credential["credentialStatus"]["statusListCredential"]
    seen = []
    for change in (None, None, revoke):
        clock.advance(1)
        if change is not None:
            await change(node, credential["id"], "tried")
        found = own.status_list(url)
        assert isinstance(found, Obtained)
        assert found.recurring is not None
        assert found.recurring.document is found.value
        seen.append(found.recurring)
    first, again, changed = seen
    assert first is again
    assert first.digest != changed.digest


async def test_looks_up_whoever_a_kept_list_is_of_now(
    node: Node, credential: dict[str, Any], clock: HandClock
) -> None:
    verifier = _verifier(node, _AtOnce())
    url = credential["credentialStatus"]["statusListCredential"]
    file = status_list_file(node.home, node.config, url)
    before = file.read_bytes()
    other = "did:web:other.example"
    own = (await verifier.evidence(credential)).did_documents.keys()
    for body, wanted in (
        (before, own),
        (canonicalize({**parse_json_object(before), "issuer": other}), {*own, other}),
        (before, own),
    ):
        clock.advance(1)
        write_file(file, body)
        for _ in range(2):
            assert (await verifier.evidence(credential)).did_documents.keys() == wanted


async def test_says_when_a_kept_file_was_looked_at(node: Node, clock: HandClock) -> None:
    own = _verifier(node, _AtOnce()).gatherer.own
    assert own is not None
    (did,) = own.issuers
    seen = [own.did_document(did)]
    clock.advance(60)
    seen.append(own.did_document(did))
    assert all(isinstance(one, Obtained) for one in seen)
    first, second = (one.obtained_at for one in seen if isinstance(one, Obtained))
    assert (second - first).total_seconds() == 60
