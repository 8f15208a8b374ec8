"""Bitstring Status List 1.0: lists of one bit, or a few, for each credential.

See <https://www.w3.org/TR/vc-bitstring-status-list/>. A list that cannot be had, or read,
never means "not revoked". Lists of messages are read, and not written.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from credentials.jsonld.loader import VC_V2
from primitives.canonical_json import Json, JsonObject
from primitives.encodings import decode_base64url, encode_base64url
from primitives.errors import Malformed, PatunayError, Undetermined
from primitives.instants import format_instant

MIN_ENTRIES: Final = 131_072
"""Bits in the shortest list that the standard allows, for herd privacy; 16 KiB."""

MAX_ENTRIES: Final = 8 * 1024 * 1024
"""Bits read at most, of all entries together; a hostile gzip stream stops here. 1 MiB."""

ENTRY_TYPE: Final = "BitstringStatusListEntry"
LIST_TYPE: Final = "BitstringStatusList"
CREDENTIAL_TYPE: Final = "BitstringStatusListCredential"
REVOCATION: Final = "revocation"
SUSPENSION: Final = "suspension"
PURPOSES: Final = (REVOCATION, SUSPENSION)
"""What a set bit may do to a credential."""

MESSAGE: Final = "message"
"""Purpose of a list whose values have words, and decide nothing."""

MAX_SIZE: Final = 8
"""Bits of one entry that are read; 256 messages make a credential of 10 KB."""

TTL: Final = timedelta(minutes=5)
"""How long a list that is written here may be used before it is asked for again."""

_STATUS_VALUE = re.compile(r"0x[0-9A-Fa-f]{1,2}", re.ASCII)
_UNNAMED: Final = ("unset", "set")
"""The standard's words for one bit without messages."""

_INDEX = re.compile(r"0|[1-9]\d{0,15}", re.ASCII)


class StatusEntryMalformed(Malformed):
    """The credential's own status entry cannot be followed."""

    code = "status-entry-malformed"


class StatusTypeUnsupported(Undetermined):
    """A kind of status that Patunay does not read."""

    code = "status-type-unsupported"
    hint = "ask the issuer whether the credential is still in force"


class StatusListUnusable(Undetermined):
    """The list was found, and it does not answer the question."""

    code = "status-list-unusable"
    hint = "ask the issuer whether the credential is still in force"


class StatusListEncoding(StatusListUnusable):
    """`encodedList` is not multibase base64url of one whole gzip stream."""

    code = "status-encoding-invalid"


class StatusListTooShort(StatusListUnusable):
    """Fewer than `MIN_ENTRIES` bits: a short list tells whose status is looked up."""

    code = "status-list-too-short"


class StatusListTooLong(StatusListUnusable):
    """More than `MAX_ENTRIES` bits, or a stream that expands beyond them."""

    code = "status-list-too-long"


class StatusIndexOutOfRange(StatusListUnusable):
    """The entry points past the end of the list."""

    code = "status-index-out-of-range"


class StatusPurposeMismatch(StatusListUnusable):
    """The list is for another purpose than the entry says."""

    code = "status-purpose-mismatch"


@dataclass(frozen=True, slots=True)
class Entry:
    """Where to look for one credential's bit."""

    list_url: str
    index: int
    purpose: str

    size: int = 1
    """Bits of the entry; the first of them is bit `index * size` of the list."""

    messages: tuple[str, ...] = ()
    """What each value says, where the purpose is `MESSAGE`. A stranger's words."""


def build_entry(list_url: str, index: int, purpose: str) -> JsonObject:
    """Return the `credentialStatus` member for a credential."""
    return {
        "id": f"{list_url}#{index}",
        "type": ENTRY_TYPE,
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": list_url,
    }


def parse_entry(members: Mapping[str, Json]) -> Entry:
    """Return a status entry, typed.

    Raises:
        StatusTypeUnsupported: Another type, purpose, or number of bits.
        StatusEntryMalformed: A member is missing or not of the one spelling.
    """
    if members.get("type") != ENTRY_TYPE:
        raise StatusTypeUnsupported(
            f"found {str(members.get('type'))[:64]}, want {ENTRY_TYPE}"
        )
    url, index = members.get("statusListCredential"), members.get("statusListIndex")
    if not isinstance(url, str):
        raise StatusEntryMalformed("statusListCredential must be a URL")
    if not isinstance(index, str) or not _INDEX.fullmatch(index):
        raise StatusEntryMalformed(
            f"found statusListIndex {str(index)[:24]!r}, want a decimal number as text"
        )
    purpose, size = members.get("statusPurpose"), members.get("statusSize", 1)
    if type(size) is not int or size < 1:
        raise StatusEntryMalformed(f"found statusSize {str(size)[:24]!r}, want 1 or more")
    if purpose == MESSAGE and size <= MAX_SIZE:
        messages = _parse_messages(members.get("statusMessage"), size)
        return Entry(url, int(index), MESSAGE, size, messages)
    if purpose not in PURPOSES or size != 1:
        raise StatusTypeUnsupported(
            f"found purpose {str(purpose)[:64]} of {size} bits, want one of {PURPOSES} of 1"
            f" bit, or {MESSAGE} of at most {MAX_SIZE}"
        )
    return Entry(url, int(index), str(purpose))


