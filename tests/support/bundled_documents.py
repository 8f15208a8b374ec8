"""Random documents of the words that the bundled contexts define, and of inline ones.

The words are read from the contexts' own tables. What JSON-LD would forget inside a node
is only roughly kept, so some documents use a word out of its place and are refused.
"""

from random import Random
from typing import Any

from credentials.jsonld.loader import (
    DATA_INTEGRITY_V2,
    KNOWN,
    OB_EXTENSIONS,
    OB_V3,
    STATUS_V1,
    VC_V1,
    VC_V2,
)

X = "https://terms.example/drawn#"
XSD = "http://www.w3.org/2001/XMLSchema#"
CLR = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
CONTEXTS = (
    *([VC_V2], [VC_V2], [VC_V2, OB_V3, OB_EXTENSIONS], [VC_V2, OB_V3], [VC_V2, CLR]),
    *([VC_V2, EXAMPLES], [VC_V1], [VC_V1, STATUS_V1], [VC_V1, DATA_INTEGRITY_V2]),
    *(["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],),
)
TEXTS = ("", "a", "Peña", "𐐷", 'say "x" \\', "two\nlines\r", "\t", "2026-01-01T00:00:00Z")
NAMES = ("urn:n:1", "urn:n:2", "_:x", "_:y", "did:example:1", "https://n.example/3#a")
INLINE = (
    "{x}",
    {"@id": "{x}", "@type": "@id"},
    {"@id": "{x}", "@type": f"{XSD}date"},
    {"@id": "{x}", "@type": "@json"},
    {"@id": "{x}", "@container": "@list"},
    {"@id": "{x}", "@container": "@language"},
    {"@id": "{x}", "@container": "@set", "@type": f"{XSD}double"},
    {"@id": "{x}", "@language": "fil"},
)

Terms = dict[str, Any]


class _Drawer:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.budget = random.choice((4, 15, 40))

    def node(self, terms: Terms, depth: int) -> dict[str, Any]:
        self.budget -= 1
        node: dict[str, Any] = {}
        if self.random.random() < 0.5:
            node["id"] = self.random.choice(NAMES)
        inside = dict(terms)
        types = [n for n, d in terms.items() if n[0].isupper() and isinstance(d, dict)]
        if types and self.random.random() < 0.7:
            count = min(len(types), self.random.choice((1, 1, 1, 2)))
            chosen = self.random.sample(types, count)
            node["type"] = chosen if len(chosen) > 1 else chosen[0]
            for name in sorted(chosen):
                inside |= _terms(terms[name].get("@context"))
        names = [n for n in inside if n[0].islower() and ":" not in n]
        own = [n for n in names if n not in terms]
        for _ in range(self.random.randrange(5)):
            pool = own if own and self.random.random() < 0.6 else names
            if not pool:
                break
            name = self.random.choice(pool)
            if name not in ("id", "type"):
                node[name] = self.value(inside[name], terms, depth - 1)
        return node

    def value(self, definition: Any, terms: Terms, depth: int) -> Any:
        definition = definition if isinstance(definition, dict) else {}
        container = definition.get("@container")
        if definition.get("@type") == "@json":
            return {"b": [1, self.text(), None], self.text(): 1.5e21}
        if container == "@language":
            return {"fil": self.text(), "en": [self.text(), "b"]}
        inside = {**terms, **_terms(definition.get("@context"))}
        if container is not None and "@graph" in container:
            return self.node(inside, depth)
        if container == "@list":
            return [self.one(definition, inside, depth) for _ in range(3)]
        if self.random.random() < 0.2:
            return [
                self.one(definition, inside, depth) for _ in range(self.random.randrange(4))
            ]
        return self.one(definition, inside, depth)

    def one(self, definition: Terms, inside: Terms, depth: int) -> Any:
        deep = depth > 0 and self.budget > 0
        if definition.get("@type") in ("@id", "@vocab"):
            if deep and self.random.random() < 0.5:
                return self.node(inside, depth)
            return self.random.choice(NAMES)
        if deep and "@type" not in definition and self.random.random() < 0.5:
            return self.node(inside, depth)
        scalars = (self.text(), self.text(), 7, 1.5, -0.0, True, None)
        if self.random.random() < 0.2:
            return self.random.choice(
                (
                    {"@value": self.text(), "@language": "fil-PH"},
                    {"@value": self.text(), "@type": f"{XSD}token"},
                    {"@value": True},
                )
            )
        return self.random.choice(scalars)

    def text(self) -> str:
        return self.random.choice(TEXTS)


def _terms(context: Any) -> Terms:
    found: Terms = {}
    for part in context if isinstance(context, list) else [context]:
        if isinstance(part, dict):
            found |= {k: v for k, v in part.items() if not k.startswith("@") and v}
        elif isinstance(part, str):
            found |= _terms(KNOWN[part])
    return found


def bundled_document(random: Random) -> dict[str, Any]:
    """Return a document over a choice of bundled contexts, now and then an inline one."""
    contexts: list[Any] = list(random.choice(CONTEXTS))
    terms: Terms = {}
    for url in contexts:
        terms |= _terms(KNOWN[url])
    if random.random() < 0.5:
        inline: Terms = {}
        for i in range(random.randrange(1, 5)):
            chosen = random.choice(INLINE)
            iri = f"{X}drawn{i}"
            inline[f"drawn{i}"] = iri if isinstance(chosen, str) else {**chosen, "@id": iri}
        contexts.append(inline)
        terms |= inline
    drawer = _Drawer(random)
    document = {"@context": contexts, **drawer.node(terms, 4)}
    for name in [n for n in terms if n.startswith("drawn")]:
        document[name] = drawer.value(terms[name], terms, 3)
    return document
