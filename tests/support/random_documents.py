"""Random credentials with everything in them that the JSON-LD engine reads."""

from random import Random
from typing import Any

from credentials.jsonld.loader import KNOWN, OB_EXTENSIONS, OB_V3, VC_V2
from primitives.canonical_json import Json

X = "https://terms.example/"
XSD = "http://www.w3.org/2001/XMLSchema#"

# One term of each kind that the engine reads.
TERMS: dict[str, Any] = {
    "ex": X,
    "plain": f"{X}plain",
    "compact": "ex:compact",
    "link": {"@id": f"{X}link", "@type": "@id"},
    "word": {"@id": f"{X}word", "@type": "@vocab"},
    "free": {"@id": f"{X}free", "@type": "@none"},
    "day": {"@id": f"{X}day", "@type": f"{XSD}date"},
    "real": {"@id": f"{X}real", "@type": f"{XSD}double"},
    "whole": {"@id": f"{X}whole", "@type": f"{XSD}integer"},
    "exact": {"@id": f"{X}exact", "@type": f"{XSD}decimal"},
    "flag": {"@id": f"{X}flag", "@type": f"{XSD}boolean"},
    "ranked": {"@id": f"{X}ranked", "@container": "@list"},
    "rankedLinks": {"@id": f"{X}rankedLinks", "@container": "@list", "@type": "@id"},
    "bag": {"@id": f"{X}bag", "@container": "@set"},
    "texts": {"@id": f"{X}texts", "@container": "@language"},
    "filipino": {"@id": f"{X}filipino", "@language": "fil"},
    "raw": {"@id": f"{X}raw", "@type": "@json"},
    "inside": {
        "@id": f"{X}inside",
        "@context": {"plainer": f"{X}plainer", "only": {"@id": f"{X}only"}},
    },
    "presented": f"{X}presented",
    "Thing": f"{X}Thing",
    "Scoped": {"@id": f"{X}Scoped", "@context": {"scopedOnly": f"{X}scopedOnly"}},
}

TERMS_URL = f"{X}context"
CONTEXTS: dict[str, Json] = {**KNOWN, TERMS_URL: TERMS}
"""The bundled contexts, and the one above."""

# An inline context may only name things.
INLINE: dict[str, Any] = {
    "in": f"{X}inline#",
    "Inlined": "in:Inlined",
    "noted": "in:noted",
    "notedOn": {"@id": "in:notedOn", "@type": f"{XSD}date"},
    "notedBy": {"@id": f"{X}inline/notedBy", "@type": "@id"},
    "notedWords": {"@id": "in:notedWords", "@container": "@list"},
}

_TEXTS = (
    *("", "a", "Peña", "ñ\u0303", "𐐷"),
    *('"q" \\ b', "line\nfeed", "\r", "é <b>", "007"),
)
_NUMBERS = (
    *(0, 1, -1, 7, 2**53 - 1, -(2**53) + 1, 1.5, -0.5, 1e-7, 1.0, -0.0, 3.14e10, 1e20),
    *(1e21, 1.7976931348623157e308, 5e-324, 0.1, 100.0, 123456789.123456789),
)
_NODES = ("urn:n:1", "urn:n:2", "_:x", "_:y", "https://n.example/3#a", None, None, None)


class _Maker:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.budget = random.choice((5, 20, 60))

    def node(self, depth: int) -> dict[str, Any]:
        node: dict[str, Any] = {}
        if name := self.random.choice(_NODES):
            node["id"] = name
        kinds = self.random.choice(
            ([], ["Thing"], ["Scoped"], ["Scoped", "Thing"], "Inlined")
        )
        if kinds:
            node["type"] = kinds
        if "Scoped" in kinds:
            node["scopedOnly"] = self.text()
        for _ in range(self.random.randrange(4)):
            key = self.random.choice(_PROPERTIES)
            node[key] = _MAKERS[key](self, depth)
        return node

    def text(self) -> str:
        return self.random.choice(_TEXTS)

    def number(self) -> Any:
        if self.random.random() < 0.5:
            return self.random.choice(_NUMBERS)
        return self.random.uniform(-1, 1) * 10 ** self.random.randrange(-30, 30)

    def scalar(self, depth: int) -> Any:
        del depth
        return self.random.choice((self.text(), self.number(), True, False, None))

    def typed(self, depth: int) -> Any:
        del depth
        return self.random.choice(
            (
                {"@value": self.text(), "@type": f"{XSD}token"},
                {"@value": self.number(), "@type": f"{XSD}double"},
                {"@value": self.number(), "@type": "ex:unit"},
                {"@value": self.random.choice((True, None))},
                {"@value": self.text(), "@language": "fil-PH"},
                {"@value": self.text(), "@language": "en", "@direction": "ltr"},
                {"@value": self.json(2), "@type": "@json"},
            )
        )

    def value(self, depth: int) -> Any:
        self.budget -= 1
        kinds = [self.scalar, self.scalar, self.typed]
        if depth > 0 and self.budget > 0:
            kinds += [self.node, self.node, self.array, self.wrapped]
        return self.random.choice(kinds)(depth - 1)

    def array(self, depth: int) -> Any:
        return [self.value(depth) for _ in range(self.random.randrange(4))]

    def wrapped(self, depth: int) -> Any:
        return {"@list": [self.flat(depth) for _ in range(self.random.randrange(4))]}

    def flat(self, depth: int) -> Any:
        """An item that may stand in a list: no array, and no list."""
        return self.random.choice((self.scalar, self.typed, self.node))(depth)

    def json(self, depth: int) -> Any:
        choice = self.random.randrange(6 if depth else 3)
        if choice < 3:
            return (self.text(), self.random.choice(_NUMBERS), None)[choice]
        if choice == 3:
            return {self.text(): self.json(depth - 1) for _ in range(3)}
        return [self.json(depth - 1) for _ in range(2)]


