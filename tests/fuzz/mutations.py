"""From a valid document to what somebody hostile, or some broken program, may send."""

import copy
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

MAX_STEPS: Final = 3
"""Changes of one document: one alone finds most, three find what one hides."""

_CONTEXTS: Final[tuple[Any, ...]] = (
    "https://www.w3.org/ns/credentials/v2",
    "https://www.w3.org/2018/credentials/v1",
    "https://w3id.org/security/data-integrity/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://w3id.org/security/suites/ed25519-2020/v1",
    "https://www.w3.org/ns/credentials/examples/v2",
    "https://www.w3.org/ns/credentials/undefined-terms/v2",
    "https://nobody.example/context",
    {"honours": "https://nobody.example/honours"},
    {"name": "https://nobody.example/name"},
    {"@vocab": "https://nobody.example/"},
    {"@base": "https://nobody.example/"},
    {"@import": "https://www.w3.org/ns/credentials/v2"},
    {"type": {"@id": "@type", "@container": "@set"}},
    {"a": "b:c", "b": "a:d"},
    None,
    [],
)
_TEXTS: Final = (
    *(
        "",
        " ",
        "\x00",
        "\u202e",
        "ñ",
        "n\u0303",
        "𐐷",
        "\ud800",
        "\ufeff",
        "\uffff",
        "\u2028",
    ),
    *("did:web:school.example", "did:web:evil.example%40school.example", "did:key:z6Mk"),
    *("did:web:127.0.0.1", "did:web:[::1]", "did:web:localhost%3A1", "did:key:", "did:::"),
    *("javascript:alert(1)", "//x", "urn:uuid:x", "file:///etc/passwd", "_:b0", "@id"),
    *("9999-12-31T23:59:60Z", "0000-00-00T00:00:00Z", "2026-11-22T08:00:00+99:99"),
    *("z", "u", "z" * 400, "1" * 5000, "A" * 70_000, "../" * 30, "%00", "{{7*7}}", "${x}"),
    *("eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019", "DataIntegrityProof"),
    *("Ed25519Signature2020", "assertionMethod", "authentication", "revocation", "message"),
    *("VerifiableCredential", "VerifiablePresentation", "BitstringStatusListCredential"),
    *(
        "EnvelopedVerifiableCredential",
        "-1",
        "1e3",
        "١٢",
        "00",
        "131072",
        "99999999999999999999",
    ),
)
_NUMBERS: Final = (
    *(0, -0.0, 1, -1, 2**31, 2**53 - 1, 2**53, 2**64, 10**70, -(10**400), 1e308, 5e-324),
    *(0.1, 1.0, 1e21, 3.0, float("nan"), float("inf"), 131_072, 8_388_608),
)
_WORDS: Final = (
    *("@id", "@type", "@value", "@context", "@graph", "@list", "@set", "@json", "@none"),
    *("@included", "@reverse", "@nest", "@index", "@language", "@direction", "@version"),
    *("id", "type", "proof", "proofValue", "previousProof", "expires", "created", "nonce"),
    *(
        "domain",
        "challenge",
        "holder",
        "issuer",
        "termsOfUse",
        "evidence",
        "refreshService",
    ),
    *(
        "relatedResource",
        "credentialStatus",
        "credentialSchema",
        "honours",
        "",
        "__proto__",
    ),
    *("validUntil", "validFrom", "expirationDate", "issuanceDate", "verifiableCredential"),
    *("name", "description", "options", "checks", "statusSize", "statusMessage", "ttl"),
)

Place = tuple[Any, Any]
"""A container, and the key or index in it."""


def places(value: Any) -> list[Place]:
    """Return every place in `value` that holds something."""
    found: list[Place] = []
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            found += [(item, key) for key in item]
            pending += item.values()
        elif isinstance(item, list):
            found += [(item, index) for index in range(len(item))]
            pending += item
    return found


