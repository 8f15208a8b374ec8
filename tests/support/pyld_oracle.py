"""PyLD as a second, slower opinion on canonical N-Quads. It fetches nothing."""

from collections.abc import Mapping
from typing import Any

from pyld import jsonld

from credentials.jsonld.loader import KNOWN
from primitives.canonical_json import Json

# PyLD knows RDFC-1.0 with SHA-256 by its older name.
_OPTIONS = {"algorithm": "URDNA2015", "format": "application/n-quads"}


def oracle_nquads(
    document: Mapping[str, Json], contexts: Mapping[str, Json] = KNOWN
) -> str:
    """Return PyLD's canonical N-Quads of `document`."""

    def load(url: str, _options: object) -> dict[str, Any]:
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": {"@context": contexts[url]},
        }

    found = jsonld.normalize(document, {**_OPTIONS, "documentLoader": load})
    if not isinstance(found, str):
        raise TypeError(f"found {type(found).__name__}, want N-Quads as text")
    return found
