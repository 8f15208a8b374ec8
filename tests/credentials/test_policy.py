from datetime import timedelta
from typing import Any

import pytest

from anchoring.cosignature import WitnessKey, WitnessQuorum
from credentials.checks import CHECKS
from credentials.policy import (
    CHECK_NAMES,
    DEFAULT_REQUIRED,
    Policy,
    PolicyMalformed,
    parse_policy,
)
from primitives.canonical_json import JsonObject
from tests.support.credentials_support import ISSUER, LOG_KEY

CONTRACT = "eip155:11155111:0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B"
BLOCK = "0x" + "2b" * 32


def test_every_check_has_its_name() -> None:
    assert tuple(CHECKS) == CHECK_NAMES


def test_without_files_the_default_holds() -> None:
    policy = parse_policy(None, None)
    assert policy == Policy()
    assert policy.effective_required == DEFAULT_REQUIRED
    assert {"structure", "proof", "issuer-key", "dates", "status"} == DEFAULT_REQUIRED


def test_reads_both_files() -> None:
    policy = parse_policy(
        {
            "version": 1,
            "required": ["proof", "issuer-key", "anchor"],
            "clockSkewSeconds": 0,
            "contracts": [CONTRACT],
            "acceptedStatusAgeDays": 30,
            "awardTypes": ["OpenBadgeCredential"],
            "blocks": [{"chain": "eip155:11155111", "hash": BLOCK}],
            "confirmations": 64,
        },
        {
            "version": 1,
            "issuers": [{"did": ISSUER, "name": "The School"}],
            "logs": [{"issuer": ISSUER, "vkey": str(LOG_KEY)}],
        },
    )
    assert policy == Policy(
        required=frozenset({"proof", "issuer-key", "anchor"}),
        issuers={ISSUER: "The School"},
        has_trust_list=True,
        logs={ISSUER: LOG_KEY},
        contracts=frozenset({CONTRACT}),
        accepted_status_age=timedelta(days=30),
        award_types=frozenset({"OpenBadgeCredential"}),
        attested_blocks={("eip155:11155111", BLOCK): "policy file"},
        clock_skew=timedelta(0),
        confirmations=64,
    )
    assert policy.effective_required == {
        "proof",
        "issuer-key",
        "anchor",
        "issuer-listed",
    }


def test_an_empty_trust_list_trusts_nobody() -> None:
    policy = parse_policy(None, {"version": 1})
    assert not policy.issuers
    assert "issuer-listed" in policy.effective_required


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"version": 2},
        {"version": "1"},
        {"version": 1, "requires": ["proof"]},
        {"version": 1, "required": []},
        {"version": 1, "required": ["dates", "issuer-key"]},
        {"version": 1, "required": ["proof", "dates"]},
        {"version": 1, "required": "proof"},
        {"version": 1, "required": [1]},
        {"version": 1, "required": ["prof"]},
        {"version": 1, "confirmations": 0},
        {"version": 1, "confirmations": True},
        {"version": 1, "confirmations": "12"},
        {"version": 1, "confirmations": 1_000_001},
        {"version": 1, "clockSkewSeconds": -1},
        {"version": 1, "acceptedStatusAgeDays": -1},
        {"version": 1, "acceptedStatusAgeDays": True},
        {"version": 1, "clockSkewSeconds": 86_401},
        {"version": 1, "clockSkewSeconds": 1.0},
        {"version": 1, "clockSkewSeconds": True},
        {"version": 1, "clockSkewSeconds": None},
        {"version": 1, "contracts": CONTRACT},
        {"version": 1, "contracts": None},
        {"version": 1, "issuers": []},
        {"version": 1, "blocks": [{"chain": "Ethereum mainnet", "hash": BLOCK}]},
        {"version": 1, "blocks": [{"chain": "eip155:1", "hash": BLOCK[2:]}]},
        {"version": 1, "blocks": [{"chain": "eip155:1", "hash": BLOCK.upper()}]},
    ],
)
def test_refuses_a_policy(policy: Any) -> None:
    with pytest.raises(PolicyMalformed) as e:
        parse_policy(policy, None)
    assert e.value.code == "policy-malformed"
    assert e.value.hint


WITNESS = WitnessKey("w.example/witness", LOG_KEY.public_key)


def test_a_trust_file_may_name_witnesses() -> None:
    named: JsonObject = {"keys": [str(WITNESS)], "threshold": 1}
    policy = parse_policy(None, {"version": 1, "witnesses": named})
    assert policy.witnesses == WitnessQuorum((WITNESS,), 1)


@pytest.mark.parametrize(
    "trust",
    [
        {},
        {"version": 1, "required": ["proof", "issuer-key"]},
        {"version": 1, "issuers": {}},
        {"version": 1, "issuers": [ISSUER]},
        {"version": 1, "issuers": [{"did": ISSUER}]},
        {"version": 1, "issuers": [{"did": ISSUER, "name": 1}]},
        {"version": 1, "issuers": [{"did": ISSUER, "name": "x", "note": "y"}]},
        {"version": 1, "logs": [{"issuer": ISSUER, "vkey": "x"}]},
        {"version": 1, "logs": [{"issuer": ISSUER, "key": str(LOG_KEY)}]},
        {"version": 1, "witnesses": [str(WITNESS)]},
        {"version": 1, "witnesses": {"keys": [str(WITNESS)]}},
        {"version": 1, "witnesses": {"keys": [str(WITNESS)], "threshold": 0}},
        {"version": 1, "witnesses": {"keys": [str(WITNESS)], "threshold": True}},
        {"version": 1, "witnesses": {"keys": [str(WITNESS)], "threshold": 2}},
        {"version": 1, "witnesses": {"keys": [str(WITNESS)] * 2, "threshold": 2}},
        {"version": 1, "witnesses": {"keys": [str(LOG_KEY)], "threshold": 1}},
        {"version": 1, "witnesses": {"keys": str(WITNESS), "threshold": 1}},
    ],
)
def test_refuses_a_trust_file(trust: Any) -> None:
    with pytest.raises(PolicyMalformed) as e:
        parse_policy(None, trust)
    assert e.value.code == "policy-malformed"