def _many(make: Any) -> Any:
    def made(maker: _Maker, depth: int) -> Any:
        if maker.random.random() < 0.7:
            return make(maker, depth)
        return [make(maker, depth) for _ in range(maker.random.randrange(3))]

    return made


def _language_map(maker: _Maker, _depth: int) -> Any:
    tags = maker.random.sample(("fil", "en", "ms-MY", "@none"), 2)
    return {tag: maker.random.choice((maker.text(), [maker.text(), "b"])) for tag in tags}


def _reference(maker: _Maker, _depth: int) -> Any:
    name = maker.random.choice(("urn:n:1", "_:x", f"{X}y", "https://n.example/3#a"))
    return maker.random.choice((name, {"id": name}, name))


def _credential(maker: _Maker, depth: int) -> Any:
    if depth <= 0:
        return []
    inner = random_document(maker.random, depth - 1)
    held = maker.random.choice((inner, [inner, inner]))
    return {"type": "VerifiablePresentation", "verifiableCredential": held}


_MAKERS: dict[str, Any] = {
    "plain": lambda m, d: m.value(d),
    "compact": lambda m, d: m.value(d),
    "noted": lambda m, d: m.value(d),
    f"{X}whole-iri": lambda m, d: m.value(d),
    "notedOn": lambda m, _d: m.text(),
    "notedBy": _many(_reference),
    "notedWords": lambda m, d: [m.flat(d - 1) for _ in range(m.random.randrange(4))],
    "free": lambda m, d: m.value(d),
    "bag": lambda m, d: m.value(d),
    "filipino": _many(_Maker.scalar),
    "link": _many(_reference),
    "word": _many(lambda m, _d: m.random.choice(("Thing", "noted", "urn:w"))),
    "day": _many(lambda m, _d: m.text()),
    "real": _many(lambda m, _d: m.number()),
    "whole": _many(lambda m, _d: m.number()),
    "exact": _many(lambda m, _d: m.number()),
    "flag": _many(lambda m, _d: m.random.choice((True, False, "true"))),
    "ranked": lambda m, d: m.random.choice(
        ([m.flat(d - 1) for _ in range(m.random.randrange(4))], m.flat(d - 1))
    ),
    "rankedLinks": lambda m, d: [_reference(m, d) for _ in range(m.random.randrange(3))],
    "texts": _language_map,
    "raw": lambda m, _d: m.json(3),
    "inside": lambda m, _d: {"plainer": m.text(), "only": m.number()},
    "name": lambda m, _d: m.text(),
    "description": lambda m, d: m.typed(d) if m.random.random() < 0.3 else m.text(),
    "presented": _credential,
}
_PROPERTIES = tuple(_MAKERS)


def random_document(random: Random, depth: int = 4) -> dict[str, Any]:
    """Return an unsigned credential; most are ones that the engine accepts."""
    maker = _Maker(random)
    document: dict[str, Any] = {
        "@context": [VC_V2, OB_V3, OB_EXTENSIONS, TERMS_URL, INLINE]
    }
    document |= maker.node(depth)
    document.pop("scopedOnly", None)
    document["type"] = ["VerifiableCredential", "Thing"]
    document["issuer"] = "did:example:issuer"
    document["credentialSubject"] = maker.node(depth)
    document["evidence"] = [maker.node(depth) for _ in range(random.randrange(3))]
    return document
