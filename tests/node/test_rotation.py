import json
from datetime import timedelta

import pytest

from anchoring.memory import MemoryAnchor
from credentials.evidence import Evidence, Obtained
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Report
from did.document import parse_did_document
from did.history import parse_history
from did.key_event import CompromiseMovedLater
from did.keyfile import KeyLabel
from did.keystore import KeystoreTampered
from did.resolver import DidNotFound, PinnedResolver
from node.compromise import CompromiseAhead
from node.fsck import check_node
from node.gather import Gatherer
from node.home import Home
from node.issuance import issue_document
from node.issuer_keys import KeyNotPublished, who_signed
from node.node import MAIN, Node, credential_key, signing_key, status_key
from node.own_node import OwnNode
from node.publishing import did_document_file, did_history_file
from node.rotation import (
    DidKeyCannotRotate,
    KeyNotCurrent,
    rotate,
)
from node.setup import add_issuer
from node.storage.registry import require_issuer
from primitives.canonical_json import JsonObject
from primitives.strict_json import parse_json_object
from tests.support.declaring import declare_compromised, declare_log_compromised
from tests.support.nodes import (
    HandClock,
    anchor,
    client_of,
    make_home_here,
    new_seed,
    opened,
    query,
)

ON_BOTH_STORES = True

DID = "did:web:localhost%3A8460"


async def issue_one(node: Node, number: int) -> JsonObject:
    document: JsonObject = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "did:example:learner"},
    }
    return await issue_document(node, document, None)


async def verify(home: Home, clock: HandClock, document: JsonObject) -> Report:
    own = OwnNode.load(home, clock)
    gatherer = Gatherer(clock=clock, own=own)
    evidence = await gatherer.gather(document)
    return judge(document, evidence, gatherer.policy(Policy()), clock.now())


def published(home: Home) -> JsonObject:
    return parse_json_object(did_document_file(home, MAIN).read_bytes())


def history(home: Home) -> JsonObject:
    return parse_json_object(did_history_file(home, MAIN).read_bytes())


def method_in(document: JsonObject) -> str:
    proof = json.loads(json.dumps(document["proof"]))
    return str((proof[0] if isinstance(proof, list) else proof)["verificationMethod"])


async def test_the_new_key_signs_and_the_old_ones_work_stays_good(
    node: Node, home: Home
) -> None:
    before = await issue_one(node, 1)
    made = await rotate(node, MAIN)
    after = await issue_one(node, 2)
    assert (made.old, made.new) == (f"{DID}#credential-1", f"{DID}#credential-2")
    assert made.key_id == "main.credential-2"
    assert (method_in(before), method_in(after)) == (made.old, made.new)
    document = published(home)
    for name in ("assertionMethod", "authentication"):
        assert {made.old, made.new} < set(document[name])  # type: ignore[arg-type]
    assert document["service"]
    for credential in (before, after):
        found = await verify(home, HandClock(), credential)
        assert found.outcome.value == "valid"


async def test_a_rotation_is_a_version_and_an_event_and_both_are_leaves(
    node: Node, home: Home
) -> None:
    first = published(home)
    await rotate(node, MAIN)
    read = parse_history(history(home), DID)
    assert [v.document for v in read.versions] == [first, published(home)]
    (event,) = read.events
    assert (event.type, event.key) == ("KeyRotated", f"{DID}#credential-1")
    assert event.by == f"{DID}#status-1"
    kinds = query(home, "SELECT kind FROM entries WHERE subject = ? ORDER BY seq", DID)
    assert kinds == [(3,), (3,), (4,)]


async def test_the_history_gives_each_keys_period(home: Home) -> None:
    clock = HandClock()
    async with opened(home, clock) as node:
        start = clock.moment
        clock.advance(3600)
        await rotate(node, MAIN)
    periods = {p.key: p for p in parse_history(history(home), DID).periods()}
    old, new = periods[f"{DID}#credential-1"], periods[f"{DID}#credential-2"]
    assert (old.start, old.end) == (start, start + timedelta(hours=1))
    assert (new.start, new.end) == (start + timedelta(hours=1), None)


async def test_rotates_the_status_key_and_again(node: Node) -> None:
    made = [(await rotate(node, MAIN, "status")).new for _ in range(2)]
    assert made == [f"{DID}#status-2", f"{DID}#status-3"]
    async with node.reading() as c:
        issuer = await require_issuer(c, MAIN)
    assert signing_key(node, issuer, status_key(MAIN))[1] == f"{DID}#status-3"


async def test_a_process_that_runs_finds_the_key_that_another_added(home: Home) -> None:
    async with opened(home) as daemon:
        async with opened(home) as other:
            await rotate(other, MAIN)
        assert method_in(await issue_one(daemon, 1)) == f"{DID}#credential-2"


