"""What a reader hands over on the page: a file, a text or a link."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from credentials.bundle import Bundle, parse_bundle
from credentials.foreign.formats import FormatNotSupported, file_format
from credentials.kinds import is_bundle, looks_like_bundle
from node.api.problems import MediaTypeUnsupported
from node.api.request import BodyBroken
from primitives.canonical_json import JsonObject
from primitives.errors import Malformed
from primitives.strict_json import JsonTooLarge, parse_json_object

MAX_SUBMISSION_BYTES: Final = 1 << 20
"""A bundle of a node's own has 10 KB; one of a large foreign status list is for the
command line."""

MAX_LINK_CHARACTERS: Final = 2_000
_MAX_FIELDS: Final = 8
_CHUNK: Final = 64 * 1024
_UNFRAMED: Final = (
    *(ValueError, LookupError, ConnectionError),
    *(aiohttp.ClientError, HttpProcessingError),
    AssertionError,  # what aiohttp says of a part that ends before its end
)
_BOM: Final = b"\xef\xbb\xbf"


class NothingHandedOver(Malformed):
    """The form came without a file, a text or a link."""

    code = "nothing-handed-over"
    hint = "choose a file, paste the text, or give a link"


@dataclass(frozen=True, slots=True)
class Submission:
    """What the form was sent with."""

    body: bytes
    """Of the file, or else the text; empty where there is neither."""

    link: str
    """Empty where there is none."""

    language: str
    """As the form's button says; empty where it says none."""

    challenge: str
    """That a presentation has to answer; empty where none was given."""

    domain: str
    """Of whom a presentation has to be made for; empty where none was given."""


async def read_submission(request: web.Request) -> Submission:
    """Read the form.

    Raises:
        MediaTypeUnsupported: It is no `multipart/form-data`.
        JsonTooLarge: Over `MAX_SUBMISSION_BYTES`; reading stops there.
        BodyBroken: It is not framed as its headers say, or has too many fields.
        NothingHandedOver: All of it is empty.
    """
    fields = await read_form(request, MAX_SUBMISSION_BYTES)
    text = fields.get("credential", b"").strip()
    link = fields.get("link", b"").decode("utf-8", "replace").strip()
    body = fields.get("file", b"") or text
    if not body and not link:
        raise NothingHandedOver("found neither a file nor a text nor a link")
    return Submission(
        body.removeprefix(_BOM).strip(),
        link[:MAX_LINK_CHARACTERS],
        fields.get("lang", b"").decode("ascii", "replace"),
        fields.get("challenge", b"").decode("utf-8", "replace").strip(),
        fields.get("domain", b"").decode("utf-8", "replace").strip(),
    )


async def read_form(request: web.Request, max_bytes: int) -> dict[str, bytes]:
    """Return the fields of a form; of two with one name the first.

    Raises:
        MediaTypeUnsupported: It is no `multipart/form-data`.
        JsonTooLarge: Over `max_bytes` together; reading stops there.
        BodyBroken: It is not framed as its headers say, or has too many fields.
    """
    if request.content_type != "multipart/form-data":
        found = request.content_type[:64]
        raise MediaTypeUnsupported(f"found {found}, want multipart/form-data")
    fields: dict[str, bytes] = {}
    left, parts = max_bytes, 0
    async with _framed():
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            parts += 1
            if not isinstance(part, BodyPartReader) or parts > _MAX_FIELDS:
                raise BodyBroken("found a form of another build, or of too many fields")
            value = await _read_part(part, left)
            left -= len(value)
            fields.setdefault((part.name or "")[:64], value)
    return fields


@asynccontextmanager
async def _framed() -> AsyncIterator[None]:
    """Say of every way to break the frame of a form that it is broken."""
    try:
        yield
    except _UNFRAMED as e:
        raise BodyBroken("found a form that is not framed as it says") from e


async def _read_part(part: BodyPartReader, most: int) -> bytes:
    value = bytearray()
    while chunk := await part.read_chunk(_CHUNK):
        value += chunk
        if len(value) > most:
            raise JsonTooLarge(f"found over {most} bytes, want at most that")
    return bytes(value)


def is_link(body: bytes) -> bool:
    """Tell whether somebody pasted a link where the text belongs."""
    return b"\n" not in body and body[:8].lower().startswith((b"https://", b"http://"))


def read_document(body: bytes) -> JsonObject | Bundle:
    """Return the credential, presentation or bundle that was handed over, not verified.

    Raises:
        JsonMalformed: Not one strict JSON object.
        BundleMalformed: It is meant as a bundle, and is none.
        FormatNotSupported: It is a file of another kind, such as a PDF.
        PatunayError: As `parse_bundle`.
    """
    if looks_like_bundle(body):
        return parse_bundle(body)
    document = _read_object(body)
    if is_bundle(document):
        return parse_bundle(body)
    # VC-API wraps what is to be verified; it bare is as clear.
    for name in ("verifiablePresentation", "verifiableCredential"):
        wrapped = document.get(name)
        if isinstance(wrapped, dict) and "@context" not in document:
            return wrapped
    return document


def _read_object(body: bytes) -> JsonObject:
    try:
        return parse_json_object(body)
    except Malformed as e:
        # No file that is JSON begins as one of these.
        if (found := file_format(body)) is not None:
            raise FormatNotSupported(f"found {found}, want a credential in JSON") from e
        raise
