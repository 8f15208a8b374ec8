import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from anchoring.entry import EntryKind, entry_of
from credentials.data_integrity import parse_proofs, verify_proof
from credentials.jsonld.literals import JsonldMalformed
from credentials.jsonld.loader import ContextUnknown
from credentials.jsonld.scope import UnsignedTerm
from credentials.model import StructureInvalid
from credentials.status_list import MIN_ENTRIES, twin
from credentials.template import parse_template
from did.document import parse_did_document
from did.identifier import DidUrl
from did.keystore import KeyNotFound
from node.audit_log import check_audit_log
from node.batches import issue_rows
from node.home import Home
from node.issuance import (
    HTTP_LIST,
    AlreadyDecided,
    IdConflict,
    IssuerMismatch,
    issue_document,
)
from node.node import MAIN, Node, NodeSealed
from node.places import Drawn, take_places
from node.publishing import status_list_file
from node.setup import add_issuer
from node.signing import sign_drafts
from node.status_lists import USABLE_ENTRIES, Place, random_indexes
from node.storage import ledger
from node.storage.registry import IssuerUnknown, require_issuer, update_document
from node.taken_places import Room, Taken
from primitives.canonical_json import JsonObject, canonicalize
from primitives.strict_json import parse_json_object
from tests.support.nodes import (
    TEMPLATE_FILE,
    copy_home,
    document_of,
    issue,
    learners,
    make_home_here,
    meddle,
    opened,
    query,
    template,
)

ON_BOTH_STORES = True

UNSIGNED: JsonObject = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ],
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "name": "Welding",
    "credentialSubject": {"type": "AchievementSubject", "id": "urn:uuid:1"},
}

TABLES = ("credentials", "entries", "status_lists", "documents")


def counts(home: Home) -> dict[str, int]:
    return {t: query(home, f"SELECT count(*) FROM {t}")[0][0] for t in TABLES}


async def _verify(node: Node, document: dict[str, Any]) -> None:
    async with node.reading() as c:
        issuer = await require_issuer(c, MAIN)
    (proof,) = parse_proofs(document)
    assert not isinstance(proof, Exception)
    keys = parse_did_document(issuer.parsed(), issuer.did).methods
    verify_proof(
        document, proof, keys[DidUrl.parse(proof.verification_method)].public_key()
    )


# Rows


async def test_each_row_becomes_one_signed_credential_with_its_place_in_the_queue(
    node: Node, home: Home
) -> None:
    report = await issue(node, 12)
    assert (len(report.issued), report.earlier, report.held) == (12, [], 0)
    found = set()
    for uuid in report.issued:
        document = await document_of(node, uuid)
        await _verify(node, document)
        found.add(canonicalize(document["credentialSubject"]))
        (row,) = query(home, "SELECT digest, kind FROM entries WHERE subject = ?", uuid)
        entry = entry_of(EntryKind.CREDENTIAL, document)
        assert bytes([row[1]]) + row[0] == entry
    assert len(found) == 12


async def test_a_second_run_issues_nothing_twice(node: Node, home: Home) -> None:
    first = await issue(node, 6)
    before = counts(home)
    second = await issue(node, 9)
    assert second.earlier == first.issued
    assert len(second.issued) == 3
    third = await issue(node, 9)
    assert (third.issued, len(third.earlier)) == ([], 9)
    assert counts(home) == {**before, "credentials": 9, "entries": before["entries"] + 3}


async def test_two_processes_with_one_file_issue_each_row_once(home: Home) -> None:
    async with opened(home) as first, opened(home) as second:
        a, b = await asyncio.gather(issue(first, 30), issue(second, 30))
    assert sorted(a.issued + b.issued) == sorted(
        {*a.earlier, *b.earlier, *a.issued, *b.issued}
    )
    assert len(a.issued) + len(b.issued) == 30
    assert query(home, "SELECT count(*) FROM credentials WHERE signed_at IS NULL") == [(0,)]
    assert counts(home)["entries"] == 30 + 2  # the DID document, and the status list


