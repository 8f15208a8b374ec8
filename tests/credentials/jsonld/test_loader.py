import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from credentials.jsonld import loader
from credentials.jsonld.loader import KNOWN, ContextUnknown, context_digest, find_context
from primitives.canonical_json import canonicalize
from primitives.strict_json import parse_json_object
from tests.support.standards import standards

OFFICIAL = {
    loader.VC_V1: "credentials-v1.jsonld",
    loader.VC_V2: "credentials-v2.jsonld",
    "https://www.w3.org/ns/credentials/examples/v2": "credentials-examples-v2.jsonld",
    "https://www.w3.org/ns/credentials/undefined-terms/v2": (
        "credentials-undefined-terms-v2.jsonld"
    ),
    "https://www.w3.org/ns/credentials/status/v1": "vc-bitstring-status-list-v1.jsonld",
    "https://w3id.org/security/data-integrity/v2": "data-integrity-v2.jsonld",
    "https://w3id.org/security/suites/ed25519-2020/v1": "ed25519-2020-v1.jsonld",
    "https://w3id.org/security/multikey/v1": "multikey-v1.jsonld",
    "https://www.w3.org/ns/did/v1": "did-v1.jsonld",
    "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json": "clr-v2p0-2.0.1.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": (
        "ob-v3p0-context-3.0.1.json"
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": (
        "ob-v3p0-context-3.0.2.json"
    ),
    loader.OB_V3: "ob-v3p0-context-3.0.3.json",
    loader.OB_EXTENSIONS: "ob-v3p0-extensions.json",
}


def test_every_bundled_context_is_compared_below() -> None:
    assert set(KNOWN) == set(OFFICIAL)
    assert len(KNOWN) == len(OFFICIAL)


@pytest.mark.parametrize("url", OFFICIAL)
def test_is_the_official_context(url: str) -> None:
    official = parse_json_object((standards("contexts") / OFFICIAL[url]).read_bytes())
    assert context_digest(url) == hashlib.sha256(canonicalize(official)).hexdigest()
    assert KNOWN[url] == official["@context"]


def test_the_official_files_are_the_ones_that_were_written_down() -> None:
    listed = (standards("contexts.sha256")).read_text().splitlines()
    digests = {name: digest for digest, name in (line.split() for line in listed)}
    for name in OFFICIAL.values():
        raw = (standards("contexts") / name).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == digests[name]


@pytest.mark.parametrize("url", ["https://terms.example/v1", "file:///etc/passwd", ""])
def test_another_context_is_unknown_and_not_looked_for(url: str) -> None:
    with pytest.raises(ContextUnknown, match="want a bundled one") as e:
        find_context(url, KNOWN)
    assert e.value.code == "context-unknown"
    with pytest.raises(ContextUnknown):
        context_digest(url)


def test_no_bundled_context_gives_one_property_two_names() -> None:
    """The words of a bundled context are not signed, the IRIs are."""
    names: dict[str, set[str]] = {}
    for url in KNOWN:
        _collect(KNOWN[url], [], names)
    twice = {iri.rpartition("#")[2]: words for iri, words in names.items() if words}
    assert {key: words for key, words in twice.items() if len(words) > 1} == {
        # A class and a property share an IRI; as properties both are in one place.
        "Criteria": {"Criteria", "criteria"},
        "GeoCoordinates": {"GeoCoordinates", "geo"},
        "Image": {"Image", "image"},
        # Of `Ed25519Signature2018`, in another scope.
        "proofValue": {"proofValue", "signature"},
    }


def _collect(context: Any, outer: list[dict[str, Any]], names: dict[str, set[str]]) -> None:
    for part in context if isinstance(context, list) else [context]:
        if not isinstance(part, dict):
            continue
        for word, definition in part.items():
            scoped = definition if isinstance(definition, dict) else {}
            iri = scoped.get("@id") if scoped else definition
            if word.startswith("@") or not isinstance(iri, str) or iri.startswith("@"):
                continue
            names.setdefault(_whole(iri, [part, *outer]), set()).add(word)
            _collect(scoped.get("@context"), [part, *outer], names)


def _whole(iri: str, contexts: list[dict[str, Any]]) -> str:
    prefix, _, suffix = iri.partition(":")
    base = next((part[prefix] for part in contexts if prefix in part), None)
    return iri if base is None or suffix.startswith("//") else f"{base}{suffix}"


def test_the_bundled_files_are_canonical_bytes() -> None:
    folder = Path(loader.__file__).parent / "contexts"
    for path in folder.glob("*.json"):
        raw = path.read_bytes()
        assert raw == canonicalize(json.loads(raw)), path.name
