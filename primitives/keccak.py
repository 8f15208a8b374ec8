"""Keccak-256, the hash of Ethereum. It is not SHA3-256: the padding differs."""


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 digest of `data`."""
    from Crypto.Hash import keccak  # noqa: PLC0415 - 0.04 s, and few commands need it

    return keccak.new(digest_bits=256, data=data).digest()
