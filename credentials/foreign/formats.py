"""Telling a credential of another system by its looks, before anything of it is judged.

Nothing here says that a document is good or bad. What no one here can read is named, so
that it is called "not supported" and never "invalid".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Final

from primitives.canonical_json import Json, JsonObject
from primitives.errors import Undetermined


class FormatNotSupported(Undetermined):
    """A format that this release does not read: nothing is known about the credential."""

    code = "format-not-supported"
    hint = "use the checker of the system that it comes from; it is not thereby false"


class Format(Enum):
    """What a JSON document is, if it is none of the credentials that Patunay issues."""

    BLOCKCERTS_3 = "a Blockcerts 3 certificate"
    OPEN_ATTESTATION_2 = "an OpenAttestation 2.0 document"
    BLOCKCERTS_2 = "a Blockcerts 2 certificate"
    OPEN_ATTESTATION_LATER = "an OpenAttestation document of version 3 or later"
    OPEN_BADGES_2 = "an Open Badges 2 assertion"
    ENVELOPED = "a credential in an envelope (JWT or SD-JWT)"
    JWS_JSON = "a signed JWT in its JSON form"
    JWT_PAYLOAD = "the payload of a JWT, without its signature"
    MERKLE_PROOF_2019 = (
        "a credential with a MerkleProof2019 that is no Blockcerts certificate"
    )
    ANONCREDS = "an AnonCreds credential"
    EUROPASS = "a credential with a JAdES seal"
    UNKNOWN = "a JSON document of no known kind of credential"

    @property
    def is_read(self) -> bool:
        """Whether there are checks for it."""
        return self in (Format.BLOCKCERTS_3, Format.OPEN_ATTESTATION_2)


_MERKLE_PROOF: Final = "MerkleProof2019"
_MERKLE_SUITE: Final = "merkle-proof-2019"
_VC_MEMBERS: Final = ("credentialSubject", "verifiableCredential", "proof", "holder")


def is_merkle_proof(proof: JsonObject) -> bool:
    """Tell whether a proof is of the kind that Blockcerts 3 has, in either spelling."""
    return proof.get("type") == _MERKLE_PROOF or proof.get("cryptosuite") == _MERKLE_SUITE


def foreign_format(document: Mapping[str, Json]) -> Format | None:
    """Return what `document` is, or None for what the ordinary checks are for."""
    proofs = list(_objects(document.get("proof")))
    if any(map(is_merkle_proof, proofs)):
        # Others have trees of their own, which hash in another way.
        is_blockcerts = "BlockcertsCredential" in _types(document)
        return Format.BLOCKCERTS_3 if is_blockcerts else Format.MERKLE_PROOF_2019
    for kind, (member, fits) in _LOOKS.items():
        if (member is None or member in document) and fits(document, proofs):
            return kind
    return None


def _objects(value: Json) -> Iterator[JsonObject]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item


def _types(document: Mapping[str, Json]) -> list[Json]:
    found = document.get("type")
    return found if isinstance(found, list) else [found]


def _contexts(document: Mapping[str, Json]) -> str:
    """Return the URLs of its contexts, as one text to look into."""
    found = document.get("@context")
    listed = found if isinstance(found, list) else [found]
    return " ".join(url for url in listed if isinstance(url, str))


_Looks = Callable[[Mapping[str, Json], list[JsonObject]], bool]


def _has(*names: str) -> _Looks:
    return lambda document, _: all(name in document for name in names)


def _is_blockcerts_2(document: Mapping[str, Json], _: list[JsonObject]) -> bool:
    return "blockcerts/v2" in _contexts(document) or any(
        "MerkleProof2017" in _types(each) for each in _objects(document.get("signature"))
    )


def _is_open_attestation_2(document: Mapping[str, Json], _: list[JsonObject]) -> bool:
    return any(
        each.get("type") == "SHA3MerkleProof"
        for each in _objects(document.get("signature"))
    )


def _is_later_open_attestation(_: Mapping[str, Json], proofs: list[JsonObject]) -> bool:
    return any(str(each.get("type")).startswith("OpenAttestation") for each in proofs)


def _is_open_badges_2(document: Mapping[str, Json], _: list[JsonObject]) -> bool:
    return "Assertion" in _types(document)


def _is_enveloped(document: Mapping[str, Json], _: list[JsonObject]) -> bool:
    return any(str(each).startswith("EnvelopedVerifiable") for each in _types(document))


def _is_europass(_: Mapping[str, Json], proofs: list[JsonObject]) -> bool:
    return any("JAdES" in str(each.get("type")) for each in proofs)


def _is_unknown(document: Mapping[str, Json], _: list[JsonObject]) -> bool:
    """A document without one member or word of the VC Data Model."""
    return (
        "@context" not in document
        and "type" not in document
        and not any(name in document for name in _VC_MEMBERS)
    )


_LOOKS: Final[Mapping[Format, tuple[str | None, _Looks]]] = {
    Format.OPEN_ATTESTATION_2: ("data", _is_open_attestation_2),
    Format.OPEN_ATTESTATION_LATER: (None, _is_later_open_attestation),
    Format.BLOCKCERTS_2: (None, _is_blockcerts_2),
    Format.OPEN_BADGES_2: ("badge", _is_open_badges_2),
    Format.ENVELOPED: (None, _is_enveloped),
    Format.EUROPASS: (None, _is_europass),
    Format.JWS_JSON: ("payload", lambda d, _: "signature" in d or "signatures" in d),
    Format.JWT_PAYLOAD: ("vc", _has("iss")),
    Format.ANONCREDS: ("schema_id", _has("cred_def_id", "values")),
    Format.UNKNOWN: (None, _is_unknown),
}
"""The member without which it is none, if there is one, and how it looks. In this order;
the last one only where nothing else fits."""


_JWT: Final = re.compile(
    rb"\s*eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*(~\S*)?\s*", re.DOTALL
)
_BEGINNINGS: Final = (
    (b"%PDF-", "a PDF file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture, in which a badge may be baked"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"<?xml", "an XML file, such as an ELMO record or a picture with a badge"),
    (b"<svg", "an SVG picture, in which a badge may be baked"),
    (b"HC1:", "a health certificate"),
    (b"PK\x03\x04", "a ZIP archive"),
)


def file_format(raw: bytes) -> str | None:
    """Return what a file is that is no JSON, by its first bytes; None if they tell nothing.

    Of a ZIP archive the names in its directory tell more, wherever they stand.
    """
    if match := _JWT.fullmatch(raw):
        return "an SD-JWT" if match[1] is not None else "a JWT"
    for beginning, name in _BEGINNINGS:
        if raw.startswith(beginning):
            is_pass = name == "a ZIP archive" and b"pass.json" in raw
            return "a wallet pass (pkpass)" if is_pass else name
    return None
