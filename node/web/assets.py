"""What the pages load beside their text: style sheet, scripts, a picture. All our own."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from primitives.hashing import sha256

_FOLDER: Final = Path(__file__).parent / "static"

_KINDS: Final = {
    "style.css": "text/css",
    "page.js": "text/javascript",
    "seal.svg": "image/svg+xml",
}
"""Every file that is served, by name: nothing else in the folder is."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    body: bytes
    kind: str
    digest: str
    """The first characters of its SHA-256: what its address changes with."""


@cache
def find_asset(name: str) -> Asset | None:
    """Return the file called `name`, or None if there is no such."""
    kind = _KINDS.get(name)
    if kind is None:
        return None
    body = (_FOLDER / name).read_bytes()
    return Asset(body, kind, sha256(body).hex()[:16])


def asset_url(name: str) -> str:
    """Return the address of a file, which changes when the file does; KeyError if none."""
    found = find_asset(name)
    if found is None:
        raise KeyError(name)
    return f"/assets/{name}?v={found.digest}"
