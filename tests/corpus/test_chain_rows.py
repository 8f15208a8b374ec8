"""The rows about chains that are no case of one receipt."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from eth_abi.abi import encode
from web3.exceptions import MultipleFailedRequests, OffchainLookup

from anchoring.backend import AnchorBackendMismatch
from anchoring.evm import EvmAnchor
from anchoring.evm_rpc import Endpoint, HttpRpc
from contracts.artifact import load_artifact
from tests.corpus.receipt_case import GOOD, chain_answers
from tests.support.scripted_server import ScriptedServer

CONTRACT = GOOD.anchor.contract
ADDRESS = CONTRACT.rpartition(":")[2]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    await server.start()
    yield server
    await server.stop()


async def confirm(server: ScriptedServer, code: bytes) -> None:
    """Ask an endpoint that shows this code whether the contract is ours."""
    told = chain_answers() | {"eth_getCode": {"result": "0x" + code.hex()}}
    server.show({"chains": [told]})
    anchor = EvmAnchor.connect(server.rpc_urls[0], CONTRACT)
    try:
        await anchor.confirm_contract()
    finally:
        await anchor.close()


TRUE = load_artifact().deployed_bytecode
PROXY = bytes.fromhex("363d3d373d3d3d363d73" + "be" * 20 + "5af43d82803e903d91602b57fd5bf3")
"""A minimal proxy, ERC-1167: its code says only where the code is."""


@pytest.mark.parametrize(
    "code",
    [PROXY, b"", TRUE[:-1], TRUE + b"\0", TRUE[:-1] + bytes([TRUE[-1] ^ 1])],
    ids=["proxy", "nothing", "shorter", "longer", "one bit"],
)
async def test_a08_nothing_is_paid_to_a_contract_of_other_code(
    server: ScriptedServer, code: bytes
) -> None:
    await confirm(server, TRUE)
    with pytest.raises(AnchorBackendMismatch, match="of other code"):
        await confirm(server, code)


@pytest.mark.parametrize(
    ("obeys", "raised"), [(False, OffchainLookup), (True, MultipleFailedRequests)]
)
async def test_a25_no_contract_can_send_the_verifier_to_a_url(
    server: ScriptedServer, raised: type[Exception], *, obeys: bool
) -> None:
    """EIP-3668. With web3's own default the same call goes through the URLs."""
    lookup = encode(
        ["address", "string[]", "bytes", "bytes4", "bytes"],
        [ADDRESS, [f"{server.url}/ipfs/secret?{{data}}"], b"", b"abcd", b""],
    )
    data = "0x556f1830" + lookup.hex()
    error = {"code": 3, "message": "execution reverted", "data": data}
    server.show({"chains": [chain_answers() | {"eth_call": {"error": error}}]})
    rpc = HttpRpc(server.rpc_urls[0], timeout_seconds=5)
    endpoint = Endpoint(rpc, "eip155:11155111", 5)
    if obeys:
        rpc.global_ccip_read_enabled = True
    with pytest.raises(raised):
        await endpoint.eth.call({"to": cast(Any, ADDRESS), "data": cast(Any, "0x12345678")})
    assert server.asked == ["eth_call"]
    await endpoint.close()
