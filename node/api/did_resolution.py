"""What a DID resolver reads and writes over HTTP; values alone.

See <https://www.w3.org/TR/did-resolution/#bindings-https>. Two dialects are spoken, and
`Accept` chooses. Today's is a *result*, in which the document stands beside its metadata
and an error is an object with a URL for its type. The older one has words for errors, such
as `notFound` of DID Core 1.0, and is the *document* alone; or, for whoever asks with the
profile of that time, a result, as the did:key method and its test suite know it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, get_args

from did.document import (
    DidDocumentIdMismatch,
    DidDocumentMalformed,
    Relationship,
    VerificationMethodNotFound,
)
from did.fetch import FetchTimeout
from did.identifier import Did, DidMalformed, DidUrl, DidUrlMalformed
from did.key import DidKeyLengthWrong
from did.multikey import KeyTypeUnsupported
from did.resolver import DidMethodUnsupported, DidNotFound, DidUnreachable
from node.api.did_options import (
    KeyFormatExperimental,
    KeyFormatUnsupported,
    ResolutionOptionRefused,
)
from primitives.canonical_json import JsonObject
from primitives.ed25519 import KeyRefused
from primitives.errors import Malformed, PatunayError, Rejected, Undetermined

RESULT_CONTEXT: Final = "https://w3id.org/did-resolution/v1"

_DID_NAMESPACE: Final = "https://www.w3.org/ns/did#"

MAX_ACCEPT_CHARACTERS: Final = 1_024
"""Of the header `Accept`: no client has more to say."""

_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})", re.ASCII)
_RANGE: Final = re.compile(r'(?:"[^"]*"|[^",])+')
_QUALITY: Final = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)


class RepresentationUnsupported(Rejected):
    """No media type in `Accept` is one that a DID is answered in."""

    code = "representation-unsupported"
    hint = "accept application/did-resolution, application/did+json or application/json"


class DocumentUnusable(Undetermined):
    """The DID document was had, and does not hold together."""

    code = "did-document-unusable"
    hint = "ask the publisher to repair the DID document"


@dataclass(frozen=True, slots=True)
class Representation:
    """How an answer is written."""

    media_type: str
    """As the client has asked for it."""

    is_result: bool
    """Whether metadata stands around the document."""

    @property
    def has_profile(self) -> bool:
        """Whether it is the result of the older dialect."""
        return ";profile=" in self.media_type


_PROFILE: Final = "application/ld+json;profile="
DEFAULT_REPRESENTATION: Final = Representation("application/did-resolution", is_result=True)
"""Where the client does not care."""

_REPRESENTATIONS: Final = {
    "application/did-resolution": True,
    "application/did-url-dereferencing": True,
    f"{_PROFILE}https://w3id.org/did-resolution": True,
    f"{_PROFILE}https://w3id.org/did-url-dereferencing": True,
    "application/did": False,
    "application/did+json": False,
    "application/did+ld+json": False,
    "application/json": False,
}
"""Media type, and whether it is a result."""

_ERRORS: Final[tuple[tuple[type[PatunayError], str, int], ...]] = (
    (DidMethodUnsupported, "METHOD_NOT_SUPPORTED", 501),
    (KeyTypeUnsupported, "UNSUPPORTED_PUBLIC_KEY_TYPE", 501),
    (KeyFormatUnsupported, "UNSUPPORTED_PUBLIC_KEY_TYPE", 501),
    (KeyFormatExperimental, "INVALID_PUBLIC_KEY_TYPE", 400),
    (DidKeyLengthWrong, "INVALID_PUBLIC_KEY_LENGTH", 400),
    (KeyRefused, "INVALID_PUBLIC_KEY", 400),
    (ResolutionOptionRefused, "INVALID_OPTIONS", 400),
    (RepresentationUnsupported, "REPRESENTATION_NOT_SUPPORTED", 406),
    (DidUrlMalformed, "INVALID_DID_URL", 400),
    (Malformed, "INVALID_DID", 400),
    (DidNotFound, "NOT_FOUND", 404),
    (VerificationMethodNotFound, "NOT_FOUND", 404),
    (DocumentUnusable, "INVALID_DID_DOCUMENT", 502),
    (DidDocumentMalformed, "INVALID_DID_DOCUMENT", 502),
    (DidDocumentIdMismatch, "INVALID_DID_DOCUMENT", 502),
    (DidUnreachable, "INTERNAL_ERROR", 504),
    (FetchTimeout, "INTERNAL_ERROR", 504),
    (PatunayError, "INTERNAL_ERROR", 502),
)
"""The first family that fits decides. 500 is left for bugs of this node: what another
server does wrong is 502 or 504."""


_PROFILE_WORDS: Final = {"METHOD_NOT_SUPPORTED": "invalidDid"}
"""The did:key method calls a DID of another method that, and DID Core 1.0 has no other."""


def read_identifier(raw: str) -> DidUrl | Did:
    """Read what stands after `/identifiers/` in the request's path, exactly as it was sent.

    A DID may be URL-encoded as a whole, as `encodeURIComponent` does it; then no colon is
    left, and it is decoded once. Otherwise it is taken as it stands, with only `%23` read
    as the `#` that no request can carry: the `%3A` in `did:web:localhost%3A8460` is part
    of the DID. So one request never means two DIDs.

    Raises:
        Malformed: No DID, or no DID with a fragment; or an escape that is none.
    """
    text = raw.replace("%23", "#") if ":" in raw else _decoded(raw)
    return DidUrl.parse(text) if "#" in text else Did.parse(text)


def _decoded(raw: str) -> str:
    if "%" in _ESCAPE.sub("", raw):
        raise DidMalformed(f"found {raw[:80]!r}, want two hexadecimal digits after each %")
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), raw)


def choose_representation(accept: str) -> Representation:
    """Return the representation that `accept` likes best; of equals the first.

    Raises:
        RepresentationUnsupported: None of those named is known here.
    """
    if not accept.strip():
        return DEFAULT_REPRESENTATION
    best, best_quality = None, 0.0
    for name, quality in _ranges(accept[:MAX_ACCEPT_CHARACTERS]):
        known = _named(name)
        if known is not None and quality > best_quality:
            best, best_quality = known, quality
    if best is None:
        raise RepresentationUnsupported(
            f"found Accept {accept[:120]!r}, want one of {', '.join(_REPRESENTATIONS)}"
        )
    return best


def _named(name: str) -> Representation | None:
    if name in ("*/*", "application/*"):
        return DEFAULT_REPRESENTATION
    is_result = _REPRESENTATIONS.get(name)
    return None if is_result is None else Representation(name, is_result)


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Yield each media type of an `Accept` header (RFC 9110 section 12.5.1) and its q."""
    for item in _RANGE.findall(accept):
        name, *parameters = (part.strip() for part in item.split(";"))
        quality = 1.0
        name = name.lower()
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                quality = float(value) if _QUALITY.fullmatch(value) else 0.0
            elif key.strip().lower() == "profile":
                profile = value.strip().strip('"')
                name = f"{name};profile={profile}"
        yield name, quality


