import logging

import pytest

from anchoring.dev_chain import DEV_CONTRACT, DevChain
from anchoring.evm import EvmAnchor
from anchoring.evm_purse import AnchorKeyMalformed, Purse
from primitives.hashing import sha256


def test_the_address_is_the_well_known_one_of_key_1() -> None:
    # The account of private key 1 is printed in countless block explorers.
    address = Purse((1).to_bytes(32)).address
    assert address == "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"


@pytest.mark.parametrize(
    "key", [b"", b"\x00" * 32, b"\xff" * 32, b"\x01" * 31, b"\x01" * 33]
)
def test_a_key_that_is_none_is_refused_without_showing_it(key: bytes) -> None:
    with pytest.raises(AnchorKeyMalformed) as caught:
        EvmAnchor.connect("http://127.0.0.1:1/", DEV_CONTRACT, private_key=key)
    assert caught.value.__cause__ is None
    if key:
        assert key.hex() not in str(caught.value)


async def test_the_key_shows_in_no_repr_and_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = sha256(b"a key that is looked for")
    caplog.set_level(logging.DEBUG)
    chain = await DevChain.start(key)
    transaction = await chain.anchor.prepare(sha256(b"a record"))
    await chain.anchor.send(transaction)
    purse = chain.anchor._purse
    shown = caplog.text + repr(chain.anchor) + repr(purse) + repr(vars(purse))
    assert caplog.records
    assert key.hex() not in shown
    assert repr(key) not in shown
