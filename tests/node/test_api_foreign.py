"""What other systems issue, over HTTP: undetermined or rejected, and never a surprise."""

from typing import Any

import pytest

from tests.support.api import codes, report_of
from tests.support.foreign import blockcerts, certificate, diploma, open_attestation
from tests.support.nodes import Client

CERTIFICATE = blockcerts(certificate())


@pytest.mark.parametrize(
    ("document", "outcome", "code"),
    [
        (CERTIFICATE, "undetermined", "transaction-not-asked"),
        (open_attestation(diploma()), "undetermined", "store-not-asked"),
        (
            {**CERTIFICATE, "issuer": "https://b.example"},
            "rejected",
            "document-hash-mismatch",
        ),
        ({"hello": "world"}, "undetermined", "format-not-supported"),
    ],
)
async def test_a_foreign_document_has_the_same_report_over_http(
    client: Client, document: dict[str, Any], outcome: str, code: str
) -> None:
    body = {"verifiableCredential": document}
    report = await report_of(await client.post("/credentials/verify", json=body), 400)
    assert report["outcome"] == outcome
    assert code in codes(report).values()
    assert not report["verified"]
    assert len(report["problemDetails"]) >= 1
