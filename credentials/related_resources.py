"""`relatedResource`: what a credential says about the bytes of other documents.

See <https://www.w3.org/TR/vc-data-model-2.0/#integrity-of-related-resources>. Contexts
are compared with every revision on record; nothing is fetched for the others.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from credentials.context_digests import known_digests
from credentials.jsonld.active_context import is_absolute_iri
from primitives.canonical_json import Json
from primitives.encodings import (
    EncodingMalformed,
    decode_base58btc,
    decode_base64,
    decode_base64url,
    encode_base64,
)
from primitives.errors import PatunayError, Rejected

_DIGEST_BYTES: Final = {"sha256": 32, "sha384": 48, "sha512": 64}
_SRI: Final = re.compile(r"(sha256|sha384|sha512)-([A-Za-z0-9+/]+=*)(\?[\x21-\x7e]*)?")

_MULTIHASHES: Final = {
    b"\x12\x20": "sha256",
    b"\x20\x30": "sha384",
    b"\x13\x40": "sha512",
}
"""Code and length, as every such multihash begins."""

_BARE: Final = {size: algorithm for algorithm, size in _DIGEST_BYTES.items()}
"""Which hash a digest without the head of a multihash is read as, by its length."""

_CONTINUED: Final = 0x80
"""A byte of a varint from this on is not the last; no digest is as long."""

_MULTIBASES: Final[Mapping[str, Callable[[str], bytes]]] = {
    "u": decode_base64url,
    "z": decode_base58btc,
}


class RelatedResourceMalformed(Rejected):
    """An entry of `relatedResource` has no id of its own, or no digest that can be read."""

    code = "related-resource-malformed"


class RelatedResourceMismatch(Rejected):
    """The digest of a context is that of no published revision."""

    code = "related-resource-mismatch"


def check_related_resources(value: Json) -> int:
    """Return how many of the resources could not be compared with anything.

    Raises:
        RelatedResourceMalformed: See the class.
        RelatedResourceMismatch: See the class.
    """
    if value is None:
        return 0
    seen: set[str] = set()
    unknown = 0
    for entry in value if isinstance(value, list) else [value]:
        name = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(name, str):
            raise RelatedResourceMalformed("every relatedResource needs an id")
        if not is_absolute_iri(name) or name in seen:
            raise RelatedResourceMalformed(
                f"found id {name[:80]!r}, want absolute URLs, each only once"
            )
        seen.add(name)
        unknown += not _is_known(name, _digests(entry))
    return unknown


def _is_known(name: str, digests: frozenset[str]) -> bool:
    """Tell whether the digests were compared; raise if they are of no revision."""
    compared = False
    for algorithm in _DIGEST_BYTES:
        given = {d for d in digests if d.startswith(f"{algorithm}-")}
        known = known_digests(name, algorithm)
        if not given or known is None:
            continue
        compared = True
        if not given & known:
            raise RelatedResourceMismatch(
                f"found {min(given)} for {name}, want that of a published revision"
            )
    return compared


def _digests(entry: Mapping[str, Json]) -> frozenset[str]:
    """Return every digest of an entry in the form `sha256-…`; those of other kinds too."""
    found = frozenset(map(_sri, _texts(entry, "digestSRI")))
    found |= frozenset(map(_multihash, _texts(entry, "digestMultibase")))
    if not found:
        raise RelatedResourceMalformed("want digestSRI or digestMultibase in each entry")
    return found


def _texts(entry: Mapping[str, Json], name: str) -> Iterator[str]:
    value = entry.get(name)
    if value is None:
        return
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str) or not item.split():
            raise RelatedResourceMalformed(f"{name} is no text")
        yield from item.split()


def _sri(text: str) -> str:
    """Return a text of Subresource Integrity without its options.

    Its grammar asks for letters of base64, and they are compared as they stand. What is
    none for all that is like a digest of nothing. What decodes to another length is
    another thing than a digest: mostly one in hexadecimal.
    """
    match = _SRI.fullmatch(text)
    if match is None:
        raise RelatedResourceMalformed(f"found digestSRI {text[:80]!r}, want sha256-…")
    with contextlib.suppress(EncodingMalformed):
        size = len(decode_base64(match[2]))
        if size != _DIGEST_BYTES[match[1]]:
            raise RelatedResourceMalformed(f"found digestSRI of {size} bytes: {text[:80]}")
    return f"{match[1]}-{match[2]}"


def _multihash(text: str) -> str:
    decode = _MULTIBASES.get(text[0])
    if decode is None:
        raise RelatedResourceMalformed("digestMultibase begins with neither u nor z")
    try:
        raw = decode(text[1:])
    except PatunayError as e:
        raise RelatedResourceMalformed(f"digestMultibase: {e}") from e
    if len(raw) != _multihash_bytes(raw):
        # The standard asks for a multihash; the public test suite writes these.
        if len(raw) in _BARE:
            return f"{_BARE[len(raw)]}-{encode_base64(raw)}"
        raise RelatedResourceMalformed("digestMultibase is no multihash and no digest")
    algorithm = _MULTIHASHES.get(raw[:2])
    if algorithm is None or len(raw) - 2 != _DIGEST_BYTES[algorithm]:
        # Another kind of hash is allowed, and compared with nothing.
        return f"multihash-{raw.hex()}"
    return f"{algorithm}-{encode_base64(raw[2:])}"


def _multihash_bytes(raw: bytes) -> int:
    """Return how long a multihash that begins so has to be: code, length, digest."""
    at = next((i for i, byte in enumerate(raw[:9]) if byte < _CONTINUED), len(raw)) + 1
    return at + 1 + raw[at] if at < len(raw) and raw[at] < _CONTINUED else -1
