"""A Merkle tree written straight from RFC 9162's recursive definitions.

Slow on purpose: it shares no code with `anchoring.merkle`, so agreement means something.
"""

import hashlib


def mth(entries: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: list[bytes]) -> list[bytes]:
    """RFC 9162 section 2.1.3.1."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    return 1 << (n - 1).bit_length() - 1


def consistency(m: int, entries: list[bytes]) -> list[bytes]:
    """RFC 9162 section 2.1.4.1."""
    return _subproof(m, entries, whole=True)


def _subproof(m: int, entries: list[bytes], *, whole: bool) -> list[bytes]:
    n = len(entries)
    if m == n:
        return [] if whole else [mth(entries)]
    k = split(n)
    if m <= k:
        return [*_subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*_subproof(m - k, entries[k:], whole=False), mth(entries[:k])]
