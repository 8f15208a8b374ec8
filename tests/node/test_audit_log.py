import hashlib
import json
from typing import Any

import pytest
import rfc8785

from node.access import create_token, require, revoke_token
from node.acting import current_actor, handling
from node.anchor_request import request_anchor
from node.audit_chain import AuditHeadMalformed, Head
from node.audit_log import AuditLogReport, check_audit_log, record
from node.fsck import check_node
from node.home import Home
from node.issuance import IdConflict, issue_document
from node.node import Node
from node.permissions import Action, Actor, IssuerRefused, Role, RoleRefused
from node.rotation import rotate
from node.setup import add_issuer
from node.signing import no_progress
from node.status import AlreadyRevoked, revoke
from primitives.canonical_json import JsonObject
from tests.support.declaring import declare_compromised, declare_log_compromised
from tests.support.nodes import HandClock, issue, learners, meddle, opened, query

ON_BOTH_STORES = (
    "test_the_entries_are_a_chain_that_a_stranger_can_calculate",
    "test_an_act_and_its_entry_are_kept_together_or_not_at_all",
    "test_what_is_refused_is_written_down_and_not_done",
)

UNSIGNED: JsonObject = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "did:web:localhost%3A8460",
    "credentialSubject": {"id": "did:example:learner"},
}


def entries(home: Home) -> list[dict[str, Any]]:
    rows = query(home, "SELECT body FROM audit_entries ORDER BY sequence")
    return [json.loads(body) for (body,) in rows]


def acts(home: Home) -> list[tuple[str, str]]:
    return [(entry["action"], entry["outcome"]) for entry in entries(home)]


def codes(report: AuditLogReport) -> set[tuple[int, str]]:
    return {(flaw.sequence, flaw.code) for flaw in report.flaws}


async def test_the_entries_are_a_chain_that_a_stranger_can_calculate(
    node: Node, home: Home
) -> None:
    await create_token(node, "portal", [Role.SIGNER])
    await issue(node, 2)
    await issue_document(node, dict(UNSIGNED), None)
    rows = query(home, "SELECT sequence, body, digest FROM audit_entries ORDER BY sequence")
    previous = "0" * 64
    for number, (sequence, body, digest) in enumerate(rows, 1):
        document = json.loads(body)
        assert document["sequence"] == sequence == number
        assert document["previous"] == previous
        previous = hashlib.sha256(rfc8785.dumps(document)).hexdigest()
        assert digest == previous
    report = await check_audit_log(node)
    assert report.flaws == []
    assert str(report.head) == f"{len(rows)}:{previous}"


async def test_every_act_leaves_its_entry(node: Node, home: Home, clock: HandClock) -> None:
    token, _ = await create_token(node, "portal", [Role.SIGNER, Role.AUDITOR])
    await revoke_token(node, token.id)
    report = await issue(node, 2)
    first, second = report.issued
    await revoke(node, first, "a mistake")
    signed = await issue_document(node, dict(UNSIGNED), None)
    await request_anchor(node)
    await add_issuer(node, "north", "North")
    await rotate(node, "main")
    clock.advance(60)
    await declare_compromised(node, "main.credential-2", clock.moment)
    await declare_log_compromised(node, clock.moment)
    found = entries(home)
    assert [entry["action"] for entry in found] == [
        "issuer.add",
        "token.change",
        "token.change",
        "batch.draft",
        "credential.issue",
        "credential.revoke",
        "credential.issue",
        "anchor.run",
        "issuer.add",
        "key.change",
        "key.change",
        "key.change",
    ]
    assert {entry["outcome"] for entry in found} == {"done"}
    assert found[1]["objects"] == [f"token:{token.id}"]
    assert found[1]["facts"] == {"change": "create", "roles": "auditor signer"}
    assert found[2]["facts"] == {"change": "revoke"}
    template = "template:als-lifeskills-communication@2025.1"
    assert found[3]["objects"] == [f"batch:{report.batch}", template]
    assert found[3]["facts"]["credentials"] == 2
    assert set(found[4]["objects"]) == {f"credential:{first}", f"credential:{second}"}
    assert (found[5]["objects"], found[5]["issuer"]) == ([f"credential:{first}"], "main")
    name = str(signed["id"]).removeprefix("urn:uuid:")
    assert found[6]["objects"] == [f"credential:{name}"]
    assert found[9]["objects"] == ["key:did:web:localhost%3A8460#credential-1"]
    assert [entry["facts"].get("change") for entry in found[9:]] == [
        "rotate",
        "declare compromised",
        "declare compromised",
    ]