async def test_a_row_that_cannot_be_issued_is_named_and_the_others_are_issued(
    node: Node,
) -> None:
    file = learners(5)
    failing = {**file.rows[2].values, "rating_teacher": "1", "rating_self": "1"}
    broken = replace(file.rows[2], values=failing)
    rows = (*file.rows[:2], broken, *file.rows[3:])
    report = await issue_rows(node, template(), replace(file, rows=rows), MAIN)
    assert len(report.issued) == 4
    assert report.held == 1
    (finding,) = [f for f in report.findings if f.row == broken.number]
    assert finding.code
    # Put right, that row alone is issued.
    again = await issue_rows(node, template(), file, MAIN)
    assert (len(again.issued), len(again.earlier), again.held) == (1, 4, 0)


async def test_rows_of_a_template_that_cannot_be_signed_are_not_drafted(
    node: Node, home: Home
) -> None:
    before = counts(home)
    value = parse_json_object(TEMPLATE_FILE.read_bytes())
    achievement = value["achievement"]
    assert isinstance(achievement, dict)
    achievement["honours"] = "summa cum laude"
    with pytest.raises(UnsignedTerm):
        await issue_rows(node, parse_template(value), learners(3), MAIN)
    assert counts(home) == before


async def test_an_unknown_issuer_and_a_sealed_node_leave_no_trace(home: Home) -> None:
    before = counts(home)
    async with opened(home) as node:
        with pytest.raises(IssuerUnknown):
            await issue_rows(node, template(), learners(3), "nobody")
    async with opened(home, sealed=True) as node:
        with pytest.raises(NodeSealed):
            await issue(node, 3)
    assert counts(home) == before


async def test_a_did_key_node_issues_too(tmp_path: Any) -> None:
    home = await make_home_here(tmp_path / "node", did_method="key")
    async with opened(home) as node:
        report = await issue(node, 2)
        document = await document_of(node, report.issued[0])
        assert document["issuer"]["id"].startswith("did:key:z6Mk")
        await _verify(node, document)


async def test_drafts_that_a_crash_left_are_signed_by_the_next_start(
    node: Node, home: Home
) -> None:
    await issue(node, 4)
    # As it is stored between the two transactions.
    meddle(home, "DELETE FROM entries WHERE kind = 1")
    for uuid, body in query(home, "SELECT uuid, document FROM credentials"):
        unsigned = {
            k: v for k, v in parse_json_object(body.encode()).items() if k != "proof"
        }
        meddle(
            home,
            "UPDATE credentials SET draft = ?, document = NULL, signed_at = NULL"
            " WHERE uuid = ?",
            canonicalize(unsigned).decode(),
            uuid,
        )
    async with opened(home) as restarted:
        assert await sign_drafts(restarted) == 4
        assert await sign_drafts(restarted) == 0
        for (uuid,) in query(home, "SELECT uuid FROM credentials"):
            await _verify(restarted, await document_of(restarted, uuid))
    assert query(
        home, "SELECT count(*), count(DISTINCT subject) FROM entries WHERE kind=1"
    )[0] == (4, 4)


async def test_progress_is_told_to_its_end(node: Node) -> None:
    told: list[tuple[str, int, int]] = []
    await issue_rows(
        node, template(), learners(5), MAIN, progress=lambda *step: told.append(step)
    )
    assert told[0] == ("signing", 0, 5)
    assert told[-1] == ("signing", 5, 5)


# Single documents


async def test_the_node_adds_what_is_missing(node: Node) -> None:
    signed = await issue_document(node, UNSIGNED, None)
    assert str(signed["id"]).startswith("urn:uuid:")
    assert signed["issuer"] == "did:web:localhost%3A8460"
    status = signed["credentialStatus"]
    assert isinstance(status, dict)
    assert status["statusListCredential"] == "http://localhost:8460/status/main/http-1"
    await _verify(node, dict(signed))


async def test_an_issuer_that_brings_a_name_keeps_it(node: Node) -> None:
    wanted: JsonObject = {"type": "Profile", "name": "A School"}
    signed = await issue_document(node, {**UNSIGNED, "issuer": wanted}, None)
    assert signed["issuer"] == {**wanted, "id": "did:web:localhost%3A8460"}


