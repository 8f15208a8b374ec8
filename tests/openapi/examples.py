"""Examples for `/openapi.json`: what a node was asked here, and what it answered.

`make openapi-examples` writes them anew. A test asks the same again, and compares members
and types: values are new each time.
"""

import asyncio
import csv
import io
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from anchoring.memory import MemoryAnchor
from credentials.presentation import sign_presentation
from node.access import create_token
from node.api.openapi_examples import FILE, PROBLEM
from node.permissions import Role
from primitives.strict_json import parse_json_object
from tests.support.api import answer_of
from tests.support.credentials_support import STRANGER, STRANGER_DID, STRANGER_METHOD
from tests.support.nodes import (
    LEARNERS_FILE,
    TEMPLATE_FILE,
    Client,
    HandClock,
    anchor,
    client_of,
    make_home_here,
    opened,
)

_TEMPLATE: Final = "answers as GET /templates/{template} does, which is long"

WITHOUT: Final[Mapping[str, str]] = {
    "GET /openapi.json": "it is the document that the examples stand in",
    "POST /links/verify": "answers as POST /files/verify does, for what a link leads to",
    "GET /c/{id}/{key}/receipt.json": "answers as GET /credentials/{id}/receipt does",
    "GET /c/{id}/{key}/bundle.json": "answers as GET /credentials/{id}/bundle does",
    "GET /credentials/{id}/bundle": "long; docs/formats.md explains what a bundle has",
    "GET /templates/{template}/versions/{version}": _TEMPLATE,
    "POST /templates/{template}/retire": _TEMPLATE,
    "GET /identifiers/": "there is no DID to resolve, so it never answers with 200",
    "POST /webhooks/{webhook}/deliveries/{delivery}/retry": (
        "only what was given up is tried again, and that takes days"
    ),
}
"""Operations that answer with JSON and have no example, and why."""


@dataclass
class Recorder:
    """Asks a node, and writes down what was asked and answered."""

    client: Client
    headers: Mapping[str, str]
    found: dict[str, Any] = field(default_factory=dict)

    async def ask(
        self,
        operation: str,
        status: int = 200,
        body: Any = None,
        query: str = "",
        **parts: str,
    ) -> dict[str, Any]:
        """Return the answer to an operation such as `GET /issuers/{slug}`."""
        method, _, route = operation.partition(" ")
        path = re.sub(r"{(\w+)}", lambda part: parts[part[1]], route)
        response = await self.client.request(
            method, path + query, json=body, headers=self.headers
        )
        answer = await answer_of(response, status, route)
        request = {} if body is None else {"request": body}
        self.found[operation] = {**request, "status": status, "answer": answer}
        return answer


async def record() -> dict[str, Any]:
    """Return the examples of a node that was made for them."""
    with tempfile.TemporaryDirectory() as folder:
        clock = HandClock()
        home = await make_home_here(Path(folder) / "node", clock)
        async with opened(home, clock) as node, client_of(node) as client:
            _, secret = await create_token(node, "portal", list(Role))
            headers = {
                "Authorization": f"Bearer {secret}",
                "Accept": "application/json",
            }
            recorder = Recorder(client, headers)
            issued = await _issuing(recorder)
            await _batches(recorder)
            await anchor(node, MemoryAnchor())
            await _log(recorder)
            await _webhooks(recorder)
            await _changing(recorder, issued)
            await _node(recorder)
            return recorder.found


async def _issuing(recorder: Recorder) -> str:
    """Return the id of a credential that was issued."""
    ask = recorder.ask
    template = parse_json_object(TEMPLATE_FILE.read_bytes())
    name = str(template["templateId"])
    await ask("POST /templates", 201, template)
    await ask("GET /templates")
    await ask("GET /templates/{template}", template=name)
    await ask("GET /issuers")
    issuer = await ask("GET /issuers/{slug}", slug="main")
    credential = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": issuer["did"],
        "credentialSubject": {"id": STRANGER_DID},
    }
    asked = {"credential": credential, "options": {"cryptosuite": "eddsa-rdfc-2022"}}
    await ask("POST /issuers/{slug}/credentials/issue", 201, asked, slug="main")
    made = await ask("POST /credentials/issue", 201, asked)
    signed = made["verifiableCredential"]
    await ask("POST /credentials/verify", 200, {"verifiableCredential": signed})
    await ask("POST /files/verify", 200, signed)
    challenge = (await ask("POST /challenges", 201))["challenge"]
    domain = "ministry.example"
    presented = sign_presentation(
        [signed],
        STRANGER,
        verification_method=STRANGER_METHOD,
        created=HandClock().now(),
        challenge=challenge,
        domain=domain,
    )
    options = {"challenge": challenge, "domain": domain}
    wanted = {"verifiablePresentation": presented, "options": options}
    await ask("POST /presentations/verify", 200, wanted)
    return str(signed["id"])


