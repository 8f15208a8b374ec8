"""Bitstring Status List 1.0: lists of one bit for each credential.

See <https://www.w3.org/TR/vc-bitstring-status-list/>. A list that cannot be had, or read,
never means "not revoked".
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from credentials.jsonld.loader import VC_V2
from primitives.canonical_json import Json, JsonObject
from primitives.encodings import decode_base64url, encode_base64url
from primitives.errors import Malformed, PatunayError, Undetermined
from primitives.instants import format_instant

MIN_ENTRIES: Final = 131_072
"""Bits in the shortest list that the standard allows, for herd privacy; 16 KiB."""

MAX_ENTRIES: Final = 8 * 1024 * 1024
"""Bits read at most; a hostile gzip stream stops here. 1 MiB."""

ENTRY_TYPE: Final = "BitstringStatusListEntry"
LIST_TYPE: Final = "BitstringStatusList"
CREDENTIAL_TYPE: Final = "BitstringStatusListCredential"
PURPOSES: Final = ("revocation", "suspension")

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
        StatusTypeUnsupported: Another type, purpose, or more than one bit an entry.
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
    purpose = members.get("statusPurpose")
    if purpose not in PURPOSES or "statusSize" in members:
        raise StatusTypeUnsupported(
            f"found purpose {str(purpose)[:64]}, want one of {PURPOSES}"
        )
    return Entry(url, int(index), str(purpose))


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
            "encodedList": "u" + encode_base64url(packed),
        },
    }


def read_bit(document: Mapping[str, Json], entry: Entry) -> bool:
    """Return the bit of `entry` in the list credential `document`.

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
    if entry.index >= len(bits) * 8:
        raise StatusIndexOutOfRange(
            f"found index {entry.index}, want under {len(bits) * 8}"
        )
    return bool(bits[entry.index >> 3] & (0x80 >> (entry.index & 7)))


def _decode(encoded: Json) -> bytes:
    if not isinstance(encoded, str) or not encoded.startswith("u"):
        raise StatusListEncoding("encodedList is no base64url multibase")
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
    if len(bits) * 8 < MIN_ENTRIES:
        raise StatusListTooShort(
            f"found {len(bits) * 8} entries, want at least {MIN_ENTRIES}"
        )
    return bits
