"""eddsa-jcs-2022: canonical JSON, SHA-256, Ed25519.

See <https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022>. JCS signs every byte, defined by a
context or not; safe mode holds here too, because a reader that converts the credential
(a wallet, an RDF store) would drop what no context defines.
"""

from collections.abc import Mapping
from typing import Any

from credentials.jsonld.quads import Engine
from primitives.canonical_json import Json, canonicalize
from primitives.errors import Rejected
from primitives.hashing import sha256

NAME = "eddsa-jcs-2022"


class ProofContextMismatch(Rejected):
    """The proof's `@context` is not the beginning of the document's."""

    code = "proof-context-mismatch"


def complete_options(
    document: Mapping[str, Json], options: Mapping[str, Json]
) -> Mapping[str, Json]:
    """Return the proof's members as they appear in the secured document, 3.3.1."""
    if "@context" not in document:
        return options
    return {"@context": document["@context"], **options}


def hash_data(
    document: Mapping[str, Json], options: Mapping[str, Json], engine: Engine
) -> bytes:
    """Return the 64 bytes that are signed: hash of options, hash of document, 3.3.4.

    Args:
        document: The document without its proof.
        options: The proof without `proofValue`, its `@context` included.
        engine: Holds the contexts.

    Raises:
        ProofContextMismatch: See the class; 3.3.2 step 4.
        PatunayError: Whatever safe mode refuses; see `Engine.quads`.
    """
    context = document.get("@context")
    given = options.get("@context", context)
    if given is context or repr(given) == repr(context):  # 1 and true differ
        body = engine.checked_json(document)
    else:
        engine.check(document)
        theirs, ours = _entries(given), _entries(context)
        if ours[: len(theirs)] != theirs:
            raise ProofContextMismatch("the proof names other contexts than the document")
        body = canonicalize({**document, "@context": given})
    signed = engine.digest_recurring(
        _digest_options, {"options": options, "@context": context}
    )
    return signed + sha256(body)


def _digest_options(engine: Engine, given: Mapping[str, Any]) -> bytes:
    """Return the hash of `options`, which are signed in the `@context` beside them."""
    engine.check({**given["options"], "@context": given["@context"]})
    return sha256(canonicalize(given["options"]))


def _entries(context: Json) -> list[Json]:
    return context if isinstance(context, list) else [context]
