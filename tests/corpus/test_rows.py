"""The rows of the table that are no case of one input, and the table itself."""

import json
import random
import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from credentials.evidence import Evidence, Obtained
from credentials.judge import judge
from credentials.policy import Policy
from credentials.presentation import sign_presentation
from credentials.report import Outcome
from credentials.status_list import MIN_ENTRIES, Entry, read_bit
from node.access import create_token
from node.config import Config
from node.config_checks import ConfigInvalid
from node.node import Node
from node.permissions import Role
from primitives.canonical_json import JsonObject
from primitives.encodings import encode_base64url
from primitives.errors import Malformed
from primitives.strict_json import parse_json_object
from tests.corpus.build import CASES
from tests.support.components import ROOT
from tests.support.credentials_support import (
    ISSUER,
    NOW,
    REVOCATIONS,
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    did_document,
    signed,
    status_list,
    unsigned,
)
from tests.support.nodes import (
    Client,
    HandClock,
    client_of,
    issue,
    make_home_here,
    opened,
    query,
)
from tests.support.standards import shared

AREAS = frozenset("JCPDSMKAIBHTO")
"""Rows of other areas that have their cases here."""

NO_CASE = {
    "B17": "no QR code is read yet",
    "B18": "as B17: nothing that was packed into a code is unpacked",
    "C28": "no policy demands a status entry; a report says where there is none",
    "S17": "lists have times and no numbers, and two of one second may both be right",
    "S23": "a list does not show how many of its places were given out",
}
"""Rows that Patunay has nothing to answer with, and why."""

GOOD = frozenset({"S00", "M00", "A00", "I00", "B00"})
"""What the cases of an area start from."""

ELSEWHERE = {
    "D35": (
        "tests/credentials/trust_pack/test_pack.py",
        "test_a_pack_is_usable_then_expired",
    ),
    "D36": (
        "tests/node/test_trust_refresh.py",
        "test_a_history_that_begins_otherwise_is_told",
    ),
    "S15": (
        "tests/credentials/trust_pack/test_pack.py",
        "test_a_status_list_does_not_grow_older",
    ),
    "M01": ("tests/anchoring/test_merkle_probes.py", "test_inclusion_probe"),
    "K13": ("tests/node/test_witnesses.py", "test_of_two_racing_requests_one_is_cosigned"),
    "A17": (
        "tests/protocol/test_anchor_backend.py",
        "test_a_higher_bid_has_the_same_nonce_and_digest",
    ),
    "A21": (
        "tests/anchoring/test_evm.py",
        "test_a_transaction_dropped_from_the_pool_lands_when_sent_again",
    ),
    "O04": ("tests/node/test_home.py", "test_one_holds_the_node_and_the_other_is_told"),
    "O05": (
        "tests/node/test_backup.py",
        "test_a_restored_copy_signs_nothing_and_changes_nothing",
    ),
    "O07": ("tests/node/test_home.py", "test_a_wrong_passphrase_opens_nothing"),
    "O08": (
        "tests/node/test_home.py",
        "test_a_key_store_that_others_may_open_is_refused",
    ),
    "O10": (
        "tests/node/test_database.py",
        "test_the_database_of_a_newer_release_is_refused",
    ),
    "O11": (
        "tests/node/test_canaries.py",
        "test_o11_names_and_secrets_stand_where_they_may_and_nowhere_else",
    ),
    "A22": ("tests/protocol/test_anchor_backend.py", "test_sending_twice_writes_once"),
}
"""Rows that need a chain, two nodes or a whole history; each with the test that has it."""


def rows_of_tests() -> set[str]:
    """Return the rows that need more than one input: each is in the name of a test."""
    files = Path(__file__).parent.glob("test_*.py")
    named = re.compile(r"def test_([a-z][0-9]{2})_")
    found = [named.findall(file.read_text(encoding="utf-8")) for file in files]
    return {row.upper() for rows in found for row in rows}


def test_every_row_of_the_table_has_a_case_or_a_reason() -> None:
    lines = shared("corpus.tsv").read_text(encoding="utf-8").splitlines()[1:]
    table = [line.split("\t")[:2] for line in lines]
    rows = {row for row, area in table if area in AREAS}
    cases = {path.name.partition("-")[0] for path in CASES.iterdir()} - GOOD
    for file, test in ELSEWHERE.values():
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")
    assert rows - cases - rows_of_tests() - ELSEWHERE.keys() == NO_CASE.keys()
    assert cases | rows_of_tests() <= rows


def test_every_row_that_refuses_something_also_lets_something_pass() -> None:
    """Where a row has no good twin of its own, it is the credential that it spoils."""
    verdicts: dict[str, set[str]] = {}
    for folder in CASES.iterdir():
        expected = json.loads((folder / "expect.json").read_bytes())
        row = folder.name.partition("-")[0]
        reported = expected.get("report", expected)["outcome"]
        verdicts.setdefault(row, set()).update((expected["outcome"], reported))
    assert verdicts["S00"] == {"valid", "rejected"}
    assert (
        verdicts["M00"]
        == verdicts["A00"]
        == verdicts["I00"]
        == verdicts["B00"]
        == {"valid"}
    )
    limits = {"J06", "J08", "J17", "C15", "P17", "P18", "S06", "S08", "S09", "S14"}
    limits |= {"D08", "D09", "D18", "D30", "P26", "M08", "M11", "K08", "A10", "A23"}
    limits |= {"A01", "A04", "A06", "A11", "A14", "A24", "A27", "M13"}
    limits |= {"K04", "K05", "K09", "K10"}
    limits |= {"B02", "B03", "B04", "B13"}
    for row in sorted(limits):
        assert verdicts[row] > {"valid"}, row


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def node(tmp_path: Path, clock: HandClock) -> AsyncIterator[Node]:
    home = await make_home_here(tmp_path / "node", clock)
    async with opened(home, clock) as node:
        yield node