def find_resource(document: JsonObject, url: DidUrl) -> JsonObject:
    """Return the verification method or service that `url` names, as it is written.

    Raises:
        VerificationMethodNotFound: The document has none of that id.
    """
    for member in ("verificationMethod", *get_args(Relationship), "service"):
        entries = document.get(member)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and _is_named(entry, url):
                context = document.get("@context")
                return entry if context is None else {"@context": context, **entry}
    raise VerificationMethodNotFound(f"{url.did} names no method or service {url}")


def _is_named(entry: JsonObject, url: DidUrl) -> bool:
    name = entry.get("id")
    try:
        return isinstance(name, str) and DidUrl.resolve(name, url.did) == url
    except Malformed:
        return False  # an id of another form than that of `url`


def write_answer(
    representation: Representation, content: JsonObject, *, is_resource: bool
) -> tuple[JsonObject, str]:
    """Return the body and the media type of a document, or of a resource in one."""
    if not representation.is_result:
        return content, representation.media_type
    metadata: JsonObject = {"contentType": "application/did"}
    return _result(representation, content, metadata, is_resource=is_resource)


def write_error(
    representation: Representation, error: PatunayError, *, is_resource: bool
) -> tuple[JsonObject, str, int]:
    """Return the body, the media type and the status of what came of no use."""
    name, status = next((n, s) for family, n, s in _ERRORS if isinstance(error, family))
    metadata: JsonObject = {
        "error": {
            "type": f"{_DID_NAMESPACE}{name}",
            "title": error.code.replace("-", " "),
            "detail": str(error),
            "code": error.code,
            "hint": error.hint,
        }
    }
    if representation.has_profile or not representation.is_result:
        word = _PROFILE_WORDS.get(name) if representation.has_profile else None
        word = word or _older_name(name)
        metadata = {"error": word, "message": str(error), "code": error.code}
    if not representation.is_result:
        representation = Representation("application/json", is_result=False)
    body, kind = _result(representation, None, metadata, is_resource=is_resource)
    return body, kind, status


def _result(
    representation: Representation,
    content: JsonObject | None,
    metadata: JsonObject,
    *,
    is_resource: bool,
) -> tuple[JsonObject, str]:
    kind, _, profile = representation.media_type.partition(";profile=")
    is_resource = is_resource or "dereferencing" in kind
    if profile:
        # One form for both, and what is empty is no null but an empty map (DID Core 7.1).
        told = "did-url-dereferencing" if is_resource else "did-resolution"
        name = "didDereferencingMetadata" if is_resource else "didResolutionMetadata"
        body: JsonObject = {"didDocument": content or {}, name: metadata}
        body |= {"@context": RESULT_CONTEXT, "didDocumentMetadata": {}}
        return body, f'{kind};profile="https://w3id.org/{told}"'
    if is_resource:
        body = {
            "dereferencingMetadata": metadata,
            "content": content,
            "contentMetadata": {},
        }
        told = "did-url-dereferencing"
    else:
        body = {
            "didDocument": content,
            "didResolutionMetadata": metadata,
            "didDocumentMetadata": {},
        }
        told = "did-resolution"
    if representation.is_result:
        kind = f"application/{told}"
    return {"@context": RESULT_CONTEXT, **body}, kind


def _older_name(name: str) -> str:
    """Return the word of DID Core 1.0: `notFound` for `NOT_FOUND`."""
    first, *others = name.lower().split("_")
    return first + "".join(word.capitalize() for word in others)
