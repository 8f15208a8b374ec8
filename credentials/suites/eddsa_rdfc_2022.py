"""eddsa-rdfc-2022: canonical RDF, SHA-256, Ed25519.

See <https://www.w3.org/TR/vc-di-eddsa/#eddsa-rdfc-2022>.
"""

from collections.abc import Mapping

from credentials.jsonld.quads import Engine
from primitives.canonical_json import Json
from primitives.hashing import sha256

NAME = "eddsa-rdfc-2022"


def complete_options(
    document: Mapping[str, Json], options: Mapping[str, Json]
) -> Mapping[str, Json]:
    """Return the proof's members as they appear in the secured document, 3.2.1."""
    del document
    return options


def hash_data(
    document: Mapping[str, Json], options: Mapping[str, Json], engine: Engine
) -> bytes:
    """Return the 64 bytes that are signed: hash of options, hash of document, 3.2.4.

    Args:
        document: The document without its proof.
        options: The proof without `proofValue`.
        engine: Holds the contexts.

    Raises:
        PatunayError: Whatever safe mode refuses; see `Engine.quads`.
    """
    # 3.2.5: the options are read in the document's own context.
    in_context = {**options, "@context": document.get("@context")}
    return engine.digest_recurring(_digest, in_context) + _digest(engine, document)


def _digest(engine: Engine, document: Mapping[str, Json]) -> bytes:
    return sha256(engine.canonicalize(document).encode())
