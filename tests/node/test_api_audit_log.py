import jsonschema
import pytest

from node.access import create_token
from node.home import Home
from node.node import Node
from node.permissions import Role
from tests.support.api import problem_of, schema
from tests.support.nodes import Client, issue, query


@pytest.fixture
async def auditor(node: Node) -> dict[str, str]:
    _, secret = await create_token(node, "reader", [Role.AUDITOR])
    return {"Authorization": f"Bearer {secret}"}


async def test_an_auditor_reads_the_log_page_by_page(
    node: Node, client: Client, auditor: dict[str, str], home: Home
) -> None:
    await issue(node, 1)
    rows = query(home, "SELECT sequence, digest FROM audit_entries ORDER BY sequence")
    assert len(rows) == 4
    seen: list[tuple[int, str]] = []
    after: int | None = 0
    pages = 0
    while after is not None:
        query_of = {"after": str(after), "limit": "3"}
        response = await client.get("/audit-log", params=query_of, headers=auditor)
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        body = await response.json()
        jsonschema.validate(body, schema("AuditLog"))
        assert body["head"] == f"4:{rows[-1][1]}"
        seen += [(entry["sequence"], entry["digest"]) for entry in body["entries"]]
        after, pages = body["next"], pages + 1
    assert seen == rows
    assert pages == 2


async def test_a_page_has_a_hundred_entries_if_nothing_else_is_asked(
    node: Node, client: Client, auditor: dict[str, str]
) -> None:
    for number in range(110):
        await create_token(node, f"token {number}", [Role.DRAFTER])
    body = await (await client.get("/audit-log", headers=auditor)).json()
    assert (len(body["entries"]), body["next"]) == (100, 100)
    most = await client.get("/audit-log?limit=100000", headers=auditor)
    assert (await most.json())["next"] is None


@pytest.mark.parametrize(
    "query_of",
    ["after=x", "after=-1", "limit=0", "limit=", "after=1e3", "after=" + "9" * 16],
)
async def test_a_page_that_is_none_is_a_400(
    client: Client, auditor: dict[str, str], query_of: str
) -> None:
    response = await client.get(f"/audit-log?{query_of}", headers=auditor)
    assert (await problem_of(response, 400))["code"] == "page-malformed"


async def test_an_act_over_http_is_written_down_with_its_request(
    client: Client, headers: dict[str, str], auditor: dict[str, str]
) -> None:
    credential = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:localhost%3A8460",
        "credentialSubject": {"id": "did:example:learner"},
    }
    sent = {**headers, "X-Request-Id": "from-the-portal"}
    made = await client.post(
        "/credentials/issue", json={"credential": credential}, headers=sent
    )
    assert made.status == 201
    read = await (await client.get("/audit-log", headers=auditor)).json()
    last = read["entries"][-1]
    assert (last["action"], last["request"]) == ("credential.issue", "from-the-portal")
    assert last["actor"]["name"] == "test"