async def test_the_same_request_again_gives_the_same_credential(
    node: Node, home: Home
) -> None:
    asked: JsonObject = {**UNSIGNED, "id": "urn:uuid:6f1a9b1e-0000-4000-8000-000000000001"}
    first = await issue_document(node, asked, None)
    before = counts(home)
    assert await issue_document(node, dict(reversed(asked.items())), None) == first
    assert counts(home) == before
    with pytest.raises(IdConflict) as caught:
        await issue_document(node, {**asked, "name": "Cooking"}, None)
    assert caught.value.code == "credential-id-conflict"
    assert counts(home) == before


async def test_the_same_request_at_the_same_time_issues_once(home: Home) -> None:
    asked: JsonObject = {**UNSIGNED, "id": "https://school.example/credentials/1"}
    async with opened(home) as first, opened(home) as second:
        made = await asyncio.gather(
            *(issue_document(node, asked, None) for node in (first, second) * 4)
        )
    assert all(signed == made[0] for signed in made)
    assert counts(home)["credentials"] == 1


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"honours": "summa"}, UnsignedTerm, "unsigned-term"),
        ({"type": ["VerifiableCredential", "Diploma"]}, UnsignedTerm, "unsigned-term"),
        ({"issuer": "did:web:other.example"}, IssuerMismatch, "issuer-mismatch"),
        ({"issuer": {"id": "did:key:z6Mk"}}, IssuerMismatch, "issuer-mismatch"),
        ({"issuer": 5}, StructureInvalid, "issuer-malformed"),
        ({"issuer": None}, StructureInvalid, "issuer-malformed"),
        ({"issuer": {"id": None}}, StructureInvalid, "issuer-malformed"),
        ({"issuer": "https ://school.example"}, StructureInvalid, "issuer-malformed"),
        ({"id": "no url"}, StructureInvalid, "id-malformed"),
        ({"id": None}, JsonldMalformed, "jsonld-malformed"),
        ({"id": 5}, StructureInvalid, "id-malformed"),
        ({"credentialSubject": {}}, StructureInvalid, "subject-missing"),
        ({"type": ["OpenBadgeCredential"]}, StructureInvalid, "type-missing"),
        ({"proof": {}}, AlreadyDecided, "credential-not-unsigned"),
        ({"credentialStatus": {}}, StructureInvalid, "status-malformed"),
        (
            {"credentialStatus": {"type": "https://school.example/#Paper"}},
            AlreadyDecided,
            "credential-not-unsigned",
        ),
        (
            {"@context": [*UNSIGNED["@context"], "https://evil.example/v1"]},  # type: ignore[misc]
            ContextUnknown,
            "context-unknown",
        ),
    ],
)
async def test_what_is_refused_leaves_no_trace(
    node: Node, home: Home, change: JsonObject, error: type[Exception], code: str
) -> None:
    before = counts(home)
    files = sorted(home.public.rglob("*"))
    with pytest.raises(error) as caught:
        await issue_document(node, {**UNSIGNED, **change}, None)
    assert getattr(caught.value, "code", None) == code
    assert counts(home) == before
    assert [
        f for f in sorted(home.public.rglob("*")) if f not in files and f.is_file()
    ] in (
        [],
        [home.public / "status" / "main" / "http-1"],
        [home.public / "status" / "main" / f"http-1{end}" for end in ("", "-suspension")],
    )


async def test_another_issuer_signs_for_itself_alone(node: Node) -> None:
    other = await add_issuer(node, "north", "North")
    assert (await issue_document(node, UNSIGNED, "north"))["issuer"] == other.did
    by_name = await issue_document(node, {**UNSIGNED, "issuer": other.did}, None)
    assert by_name["issuer"] == other.did
    with pytest.raises(IssuerMismatch):
        await issue_document(node, {**UNSIGNED, "issuer": other.did}, MAIN)


async def test_at_its_own_address_an_issuer_signs_whoever_was_named(node: Node) -> None:
    other = await add_issuer(node, "north", "North")
    for stranger in ("did:example:issuer", {"id": "did:example:issuer", "name": "N"}):
        signed = await issue_document(node, {**UNSIGNED, "issuer": stranger}, "north")
        issuer = signed["issuer"]
        assert (issuer["id"] if isinstance(issuer, dict) else issuer) == other.did
        assert not isinstance(issuer, dict) or issuer["name"] == "N"
        with pytest.raises(IssuerMismatch):
            await issue_document(node, {**UNSIGNED, "issuer": stranger}, None)
    refused: list[Any] = ["no url", None, 5, [], {"id": None}]
    for wrong in refused:
        with pytest.raises(StructureInvalid):
            await issue_document(node, {**UNSIGNED, "issuer": wrong}, "north")


