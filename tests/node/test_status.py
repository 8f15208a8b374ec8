import asyncio
import gzip
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from anchoring.record import parse_record
from credentials.data_integrity import parse_proofs
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Outcome, Report, Standing
from credentials.status_list import MIN_ENTRIES, Entry, parse_entry
from credentials.template import CredentialTemplate, parse_template
from node.batches import issue_rows
from node.gather import Gatherer
from node.home import Home
from node.issuance import issue_document
from node.logbook import CredentialUnknown, close_batch
from node.node import MAIN, Node, NodeSealed
from node.own_node import OwnNode
from node.publishing import status_list_file
from node.status import (
    MAX_REASON_CHARACTERS,
    AlreadyRevoked,
    AlreadySuspended,
    NotRevocable,
    NotSuspendable,
    NotSuspended,
    ReasonMalformed,
    find_state,
    reinstate,
    revoke,
    suspend,
)
from node.status_lists import publish_lists, random_indexes
from node.storage.database import create_engine, migrate, reading
from node.storage.statuses import (
    StatusEvent,
    StoredList,
    find_list,
    replace_document,
    save_event,
)
from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.encodings import decode_base64url
from primitives.errors import PatunayError
from primitives.hashing import sha256
from primitives.strict_json import parse_json_object
from tests.support.als_template import changed
from tests.support.nodes import (
    Client,
    HandClock,
    document_of,
    issue,
    learners,
    make_home_here,
    meddle,
    opened,
    query,
)

ON_BOTH_STORES = True

PLAIN: JsonObject = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "name": "Licence",
    "credentialSubject": {"id": "did:example:learner"},
}
"""No Open Badge, so it has an entry for each purpose."""

WHY = "the name was misspelt"


def entries_of(document: JsonObject) -> dict[str, Entry]:
    status = document["credentialStatus"]
    items: Sequence[Json] = status if isinstance(status, list) else [status]
    parsed = [parse_entry(item) for item in items if isinstance(item, dict)]
    return {entry.purpose: entry for entry in parsed}


def bits_of(home: Home, node: Node, url: str) -> bytes:
    """Unpack a published list without the code that packs it."""
    listed: Any = parse_json_object(status_list_file(home, node.config, url).read_bytes())
    return gzip.decompress(decode_base64url(listed["credentialSubject"]["encodedList"][1:]))


def from_the_left(bits: bytes) -> set[int]:
    text = "".join(f"{byte:08b}" for byte in bits)
    return {index for index, bit in enumerate(text) if bit == "1"}


def from_the_right(bits: bytes) -> set[int]:
    """As a wallet reads that takes the last bit of each byte for the first."""
    text = "".join(f"{byte:08b}"[::-1] for byte in bits)
    return {index for index, bit in enumerate(text) if bit == "1"}


async def licence(node: Node) -> tuple[str, JsonObject]:
    """Issue what is no Open Badge; return its `id` and the document."""
    signed = await issue_document(node, PLAIN, None)
    return str(signed["id"]), signed


async def verdict(node: Node, document: JsonObject) -> Report:
    gatherer = Gatherer(node.clock, own=OwnNode.load(node.home, node.clock))
    evidence = await gatherer.gather(document)
    return judge(document, evidence, gatherer.policy(Policy()), node.instant())


def state(home: Home) -> list[Any]:
    files = {path: path.read_bytes() for path in home.public.rglob("*") if path.is_file()}
    tables = ("status_events", "status_lists", "entries", "documents")
    return [files, *(query(home, f"SELECT * FROM {table}") for table in tables)]


# What verifiers see


async def test_a_revoked_credential_is_authentic_and_taken_back(node: Node) -> None:
    first, second = (await issue(node, 2)).issued
    assert (await verdict(node, await document_of(node, first))).outcome is Outcome.VALID
    event = await revoke(node, first, WHY)
    found = await verdict(node, await document_of(node, first))
    assert (found.outcome, found.authenticity) == (Outcome.REJECTED, Outcome.VALID)
    assert found.standing is Standing.REVOKED
    assert found.check("status").code == "revoked"
    assert "was signed by" in found.summary
    assert "its issuer has taken it back" in found.summary
    assert (await verdict(node, await document_of(node, second))).outcome is Outcome.VALID
    assert (event.action, event.purpose, event.list_version) == ("revoke", "revocation", 2)


