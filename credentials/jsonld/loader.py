"""The contexts that Patunay knows, held offline. Nothing is ever fetched.

Each is a table of terms, a fact of its standard, kept as JCS bytes; the digest of those
bytes is what names a revision (`primitives.canonical_json`, SHA-256).
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

from primitives.canonical_json import Json
from primitives.errors import Undetermined
from primitives.hashing import sha256
from primitives.strict_json import parse_json_object

Contexts: TypeAlias = Mapping[str, Json]
"""From a context's URL to the value of its `@context` member."""

VC_V2 = "https://www.w3.org/ns/credentials/v2"
VC_V1 = "https://www.w3.org/2018/credentials/v1"
DATA_INTEGRITY_V2 = "https://w3id.org/security/data-integrity/v2"
STATUS_V1 = "https://www.w3.org/ns/credentials/status/v1"
OB_V3 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OB_EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"

# Not by importlib.resources, which takes as long to import as all contexts to be read.
_FOLDER = Path(__file__).parent / "contexts"

_CLR = "https://purl.imsglobal.org/spec/clr/v2p0/"
_OB = "https://purl.imsglobal.org/spec/ob/v3p0/"

_FILES = {
    VC_V1: "credentials-v1.json",
    VC_V2: "credentials-v2.json",
    "https://www.w3.org/ns/credentials/examples/v2": "credentials-examples-v2.json",
    "https://www.w3.org/ns/credentials/undefined-terms/v2": (
        "credentials-undefined-terms-v2.json"
    ),
    STATUS_V1: "vc-bitstring-status-list-v1.json",
    DATA_INTEGRITY_V2: "data-integrity-v2.json",
    "https://w3id.org/security/suites/ed25519-2020/v1": "ed25519-2020-v1.json",
    "https://w3id.org/security/multikey/v1": "multikey-v1.json",
    "https://www.w3.org/ns/did/v1": "did-v1.json",
    f"{_CLR}context-2.0.1.json": "clr-v2p0-2.0.1.json",
    f"{_OB}context-3.0.1.json": "ob-v3p0-context-3.0.1.json",
    f"{_OB}context-3.0.2.json": "ob-v3p0-context-3.0.2.json",
    OB_V3: "ob-v3p0-context-3.0.3.json",
    OB_EXTENSIONS: "ob-v3p0-extensions.json",
}


class ContextUnknown(Undetermined):
    """A context that is not held here, so the meaning of the document is not known."""

    code = "context-unknown"
    hint = "a newer release may hold this context; the credential is not thereby false"


class KnownContexts(Mapping[str, Json]):
    """The bundled contexts, each read when it is first asked for."""

    def __getitem__(self, url: str) -> Json:
        return _read(_FILES[url])["@context"]

    def __iter__(self) -> Iterator[str]:
        return iter(_FILES)

    def __len__(self) -> int:
        return len(_FILES)


KNOWN: Contexts = KnownContexts()


def context_digest(url: str) -> str:
    """Return the SHA-256 (hex) of the JCS bytes of the bundled context at `url`.

    Raises:
        ContextUnknown: No such context is bundled.
    """
    if url not in _FILES:
        raise ContextUnknown(f"context {url} is not held")
    return sha256(_bytes(_FILES[url])).hex()


def find_context(url: str, contexts: Contexts) -> Json:
    """Return the context at `url`.

    Raises:
        ContextUnknown: `contexts` does not hold it.
    """
    try:
        return contexts[url]
    except KeyError:
        raise ContextUnknown(f"found context {url[:120]!r}, want a bundled one") from None


def _bytes(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


@cache
def _read(name: str) -> Mapping[str, Json]:
    return parse_json_object(_bytes(name))
