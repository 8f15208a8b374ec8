"""Ed25519Signature2020: read, because credentials in the wild use it; never issued.

See <https://www.w3.org/TR/vc-di-eddsa/#ed25519signature2020-0>. Canonical RDF, SHA-256 and
Ed25519, as in eddsa-rdfc-2022; what differs is the context that defines its members.
"""

from collections.abc import Mapping
from typing import Final

from credentials.jsonld.quads import Engine
from primitives.canonical_json import Json
from primitives.hashing import sha256

NAME: Final = "Ed25519Signature2020"
"""The proof's type; it has no cryptosuite."""

CONTEXT: Final = "https://w3id.org/security/suites/ed25519-2020/v1"


def hash_data(
    document: Mapping[str, Json], options: Mapping[str, Json], engine: Engine
) -> bytes:
    """Return the 64 bytes that are signed: hash of options, hash of document.

    Args:
        document: The document without its proof.
        options: The proof without `proofValue`. They are read in the document's contexts
            and the suite's own, which signers add where the document does not name it.
        engine: Holds the contexts.

    Raises:
        PatunayError: Whatever safe mode refuses; see `Engine.quads`.
    """
    named = document.get("@context")
    contexts = named if isinstance(named, list) else [named]
    if CONTEXT not in contexts:
        contexts = [*contexts, CONTEXT]
    in_context = {**options, "@context": contexts}
    return _digest(in_context, engine) + _digest(document, engine)


def _digest(document: Mapping[str, Json], engine: Engine) -> bytes:
    return sha256(engine.canonicalize(document).encode())
