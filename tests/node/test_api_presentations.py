"""Presentations and challenges over HTTP."""

import asyncio
from typing import Any

import aiohttp
import jsonschema
import pytest

from credentials.presentation import sign_presentation
from node.api.verify import MAX_IN_HAND, VERIFIER
from node.challenges import (
    ChallengesExhausted,
    ChallengeUsed,
    create_challenge,
    use_challenge,
)
from node.home import Home
from node.issuance import issue_document
from node.node import MAIN, Node, credential_key, signing_key
from node.storage.registry import require_issuer
from primitives.canonical_json import JsonObject
from tests.support.api import problem_of, schema
from tests.support.credentials_support import (
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    signed,
    unsigned,
)
from tests.support.nodes import Client, HandClock, meddle, opened, query

ON_BOTH_STORES = (
    "test_two_processes_do_not_use_a_challenge_twice",
    "test_challenges_are_bounded",
)

DOMAIN = "ministry.example"


@pytest.fixture
async def badge(node: Node) -> JsonObject:
    """Return a credential of this node about the holder."""
    request: JsonObject = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": STRANGER_DID},
    }
    return await issue_document(node, request, None)


def presented(
    node: Node, *credentials: JsonObject, challenge: str | None = None
) -> JsonObject:
    return sign_presentation(
        credentials,
        STRANGER,
        verification_method=STRANGER_METHOD,
        created=node.instant(),
        challenge=challenge,
        domain=DOMAIN,
    )


async def new_challenge(client: Client) -> str:
    async with client.post("/challenges") as response:
        assert response.status == 201
        body = await response.json()
    assert body.keys() == {"challenge", "expires"}
    assert body["expires"] == "2026-03-02T08:10:00Z"
    return str(body["challenge"])


async def verify(client: Client, document: Any, **options: Any) -> aiohttp.ClientResponse:
    body = {"verifiablePresentation": document, "options": options}
    return await client.post("/presentations/verify", json=body)


async def report_of(response: aiohttp.ClientResponse, status: int) -> dict[str, Any]:
    assert response.status == status, await response.text()
    body: dict[str, Any] = await response.json()
    jsonschema.validate(body, schema("PresentationReport"))
    assert body["verified"] is (body["outcome"] == "valid") is (status == 200)
    return body


async def test_a_presentation_answers_a_challenge_once(
    node: Node, client: Client, badge: JsonObject
) -> None:
    challenge = await new_challenge(client)
    document = presented(node, badge, challenge=challenge)
    asked = {"challenge": challenge, "domain": DOMAIN}
    report = await report_of(await verify(client, document, **asked), 200)
    assert report["holder"] == STRANGER_DID
    assert report["problemDetails"] == []
    (member,) = report["credentials"]
    assert (member["id"], member["holderBound"]) == (badge["id"], True)
    assert member["report"]["outcome"] == "valid"
    again = await verify(client, document, **asked)
    assert (await problem_of(again, 422))["code"] == "challenge-used"


async def test_the_document_of_a_holder_on_the_web_is_looked_up(
    node: Node, client: Client
) -> None:
    async with node.reading() as c:
        issuer = await require_issuer(c, MAIN)
    signer, method = signing_key(node, issuer, credential_key(MAIN))
    document = sign_presentation(
        [],
        signer,
        verification_method=method,
        created=node.instant(),
        challenge=None,
        domain=None,
    )
    assert str(document["holder"]).startswith("did:web:")
    report = await report_of(await verify(client, document), 200)
    results = {c["name"]: c["result"] for c in report["checks"]}
    assert (results["proof"], results["holder-key"]) == ("passed", "passed")


async def test_of_50_at_once_one_is_answered(
    node: Node, client: Client, badge: JsonObject
) -> None:
    challenge = await new_challenge(client)
    document = presented(node, badge, challenge=challenge)

    async def send() -> tuple[int, str]:
        async with await verify(client, document, challenge=challenge) as response:
            body = await response.json()
            return response.status, body.get("code", "")

    answers = await asyncio.gather(*(send() for _ in range(50)))
    assert sorted(answers) == [(200, "")] + [(422, "challenge-used")] * 49