async def test_a_suspension_is_lifted_again(node: Node) -> None:
    name, document = await licence(node)
    told = []
    for change in (suspend, reinstate, suspend, reinstate):
        await change(node, name, WHY)
        found = await verdict(node, document)
        told.append((found.outcome, found.standing, found.check("status").code))
    off = (Outcome.REJECTED, Standing.SUSPENDED, "suspended")
    on = (Outcome.VALID, Standing.IN_FORCE, "")
    assert told == [off, on, off, on]
    last = await verdict(node, document)
    assert "neither revoked nor suspended" in last.check("status").detail


async def test_revocation_outlives_the_suspension(node: Node) -> None:
    name, document = await licence(node)
    await suspend(node, name, WHY)
    await revoke(node, name, WHY)
    assert (await verdict(node, document)).standing is Standing.REVOKED
    with pytest.raises(AlreadyRevoked):
        await reinstate(node, name, WHY)
    assert (await verdict(node, document)).standing is Standing.REVOKED


async def test_a_did_key_node_revokes_too(tmp_path: Any) -> None:
    home = await make_home_here(tmp_path / "node", did_method="key")
    async with opened(home) as node:
        (uuid,) = (await issue(node, 1)).issued
        await revoke(node, uuid, WHY)
        found = await verdict(node, await document_of(node, uuid))
        assert found.standing is Standing.REVOKED


async def test_it_is_found_by_id_and_by_uuid(node: Node) -> None:
    asked: JsonObject = {**PLAIN, "id": "https://school.example/credentials/1"}
    await issue_document(node, asked, None)
    await suspend(node, "https://school.example/credentials/1", WHY)
    (uuid,) = (await issue(node, 1)).issued
    await revoke(node, f"urn:uuid:{uuid}", WHY)
    async with node.reading() as c:
        assert (await find_state(c, "https://school.example/credentials/1")).state == (
            "suspended"
        )
        assert (await find_state(c, uuid.upper())).state == "revoked"
        with pytest.raises(CredentialUnknown, match="found no credential 'urn:x:1'"):
            await find_state(c, "urn:x:1")


# What is refused


@pytest.mark.parametrize(
    ("before", "change", "error", "code"),
    [
        ([revoke], revoke, AlreadyRevoked, "already-revoked"),
        ([revoke], suspend, AlreadyRevoked, "already-revoked"),
        ([revoke], reinstate, AlreadyRevoked, "already-revoked"),
        ([suspend, revoke], reinstate, AlreadyRevoked, "already-revoked"),
        ([suspend], suspend, AlreadySuspended, "already-suspended"),
        ([], reinstate, NotSuspended, "not-suspended"),
        ([suspend, reinstate], reinstate, NotSuspended, "not-suspended"),
    ],
)
async def test_what_is_refused_changes_nothing(
    node: Node, home: Home, before: Any, change: Any, error: type[PatunayError], code: str
) -> None:
    name, _ = await licence(node)
    for earlier in before:
        await earlier(node, name, WHY)
    kept = state(home)
    with pytest.raises(error) as caught:
        await change(node, name, WHY)
    assert caught.value.code == code
    assert caught.value.hint
    assert state(home) == kept


async def test_an_open_badge_cannot_be_suspended(node: Node, home: Home) -> None:
    (uuid,) = (await issue(node, 1)).issued
    kept = state(home)
    with pytest.raises(NotSuspendable, match="has no entry in a suspension list") as caught:
        await suspend(node, uuid, WHY)
    assert caught.value.code == "not-suspendable"
    assert state(home) == kept


def suspending() -> CredentialTemplate:
    return parse_template(changed("policy.statusPurpose", "suspension"))


async def test_an_open_badge_whose_template_says_so_is_suspended_and_never_revoked(
    node: Node,
) -> None:
    (uuid,) = (await issue_rows(node, suspending(), learners(1), MAIN)).issued
    document = await document_of(node, uuid)
    assert isinstance(document["credentialStatus"], dict)
    assert set(entries_of(document)) == {"suspension"}
    await suspend(node, uuid, WHY)
    assert (await verdict(node, document)).standing is Standing.SUSPENDED
    with pytest.raises(NotRevocable) as caught:
        await revoke(node, uuid, WHY)
    assert caught.value.code == "not-revocable"
    await reinstate(node, uuid, WHY)
    found = await verdict(node, document)
    assert found.check("status").detail.startswith("not suspended as of")


@pytest.mark.parametrize(
    "reason", ["", "  ", "a\nb", "a\x1b[2J", "a\u202eb", "x" * (MAX_REASON_CHARACTERS + 1)]
)
async def test_a_reason_has_to_be_one_line_of_text(
    node: Node, home: Home, reason: str
) -> None:
    name, _ = await licence(node)
    kept = state(home)
    with pytest.raises(ReasonMalformed) as caught:
        await revoke(node, name, reason)
    assert caught.value.code == "reason-malformed"
    assert state(home) == kept


