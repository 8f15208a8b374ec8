"""Active contexts: what is defined at one place of a document, and IRI expansion.

A closed subset, chosen so that everything it accepts is signed. See
<https://www.w3.org/TR/json-ld11-api/#iri-expansion>; the comments number its steps.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from credentials.jsonld.loader import Contexts
from primitives.canonical_json import Json
from primitives.errors import Undetermined

KEYWORDS: Final = frozenset(
    (
        *("@base", "@container", "@context", "@direction", "@graph", "@id", "@import"),
        *(
            "@included",
            "@index",
            "@json",
            "@language",
            "@list",
            "@nest",
            "@none",
            "@prefix",
        ),
        *("@propagate", "@protected", "@reverse", "@set", "@type", "@value"),
        *("@version", "@vocab"),
    )
)
_LOOKS_LIKE_KEYWORD = re.compile(r"@[A-Za-z]+")
_ABSOLUTE_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20<>\"{}|\\^`]*")
_SUFFIX = "Value"
"""A vocabulary writes `sourceValue` where its `source` would be another's word."""

RESERVED_VOCABULARIES: Final = (
    "https://www.w3.org/2018/credentials#",
    "https://www.w3.org/ns/credentials/status#",
    "https://w3id.org/security#",
)
"""What credentials and proofs are made of. Only a bundled context gives these names: under
eddsa-rdfc-2022 an inline one could call `credentialStatus` something that nobody reads."""


class JsonldUnsupported(Undetermined):
    """A JSON-LD feature outside the subset that Patunay reads."""

    code = "jsonld-feature-unsupported"
    hint = "the credential is not thereby false; another verifier may be able to read it"


class Term(NamedTuple):
    """What a context says about one term."""

    iri: str | None
    """Absolute IRI, blank node or keyword; None where the context undefines the term."""

    coercion: str | None = None
    """`@id`, `@vocab`, `@json`, `@none` or a datatype's IRI."""

    container: frozenset[str] = frozenset()

    language: str | None = None

    has_language: bool = False
    """Whether the definition names a language at all, be it null."""

    scoped: Json = None
    """The term's own context, unprocessed; only meaningful when `has_scoped`."""

    has_scoped: bool = False
    protected: bool = False
    prefix: bool = False

    inline: bool = False
    """Whether the document itself defines it, and no bundled context."""

    @property
    def is_simple(self) -> bool:
        """Whether a text is its value as it stands: nothing scoped, in a set at most."""
        return (
            self.container <= {"@set"} and not self.has_scoped and self.coercion != "@json"
        )

    def same_as(self, other: "Term") -> bool:
        """Tell whether two definitions differ at most in their protection."""
        mine = (self.iri, self.coercion, self.container, self.language, self.has_language)
        theirs = (
            other.iri,
            other.coercion,
            other.container,
            other.language,
            other.has_language,
        )
        return (
            mine == theirs
            and self.has_scoped == other.has_scoped
            and self.scoped == other.scoped
            and self.prefix == other.prefix
        )


@dataclass(slots=True, eq=False)
class ActiveContext:
    """All that is defined at one place of a document. Not changed once processed."""

    contexts: Contexts
    terms: dict[str, Term] = field(default_factory=dict)
    vocab: str | None = None
    language: str | None = None
    previous: "ActiveContext | None" = None
    """What is in force again in nested objects, where this one does not propagate."""

    _expanded: dict[str, str | None] = field(default_factory=dict)
    _words: dict[str, str | None] = field(default_factory=dict)
    _names: Counter[str | None] = field(default_factory=Counter)
    """How many terms there are for each IRI, once that was asked for."""

    def expand_vocab(self, value: str) -> str | None:
        """Expand a property or type; None or a relative IRI where nothing defines it."""
        if value in self._expanded:
            return self._expanded[value]
        expanded = expand_iri(self, value, vocab=True)
        if value in self.terms:  # bounded by the context, not by the document
            self._expanded[value] = expanded
        return expanded

    def expand_word(self, name: str) -> str | None:
        """Expand a property or type, if the document could not call it otherwise.

        The signature of eddsa-rdfc-2022 covers IRIs, never the words that stand for
        them, and not the contexts that join the two. So a word is one of a bundled
        context, or is bound to its IRI: the IRI itself, or the IRI's last segment.

        Raises:
            JsonldUnsupported: Another name for something that has a name already.
        """
        if name in self._words:
            return self._words[name]
        iri = self.expand_vocab(name)
        term = self.terms.get(name)
        if iri is not None and iri not in KEYWORDS and (term is None or term.inline):
            self._require_own_name(name, iri, term)
        if term is not None:  # bounded by the context, not by the document
            self._words[name] = iri
        return iri

    def _require_own_name(self, name: str, iri: str, term: Term | None) -> None:
        if term is None:
            bound = iri in (name, f"{self.vocab}{name}")
        else:
            bound = re.split("[/#:]", iri)[-1] in (name, f"{name}{_SUFFIX}")
        if not self._names:
            self._names.update(each.iri for each in self.terms.values())
        others = self._names[iri] - (term is not None)
        if not bound or others or iri.startswith(RESERVED_VOCABULARIES):
            raise JsonldUnsupported(
                f"found {name[:64]!r} for {iri[:120]}, want the word of a bundled context"
            )

    def expand_id(self, value: str) -> str | None:
        """Expand an `@id`; relative IRIs stay relative, for there is no base."""
        return expand_iri(self, value, vocab=False)


def is_absolute_iri(value: str) -> bool:
    """Tell whether `value` is an absolute IRI without a character that ends one early."""
    return _ABSOLUTE_IRI.fullmatch(value) is not None


def looks_like_keyword(value: str) -> bool:
    """Tell whether `value` has the form that JSON-LD keeps for its keywords."""
    return _LOOKS_LIKE_KEYWORD.fullmatch(value) is not None


def expand_iri(
    active: ActiveContext,
    value: str,
    *,
    vocab: bool,
    define: Callable[[str], None] | None = None,
) -> str | None:
    """Return what `value` stands for, IRI Expansion, section 5.2.2.

    Args:
        active: Says what the terms are.
        value: As the document or context spells it.
        vocab: Whether terms and `@vocab` count, as they do for properties and types.
        define: Called with each term before it is looked up, while a context is read.
    """
    # 1, 2.
    if value in KEYWORDS:
        return value
    if looks_like_keyword(value):
        return None
    # 3.
    if define is not None:
        define(value)
    # 4, 5.
    term = active.terms.get(value)
    if term is not None and (vocab or term.iri in KEYWORDS):
        return term.iri
    # 6 to 9.
    iri = _expand_compact_iri(active, value, define)
    if iri is None and vocab and active.vocab is not None:
        return active.vocab + value
    return value if iri is None else iri


def _expand_compact_iri(
    active: ActiveContext, value: str, define: Callable[[str], None] | None
) -> str | None:
    """Step 6: what stands before a colon is a prefix, or the value is an IRI already."""
    prefix, colon, suffix = value.partition(":")
    if not colon or not prefix:
        return None
    if prefix == "_" or suffix.startswith("//"):
        return value
    if define is not None:
        define(prefix)
    known = active.terms.get(prefix)
    if known is not None and known.iri is not None and known.prefix:
        return known.iri + suffix
    return value if is_absolute_iri(value) else None
