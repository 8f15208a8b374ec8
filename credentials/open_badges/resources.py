"""Images, and what a credential says of bytes that are kept elsewhere.

An image or a document is named by its URL or its id. `relatedResource` of the credential
pins the SHA-256 of its bytes (VC Data Model 2.0, 5.3), so that whoever controls the URL
cannot put another picture under a signature. An image in a `data:` URL needs no pin: its
bytes are signed with the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from credentials.open_badges.vocabulary import Iri
from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.encodings import (
    EncodingMalformed,
    decode_base58btc,
    decode_base64url,
    encode_base64,
    encode_base64url,
)
from primitives.errors import Rejected, Undetermined
from primitives.hashing import DIGEST_BYTES, sha256

CREDENTIAL_MEDIA_TYPE: Final = "application/vc"

_SHA2_256: Final = bytes((0x12, DIGEST_BYTES))
"""What a multihash of SHA-256 begins with: the function's code and the length."""


class ResourceDigestMismatch(Rejected):
    """The bytes are others than those that were pinned."""

    code = "resource-digest-mismatch"


class ResourceDigestUnsupported(Undetermined):
    """The resource is pinned by nothing, or by another digest than SHA-256."""

    code = "resource-digest-unsupported"
    hint = "the bytes are not thereby false; another verifier may know the digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture by its URL."""

    id: Iri
    """`https:` or another URL of the picture, or `data:` with all of it."""

    type: Literal["Image"] = "Image"
    caption: str | None = None
    """What people read who do not see the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedResource:
    """Bytes that stand elsewhere, pinned by a digest."""

    id: Iri
    media_type: str | None = None
    digest_multibase: str | None = None
    """Multibase of a multihash. None where there is a `digestSRI` in `extra` instead."""

    extra: JsonObject = field(default_factory=dict)


def embed_image(data: bytes, *, media_type: str, caption: str | None = None) -> Image:
    """Return an image that carries its bytes; a third more than `data`, in every copy."""
    return Image(id=f"data:{media_type};base64,{encode_base64(data)}", caption=caption)


def pin_bytes(resource: str, data: bytes, *, media_type: str) -> RelatedResource:
    """Return the pin of the resource at the URL `resource`, whose bytes are `data`."""
    multihash = _SHA2_256 + sha256(data)
    return RelatedResource(
        id=resource,
        media_type=media_type,
        digest_multibase="u" + encode_base64url(multihash),
    )


def pin_credential(document: Mapping[str, Json]) -> RelatedResource:
    """Return the pin of a credential that has an id: SHA-256 of its RFC 8785 bytes.

    Args:
        document: With its proof, as it was received. A wallet that adds a proof makes
            another document of it.
    """
    return pin_bytes(
        str(document["id"]), canonicalize(document), media_type=CREDENTIAL_MEDIA_TYPE
    )


def verify_pin(resource: RelatedResource, data: bytes) -> None:
    """Return if `data` are the bytes that `resource` pins; raise otherwise.

    Raises:
        ResourceDigestMismatch: They are others.
        ResourceDigestUnsupported: There is no SHA-256 to compare with.
    """
    calculated = sha256(data)
    pinned = _pinned(resource)
    if calculated != pinned:
        raise ResourceDigestMismatch(
            f"{resource.id[:80]}: found {calculated.hex()}, want {pinned.hex()}"
        )


def verify_credential_pin(resource: RelatedResource, document: Mapping[str, Json]) -> None:
    """Return if `document` is the very one that `resource` pins; raise otherwise.

    Raises:
        ResourceDigestMismatch: It has another id or other content.
        ResourceDigestUnsupported: There is no SHA-256 to compare with.
    """
    if document.get("id") != resource.id:
        found = str(document.get("id"))[:80]
        raise ResourceDigestMismatch(f"found the id {found}, want {resource.id[:80]}")
    verify_pin(resource, canonicalize(document))


def _pinned(resource: RelatedResource) -> bytes:
    text = resource.digest_multibase or ""
    decoders = {"u": decode_base64url, "z": decode_base58btc}
    try:
        multihash = decoders[text[:1]](text[1:])
    except (KeyError, EncodingMalformed) as e:
        raise ResourceDigestUnsupported(
            f"{resource.id[:80]}: found {text[:80]!r}, want a digest in multibase u or z"
        ) from e
    if len(multihash) != len(_SHA2_256) + DIGEST_BYTES or multihash[:2] != _SHA2_256:
        raise ResourceDigestUnsupported(
            f"{resource.id[:80]}: found multihash {multihash[:2].hex()} of "
            f"{len(multihash)} bytes, want 1220 and {DIGEST_BYTES} bytes"
        )
    return multihash[2:]
