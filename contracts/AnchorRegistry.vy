# pragma version 0.4.3
"""
@title AnchorRegistry
@license Apache-2.0
@notice Makes a 32-byte digest part of the public history of this chain.
@dev No storage, no owner, no upgrade, no value. Anyone may anchor any digest, as often as
    wanted: a repeated event is harmless, and the sender proves nothing about who issued
    what is behind the digest. The checkpoint inside carries its own signature.
"""

event Anchored:
    sender: indexed(address)
    digest: indexed(bytes32)


@external
def anchor(digest: bytes32):
    """
    @notice Write `digest` into the log of this transaction.
    @param digest SHA-256 of an anchor record.
    """
    log Anchored(sender=msg.sender, digest=digest)