async def test_an_entry_says_who_acted_and_for_which_request(
    node: Node, home: Home
) -> None:
    token, secret = await create_token(node, "portal", [Role.SIGNER])
    with handling("request-1"):
        await require(node, {"Authorization": f"Bearer {secret}"}, Action.CREDENTIAL_ISSUE)
        await issue_document(node, dict(UNSIGNED), None)
    made, issued = entries(home)[-2:]
    assert made["actor"]["name"].startswith("command line: ")
    assert (made["actor"]["token"], made["request"]) == ("", "")
    assert issued["actor"] == {"name": "portal", "token": token.id}
    assert issued["request"] == "request-1"
    assert issued["at"] == node.now()


async def test_what_is_refused_is_written_down_and_not_done(node: Node, home: Home) -> None:
    (uuid,) = (await issue(node, 1)).issued
    await revoke(node, uuid, "a mistake")
    before = len(entries(home))
    with pytest.raises(AlreadyRevoked):
        await revoke(node, uuid, "again")
    _, secret = await create_token(node, "reader", [Role.AUDITOR])
    with pytest.raises(RoleRefused):
        await require(node, {"Authorization": f"Bearer {secret}"}, Action.ANCHOR_RUN)
    assert acts(home)[before:] == [
        ("credential.revoke", "already-revoked"),
        ("token.change", "done"),
        ("anchor.run", "role-refused"),
    ]


async def test_an_act_whose_caller_forgot_to_ask_is_not_done(
    node: Node, home: Home
) -> None:
    (uuid,) = (await issue(node, 1)).issued
    before = acts(home)
    with handling("request-1"):
        for act in (
            lambda: revoke(node, uuid, "x"),
            lambda: issue_document(node, dict(UNSIGNED), None),
            lambda: issue(node, 2),
            lambda: create_token(node, "x", [Role.ADMIN]),
            lambda: add_issuer(node, "north", "North"),
            lambda: request_anchor(node),
        ):
            with pytest.raises(RoleRefused, match="found role none"):
                await act()
    assert query(home, "SELECT count(*) FROM status_events") == [(0,)]
    assert query(home, "SELECT count(*) FROM credentials") == [(1,)]
    assert query(home, "SELECT count(*) FROM tokens") == [(0,)]
    assert query(home, "SELECT count(*) FROM issuers") == [(1,)]
    assert query(home, "SELECT count(*) FROM requests") == [(0,)]
    assert [outcome for _, outcome in acts(home)[len(before) :]] == ["role-refused"] * 2


async def test_a_bound_token_cannot_act_on_another_issuers_credential(
    node: Node, home: Home
) -> None:
    await add_issuer(node, "north", "North")
    (uuid,) = (await issue(node, 1)).issued
    _, secret = await create_token(node, "north only", list(Role), issuers=["north"])
    header = {"Authorization": f"Bearer {secret}"}
    with handling("request-1"):
        await require(node, header, Action.CREDENTIAL_REVOKE)
        with pytest.raises(IssuerRefused):
            await revoke(node, uuid, "x")
        with pytest.raises(IssuerRefused):
            await issue_document(node, dict(UNSIGNED), None)
    assert query(home, "SELECT count(*) FROM status_events") == [(0,)]


async def test_a_credential_that_was_issued_is_not_handed_to_another_issuers_token(
    node: Node,
) -> None:
    await add_issuer(node, "north", "North")
    known = {**UNSIGNED, "id": "urn:uuid:7f6c2f0e-0000-4000-8000-000000000000"}
    stranger = {**known, "issuer": "did:web:elsewhere.example"}
    await issue_document(node, dict(stranger), "main")
    bound = Actor("x", frozenset(Role), "1", frozenset({"north"}))
    with handling("request-1", bound), pytest.raises(IssuerRefused):
        await issue_document(node, dict(stranger), "north")


async def half_done(node: Node) -> None:
    async with node.writing() as c:
        await record(c, node, Action.SETTINGS)
        raise IdConflict("in the middle")


async def test_an_act_and_its_entry_are_kept_together_or_not_at_all(
    node: Node, home: Home
) -> None:
    before = acts(home)
    with pytest.raises(IdConflict):
        await half_done(node)
    assert acts(home) == before