async def test_the_longest_reason_is_kept(node: Node, home: Home) -> None:
    name, _ = await licence(node)
    await revoke(node, name, f" {'ñ' * MAX_REASON_CHARACTERS} ")
    assert query(home, "SELECT reason FROM status_events") == [("ñ" * 500,)]


async def test_a_sealed_node_changes_nothing(node: Node, home: Home) -> None:
    name, _ = await licence(node)
    kept = state(home)
    async with opened(home, sealed=True) as sealed:
        with pytest.raises(NodeSealed):
            await revoke(sealed, name, WHY)
    assert state(home) == kept


async def test_no_event_takes_a_revocation_back(node: Node) -> None:
    name, document = await licence(node)
    done = await revoke(node, name, WHY)
    lifted = StatusEvent(
        done.credential, "revocation", "reinstate", WHY, done.at, done.status_list,
        done.status_index, done.list_version + 1,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="for_ever"):
        async with node.writing() as c:
            await save_event(c, lifted)
    await publish_lists(node)
    assert (await verdict(node, document)).standing is Standing.REVOKED


# What is stored and published


async def test_reason_and_time_are_kept_and_never_published(
    node: Node, home: Home, clock: HandClock, client: Client
) -> None:
    name, document = await licence(node)
    clock.advance(60)
    await suspend(node, name, "an appeal is pending")
    clock.advance(60)
    await reinstate(node, name, "the appeal was won")
    async with node.reading() as c:
        events = (await find_state(c, name)).events
    assert [(e.action, e.at, e.reason, e.list_version) for e in events] == [
        ("suspend", "2026-03-02T08:01:00Z", "an appeal is pending", 2),
        ("reinstate", "2026-03-02T08:02:00Z", "the appeal was won", 3),
    ]
    await close_batch(node)
    shown = [path.read_bytes() for path in home.public.rglob("*") if path.is_file()]
    url = entries_of(document)["suspension"].list_url
    response = await client.get(url.removeprefix(node.config.base_url))
    shown.append(await response.read())
    shown += [row[0] for row in query(home, "SELECT record FROM checkpoints")]
    assert not [each for each in shown if b"appeal" in each]


async def test_each_version_is_a_leaf_of_the_log(node: Node, home: Home) -> None:
    name, document = await licence(node)
    await suspend(node, name, WHY)
    await revoke(node, name, WHY)
    await close_batch(node)
    for entry in entries_of(document).values():
        published = status_list_file(home, node.config, entry.list_url).read_bytes()
        rows = query(
            home,
            "SELECT kind, digest FROM entries WHERE subject = ? ORDER BY leaf_index",
            entry.list_url,
        )
        assert [kind for kind, _ in rows] == [2, 2]
        assert rows[-1][1] == sha256(published)
        assert query(
            home, "SELECT document, version FROM status_lists WHERE url = ?", entry.list_url
        ) == [(published.decode(), 2)]


async def test_suspension_lists_are_committed_to_and_not_pinned(node: Node) -> None:
    _, document = await licence(node)
    made = await close_batch(node)
    assert made is not None
    record = parse_record(made.record)
    urls = {purpose: entry.list_url for purpose, entry in entries_of(document).items()}
    assert [(link.name, link.pinned) for link in record.status_lists] == [
        (urls["revocation"], True)
    ]
    assert [(link.name, link.pinned) for link in record.suspension_lists] == [
        (urls["suspension"], False)
    ]


async def test_the_list_is_made_from_the_events_and_never_from_the_file(
    node: Node, home: Home
) -> None:
    first, second, third = (await issue(node, 3)).issued
    entry = entries_of(await document_of(node, first))["revocation"]
    file = status_list_file(home, node.config, entry.list_url)
    empty = file.read_bytes()
    await revoke(node, first, WHY)
    assert file.read_bytes() != empty
    file.write_bytes(empty)
    meddle(home, "UPDATE status_lists SET document = ?", empty.decode())
    await revoke(node, second, WHY)
    standings = [
        (await verdict(node, await document_of(node, uuid))).standing
        for uuid in (first, second, third)
    ]
    assert standings == [Standing.REVOKED, Standing.REVOKED, Standing.IN_FORCE]


