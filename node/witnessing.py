"""Being a witness: cosigning the checkpoints of other logs, each only as it grows.

What was cosigned is stored by compare-and-swap before the answer is given, so that no
smaller and no inconsistent checkpoint is ever cosigned, not after a restart either.
"""

import logging
import secrets
from typing import Final

from anchoring.cosignature import WitnessKey, cosign
from anchoring.note import SignedNote
from anchoring.witness import (
    AddCheckpoint,
    WitnessConflict,
    WitnessLogUnknown,
    WitnessProofInvalid,
    judge_request,
)
from did.keyfile import KeyLabel
from did.multikey import decode_multikey
from node.config import Config
from node.home import Home
from node.node import Node
from node.storage import witnesses
from primitives.ed25519 import SEED_BYTES

logger = logging.getLogger(__name__)

WITNESS_KEY: Final = "witness"
"""The key store's id of the key that cosigns."""


def witness_name(config: Config) -> str:
    """Return the name under which the node cosigns."""
    return f"{config.domain}/witness"


def witness_key(home: Home, config: Config) -> WitnessKey | None:
    """Return the public key that this node cosigns with; None where it never has."""
    for entry in home.keystore().entries:
        if entry.label.key_id == WITNESS_KEY:
            return WitnessKey(witness_name(config), decode_multikey(entry.public))
    return None


def ensure_witness_key(node: Node) -> None:
    """Make the key that cosigns, if the node is a witness and has none yet.

    Raises:
        NodeSealed: The keys are not unlocked.
    """
    if not node.config.logs or witness_key(node.home, node.config) is not None:
        return
    label = KeyLabel(WITNESS_KEY, "witness", "", node.instant())
    keys = node.keys().add_ed25519(label, secrets.token_bytes(SEED_BYTES))
    node.home.save_keystore(keys.seal())
    node.unlocked = keys


async def cosign_checkpoint(node: Node, raw: bytes) -> str:
    """Return this node's cosignature line for an add-checkpoint request.

    Raises:
        WitnessRequestMalformed: The body is none.
        WitnessLogUnknown: The log is not among those that are witnessed.
        PatunayError: As `judge_request`.
        NodeSealed: The keys are not unlocked.
    """
    request = AddCheckpoint.parse(raw)
    origin = request.origin()
    key = node.config.logs.get(origin)
    if key is None:
        raise WitnessLogUnknown(f"found origin {origin[:120]!r}, which is not watched here")
    signer = node.signer(WITNESS_KEY)
    async with node.writing() as c:
        latest = await witnesses.last_cosigned(c, origin)
        try:
            checkpoint = judge_request(request, key, latest)
        except WitnessProofInvalid:
            # Signed by the log, and not the history that was seen: evidence of a split.
            logger.warning("%s may have two histories: %r", origin, request.note)
            raise
        at = node.instant()
        if not await witnesses.swap_cosigned(
            c, checkpoint, request.note, node.now(), after=latest
        ):
            size = latest.tree_size if latest is not None else 0
            raise WitnessConflict("found another checkpoint cosigned meanwhile", size)
    # Only now: what is signed below is what is stored.
    text = SignedNote.parse(request.note).text
    return str(cosign(text, witness_name(node.config), signer, at))
