import jsonschema
import pytest
import yarl

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
    target: str | None = "/audit-log?limit=3"
    pages = 0
    while target is not None:
        response = await client.get(target, headers=auditor)
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        body = await response.json()
        jsonschema.validate(body, schema("AuditPage"))
        assert body["head"] == f"4:{rows[-1][1]}"
        seen += [(entry["sequence"], entry["digest"]) for entry in body["entries"]]
        link, pages = response.links.get("next"), pages + 1
        assert (body["next"] is None) == (link is None)
        target = yarl.URL(str(link["url"])).raw_path_qs if link else None
    assert seen == rows
    assert pages == 2


@pytest.mark.parametrize(
    ("query_of", "code"),
    [
        ("limit=0", "request-malformed"),
        ("limit=201", "request-malformed"),
        ("after=1", "request-malformed"),
        ("cursor=x", "cursor-malformed"),
        ("cursor=WyJtYWluIl0", "cursor-malformed"),
    ],
)
async def test_a_page_that_is_none_is_a_400(
    client: Client, auditor: dict[str, str], query_of: str, code: str
) -> None:
    response = await client.get(f"/audit-log?{query_of}", headers=auditor)
    assert (await problem_of(response, 400))["code"] == code


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