async def test_does_not_take_a_key_file_of_another_node(home: Home, node: Node) -> None:
    other = await make_home_here(home.root.parent / "other")
    with pytest.raises(KeystoreTampered):
        node.keys().reread(other.keystore())


async def test_takes_the_key_that_a_rotation_which_died_has_left(
    node: Node, home: Home
) -> None:
    label = KeyLabel("main.credential-2", "credential", MAIN, node.instant())
    home.save_keystore(node.keys().add_ed25519(label, new_seed()).seal())
    assert method_in(await issue_one(node, 1)) == f"{DID}#credential-1"
    made = await rotate(node, MAIN)
    assert made.key_id == "main.credential-2"
    left = home.keystore().entry("main.credential-2").public
    method = parse_did_document(published(home), DID).method_for(made.new)
    assert method.multibase == left


async def test_a_did_key_cannot_rotate(home: Home) -> None:
    other = await make_home_here(home.root.parent / "other", did_method="key")
    async with opened(other) as node:
        with pytest.raises(DidKeyCannotRotate) as refused:
            await rotate(node, MAIN)
        assert refused.value.code == "did-key-cannot-rotate"
        with pytest.raises(DidKeyCannotRotate):
            await declare_compromised(node, credential_key(MAIN), node.instant())


async def test_a_compromised_key_stays_named_and_may_assert_no_more(
    node: Node, home: Home
) -> None:
    await issue_one(node, 1)
    made = await declare_compromised(node, "main.credential", node.instant())
    assert (made.key, made.by) == (f"{DID}#credential-1", f"{DID}#status-1")
    assert (made.successor, made.voided) == (f"{DID}#credential-2", 1)
    document = parse_did_document(published(home), DID)
    assert made.key in {str(url) for url in document.methods}
    for relationship in ("assertionMethod", "authentication"):
        assert made.key not in {str(url) for url in document.relationships[relationship]}
    assert method_in(await issue_one(node, 2)) == made.successor
    state = parse_history(history(home), DID).state(made.key)
    assert state.compromised_since == made.since


async def test_declares_a_key_that_was_rotated_without_rotating_again(
    node: Node, home: Home
) -> None:
    await rotate(node, MAIN)
    made = await declare_compromised(node, f"{DID}#credential-1", node.instant())
    assert made.successor == f"{DID}#credential-2"
    assert len(home.keystore().entries) == 5


async def test_the_time_of_a_compromise_only_moves_earlier(node: Node, home: Home) -> None:
    first = node.instant() - timedelta(days=2)
    await declare_compromised(node, "main.credential", first)
    before = history(home)
    for later in (first, first + timedelta(seconds=1)):
        with pytest.raises(CompromiseMovedLater):
            await declare_compromised(node, "main.credential", later)
    assert history(home) == before
    earlier = first - timedelta(days=1)
    await declare_compromised(node, "main.credential", earlier)
    state = parse_history(history(home), DID).state(f"{DID}#credential-1")
    assert state.compromised_since == earlier


async def test_a_stolen_status_key_does_not_speak_for_itself(
    node: Node, home: Home
) -> None:
    document = await issue_one(node, 1)
    made = await declare_compromised(node, "main.status", node.instant())
    assert made.by == f"{DID}#credential-1"
    # The lists are signed anew, so that what is in force stays so.
    found = await verify(home, HandClock(), document)
    assert found.outcome.value == "valid"
    assert made.successor == f"{DID}#status-2"


async def test_refuses_a_time_that_lies_ahead_and_a_key_that_is_none(node: Node) -> None:
    with pytest.raises(CompromiseAhead):
        await declare_compromised(
            node, "main.credential", node.instant() + timedelta(seconds=1)
        )
    with pytest.raises(CompromiseAhead):
        await declare_log_compromised(node, node.instant() + timedelta(seconds=1))
    for name in ("evm", "nobody", f"{DID}#log"):
        with pytest.raises(KeyNotPublished):
            await declare_compromised(node, name, node.instant())


async def test_who_signed_lists_what_one_key_signed_in_a_time(home: Home) -> None:
    clock = HandClock()
    async with opened(home, clock) as node:
        times = []
        for number in (1, 2, 3):
            times.append(clock.moment)
            await issue_one(node, number)
            clock.advance(60)
        await rotate(node, MAIN)
        await issue_one(node, 4)
        every = await who_signed(node, "main.credential", times[0], clock.moment)
        assert [one.uuid[-1] for one in every] == ["1", "2", "3"]
        middle = await who_signed(node, f"{DID}#credential-1", times[1], times[1])
        assert [one.uuid[-1] for one in middle] == ["2"]
        newer = await who_signed(node, "main.credential-2", times[0], clock.moment)
        assert [one.uuid[-1] for one in newer] == ["4"]