async def test_a_status_of_another_kind_stands_beside_our_own(node: Node) -> None:
    plain: JsonObject = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "urn:uuid:1"},
    }
    paper: JsonObject = {"type": "https://school.example/#PaperRegister"}
    signed = await issue_document(node, {**plain, "credentialStatus": paper}, None)
    statuses: Any = signed["credentialStatus"]
    assert [entry["type"] for entry in statuses[:2]] == ["BitstringStatusListEntry"] * 2
    assert statuses[2:] == [paper]
    place = {**statuses[0], "statusListIndex": "7"}
    for taken in (place, [paper, place]):
        with pytest.raises(AlreadyDecided):
            await issue_document(node, {**plain, "credentialStatus": taken}, None)


# Places in the status lists


async def test_places_are_unique_and_tell_nothing_of_the_order(
    node: Node, home: Home
) -> None:
    report = await issue(node, 60)
    found = dict(query(home, "SELECT uuid, status_index FROM credentials"))
    places = [found[uuid] for uuid in report.issued]
    assert len(set(places)) == 60
    assert all(0 <= place < MIN_ENTRIES for place in places)
    assert places != sorted(places)
    # 60 of 131,072 at random lie all in one half once in 2**59 runs.
    assert min(places) < MIN_ENTRIES // 2 <= max(places)


async def test_other_nodes_draw_other_places(home: Home, tmp_path: Any) -> None:
    drawn = []
    for name in ("a", "b"):
        twin = copy_home(home, tmp_path / name)
        async with opened(twin) as node:
            await issue(node, 10)
        drawn.append(Counter(query(twin, "SELECT status_index FROM credentials")))
    assert drawn[0] != drawn[1]


def _fill(home: Home, url: str, wanted: int) -> None:
    """Make the list look as if `wanted` credentials had their places in it."""
    used = {row[0] for row in query(home, "SELECT status_index FROM credentials")}
    free = [n for n in range(MIN_ENTRIES) if n not in used][: wanted - len(used)]
    values = ",".join(
        f"('x{n}', 'urn:x:{n}', 'main', 's', '{url}', {n}, 'now', 'now')" for n in free
    )
    meddle(
        home,
        "INSERT INTO credentials (uuid, id, issuer, cryptosuite, status_list,"
        f" status_index, created_at, signed_at) VALUES {values}",
    )


async def test_a_list_that_is_full_is_followed_by_the_next(node: Node, home: Home) -> None:
    await issue(node, 1)
    ((first,),) = query(home, "SELECT url FROM status_lists")
    _fill(home, first, USABLE_ENTRIES - 2)
    report = await issue(node, 8)  # two of the seven still fit
    second = first.removesuffix("-1") + "-2"
    rows = query(
        home,
        "SELECT status_list, count(*) FROM credentials WHERE uuid NOT LIKE 'x%'"
        " GROUP BY status_list ORDER BY status_list",
    )
    assert rows == [(first, 3), (second, 5)]
    assert len(report.issued) == 7
    assert status_list_file(home, node.config, second).is_file()
    # The new list is in the log's queue before any credential that names it.
    subjects = [row[0] for row in query(home, "SELECT subject FROM entries ORDER BY seq")]
    assert subjects.index(second) < subjects.index(report.issued[-1])
    async with node.reading() as c:
        lists = await ledger.find_status_lists(
            c, MAIN, template().policy.status_list, "revocation"
        )
    assert lists == [(second, 2), (first, 1)]


def test_a_tenth_of_a_list_stays_empty() -> None:
    # Of the half that is given out: the other half are the twins.
    assert MIN_ENTRIES * 0.89 < 2 * USABLE_ENTRIES < MIN_ENTRIES * 0.91


def test_drawing_the_last_free_place_ends() -> None:
    used = set(range(MIN_ENTRIES)) - {4704, 4711}  # first and last of one byte
    assert random_indexes(used, 1) in ([4704], [4711])


