"""Asking witnesses to cosign the node's own checkpoints, and keeping what they answer.

Each witness is asked for the latest checkpoint that it has not cosigned, from the size that
it knows. What one does not answer is asked again; the log and its anchors wait for nobody.
"""

import asyncio
import logging
from typing import Final

import aiohttp

from anchoring.cosignature import verify_cosignature
from anchoring.note import NoteMalformed, SignedNote, parse_signature
from anchoring.witness import AddCheckpoint
from node.logbook import grown_tree, load_tree, publish_log
from node.node import Node
from node.peers import WitnessPeer
from node.storage import anchor_store, witnesses
from node.storage.anchor_store import StoredCheckpoint
from primitives.errors import PatunayError, Undetermined
from primitives.hashing import Digest

logger = logging.getLogger(__name__)

_DEADLINE_SECONDS: Final = 10.0
_TICK_SECONDS: Final = 1.0
_MAX_WAIT_SECONDS: Final = 300.0
_MAX_ANSWER_BYTES: Final = 16 * 1024
_MAX_LINES: Final = 16
_CONFLICT: Final = 409
_OK: Final = 200


class WitnessUnreachable(Undetermined):
    """The witness gave no usable answer."""

    code = "witness-unreachable"
    hint = "nothing is lost: the node asks again"


class WitnessDeclined(Undetermined):
    """The witness did not cosign."""

    code = "witness-declined"
    hint = "ask its operator whether it watches this log, under this key"


class _SizeConflict(WitnessDeclined):
    """It has cosigned another size than this node remembers."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness has cosigned size {size}")
        self.size = size


class WitnessJob:
    """Asks the configured witnesses for as long as the daemon runs."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._next_try = dict.fromkeys(node.config.peers, 0.0)
        self._wait = dict.fromkeys(node.config.peers, _TICK_SECONDS)

    async def run(self) -> None:
        """Work until cancelled. One that fails is asked again, each time twice as late."""
        loop = asyncio.get_running_loop()
        async with new_session() as session:
            while True:
                for peer in self._node.config.peers:
                    if loop.time() >= self._next_try[peer]:
                        await self._ask(peer, session, loop.time())
                await asyncio.sleep(_TICK_SECONDS)

    async def _ask(
        self, peer: WitnessPeer, session: aiohttp.ClientSession, now: float
    ) -> None:
        try:
            await ask_witness(self._node, peer, session)
            self._wait[peer] = _TICK_SECONDS
        except PatunayError as e:
            logger.warning("witness %s waits: %s (%s)", peer.key.name, e, e.code)
            self._wait[peer] = min(2 * self._wait[peer], _MAX_WAIT_SECONDS)
            self._next_try[peer] = now + self._wait[peer]


def new_session() -> aiohttp.ClientSession:
    """Return what asks witnesses; it follows no redirect and no proxy."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=_DEADLINE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


async def ask_witness(
    node: Node, peer: WitnessPeer, session: aiohttp.ClientSession
) -> bool:
    """Have the latest checkpoint cosigned; return whether there was anything to ask.

    Raises:
        WitnessUnreachable: No usable answer.
        WitnessDeclined: It said no.
        CosignatureInvalid: What it sent is not its cosignature; nothing is kept.
        LogCorrupt: It is kept, and cannot be published with the checkpoint.
    """
    witness = str(peer.key)
    async with node.reading() as c:
        latest = await anchor_store.latest_checkpoint(c)
        known = await witnesses.size_known_to(c, witness)
    if latest is None or latest.tree_size <= known:
        return False
    try:
        line = await _post(node, peer, session, latest, known)
    except _SizeConflict as e:
        if not 0 <= e.size <= latest.tree_size:
            raise WitnessDeclined(
                f"found size {e.size} cosigned, want at most {latest.tree_size}"
            ) from e
        # An answer got lost, or this node's database is older than the witness's.
        line = await _post(node, peer, session, latest, e.size)
    async with node.writing() as c:
        await witnesses.save_cosignature(c, latest.tree_size, witness, line, node.now())
    # A crash here leaves the line unpublished until the log is published again.
    async with node.log_lock:
        await load_tree(node)
        await publish_log(node)
    return True


async def ask_size(
    node: Node, peer: WitnessPeer, session: aiohttp.ClientSession
) -> int | None:
    """Return the size that a witness has cosigned; None without a checkpoint to ask with.

    A witness that knows nothing of this log cosigns the checkpoint, which is public.

    Raises:
        WitnessUnreachable: No usable answer.
        WitnessDeclined: It said no.
    """
    async with node.reading() as c:
        latest = await anchor_store.latest_checkpoint(c)
    if latest is None:
        return None
    try:
        await _post(node, peer, session, latest, 0)
    except _SizeConflict as e:
        return e.size
    return latest.tree_size


async def _post(
    node: Node,
    peer: WitnessPeer,
    session: aiohttp.ClientSession,
    latest: StoredCheckpoint,
    known: int,
) -> str:
    proof: tuple[Digest, ...] = ()
    if known:
        tree = await grown_tree(node, latest.tree_size)
        proof = tree.consistency_proof(known, latest.tree_size)
    request = bytes(AddCheckpoint(known, proof, latest.note))
    url = f"{peer.url}/add-checkpoint"
    try:
        async with session.post(url, data=request, allow_redirects=False) as response:
            raw = bytearray()
            async for part in response.content.iter_any():
                raw += part
                if len(raw) > _MAX_ANSWER_BYTES:
                    raise WitnessUnreachable(
                        f"{url}: found over {_MAX_ANSWER_BYTES} bytes, want fewer"
                    )
            status, kind = response.status, response.content_type
    except (aiohttp.ClientError, TimeoutError, ValueError) as e:
        raise WitnessUnreachable(f"{url}: {type(e).__name__} {str(e)[:120]}") from e
    text = raw.decode(errors="replace")
    if status == _CONFLICT and kind == "text/x.tlog.size":
        size = text.removesuffix("\n")
        if size.isascii() and size.isdecimal() and len(size) < 20:  # noqa: PLR2004 - 2**63
            raise _SizeConflict(int(size))
    if status != _OK:
        raise WitnessDeclined(f"{url}: status {status}, {text[:120]!r}")
    return _own_line(text, latest.note, peer)


def _own_line(answer: str, note: str, peer: WitnessPeer) -> str:
    """Return the witness's line of those in its answer, verified."""
    text = SignedNote.parse(note).text
    lines = answer.removesuffix("\n").split("\n")
    for line in lines[:_MAX_LINES]:
        try:
            found = parse_signature(line)
        except NoteMalformed as e:
            raise WitnessUnreachable(f"{peer.url}: found no signature line: {e}") from e
        if (found.name, found.key_id) == (peer.key.name, peer.key.key_id):
            verify_cosignature(text, found, peer.key)
            return str(found)
    raise WitnessUnreachable(f"{peer.url}: found no line by {peer.key.name}")