async def test_nothing_personal_and_no_secret_is_in_an_entry(
    node: Node, home: Home
) -> None:
    _, secret = await create_token(node, "portal", [Role.SIGNER])
    (uuid,) = (await issue(node, 1)).issued
    await revoke(node, uuid, "Maria Canary left")
    (learner,) = learners(1).rows
    written = json.dumps(entries(home), ensure_ascii=False)
    columns = ("learner_ref", "family_name", "given_name", "middle_name")
    for private in (secret, "Canary", *(learner.values[name] for name in columns)):
        assert private not in written


MEDDLING = {
    "a word of an entry": (
        "UPDATE audit_entries SET body = replace(body, 'signer', 'boss')",
        {(2, "audit-entry-changed")},
    ),
    "the digest of an entry": (
        f"UPDATE audit_entries SET digest = '{'0' * 64}' WHERE sequence = 2",
        {(2, "audit-entry-changed"), (3, "audit-chain-broken")},
    ),
    "an entry removed": (
        "DELETE FROM audit_entries WHERE sequence = 2",
        {(3, "audit-entry-missing"), (3, "audit-chain-broken")},
    ),
    "the last entry removed": (
        "DELETE FROM audit_entries WHERE sequence = 4",
        {(4, "audit-head-mismatch")},
    ),
    "all entries removed": ("DELETE FROM audit_entries", {(4, "audit-head-mismatch")}),
    "an entry that is no JSON": (
        "UPDATE audit_entries SET body = '{' WHERE sequence = 4",
        {(4, "audit-entry-changed")},
    ),
    "another head": (
        "UPDATE audit_head SET sequence = 5",
        {(5, "audit-head-mismatch")},
    ),
}


async def four_entries(node: Node) -> None:
    for role in (Role.SIGNER, Role.DRAFTER, Role.APPROVER):
        await create_token(node, role, [role])


@pytest.mark.parametrize("case", MEDDLING)
async def test_meddling_is_found_by_check_and_by_fsck(
    node: Node, home: Home, case: str
) -> None:
    await four_entries(node)
    sql, expected = MEDDLING[case]
    meddle(home, sql)
    assert codes(await check_audit_log(node)) == expected
    told = {p.where: p.code for p in (await check_node(node, None, no_progress)).problems}
    assert told.keys() == {f"audit entry {sequence}" for sequence, _ in expected}


async def test_entries_in_another_order_are_found(node: Node, home: Home) -> None:
    await four_entries(node)
    for old, new in ((2, 99), (3, 2), (99, 3)):
        meddle(home, "UPDATE audit_entries SET sequence = ? WHERE sequence = ?", new, old)
    assert codes(await check_audit_log(node)) == {
        (2, "audit-entry-moved"),
        (2, "audit-chain-broken"),
        (3, "audit-entry-moved"),
        (3, "audit-chain-broken"),
        (4, "audit-chain-broken"),
    }


async def test_a_log_made_anew_has_another_head_than_was_written_down(
    home: Home, clock: HandClock
) -> None:
    async with opened(home, clock) as node:
        await four_entries(node)
        pinned = (await check_audit_log(node)).head
        assert (await check_audit_log(node, pinned)).flaws == []
    meddle(home, "DELETE FROM audit_entries")
    meddle(home, "UPDATE audit_head SET sequence = 0, digest = ?", "0" * 64)
    async with opened(home, clock) as node:
        assert codes(await check_audit_log(node, pinned)) == {(4, "audit-entry-missing")}
        await four_entries(node)
        await create_token(node, "fourth", [Role.SIGNER])
        assert (await check_audit_log(node)).flaws == []
        assert codes(await check_audit_log(node, pinned)) == {(4, "audit-head-mismatch")}


@pytest.mark.parametrize(
    "text", ["", "4", f"4:{'0' * 63}", f"x:{'0' * 64}", f"4:{'A' * 64}", f"4:{'0' * 64}\n"]
)
def test_another_text_is_no_head(text: str) -> None:
    with pytest.raises(AuditHeadMalformed):
        Head.parse(text)
    assert str(Head.parse(f"4:{'a' * 64}")) == f"4:{'a' * 64}"


async def test_outside_of_a_request_the_command_line_acts() -> None:
    assert current_actor().roles == set(Role)
    with handling("request-1"):
        assert current_actor().roles == set()
    assert current_actor().name.startswith("command line: ")
