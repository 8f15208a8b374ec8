"""Version 1.1 of the data model, issued where a request uses its context."""

from typing import Any

import pytest

from credentials.jsonld.loader import DATA_INTEGRITY_V2, OB_V3, STATUS_V1, VC_V1
from credentials.model import StructureInvalid
from node.issuance import issue_document
from node.node import Node
from primitives.errors import Rejected
from tests.support.api import codes, report_of
from tests.support.nodes import Client

REQUEST: dict[str, Any] = {
    "@context": [VC_V1],
    "id": "urn:uuid:7f6c2f0e-0000-4000-8000-000000000011",
    "type": ["VerifiableCredential"],
    "issuanceDate": "2026-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:learner"},
}


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
async def test_a_credential_of_version_1_is_issued_and_valid(
    node: Node, client: Client, suite: str
) -> None:
    signed = await issue_document(node, REQUEST, None, cryptosuite=suite)
    assert signed["@context"] == [VC_V1, STATUS_V1, DATA_INTEGRITY_V2]
    assert signed["issuanceDate"] == REQUEST["issuanceDate"]
    assert "validFrom" not in signed
    report = await report_of(await client.post("/credentials/verify", json=signed), 200)
    assert codes(report).keys() == {"anchor"}
    changed = {**signed, "issuanceDate": "2026-01-02T00:00:00Z"}
    report = await report_of(await client.post("/credentials/verify", json=changed), 400)
    assert codes(report)["proof"] == "signature-rejected"
    assert await issue_document(node, REQUEST, None, cryptosuite=suite) == signed


async def test_an_open_badge_of_version_1_is_issued(node: Node) -> None:
    badge = {
        **REQUEST,
        "@context": [VC_V1, OB_V3],
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Farm Data",
        "credentialSubject": {
            "id": "did:example:learner",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "urn:uuid:7f6c2f0e-0000-4000-8000-0000000000aa",
                "type": ["Achievement"],
                "name": "Farm Data",
                "description": "Collects data on a farm.",
                "criteria": {"narrative": "Two visits."},
            },
        },
    }
    signed = await issue_document(node, badge, None)
    assert signed["@context"] == [VC_V1, OB_V3, STATUS_V1, DATA_INTEGRITY_V2]
    assert isinstance(signed["proof"], list)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"issuanceDate": ...}, "datetime-malformed"),
        ({"issuanceDate": "2026-01-01"}, "datetime-malformed"),
        ({"expirationDate": "2025-01-01T00:00:00Z"}, "period-invalid"),
        ({"honours": "summa"}, "unsigned-term"),
    ],
)
async def test_its_rules_hold_when_issuing(
    node: Node, change: dict[str, Any], code: str
) -> None:
    request = {k: v for k, v in {**REQUEST, **change}.items() if v is not ...}
    with pytest.raises((StructureInvalid, Rejected)) as e:
        await issue_document(node, request, None)
    assert e.value.code == code