def _parse_messages(value: Json, size: int) -> tuple[str, ...]:
    """Return the message of each value from 0 on.

    By the member `status` and not by place: the order of an array is not signed.
    """
    if value is None and size == 1:
        return _UNNAMED
    items = value if isinstance(value, list) else []
    found: dict[int, str] = {}
    for item in items:
        status = item.get("status") if isinstance(item, dict) else None
        message = item.get("message") if isinstance(item, dict) else None
        if (
            isinstance(status, str)
            and isinstance(message, str)
            and _STATUS_VALUE.fullmatch(status)
        ):
            found[int(status, 16)] = message
    if found.keys() != set(range(2**size)) or len(found) != len(items):
        raise StatusEntryMalformed(
            f"found no statusMessage with one message for each value of {size} bits"
        )
    return tuple(found[number] for number in range(2**size))


def twin(index: int) -> int:
    """Return where a reader that counts bits from the right of each byte looks."""
    return index ^ 7


def build_list_credential(
    *, url: str, issuer: str, purpose: str, revoked: Iterable[int], valid_from: datetime
) -> JsonObject:
    """Return the unsigned status list credential, with `MIN_ENTRIES` entries.

    Args:
        url: Where it will be served; also its id.
        issuer: DID of the issuer of the credentials that point here.
        purpose: One of `PURPOSES`.
        revoked: Indexes of the bits that are set, each below `MIN_ENTRIES`.
        valid_from: Aware.
    """
    bits = bytearray(MIN_ENTRIES // 8)
    for index in revoked:
        bits[index >> 3] |= 0x80 >> (index & 7)
    # mtime=0: the same bits give the same bytes, and so the same digest.
    packed = gzip.compress(bytes(bits), compresslevel=6, mtime=0)
    return {
        "@context": [VC_V2],
        "id": url,
        "type": ["VerifiableCredential", CREDENTIAL_TYPE],
        "issuer": issuer,
        "validFrom": format_instant(valid_from),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": LIST_TYPE,
            "statusPurpose": purpose,
            "ttl": TTL // timedelta(milliseconds=1),
            "encodedList": "u" + encode_base64url(packed),
        },
    }


def read_bit(document: Mapping[str, Json], entry: Entry) -> bool:
    """Return the bit of `entry`, as `read_value` does."""
    return bool(read_value(document, entry))


def read_ttl(document: Mapping[str, Json]) -> timedelta | None:
    """Return how long the list may be used after it was had, or None if it does not say.

    Raises:
        StatusListUnusable: It says so in a form that is none.
    """
    subject = document.get("credentialSubject")
    ttl = subject.get("ttl") if isinstance(subject, Mapping) else None
    if ttl is None:
        return None
    if type(ttl) is not int or ttl < 1:
        raise StatusListUnusable(f"found ttl {str(ttl)[:24]!r}, want milliseconds")
    return timedelta(milliseconds=ttl)


def read_value(document: Mapping[str, Json], entry: Entry) -> int:
    """Return the bits of `entry` in the list credential `document`, as a number.

    The caller MUST have checked who signed the list and when; this reads it alone.

    Raises:
        StatusListUnusable: In one of its forms; none of them means "not set".
    """
    subject = document.get("credentialSubject")
    if not isinstance(subject, Mapping) or subject.get("type") != LIST_TYPE:
        raise StatusListUnusable(f"found no {LIST_TYPE} in the list credential")
    purposes = subject.get("statusPurpose")
    if entry.purpose not in (purposes if isinstance(purposes, list) else [purposes]):
        raise StatusPurposeMismatch(f"found a list for {purposes}, want {entry.purpose}")
    bits = _decode(subject.get("encodedList"))
    entries = len(bits) * 8 // entry.size
    if entries < MIN_ENTRIES:
        raise StatusListTooShort(f"found {entries} entries, want at least {MIN_ENTRIES}")
    if entry.index >= entries:
        raise StatusIndexOutOfRange(f"found index {entry.index}, want under {entries}")
    byte, bit = divmod(entry.index * entry.size, 8)
    # MAX_SIZE bits lie in two bytes; bit 0 is the first from the left.
    window = int.from_bytes(bits[byte : byte + 2].ljust(2, b"\x00"), "big")
    return window >> (16 - bit - entry.size) & ((1 << entry.size) - 1)


def set_indexes(document: Mapping[str, Json]) -> frozenset[int]:
    """Return every index whose bit is set in a list credential of one bit an entry.

    Raises:
        StatusListUnusable: It cannot be read.
    """
    subject = document.get("credentialSubject")
    if not isinstance(subject, Mapping) or subject.get("type") != LIST_TYPE:
        raise StatusListUnusable(f"found no {LIST_TYPE} in the list credential")
    bits = _decode(subject.get("encodedList"))
    return frozenset(
        8 * at + bit
        for at, byte in enumerate(bits)
        if byte
        for bit in range(8)
        if byte & 0x80 >> bit
    )


def _decode(encoded: Json) -> bytes:
    if not isinstance(encoded, str) or not encoded.startswith("u"):
        raise StatusListEncoding("encodedList is no base64url multibase")
    return _unpack(encoded)


@lru_cache(maxsize=8)  # the same text always unpacks to the same bits, 1 MiB at most
def _unpack(encoded: str) -> bytes:
    try:
        packed = decode_base64url(encoded[1:])
    except PatunayError as e:
        raise StatusListEncoding(str(e)) from e
    # wbits 31: gzip alone, neither zlib nor raw deflate.
    stream = zlib.decompressobj(wbits=31)
    try:
        bits = stream.decompress(packed, MAX_ENTRIES // 8 + 1)
    except zlib.error as e:
        raise StatusListEncoding(f"not gzip: {e}") from e
    if len(bits) > MAX_ENTRIES // 8:
        raise StatusListTooLong(f"the list expands beyond {MAX_ENTRIES} entries")
    if not stream.eof or stream.unused_data:
        raise StatusListEncoding("the gzip stream is cut short, or something follows it")
    return bits
