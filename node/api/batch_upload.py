"""Reading a registrar's file from a request: raw, from a form, or as rows of JSON."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web

from node.api.problems import MediaTypeUnsupported
from node.api.request import read_body
from node.api.schema import Keywords, read
from node.uploads import TooManyRows
from node.web.submission import read_form
from primitives.canonical_json import JsonObject
from primitives.strict_json import parse_json

MAX_UPLOAD_BYTES: Final = 8 << 20
"""Ten thousand rows of 800 bytes."""

MAX_JSON_ROWS: Final = 1_000
MAX_JSON_BYTES: Final = 2 << 20
_MAX_VALUES: Final = MAX_JSON_ROWS * 42
"""Of the JSON as a whole: some forty columns."""

FORM: Final = "multipart/form-data"
FILE_KINDS: Final = (
    "text/csv",
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FORM,
)
_BINARY: Final = {"type": "string", "format": "binary"}
FILE_SCHEMAS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(FILE_KINDS, _BINARY),
    FORM: {"type": "object", "required": ["file"], "properties": {"file": _BINARY}},
}
"""As OpenAPI shows them."""


@dataclass(frozen=True, slots=True)
class RowsGiven:
    """Rows of a registrar's file, each with its columns by name."""

    rows: Annotated[
        tuple[dict[str, str], ...], Keywords(minItems=1, maxItems=MAX_JSON_ROWS)
    ]
    """Empty cells may be left out. docs/registrar-files.md names the columns."""


async def read_upload(request: web.Request) -> tuple[bytes, bytes]:
    """Return the file that a request brings, and what makes two requests equal.

    Raises:
        MediaTypeUnsupported: It is sent as something else.
        JsonTooLarge: Over `MAX_UPLOAD_BYTES`; reading stops there.
        BodyBroken: It ended before its end.
        RequestMalformed: JSON of another form.
        TooManyRows: Over `MAX_JSON_ROWS` of them.
    """
    packed = request.headers.get("Content-Encoding", "identity")
    if packed != "identity":
        raise MediaTypeUnsupported(f"found Content-Encoding {packed[:32]}, want none")
    kind = request.content_type
    if kind == FORM:
        # The boundary differs from one sending to the next, so it does not count.
        file = (await read_form(request, MAX_UPLOAD_BYTES)).get("file", b"")
        return file, file
    if kind == "application/json":
        raw = await read_body(request, MAX_JSON_BYTES)
        return _as_csv(parse_json(raw, MAX_JSON_BYTES, max_nodes=_MAX_VALUES)), raw
    if kind not in FILE_KINDS:
        wanted = ", ".join(("application/json", *FILE_KINDS))
        raise MediaTypeUnsupported(f"found {kind[:64]}, want one of {wanted}")
    raw = await read_body(request, MAX_UPLOAD_BYTES)
    return raw, raw


def _as_csv(value: object) -> bytes:
    body: JsonObject = value if isinstance(value, dict) else {}
    rows = body.get("rows")
    if isinstance(rows, list) and len(rows) > MAX_JSON_ROWS:
        raise TooManyRows(f"found {len(rows)} rows, want at most {MAX_JSON_ROWS}")
    given = read(RowsGiven, body).rows
    names = list(dict.fromkeys(name for row in given for name in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([row.get(name, "") for name in names] for row in given)
    return text.getvalue().encode()
