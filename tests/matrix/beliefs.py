"""What the office believes: packs, trust files and policies of the cases."""

from typing import Any, Final

from anchoring.cosignature import WitnessKey, WitnessQuorum
from credentials.trust_pack.parts import DenyList
from credentials.trust_pack.rules import Denial
from tests.matrix.edits import CHAIN, FIRST
from tests.matrix.office import STRANGER, Pack, world
from tests.matrix.world import WITNESS, WITNESS_NAME

DID: Final[str] = world()["did"]
MARCH, JUNE, JULY, AUGUST = (Pack(name) for name in ("march", "june", "july", "august"))
ANCHOR: Final[Any] = {
    "required": ["structure", "proof", "issuer-key", "dates", "status", "anchor"]
}
KNOWN: Final[Any] = {"issuers": [{"did": DID, "name": "The Bureau, as we know it"}]}
BOUND: Final[Any] = {**KNOWN, "logs": [{"issuer": DID, "vkey": world()["vkey"]}]}
BLOCK: Final[Any] = {
    "contracts": [FIRST["contract"]],
    "blocks": [{"chain": CHAIN, "hash": FIRST["blockHash"]}],
}
KEY: Final[str] = next(
    one["publicKeyMultibase"]
    for one in world()["days"]["march"]["did"]["verificationMethod"]
    if one["id"].endswith("#credential-1")
)


WITNESSES: Final = WitnessQuorum((WitnessKey(WITNESS_NAME, WITNESS.public_key),), 1)
"""As the offices of a federation name them in their packs."""


def witnesses(threshold: int) -> dict[str, Any]:
    """Return a trust file with the witness, and one that has seen nothing."""
    keys = (WITNESS_NAME, WITNESS), ("other.example", STRANGER)
    said = [str(WitnessKey(name, signer.public_key)) for name, signer in keys]
    return {**BOUND, "witnesses": {"keys": said, "threshold": threshold}}


def denied(since: Any = None, *, key: bool = False) -> DenyList:
    """Return a deny list with the school, or its key."""
    why = Denial("closed by the ministry", since)
    return DenyList(keys={KEY: why}) if key else DenyList(issuers={DID: why})