async def present(client: Client, node: Node, challenge: str) -> tuple[int, JsonObject]:
    shown = sign_presentation(
        [],
        STRANGER,
        verification_method=STRANGER_METHOD,
        created=node.instant(),
        challenge=challenge,
        domain="office.example",
    )
    options = {"challenge": challenge, "domain": "office.example"}
    body = {"verifiablePresentation": shown, "options": options}
    async with client.post("/presentations/verify", json=body) as response:
        return response.status, await response.json()


async def new_challenge(client: Client) -> str:
    async with client.post("/challenges") as response:
        return str((await response.json())["challenge"])


async def test_p22_a_presentation_sent_twice_is_refused_the_second_time(node: Node) -> None:
    async with client_of(node) as client:
        challenge = await new_challenge(client)
        status, body = await present(client, node, challenge)
        assert (status, body["outcome"]) == (200, "valid")
        status, body = await present(client, node, challenge)
    assert (status, body["code"]) == (422, "challenge-used")


@pytest.mark.parametrize(("age", "code"), [(599, ""), (601, "challenge-expired")])
async def test_p23_a_challenge_lives_for_ten_minutes(
    node: Node, clock: HandClock, age: int, code: str
) -> None:
    async with client_of(node) as client:
        challenge = await new_challenge(client)
        clock.advance(age)
        status, body = await present(client, node, challenge)
    assert (status, body.get("code", "")) == (422 if code else 200, code)


async def issuing_as(node: Node, token: str) -> tuple[int, str]:
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:localhost%3A8460",
        "credentialSubject": {"id": STRANGER_DID},
    }
    async with (
        client_of(node) as client,
        client.post(
            "/credentials/issue",
            json={"credential": document},
            headers={"Authorization": f"Bearer {token}"},
        ) as response,
    ):
        return response.status, (await response.json()).get("code", "")


async def test_p33_a_presentation_is_no_access_token(node: Node) -> None:
    shown = sign_presentation(
        [signed()],
        STRANGER,
        verification_method=STRANGER_METHOD,
        created=node.instant(),
        challenge=None,
        domain=None,
    )
    text = json.dumps(shown)
    for token in (text, encode_base64url(text.encode())):
        assert await issuing_as(node, token) == (401, "token-refused")
    _, secret = await create_token(node, "registrar", [Role.SIGNER])
    assert await issuing_as(node, secret) == (201, "")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "EdDSA"])
async def test_p34_a_jws_is_no_access_token(node: Node, algorithm: str) -> None:
    header = encode_base64url(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    claims = encode_base64url(b'{"sub":"registrar","scope":"issue"}')
    for signature in ("", encode_base64url(bytes(32))):
        token = f"{header}.{claims}.{signature}"
        assert await issuing_as(node, token) == (401, "token-refused")


async def test_s25_a_node_makes_no_list_below_the_standards_size(node: Node) -> None:
    await issue(node, 1)
    ((url, raw),) = query(
        node.home, "SELECT url, document FROM status_lists WHERE purpose = 'revocation'"
    )
    last = Entry(url, MIN_ENTRIES - 1, "revocation")
    assert read_bit(parse_json_object(raw.encode()), last) is False
    settings = tomllib.loads(node.config.to_toml())
    assert not [name for name in settings if "list" in name and "listen" not in name]
    with pytest.raises(ConfigInvalid, match="status_list_entries is not a setting"):
        Config.from_toml('domain = "school.example"\nstatus_list_entries = 1024\n')


def flipped(raw: bytes, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def outcome_of(raw: bytes, document: Any, suite_list: Any) -> str:
    found = Evidence(
        did_documents={ISSUER: Obtained(document, "file", NOW)},
        status_lists={REVOCATIONS: Obtained(suite_list, "file", NOW)},
    )
    try:
        return judge(parse_json_object(raw), found, Policy(), NOW).outcome.value
    except Malformed:
        return "malformed"


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_p31_no_single_bit_can_be_changed(suite: str) -> None:
    """300 places in the credential, its proof included, and all bits of the key."""
    raw = json.dumps(signed(unsigned(), suite=suite), ensure_ascii=False).encode()
    document, bits = did_document(), status_list()
    assert outcome_of(raw, document, bits) == Outcome.VALID.value
    chosen = random.Random(31).sample(range(len(raw) * 8), 300)
    accepted = [b for b in chosen if outcome_of(flipped(raw, b), document, bits) == "valid"]
    assert accepted == []
    text = json.dumps(document)
    (method,) = json.loads(text)["verificationMethod"]
    key = method["publicKeyMultibase"].encode()
    for bit in range(8, len(key) * 8):
        other = flipped(key, bit)
        if other.isascii() and other.decode().isalnum():
            changed = json.loads(text.replace(key.decode(), other.decode()))
            assert outcome_of(raw, changed, bits) != "valid", bit