async def _batches(recorder: Recorder) -> None:
    ask = recorder.ask
    rows = list(csv.DictReader(io.StringIO(LEARNERS_FILE.read_text(encoding="utf-8"))))
    name = "?template=als-lifeskills-communication"
    body = {"rows": [rows[0], {**rows[1], "completed_on": "3/4/2025"}]}
    uploaded = await ask("POST /batches", 201, body, name)
    await ask("GET /batches")
    await ask("GET /batches/{batch}", batch=uploaded["id"])
    await ask("GET /batches/{batch}/findings", batch=uploaded["id"])
    await ask("POST /batches/{batch}/start", 202, batch=uploaded["id"])
    await ask("POST /batches/{batch}/cancel", batch=uploaded["id"])


async def _log(recorder: Recorder) -> None:
    ask = recorder.ask
    await ask("GET /log")
    shown = (await ask("GET /anchors"))["anchors"][0]
    await ask("GET /anchors/{size}", size=str(shown["treeSize"]))
    await ask("GET /log/records/{name}", name="latest")
    await ask("POST /anchors", 202)


async def _webhooks(recorder: Recorder) -> None:
    ask = recorder.ask
    wanted = {
        "url": "https://portal.example/hook",
        "events": ["credential.issued", "credential.revoked"],
    }
    await ask("POST /webhooks", 201, wanted)
    webhook = (await ask("GET /webhooks"))["webhooks"][0]["id"]
    await ask("GET /webhooks/{webhook}", webhook=webhook)


async def _changing(recorder: Recorder, issued: str) -> None:
    ask = recorder.ask
    (listed,) = (await ask("GET /credentials", query=f"?id={issued}"))["credentials"]
    name = listed["uuid"]
    await ask("POST /credentials/search", 200, {"words": STRANGER_DID})
    await ask("GET /credentials/{id}/receipt", id=name)
    reason = {"reason": "Entered for the wrong learner"}
    await ask("POST /credentials/{id}/suspend", 200, reason, id=name)
    await ask("POST /credentials/{id}/reinstate", 200, reason, id=name)
    await ask("POST /credentials/{id}/revoke", 200, reason, id=name)
    await ask("GET /credentials/{id}", id=name)
    await ask("GET /status-lists")
    webhook = (await ask("GET /webhooks"))["webhooks"][0]["id"]
    await ask("GET /webhooks/{webhook}/deliveries", webhook=webhook)
    await ask("DELETE /webhooks/{webhook}", webhook=webhook)


async def _node(recorder: Recorder) -> None:
    ask = recorder.ask
    await ask("GET /audit-log", query="?limit=2")
    await ask("GET /healthz")
    await ask("GET /readyz")
    await ask("GET /identifiers/{did}", did=STRANGER_DID)
    await ask("GET /.well-known/did-history.json")
    given = {"slug": "sdo-batangas", "name": "Schools Division Office of Batangas"}
    await ask("POST /issuers", 201, given)
    replaced = await ask(
        "POST /issuers/{slug}/rotate", 200, {"role": "credential"}, slug="sdo-batangas"
    )
    declared = {"key": replaced["old"], "since": "2026-03-01T00:00:00Z"}
    await ask("POST /keys/compromised", 200, declared)
    await ask("GET /issuers/{slug}/did-history.json", slug="main")
    missing = await recorder.client.get("/issuers/nobody")
    recorder.found[PROBLEM] = await missing.json()


def main() -> None:
    """Write the examples anew."""
    found = asyncio.run(record())
    text = json.dumps(dict(sorted(found.items())), indent=1, ensure_ascii=False)
    FILE.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
