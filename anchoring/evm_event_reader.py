"""Reading all `Anchored` events of a contract, as an auditor does.

It imports web3 through `anchoring.evm_rpc`. What the endpoint says is believed as far as it
is consistent: name one of your own, or one that the provider does not run.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from eth_utils.address import to_checksum_address
from web3.types import RPCEndpoint

from anchoring.backend import (
    AnchorBackendMismatch,
    AnchorEvent,
    AnchorReceipt,
    AnchorUnreachable,
)
from anchoring.evm_answers import AnchorRpcInconsistent
from anchoring.evm_rpc import HttpRpc
from contracts.artifact import load_artifact
from primitives.hashing import DIGEST_BYTES, Digest

MAX_EVENTS: Final = 1_000_000
"""Events of one contract: one an hour for a century, and whatever strangers wrote."""

_SPAN: Final = 10_000
"""Blocks asked about at once; hosted endpoints refuse more."""

_YEAR_10000: Final = 253_402_300_800

Progress: TypeAlias = Callable[[int, int], None]
"""Gets the blocks read so far, and of how many."""


class EventReader:
    """The events of one chain, through one endpoint."""

    def __init__(self, rpc_url: str, *, timeout_seconds: float = 20.0) -> None:
        """Open nothing yet."""
        self._rpc = HttpRpc(rpc_url, timeout_seconds=timeout_seconds)
        self._times: dict[str, datetime] = {}

    async def chain(self) -> str:
        """Return the CAIP-2 id that the endpoint answers for.

        Raises:
            AnchorUnreachable: It gave no usable answer.
        """
        return f"eip155:{_number(await self._ask('eth_chainId'), 'chain id')}"

    async def read(
        self, contract: str, first_block: int, progress: Progress
    ) -> tuple[AnchorEvent, ...]:
        """Return every event of `contract` from `first_block` to the head, in order.

        Args:
            contract: CAIP-10.
            first_block: From an earlier audit; 0 reads the whole chain.
            progress: Told after each answer.

        Raises:
            AnchorBackendMismatch: The endpoint answers for another chain.
            AnchorUnreachable: It gave no usable answer, or too many events.
        """
        chain, _, address = contract.rpartition(":")
        if await self.chain() != chain:
            raise AnchorBackendMismatch(f"found {await self.chain()}, want {chain}")
        head = _number(await self._ask("eth_blockNumber"), "block number")
        events: list[AnchorEvent] = []
        start, span = first_block, _SPAN
        while start <= head:
            stop = min(start + span - 1, head)
            try:
                logs = await self._logs(address, start, stop)
            except AnchorUnreachable:
                # Too many for one answer, or a lower limit of this endpoint's own.
                if span == 1:
                    raise
                span = max(1, span // 4)
                continue
            events += [await self._event(log, contract) for log in logs]
            if len(events) > MAX_EVENTS:
                raise AnchorUnreachable(f"found over {MAX_EVENTS} events of {contract}")
            start = stop + 1
            progress(stop - first_block + 1, head - first_block + 1)
        return tuple(events)

    async def close(self) -> None:
        """Give back sockets."""
        await self._rpc.disconnect()

    async def _logs(self, address: str, start: int, stop: int) -> list[Any]:
        answer = await self._ask(
            "eth_getLogs",
            {
                "address": address,
                "fromBlock": hex(start),
                "toBlock": hex(stop),
                "topics": ["0x" + load_artifact().anchored_topic.hex()],
            },
        )
        if not isinstance(answer, list):
            raise AnchorUnreachable(f"found {type(answer).__name__} as logs, want a list")
        return answer

    async def _event(self, log: Any, contract: str) -> AnchorEvent:
        chain, _, address = contract.rpartition(":")
        if not isinstance(log, Mapping) or log.get("removed") is True:
            raise AnchorRpcInconsistent("found a log that is none, or was removed")
        if str(log.get("address")).lower() != address.lower():
            raise AnchorRpcInconsistent(f"found a log of {str(log.get('address'))[:64]}")
        topics = log.get("topics")
        if not isinstance(topics, list) or len(topics) != 3:  # noqa: PLR2004 - name, sender, digest
            raise AnchorRpcInconsistent(
                "found an event with other topics than Anchored has"
            )
        block_hash = _hash(log.get("blockHash"), "block hash").hex()
        number = _number(log.get("blockNumber"), "block number")
        sender = _hash(topics[1], "sender")[-20:]
        return AnchorEvent(
            AnchorReceipt(
                contract=contract,
                transaction="0x" + _hash(log.get("transactionHash"), "transaction").hex(),
                block_number=number,
                block_hash="0x" + block_hash,
                log_index=_number(log.get("logIndex"), "log index"),
                timestamp=await self._time("0x" + block_hash, number),
            ),
            f"{chain}:{to_checksum_address(sender)}",
            Digest(_hash(topics[2], "digest")),
        )

    async def _time(self, block_hash: str, number: int) -> datetime:
        known = self._times.get(block_hash)
        if known is not None:
            return known
        block = await self._ask("eth_getBlockByHash", block_hash, False)
        if not isinstance(block, Mapping) or block.get("hash") != block_hash:
            raise AnchorRpcInconsistent(f"found no block {block_hash}, which a log names")
        if _number(block.get("number"), "block number") != number:
            raise AnchorRpcInconsistent(f"found {block_hash} at another height")
        seconds = _number(block.get("timestamp"), "timestamp")
        if seconds >= _YEAR_10000:
            raise AnchorUnreachable(
                f"found the block time {seconds}, want one before 10000"
            )
        time = self._times[block_hash] = datetime.fromtimestamp(seconds, UTC)
        return time

    async def _ask(self, method: str, *params: Any) -> Any:
        try:
            answer = await self._rpc.make_request(RPCEndpoint(method), list(params))
        except (OSError, TimeoutError) as e:
            raise AnchorUnreachable(f"found no answer: {type(e).__name__}") from e
        if "error" in answer or "result" not in answer:
            found = str(answer.get("error"))[:200]
            raise AnchorUnreachable(f"{method}: the node answered {found}")
        return answer["result"]


def _number(value: Any, name: str) -> int:
    try:
        if isinstance(value, str) and value.startswith("0x"):
            return int(value, 0)
    except ValueError:
        pass
    raise AnchorUnreachable(f"found {str(value)[:64]!r} as {name}, want 0x and hex")


def _hash(value: Any, name: str) -> bytes:
    try:
        raw = bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != DIGEST_BYTES:
        raise AnchorUnreachable(f"found {str(value)[:80]!r} as {name}, want 32 bytes")
    return raw
