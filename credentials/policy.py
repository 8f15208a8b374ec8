"""What a verifier demands, and whom it believes: never taken from the credential."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from primitives.canonical_json import Json, JsonObject
from primitives.errors import Malformed, PatunayError

if TYPE_CHECKING:  # many verifiers name no log, no witness and no trust pack
    from anchoring.cosignature import WitnessQuorum
    from anchoring.note import VerifierKey
    from credentials.trust_pack.rules import PackRules

CHECK_NAMES: Final = (
    "structure",
    "proof",
    "issuer-key",
    "dates",
    "status",
    "issuer-listed",
    "anchor",
)
"""Every check, in the order of the report."""

_KNOWN: Final = frozenset(CHECK_NAMES)

DEFAULT_REQUIRED: Final = frozenset({"structure", "proof", "issuer-key", "dates", "status"})

FLOOR: Final = frozenset({"proof", "issuer-key"})
"""What no policy file can leave out: without these, anybody can sign for anybody."""

MAX_CONFIRMATIONS: Final = 1_000_000
"""Some months of any chain: more is a slip of the keyboard."""

DEVELOPMENT_CHAINS: Final = frozenset(
    {"eip155:131277322940537", "eip155:31337", "eip155:1337"}
)
"""Chains that anyone can start at home with any clock: no evidence of time."""


BY_POLICY_FILE: Final = "policy file"
"""Who attests the blocks that a policy file names."""

_CAIP2: Final = re.compile(r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}")
_HASH: Final = re.compile(r"0x[0-9a-f]{64}")


_POLICY_MEMBERS: Final = frozenset(
    (
        "required",
        "clockSkewSeconds",
        "contracts",
        "blocks",
        "acceptedStatusAgeDays",
        "awardTypes",
        "confirmations",
    )
)
_TRUST_MEMBERS: Final = frozenset(("issuers", "logs", "witnesses"))


class PolicyMalformed(Malformed):
    """A policy or trust file is not of the documented form."""

    code = "policy-malformed"
    hint = "docs/verifying.md describes both files"


@dataclass(frozen=True, slots=True)
class Policy:
    """One verifier's demands."""

    required: frozenset[str] = DEFAULT_REQUIRED
    """Names of the checks that decide the outcome."""

    issuers: Mapping[str, str] = field(default_factory=dict)
    """Trusted issuers: DID to the name that the verifier knows it by."""

    has_trust_list: bool = False
    """Whether a trust list was given; then `issuer-listed` is required."""

    logs: "Mapping[str, VerifierKey]" = field(default_factory=dict)
    """Log keys that the verifier binds to an issuer's DID itself."""

    witnesses: "WitnessQuorum | None" = None
    """Whose cosignatures are believed, and how many are wanted; None believes nobody."""

    contracts: frozenset[str] = frozenset()
    """CAIP-10 contracts whose events are believed; empty means those of any chain whose
    endpoint the verifier itself chose."""

    attested_blocks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Blocks that count as part of their chain though nobody asks it: CAIP-2 chain and
    block hash (0x-prefixed lower-case hex), to who says so, such as `policy file`."""

    accepted_status_age: timedelta = timedelta(days=90)
    """Longest time since a status list was known to hold; older ones decide nothing."""

    award_types: frozenset[str] = frozenset()
    """Types of credential that are accepted; empty means any."""

    clock_skew: timedelta = timedelta(minutes=5)
    """How far the verifier's clock may be behind the issuer's."""

    confirmations: int = 1
    """Blocks from an anchor's own to the head that are wanted: 1 when just mined."""

    pack: "PackRules | None" = None
    """What a verified trust pack adds; its issuers and logs are among those above."""

    def __post_init__(self) -> None:
        """Refuse a check that does not exist: it would silently never be required."""
        unknown = self.required - _KNOWN
        if unknown:
            raise PolicyMalformed(
                f"found required check {min(unknown)!r}, want some of {CHECK_NAMES}"
            )
        if not self.required:
            raise PolicyMalformed("found no required check, want at least one")

    @property
    def effective_required(self) -> frozenset[str]:
        """Names of the checks that decide the outcome, those of a list included."""
        lists = self.has_trust_list or bool(self.award_types)
        return self.required | ({"issuer-listed"} if lists else set())