async def test_the_list_is_signed_with_the_status_key(node: Node, home: Home) -> None:
    name, document = await licence(node)
    await revoke(node, name, WHY)
    entry = entries_of(document)["revocation"]
    listed = parse_json_object(
        status_list_file(home, node.config, entry.list_url).read_bytes()
    )
    (proof,) = parse_proofs(listed)
    assert not isinstance(proof, Exception)
    assert proof.verification_method.endswith("#status-1")


async def test_many_changes_at_once_lose_nothing(node: Node, home: Home) -> None:
    """Two processes, 40 credentials of one list; half of them are asked for twice."""
    uuids = (await issue(node, 60)).issued
    chosen = uuids[:40]
    async with opened(home) as other:
        done = await asyncio.gather(
            *(revoke(node, uuid, WHY) for uuid in chosen),
            *(revoke(other, uuid, WHY) for uuid in chosen[::2]),
            return_exceptions=True,
        )
    refused = [each for each in done if isinstance(each, BaseException)]
    assert Counter(type(each) for each in refused) == {AlreadyRevoked: 20}
    events = query(home, "SELECT credential, list_version FROM status_events ORDER BY seq")
    assert sorted(uuid for uuid, _ in events) == sorted(chosen)
    assert [version for _, version in events] == list(range(2, 42))
    # The file is that of the last version, whoever wrote it last.
    places = dict(query(home, "SELECT uuid, status_index FROM credentials"))
    (url,) = {row[0] for row in query(home, "SELECT status_list FROM credentials")}
    marked = from_the_left(bits_of(home, node, url))
    assert {uuid for uuid in uuids if places[uuid] in marked} == set(chosen)


async def test_publishing_writes_what_the_database_holds_now(
    node: Node, home: Home
) -> None:
    name, document = await licence(node)
    await revoke(node, name, WHY)
    url = entries_of(document)["revocation"].list_url
    file = status_list_file(home, node.config, url)
    right = file.read_bytes()
    file.unlink()
    await publish_lists(node, [url])
    assert file.read_bytes() == right


async def test_publishing_waits_for_whoever_changes_the_list(
    node: Node, home: Home
) -> None:
    """Else an old version could be written over the new one."""
    _, document = await licence(node)
    url = entries_of(document)["revocation"].list_url
    async with opened(home) as other:
        async with other.writing() as c:
            await replace_document(c, url, '{"the":"next"}', 2)
            publishing = asyncio.create_task(publish_lists(node, [url]))
            done, _ = await asyncio.wait({publishing}, timeout=0.3)
            assert not done
        await publishing
    file = status_list_file(home, node.config, url)
    assert file.read_bytes() == b'{"the":"next"}'


async def test_a_draft_that_a_crash_left_is_signed_and_then_revoked(
    node: Node, home: Home
) -> None:
    (uuid,) = (await issue(node, 1)).issued
    document = await document_of(node, uuid)
    unsigned = {k: v for k, v in document.items() if k != "proof"}
    meddle(home, "DELETE FROM entries WHERE kind = 1")
    meddle(
        home,
        "UPDATE credentials SET draft = ?, document = NULL, signed_at = NULL",
        canonicalize(unsigned).decode(),
    )
    await revoke(node, uuid, WHY)
    found = await verdict(node, await document_of(node, uuid))
    assert found.standing is Standing.REVOKED


async def test_a_database_of_the_first_release_keeps_its_lists(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / "patunay.db").touch()
    engine = create_engine(tmp_path / "patunay.db")
    await migrate(engine, "0001")
    meddle(home, "INSERT INTO issuers VALUES ('main', 'did:x:1', 'Test', '{}', 'now')")
    meddle(
        home,
        "INSERT INTO status_lists VALUES"
        " ('urn:list', 'main', '2025', 1, 'revocation', '{}', 'now')",
    )
    await migrate(engine)
    async with reading(engine) as c:
        stored = await find_list(c, "urn:list")
    await engine.dispose()
    assert stored == StoredList("urn:list", "main", "2025", 1, "revocation", "{}", 1, "now")


# Places, and readers that count from the right


async def test_every_reader_sees_the_revoked_ones_and_no_other(
    node: Node, home: Home
) -> None:
    uuids = (await issue(node, 60)).issued
    places = dict(query(home, "SELECT uuid, status_index FROM credentials"))
    for uuid in uuids[::4]:
        await revoke(node, uuid, WHY)
    (url,) = {row[0] for row in query(home, "SELECT status_list FROM credentials")}
    bits = bits_of(home, node, url)
    assert len(bits) * 8 == MIN_ENTRIES
    for marked in (from_the_left(bits), from_the_right(bits)):
        assert [uuid for uuid in uuids if places[uuid] in marked] == uuids[::4]
        assert len(marked) == 30