# Made first, stored later


async def test_many_at_once_are_kept_in_a_few_commits(node: Node, home: Home) -> None:
    await issue_document(node, UNSIGNED, None)  # the list is there
    commits: list[object] = []
    event.listen(node.engine.sync_engine, "commit", commits.append)
    made = await asyncio.gather(*(issue_document(node, UNSIGNED, None) for _ in range(40)))
    assert len(commits) <= 4
    names = [str(document["id"]).removeprefix("urn:uuid:") for document in made]
    queued = query(home, "SELECT subject FROM entries WHERE kind = 1 ORDER BY seq")
    assert sorted(row[0] for row in queued[1:]) == sorted(names)
    places = query(home, "SELECT DISTINCT status_list, status_index FROM credentials")
    assert len(places) == 41
    assert (await check_audit_log(node)).flaws == []
    assert len(query(home, "SELECT 1 FROM audit_entries WHERE body LIKE '%l.issue%'")) == 41


async def test_a_place_that_another_process_took_meanwhile_is_drawn_again(
    home: Home,
) -> None:
    async with opened(home) as first, opened(home) as second:
        await issue_document(first, UNSIGNED, None)
        ((taken,),) = query(home, "SELECT status_index FROM credentials")
        # The second knows of no place but that one and its twin.
        wrong = Taken(n for n in range(MIN_ENTRIES) if n not in {taken, twin(taken)})
        wrong.count = 0
        second.places.taken[Room(MAIN, HTTP_LIST, 1)] = wrong
        signed = await issue_document(second, UNSIGNED, None)
        await _verify(second, dict(signed))
    places = [row[0] for row in query(home, "SELECT status_index FROM credentials")]
    assert len({min(place, twin(place)) for place in places}) == 2


async def test_of_twins_and_of_equal_places_one_is_taken(node: Node, home: Home) -> None:
    await issue_document(node, UNSIGNED, None)
    ((url, index),) = query(home, "SELECT status_list, status_index FROM credentials")
    other = (index + 100) % MIN_ENTRIES
    room = Room(MAIN, HTTP_LIST, 1)
    asked = [index, twin(index), other, other, twin(other)]
    places = [Drawn(Place((("revocation", url),), each), room) for each in asked]
    async with node.writing() as c:
        issuer = await require_issuer(c, MAIN)
        answers = await take_places(node, c, [(issuer, each) for each in places])
    assert answers == [False, False, True, False, False]


async def test_what_was_signed_with_a_key_that_is_taken_back_meanwhile_is_not_stored(
    node: Node, home: Home
) -> None:
    async with node.writing() as c:
        late = asyncio.create_task(issue_document(node, UNSIGNED, None))
        for _ in range(30):  # until it is signed, and waits for its turn
            await asyncio.sleep(0.01)
        issuer = await require_issuer(c, MAIN)
        document = {**issuer.parsed(), "assertionMethod": []}
        await update_document(c, MAIN, canonicalize(document).decode())
    with pytest.raises(KeyNotFound):
        await late
    assert query(home, "SELECT count(*) FROM credentials") == [(0,)]


async def test_a_refused_credential_gives_its_place_back(node: Node) -> None:
    await issue_document(node, UNSIGNED, None)
    (taken,) = node.places.taken.values()
    with pytest.raises(UnsignedTerm):
        await issue_document(node, {**UNSIGNED, "honours": "summa cum laude"}, None)
    assert taken.count == 1


async def test_a_list_that_fills_up_one_by_one_is_followed_by_the_next(
    node: Node, home: Home
) -> None:
    await issue_document(node, UNSIGNED, None)
    ((url,),) = query(home, "SELECT url FROM status_lists")
    _fill(home, url, USABLE_ENTRIES - 1)
    node.places.forget(Room(MAIN, HTTP_LIST, 1))
    made = await asyncio.gather(*(issue_document(node, UNSIGNED, None) for _ in range(3)))
    lists = [document["credentialStatus"]["statusListCredential"] for document in made]  # type: ignore[index, call-overload]
    assert sorted(map(str, lists)) == [
        url,
        f"{url.removesuffix('-1')}-2",
        f"{url.removesuffix('-1')}-2",
    ]