async def test_every_did_web_says_that_the_logs_key_is_stolen(
    node: Node, home: Home
) -> None:
    since = node.instant() - timedelta(days=1)
    made = await declare_log_compromised(node, since)
    assert (made.key, made.dids) == (str(node.vkey), (DID,))
    added = await add_issuer(node, "annex", "The annex")
    again = await declare_log_compromised(node, since)
    assert again.dids == (DID, added.did)
    for slug, did in ((MAIN, DID), ("annex", added.did)):
        raw = parse_json_object(did_history_file(home, slug).read_bytes())
        read = parse_history(raw, did)
        assert read.state(made.key).compromised_since == since
        assert [event.by for event in read.events] == [f"{did}#credential-1"]
    with pytest.raises(CompromiseMovedLater):
        await declare_log_compromised(node, since + timedelta(seconds=1))


async def test_a_node_of_did_keys_has_no_history_to_say_it_in(home: Home) -> None:
    other = await make_home_here(home.root.parent / "other", did_method="key")
    async with opened(other) as node:
        with pytest.raises(DidKeyCannotRotate):
            await declare_log_compromised(node, node.instant())
        assert not did_history_file(other, MAIN).exists()


# What a verifier looks up


async def test_gathers_the_history_beside_the_document_of_who_runs_a_log(
    node: Node, home: Home
) -> None:
    credential = await issue_one(node, 1)
    await declare_compromised(node, "main.credential", node.instant())
    asked: list[str] = []

    async def fetch(url: str, _max_bytes: int) -> bytes:
        asked.append(url)
        if url.endswith("did-history.json"):
            return did_history_file(home, MAIN).read_bytes()
        raise DidNotFound("nothing there")

    async def gather(document: JsonObject) -> Evidence:
        source = "https://localhost:8460/.well-known/did.json"
        pinned = PinnedResolver({DID: document}, source=source, obtained_at=node.instant())
        gatherer = Gatherer(clock=HandClock(), resolver=pinned, fetch=fetch)
        return await gatherer.gather(credential)

    found = await gather(published(home))
    history_url = "https://localhost:8460/.well-known/did-history.json"
    assert history_url in asked
    had = found.histories[DID]
    assert isinstance(had, Obtained)
    assert had.source == history_url
    check = judge(credential, found, Policy(), node.instant()).check("issuer-key")
    assert (check.result.value, check.code) == ("undetermined", "anchor-not-shown")

    asked.clear()
    plain = {k: v for k, v in published(home).items() if k != "service"}
    assert (await gather(plain)).histories == {}
    assert history_url not in asked


async def test_the_history_is_served_beside_the_document(node: Node, home: Home) -> None:
    await add_issuer(node, "annex", "The annex")
    async with client_of(node) as client:
        for path, slug in (("/.well-known", MAIN), ("/issuers/annex", "annex")):
            answer = await client.get(f"{path}/did-history.json")
            assert answer.status == 200
            assert answer.content_type == "application/json"
            assert await answer.read() == did_history_file(home, slug).read_bytes()
        assert (await client.get("/issuers/nobody/did-history.json")).status == 404


async def test_fsck_finds_nothing_wrong_after_both(node: Node) -> None:
    chain = MemoryAnchor()
    await issue_one(node, 1)
    await rotate(node, MAIN)
    await declare_compromised(node, "main.credential", node.instant())
    await declare_compromised(node, "main.status", node.instant())
    await anchor(node, chain)
    found = await check_node(node, chain, lambda *_: None)
    assert (found.problems, found.unknown) == ([], [])


async def test_a_key_that_was_replaced_does_not_sign_again_when_its_successor_is_stolen(
    node: Node,
) -> None:
    second = await rotate(node, MAIN)
    made = await declare_compromised(node, second.key_id, node.instant())
    assert made.successor.endswith("#credential-3")
    # And it can be replaced in its turn.
    assert (await rotate(node, MAIN)).old == made.successor


async def test_an_issuer_that_is_added_loses_no_key_of_another_process(
    home: Home, clock: HandClock
) -> None:
    async with opened(home, clock) as one, opened(home, clock) as other:
        await rotate(other, MAIN)
        await add_issuer(other, "north", "North")
        await add_issuer(one, "south", "South")
        kept = {entry.label.key_id for entry in home.keystore().entries}
        assert {"main.credential-2", "north.credential", "south.credential"} <= kept
        assert await issue_one(one, 1)


async def test_a_key_is_replaced_only_while_it_signs(node: Node) -> None:
    await rotate(node, MAIN, instead_of="main.credential")
    with pytest.raises(KeyNotCurrent, match=r"found main\.credential-2 in use"):
        await rotate(node, MAIN, instead_of="main.credential")