async def test_a_place_that_somebody_has_is_not_marked_as_a_twin(
    node: Node, home: Home
) -> None:
    """Lists from before twins were kept free may hold both."""
    first, second, third = (await issue(node, 3)).issued
    meddle(home, "UPDATE credentials SET status_index = 8 WHERE uuid = ?", first)
    meddle(home, "UPDATE credentials SET status_index = 15 WHERE uuid = ?", second)
    document = await document_of(node, first)
    place = document["credentialStatus"]
    place["statusListIndex"] = "8"
    meddle(
        home,
        "UPDATE credentials SET document = ? WHERE uuid = ?",
        canonicalize(document).decode(),
        first,
    )
    await revoke(node, first, WHY)
    url = place["statusListCredential"]
    assert from_the_left(bits_of(home, node, url)) == {8}
    await revoke(node, third, WHY)
    assert from_the_left(bits_of(home, node, url)) >= {8}
    assert 15 not in from_the_left(bits_of(home, node, url))


def test_no_two_places_are_each_others_mirror_in_a_byte() -> None:
    first = random_indexes(set(), 20_000)
    both = {*first, *random_indexes(set(first), 20_000)}
    assert len(both) == 40_000
    mirrored = {index // 8 * 8 + (7 - index % 8) for index in both}
    assert not both & mirrored


def test_places_are_spread_evenly() -> None:
    """Chi-square over 64 parts: 63 on average, over 140 once in ten million runs."""
    drawn = random_indexes(set(), 16_000)
    parts = Counter(index * 64 // MIN_ENTRIES for index in drawn)
    assert sum((parts[part] - 250) ** 2 / 250 for part in range(64)) < 140
    # And over the eight bits of a byte.
    bits = Counter(index % 8 for index in drawn)
    assert sum((bits[bit] - 2000) ** 2 / 2000 for bit in range(8)) < 50


async def test_lists_of_one_name_share_their_places(node: Node, home: Home) -> None:
    """A licence's index counts in both lists, so no badge may have it in either."""
    template = parse_template(
        {
            **changed("policy.statusPurpose", "suspension"),
            "policy": {
                **changed("policy.statusPurpose", "suspension")["policy"],
                "statusList": "http",
            },
        }
    )
    await licence(node)
    await issue_rows(node, template, learners(3), MAIN)
    names = query(
        home, "SELECT url, name, sequence, purpose FROM status_lists ORDER BY url"
    )
    base = "http://localhost:8460/status/main/http-1"
    assert names == [
        (base, "http", 1, "revocation"),
        (f"{base}-suspension", "http", 1, "suspension"),
    ]
    rows = query(
        home, "SELECT status_list, count(*) FROM credentials GROUP BY 1 ORDER BY 1"
    )
    assert rows == [(base, 1), (f"{base}-suspension", 3)]


# Over HTTP


async def test_a_list_that_has_not_changed_is_not_sent_again(
    node: Node, client: Client
) -> None:
    name, document = await licence(node)
    url = entries_of(document)["revocation"].list_url
    path = url.removeprefix(node.config.base_url)
    first = await client.get(path)
    assert first.status == 200
    assert first.content_type == "application/vc+json"
    assert first.headers["Cache-Control"] == "public, max-age=60"
    assert (await first.json())["id"] == url
    known = {"If-None-Match": first.headers["ETag"]}
    again = await client.get(path, headers=known)
    assert (again.status, await again.read()) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    await revoke(node, name, WHY)
    changed_list = await client.get(path, headers=known)
    assert changed_list.status == 200
    assert changed_list.headers["ETag"] != first.headers["ETag"]
    assert await changed_list.json() != await first.json()
    assert (await client.get(f"{path}-9")).status == 404


async def test_the_answer_over_http_is_that_of_the_library(
    node: Node, client: Client
) -> None:
    name, document = await licence(node)
    for change, code, standing in (
        (suspend, "suspended", "suspended"),
        (reinstate, "", "in-force"),
        (revoke, "revoked", "revoked"),
    ):
        await change(node, name, WHY)
        response = await client.post("/credentials/verify", json=document)
        assert response.status == (400 if code else 200)
        body = await response.json()
        assert body["outcome"] == ("rejected" if code else "valid")
        assert (body["authenticity"], body["standing"]) == ("valid", standing)
        found = {check["name"]: check["code"] for check in body["checks"]}
        assert found["status"] == code
        expected = (await verdict(node, document)).to_json()
        assert body["summary"] == expected["summary"]