async def test_two_processes_do_not_use_a_challenge_twice(home: Home) -> None:
    async with opened(home) as one, opened(home) as other:
        made = await create_challenge(one)

        async def use(node: Node) -> bool:
            try:
                await use_challenge(node, made.text)
            except ChallengeUsed:
                return False
            return True

        used = await asyncio.gather(*(use(n) for n in (one, other) for _ in range(25)))
        assert sum(used) == 1


async def test_a_challenge_is_good_for_ten_minutes(
    node: Node, client: Client, clock: HandClock
) -> None:
    codes = []
    for seconds in (599, 600, 3_600 + 601):
        made = await create_challenge(node)
        clock.advance(seconds)
        await create_challenge(node)  # which forgets what is long past
        document = presented(node, challenge=made.text)
        async with await verify(client, document, challenge=made.text) as response:
            codes.append((await response.json()).get("code", response.status))
    assert codes == [200, "challenge-expired", "challenge-unknown"]


async def test_a_challenge_of_nobody_is_unknown(node: Node, client: Client) -> None:
    for forged in ("ptnc_", "ptnc_" + "A" * 43, "ptnc_\u00e9"):
        response = await verify(client, presented(node, challenge=forged), challenge=forged)
        assert (await problem_of(response, 422))["code"] == "challenge-unknown"


async def test_a_callers_own_challenge_is_compared_and_not_remembered(
    node: Node, client: Client
) -> None:
    document = presented(node, challenge="of the caller")
    for _ in range(2):
        await report_of(await verify(client, document, challenge="of the caller"), 200)
    report = await report_of(await verify(client, document, challenge="another"), 400)
    (problem,) = report["problemDetails"]
    assert problem["code"] == "presentation-challenge-mismatch"
    report = await report_of(await verify(client, document, domain="x.example"), 400)
    (problem,) = report["problemDetails"]
    assert problem["code"] == "presentation-domain-mismatch"


async def test_a_wrong_answer_uses_the_challenge_up(node: Node, client: Client) -> None:
    challenge = await new_challenge(client)
    wrong = presented(node, challenge="another")
    await report_of(await verify(client, wrong, challenge=challenge), 400)
    right = presented(node, challenge=challenge)
    response = await verify(client, right, challenge=challenge)
    assert (await problem_of(response, 422))["code"] == "challenge-used"


async def test_challenges_are_kept_as_digests(client: Client, home: Home) -> None:
    challenge = await new_challenge(client)
    ((sha256, used),) = query(home, "SELECT sha256, used_at FROM challenges")
    assert len(sha256) == 64
    assert used is None
    for path in home.root.glob("patunay.db*"):
        assert challenge.encode() not in path.read_bytes()


async def test_challenges_are_bounded(
    node: Node, client: Client, clock: HandClock, home: Home
) -> None:
    meddle(
        home,
        "INSERT INTO challenges WITH RECURSIVE"
        " n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
        " SELECT CAST(i AS VARCHAR(64)), '2026-03-02T08:00:00Z',"
        " '2026-03-02T08:10:00Z', NULL FROM n",
    )
    await create_challenge(node)
    with pytest.raises(ChallengesExhausted, match="found 10000 open challenges"):
        await create_challenge(node)
    problem = await problem_of(await client.post("/challenges"), 503)
    assert problem["code"] == "challenges-exhausted"
    clock.advance(600)
    await create_challenge(node)


async def test_a_tampered_member_is_found_and_the_others_stand(
    node: Node, client: Client, badge: JsonObject
) -> None:
    forged = {**badge, "id": "urn:uuid:7f6c2f0e-0000-4000-8000-0000000000ff"}
    stranger = signed(
        unsigned(issuer=STRANGER_DID, credentialStatus=..., id="urn:uuid:2"),
        signer=STRANGER,
        method=STRANGER_METHOD,
        created=node.instant(),
    )
    document = presented(node, badge, forged, stranger)
    report = await report_of(await verify(client, document), 400)
    outcomes = {m["id"]: m["report"]["outcome"] for m in report["credentials"]}
    assert outcomes == {
        badge["id"]: "valid",
        forged["id"]: "rejected",
        "urn:uuid:2": "valid",
    }
    assert report["outcome"] == "rejected"