def parse_policy(policy: JsonObject | None, trust: JsonObject | None) -> Policy:
    """Return the policy that a policy file and a trust file, both optional, describe.

    Policy: `{"version": 1, "required": [names], "clockSkewSeconds": n,
    "contracts": [CAIP-10], "blocks": [{"chain": CAIP-2, "hash"}], "confirmations": n,
    "acceptedStatusAgeDays": n, "awardTypes": [names]}`.
    Trust: `{"version": 1, "issuers": [{"did", "name"}], "logs": [{"issuer", "vkey"}],
    "witnesses": {"keys": [vkey], "threshold": n}}`.

    Raises:
        PolicyMalformed: An unknown member, another version, or a value of another form.
    """
    rules = _members(policy, _POLICY_MEMBERS)
    lists = _members(trust, _TRUST_MEMBERS)
    required = rules.get("required")
    skew = rules.get("clockSkewSeconds", 300)
    if type(skew) is not int or not 0 <= skew <= 86_400:  # noqa: PLR2004 - one day
        raise PolicyMalformed(f"found clockSkewSeconds {skew!r}, want 0 to 86400")
    depth = rules.get("confirmations", 1)
    if type(depth) is not int or not 1 <= depth <= MAX_CONFIRMATIONS:
        raise PolicyMalformed(
            f"found confirmations {depth!r}, want 1 to {MAX_CONFIRMATIONS}"
        )
    issuers = [_texts(entry, "did", "name") for entry in _array(lists, "issuers")]
    logs = [_texts(entry, "issuer", "vkey") for entry in _array(lists, "logs")]
    if required is not None and not set(_names(required)) >= FLOOR:
        raise PolicyMalformed(
            f"required lacks some of {sorted(FLOOR)}: forgeries would pass"
        )
    return Policy(
        required=DEFAULT_REQUIRED if required is None else frozenset(_names(required)),
        issuers=dict(issuers),
        has_trust_list=trust is not None,
        logs={issuer: _vkey(text) for issuer, text in logs},
        witnesses=_quorum(lists.get("witnesses")),
        contracts=frozenset(_names(rules.get("contracts", []))),
        attested_blocks=dict.fromkeys(map(_block, _array(rules, "blocks")), BY_POLICY_FILE),
        accepted_status_age=_days(rules.get("acceptedStatusAgeDays", 90)),
        award_types=frozenset(_names(rules.get("awardTypes", []))),
        clock_skew=timedelta(seconds=skew),
        confirmations=depth,
    )


def _members(value: JsonObject | None, known: frozenset[str]) -> JsonObject:
    if value is None:
        return {}
    if value.get("version") != 1:
        raise PolicyMalformed(f"found version {value.get('version')!r}, want 1")
    for name in value:
        if name not in known | {"version"}:
            raise PolicyMalformed(f"found member {name[:64]!r}, want {sorted(known)}")
    return value


def _array(value: JsonObject, name: str) -> list[Json]:
    found = value.get(name, [])
    if not isinstance(found, list):
        raise PolicyMalformed(f"{name} must be an array")
    return found


def _names(value: Json) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise PolicyMalformed("want an array of texts")
    return [str(name) for name in value]


def _texts(entry: Json, first: str, second: str) -> tuple[str, str]:
    if isinstance(entry, dict):
        a, b = entry.get(first), entry.get(second)
        if isinstance(a, str) and isinstance(b, str) and len(entry) == 2:  # noqa: PLR2004
            return a, b
    raise PolicyMalformed(f"want objects with the texts {first!r} and {second!r} alone")


def _days(value: Json) -> timedelta:
    if type(value) is not int or not 0 <= value <= 36_500:  # noqa: PLR2004 - a century
        raise PolicyMalformed(f"found acceptedStatusAgeDays {value!r}, want 0 to 36500")
    return timedelta(days=value)


def _block(entry: Json) -> tuple[str, str]:
    chain, block_hash = _texts(entry, "chain", "hash")
    if not _CAIP2.fullmatch(chain) or not _HASH.fullmatch(block_hash):
        raise PolicyMalformed(
            f"found block {chain[:48]!r} {block_hash[:80]!r}, want a CAIP-2 chain and 0x"
            " with 64 lower-case hexadecimal digits"
        )
    return chain, block_hash


def _vkey(text: str) -> "VerifierKey":
    from anchoring.note import VerifierKey  # noqa: PLC0415 - see above

    try:
        return VerifierKey.parse(text)
    except PatunayError as e:
        raise PolicyMalformed(f"vkey: {e}") from e


def _quorum(value: Json) -> "WitnessQuorum | None":
    if value is None:
        return None
    from anchoring.cosignature import (  # noqa: PLC0415 - see above
        WitnessKey,
        WitnessQuorum,
    )

    if not isinstance(value, dict) or value.keys() != {"keys", "threshold"}:
        raise PolicyMalformed("witnesses: want an object with keys and threshold alone")
    threshold = value["threshold"]
    if type(threshold) is not int:
        raise PolicyMalformed(
            f"witnesses: found threshold {threshold!r:.24}, want a number"
        )
    try:
        keys = tuple(WitnessKey.parse(text) for text in _names(value["keys"]))
        return WitnessQuorum(keys, threshold)
    except PatunayError as e:
        raise PolicyMalformed(f"witnesses: {e}") from e
