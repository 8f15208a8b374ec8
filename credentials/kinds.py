"""What a file or document is meant as, told before anything reads it further.

Apart from what reads bundles and presentations, which most verifications need not load.
"""

from collections.abc import Mapping
from typing import Final

from primitives.canonical_json import Json

MAX_BUNDLE_BYTES: Final = 19 << 20
"""Largest bundle: a credential, its receipt and four large parts. One of a node's own
credentials has some 10 KB."""

_TELLING: Final = ("credential", "statusLists", "digest")
_PRESENTATIONS: Final = ("VerifiablePresentation", "EnvelopedVerifiablePresentation")


def is_bundle(document: Mapping[str, Json]) -> bool:
    """Tell whether somebody meant this to be a bundle; `parse_bundle` says if it is one."""
    return all(name in document for name in _TELLING)


def looks_like_bundle(raw: bytes) -> bool:
    """Tell whether bytes begin as a bundle does, before anything of them is parsed."""
    return raw.startswith(b'{"contexts":{')


def is_presentation(document: Mapping[str, Json]) -> bool:
    """Tell whether a document calls itself a presentation, in an envelope or not."""
    types = types_of(document)
    return any(kind in types for kind in _PRESENTATIONS)


def types_of(document: Mapping[str, Json]) -> list[Json]:
    """Return what stands in `type`, as a list."""
    found = document.get("type")
    return found if isinstance(found, list) else [found]