async def test_nothing_that_the_holder_signs_can_be_changed(
    node: Node, client: Client, badge: JsonObject
) -> None:
    document = presented(node, badge)
    changed = {**document, "verifiableCredential": []}
    report = await report_of(await verify(client, changed), 400)
    assert report["problemDetails"][0]["code"] == "signature-rejected"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verifiablePresentation": "eyJ"},
        {"verifiablePresentation": {}, "options": []},
        {"verifiablePresentation": {}, "options": {"challenge": 1}},
        {"verifiablePresentation": {}, "options": {"challenge": ""}},
        {"verifiablePresentation": {}, "options": {"domain": "x" * 1025}},
        {"verifiablePresentation": {}, "options": {"domain": ["x"]}},
        {"verifiablePresentation": {}, "options": {"checks": ["status"]}},
    ],
)
async def test_refuses_what_is_no_request(client: Client, body: Any) -> None:
    response = await client.post("/presentations/verify", json=body)
    assert (await problem_of(response, 400))["code"] == "verify-request-malformed"


async def test_refuses_over_32_credentials_before_any_look_up(
    client: Client, badge: JsonObject
) -> None:
    document = {"verifiableCredential": [badge] * 33}
    response = await verify(client, document)
    assert (await problem_of(response, 400))["code"] == "presentation-too-large"


async def test_a_full_node_spends_no_challenge(node: Node, client: Client) -> None:
    challenge = await new_challenge(client)
    document = presented(node, challenge=challenge)
    verifier = client.app[VERIFIER]
    verifier.in_hand = MAX_IN_HAND
    response = await verify(client, document, challenge=challenge)
    assert (await problem_of(response, 503))["code"] == "http-overloaded"
    verifier.in_hand = 0
    await report_of(await verify(client, document, challenge=challenge), 200)
    assert verifier.in_hand == 0


# The checks that a caller asks for


async def test_the_proof_alone_can_be_asked_for(client: Client, node: Node) -> None:
    """The key is the holder's, and the issuer another: no default lets that pass."""
    document = signed(
        unsigned(issuer="https://school.example", credentialStatus=...),
        signer=STRANGER,
        method=STRANGER_METHOD,
        created=node.instant(),
    )

    async def ask(**options: Any) -> tuple[int, dict[str, Any]]:
        body = {"verifiableCredential": document, "options": options}
        async with client.post("/credentials/verify", json=body) as response:
            return response.status, await response.json()

    status, report = await ask()
    assert (status, report["outcome"]) == (400, "rejected")
    status, report = await ask(checks=["proof", "issuer-key"])
    assert (status, report["outcome"]) == (400, "rejected")
    status, report = await ask(checks=[])
    assert (status, report["outcome"]) == (400, "rejected")
    status, report = await ask(checks=["proof"], expectedProofPurpose="assertionMethod")
    assert (status, report["outcome"], report["verified"]) == (200, "valid", True)
    results = {c["name"]: (c["result"], c["required"]) for c in report["checks"]}
    assert results["issuer-key"] == ("failed", False)
    assert results["proof"] == ("passed", True)
    document["name"] = "Doctor"
    status, report = await ask(checks=["proof"])
    assert (status, report["outcome"]) == (400, "rejected")


@pytest.mark.parametrize(
    "checks",
    [{}, ["status"], ["issuer-key"], ["proof", "x"], "proof", None, [["proof"]], [1]],
)
async def test_refuses_to_check_no_proof(client: Client, checks: Any) -> None:
    body = {"verifiableCredential": {}, "options": {"checks": checks}}
    response = await client.post("/credentials/verify", json=body)
    assert (await problem_of(response, 400))["code"] == "verify-request-malformed"


@pytest.mark.parametrize(
    ("member", "path", "options"),
    [
        ("verifiableCredential", "credentials", {"expectedProofPurpose": "authentication"}),
        ("verifiableCredential", "credentials", {"expectedProofPurpose": None}),
        ("verifiableCredential", "credentials", {"challenge": "x"}),
        ("verifiableCredential", "credentials", {"domain": "school.example"}),
        (
            "verifiablePresentation",
            "presentations",
            {"expectedProofPurpose": "assertionMethod"},
        ),
    ],
)
async def test_what_the_caller_expects_and_is_never_so_is_refused(
    client: Client, member: str, path: str, options: dict[str, Any]
) -> None:
    body = {member: {"type": "x"}, "options": options}
    told = await problem_of(await client.post(f"/{path}/verify", json=body), 400)
    assert told["code"] == "verify-request-malformed"
    assert next(iter(options)) in told["detail"]