class Mutator:
    """Makes one input; all its chance comes from `random`."""

    def __init__(self, random: Random, donors: Sequence[Any]) -> None:
        self.random = random
        self.donors = donors
        """Other documents, whose parts may be put in."""

        self.steps: list[str] = []

    def bytes_from(self, document: Any) -> bytes:
        """Return what is to be sent, and note in `steps` what was done."""
        kind = self.random.random()
        mutated = json.loads(json.dumps(document))
        if kind < 0.8:
            for _ in range(self.random.randint(1, MAX_STEPS)):
                mutated = self._change(mutated)
        raw = self._written(mutated)
        if kind >= 0.7:
            for _ in range(self.random.randint(1, 2)):
                raw = self._damage(raw)
        return raw

    def _change(self, document: Any) -> Any:
        found = places(document)
        name, change = self.random.choice(CHANGES)
        self.steps.append(name)
        if not found:
            return self._value()
        owner, key = self.random.choice(found)
        return change(self, document, owner, key)

    def _value(self) -> Any:
        kind = self.random.randrange(8)
        if kind == 0:
            return self.random.choice(_NUMBERS)
        if kind == 1:
            return self.random.choice((True, False, None, {}, [], [[]], [{}], {"": {}}))
        if kind == 2:
            return {self.random.choice(_WORDS): self.random.choice(_TEXTS)}
        if kind == 3:
            return [self.random.choice(_TEXTS), self.random.choice(_NUMBERS)]
        return self.random.choice(_TEXTS)

    def _delete(self, document: Any, owner: Any, key: Any) -> Any:
        del owner[key]
        return document

    def _replace(self, document: Any, owner: Any, key: Any) -> Any:
        owner[key] = self._value()
        return document

    def _add(self, document: Any, owner: Any, key: Any) -> Any:
        if isinstance(owner, list):
            owner.insert(key, self._value())
        else:
            owner[self.random.choice(_WORDS)] = self._value()
        return document

    def _rename(self, document: Any, owner: Any, key: Any) -> Any:
        if isinstance(owner, dict):
            names = (*_WORDS, str(key) + " ", str(key).upper(), "@" + str(key))
            owner[self.random.choice(names)] = owner.pop(key)
        else:
            owner.append(owner.pop(key))
        return document

    def _repeat(self, document: Any, owner: Any, key: Any) -> Any:
        times = self.random.choice((2, 3, 17, 40))
        owner[key] = [owner[key]] * times
        return document

    def _wrap(self, document: Any, owner: Any, key: Any) -> Any:
        value = owner[key]
        wrappers: tuple[Callable[[Any], Any], ...] = (
            lambda v: [v],
            lambda v: {"@value": v},
            lambda v: {"@list": [v]},
            lambda v: {"@set": [v]},
            lambda v: {"id": v},
            lambda v: {"@graph": v},
            str,
        )
        owner[key] = self.random.choice(wrappers)(value)
        return document

    def _unwrap(self, document: Any, owner: Any, key: Any) -> Any:
        value = owner[key]
        if isinstance(value, list) and value:
            owner[key] = value[0]
        elif isinstance(value, dict) and value:
            owner[key] = next(iter(value.values()))
        return document

    def _nest(self, document: Any, owner: Any, key: Any) -> Any:
        value = owner[key]
        for _ in range(self.random.choice((5, 20, 31, 33, 90))):
            value = self.random.choice(
                ([value], {"name": value}, {"id": "urn:x", "a": value})
            )
        owner[key] = value
        return document

    def _character(self, document: Any, owner: Any, key: Any) -> Any:
        """Change one character of a text, above all of proofs, DIDs, dates and URLs."""
        texts = [p for p in places(document) if isinstance(p[0][p[1]], str)]
        weighty = [p for p in texts if str(p[1]) in _WEIGHTY]
        chosen = weighty if weighty and self.random.random() < 0.7 else texts
        if not chosen:
            return self._replace(document, owner, key)
        owner, key = self.random.choice(chosen)
        text = owner[key]
        at = self.random.randrange(len(text) + 1)
        letters = "0Oz1lI:#/%. -TZ+9aé\u0000"
        letter = self.random.choice((*letters, ""))
        owner[key] = text[:at] + letter + text[at + self.random.randrange(2) :]
        return document

    def _swap_case(self, document: Any, owner: Any, key: Any) -> Any:
        if isinstance(owner[key], str):
            owner[key] = owner[key].swapcase()
        return document

    def _context(self, document: Any, owner: Any, key: Any) -> Any:
        contexts = [p for p in places(document) if p[1] == "@context"]
        owner, key = self.random.choice(contexts or [(owner, key)])
        given = owner[key] if isinstance(owner[key], list) else [owner[key]]
        kind = self.random.randrange(4)
        new = copy.deepcopy(self.random.choice(_CONTEXTS))
        if kind == 0:
            owner[key] = [*given, new]
        elif kind == 1:
            owner[key] = [new, *given]
        elif kind == 2:
            owner[key] = self.random.choice((new, given[::-1], given[:1], given * 2))
        elif isinstance(owner, dict):
            owner["@context"] = new
        return document

    def _splice(self, document: Any, owner: Any, key: Any) -> Any:
        """Put a part of another document in the place of the same part here."""
        donor = json.loads(json.dumps(self.random.choice(self.donors)))
        same = [p for p in places(donor) if p[1] == key]
        proofs = [p for p in places(donor) if p[1] == "proof"]
        if proofs and isinstance(document, dict) and self.random.random() < 0.5:
            given = proofs[0][0]["proof"]
            mine = document.get("proof", [])
            both = [mine, given] if self.random.random() < 0.5 else given
            document["proof"] = both
        elif same:
            other, place = self.random.choice(same)
            owner[key] = other[place]
        else:
            owner[key] = donor
        return document

    def _shuffle(self, document: Any, owner: Any, key: Any) -> Any:
        """Another order: of members it never matters, of items it may."""
        value = owner[key]
        if isinstance(value, list):
            self.random.shuffle(value)
        elif isinstance(value, dict):
            items = list(value.items())
            self.random.shuffle(items)
            owner[key] = dict(items)
        return document

    def _pair(self, document: Any, owner: Any, key: Any) -> Any:
        """Exchange two values of the document."""
        other, place = self.random.choice(places(document))
        inside = places(owner[key]) + places(other[place])
        if not any(p is owner or p is other for p, _ in inside):
            owner[key], other[place] = other[place], owner[key]
        return document

    def _written(self, value: Any) -> bytes:
        """Write JSON in one of the many ways that are all the same JSON."""
        style = self.random.randrange(4)
        text = json.dumps(
            value,
            ensure_ascii=style == 1,
            indent=(None, None, 2, "\t")[style],
            separators=(",", ":") if style == 0 else None,
            sort_keys=False,
        )
        if self.random.random() < 0.08:
            text = self._twice(text)
        return text.encode("utf-8", "surrogatepass")

    def _twice(self, text: str) -> str:
        """Name one key of an object twice, which only the text can show."""
        self.steps.append("key-twice")
        at = text.find('"type"')
        value = json.dumps(self._value())
        return text if at < 0 else f'{text[:at]}"type": {value}, {text[at:]}'

    def _damage(self, raw: bytes) -> bytes:
        kind = self.random.choice(
            (
                "flip",
                "cut",
                "insert",
                "drop",
                "bom",
                "utf-16",
                "nul",
                "echo",
                "open",
                "bits",
            )
        )
        self.steps.append(kind)
        at = self.random.randrange(len(raw) + 1)
        end = min(len(raw), at + self.random.randint(1, 40))
        if kind == "flip":
            return raw[:at] + bytes([self.random.randrange(256)]) + raw[at + 1 :]
        if kind == "bits" and raw:
            at = self.random.randrange(len(raw))
            flipped = raw[at] ^ (1 << self.random.randrange(8))
            return raw[:at] + bytes([flipped]) + raw[at + 1 :]
        added = {
            "cut": raw[:at],
            "drop": raw[:at] + raw[end:],
            "insert": raw[:at]
            + self.random.randbytes(self.random.randint(1, 8))
            + raw[at:],
            "bom": b"\xef\xbb\xbf" + raw,
            "utf-16": raw.decode("utf-8", "replace").encode("utf-16"),
            "nul": raw[:at] + b"\x00" + raw[at:],
            "echo": raw[:at] + raw[at:end] * 2 + raw[end:],
            "open": raw[:at] + b'[{"":' * self.random.choice((1, 40, 5000)) + raw[at:],
        }
        return added.get(kind, raw)


_WEIGHTY: Final = {
    *("proofValue", "verificationMethod", "created", "validFrom", "validUntil", "id"),
    *("issuer", "holder", "statusListCredential", "statusListIndex", "encodedList"),
    *("previousProof", "cryptosuite", "proofPurpose", "challenge", "domain"),
}

Change = Callable[[Mutator, Any, Any, Any], Any]
CHANGES: Final[tuple[tuple[str, Change], ...]] = (
    ("delete", Mutator._delete),
    ("replace", Mutator._replace),
    ("add", Mutator._add),
    ("rename", Mutator._rename),
    ("repeat", Mutator._repeat),
    ("wrap", Mutator._wrap),
    ("unwrap", Mutator._unwrap),
    ("nest", Mutator._nest),
    ("character", Mutator._character),
    ("character", Mutator._character),
    ("case", Mutator._swap_case),
    ("context", Mutator._context),
    ("splice", Mutator._splice),
    ("shuffle", Mutator._shuffle),
    ("exchange", Mutator._pair),
)
