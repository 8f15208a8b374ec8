"""Active contexts and term definitions, JSON-LD 1.1 section 4.

A closed subset, chosen so that everything it accepts is signed: no `@base`, `@import`,
`@reverse`, `@nest` or `@index`. A context that wants one of these is refused by name,
which makes a check undetermined and never a credential false. Each active context is
worked out once and remembered, which is what makes the engine fast.

See <https://www.w3.org/TR/json-ld11-api/#context-processing-algorithms>; the comments
number the steps of those algorithms.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from credentials.jsonld.loader import Contexts, find_context
from primitives.canonical_json import Json
from primitives.errors import Malformed, Rejected, Undetermined

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
_GENERIC_DELIMITERS = tuple(":/?#[]@")
_SUFFIX = "Value"
"""A vocabulary writes `sourceValue` where its `source` would be another's word."""

RESERVED_VOCABULARIES: Final = (
    "https://www.w3.org/2018/credentials#",
    "https://www.w3.org/ns/credentials/status#",
    "https://w3id.org/security#",
)
"""What credentials and proofs are made of. Only a bundled context gives these names: under
eddsa-rdfc-2022 an inline one could call `credentialStatus` something that nobody reads."""

MAX_REMEMBERED = 256
"""Active contexts kept per context that they grew from; enough for every known type."""


class ContextMalformed(Malformed):
    """A context is not one that JSON-LD 1.1 allows."""

    code = "context-malformed"


class ContextRedefinition(Rejected):
    """A context changes what a term means that an earlier context defined.

    Under eddsa-rdfc-2022 that swaps two labels without breaking the signature.
    """

    code = "context-redefinition"


class ContextForbidden(Rejected):
    """An inline context does more than add terms."""

    code = "context-forbidden"


class JsonldUnsupported(Undetermined):
    """A JSON-LD feature outside the subset that Patunay reads."""

    code = "jsonld-feature-unsupported"
    hint = "the credential is not thereby false; another verifier may be able to read it"


@dataclass(frozen=True, slots=True)
class Term:
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
        """Whether a text is its value as it stands: nothing scoped, no container."""
        return not (self.container or self.has_scoped or self.coercion == "@json")

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

    _grown: dict[tuple[object, ...], "ActiveContext"] = field(default_factory=dict)
    _expanded: dict[str, str | None] = field(default_factory=dict)
    _words: dict[str, str | None] = field(default_factory=dict)
    predicates: dict[str, str] = field(default_factory=dict)
    """Terms whose predicate `quads` has worked out: as N-Quads spells it, `""` for a
    keyword."""

    def inside_property(self, name: str, *, as_node: bool) -> "ActiveContext":
        """Return the context of the values of property `name`, 5.1.2 steps 7 and 8.

        Args:
            name: A property as the document spells it; it need not be a term.
            as_node: Whether the value is a node object: those forget a type-scoped
                context, values and plain references do not.
        """
        outer = self.previous if as_node and self.previous is not None else self
        term = self.terms.get(name)
        if term is None or not term.has_scoped:
            return outer
        key = (name, as_node)
        found = self._grown.get(key)
        if found is None:
            found = self._remember(
                key, process(outer, term.scoped, override_protected=True)
            )
        return found

    def inside_types(self, names: tuple[str, ...]) -> "ActiveContext":
        """Return the context inside a node of the types `names`, 5.1.2 step 11."""
        scoped = tuple(n for n in names if n in self.terms and self.terms[n].has_scoped)
        if not scoped:
            return self
        found = self._grown.get(scoped)
        if found is None:
            found = self
            for name in sorted(scoped):
                found = process(found, self.terms[name].scoped, propagate=False)
            found = self._remember(scoped, found)
        return found

    def _remember(self, key: tuple[object, ...], grown: "ActiveContext") -> "ActiveContext":
        if len(self._grown) < MAX_REMEMBERED:
            self._grown[key] = grown
        return grown

    def expand_vocab(self, value: str) -> str | None:
        """Expand a property or type; None or a relative IRI where nothing defines it."""
        if value in self._expanded:
            return self._expanded[value]
        expanded = _expand_iri(self, value, vocab=True)
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
        twice = any(t.iri == iri for other, t in self.terms.items() if other != name)
        if not bound or twice or iri.startswith(RESERVED_VOCABULARIES):
            raise JsonldUnsupported(
                f"found {name[:64]!r} for {iri[:120]}, want the word of a bundled context"
            )

    def expand_id(self, value: str) -> str | None:
        """Expand an `@id`; relative IRIs stay relative, for there is no base."""
        return _expand_iri(self, value, vocab=False)


def is_absolute_iri(value: str) -> bool:
    """Tell whether `value` is an absolute IRI without a character that ends one early."""
    return _ABSOLUTE_IRI.fullmatch(value) is not None


def initial_context(contexts: Contexts) -> ActiveContext:
    """Return the context before any `@context` was read."""
    return ActiveContext(contexts)


def process(
    active: ActiveContext,
    local: Json,
    *,
    override_protected: bool = False,
    propagate: bool = True,
    inline: bool = False,
) -> ActiveContext:
    """Return the context after `local`, section 4.1.2 of the algorithms.

    Args:
        active: The context in force before.
        local: A URL, an object, null, or an array of these.
        override_protected: True for property-scoped contexts alone.
        propagate: False for type-scoped contexts: nested objects forget it.
        inline: Whether `local` came from the document itself, where an object may only
            add terms.

    Raises:
        ContextUnknown: A URL that is not held.
        ContextRedefinition: A protected term would change its meaning.
        ContextForbidden: An inline object does more than add terms.
        JsonldUnsupported: A feature outside the subset.
        ContextMalformed: Anything that JSON-LD itself refuses.
    """
    # 1, 2.
    result = _copy(active)
    if not propagate and result.previous is None:
        result.previous = active
    # 4, 5.
    for entry in local if isinstance(local, list | tuple) else [local]:
        if entry is None:
            result = _nullify(active, override_protected=override_protected, inline=inline)
            if not propagate:
                result.previous = active
        elif isinstance(entry, str):
            result = process(
                result,
                find_context(entry, active.contexts),
                override_protected=override_protected,
                propagate=True,
            )
        elif isinstance(entry, Mapping):
            if inline:
                _require_only_new_terms(result, entry)
            _apply_object(
                result, entry, override_protected=override_protected, inline=inline
            )
        else:
            raise ContextMalformed(f"found a {type(entry).__name__}, want a context")
    return result


def _copy(active: ActiveContext) -> ActiveContext:
    return ActiveContext(
        active.contexts, dict(active.terms), active.vocab, active.language, active.previous
    )


def _nullify(
    active: ActiveContext, *, override_protected: bool, inline: bool
) -> ActiveContext:
    # 5.1.
    if inline:
        raise ContextForbidden("an inline null context would forget every term before it")
    if not override_protected and any(t.protected for t in active.terms.values()):
        raise ContextRedefinition("a null context would undefine protected terms")
    return initial_context(active.contexts)


_INLINE_KEYWORDS = frozenset({"@protected", "@version"})


def _require_only_new_terms(active: ActiveContext, entry: Mapping[str, Json]) -> None:
    for name in entry:
        if name in KEYWORDS and name not in _INLINE_KEYWORDS:
            raise ContextForbidden(f"an inline context sets {name}; it may only add terms")
        if name in active.terms:
            raise ContextRedefinition(f"an inline context defines {name[:64]!r} again")


def _apply_object(
    active: ActiveContext,
    entry: Mapping[str, Json],
    *,
    override_protected: bool,
    inline: bool,
) -> None:
    # 5.5 to 5.13.
    if entry.get("@version", 1.1) != 1.1:  # noqa: PLR2004 - the one version there is
        raise ContextMalformed(f"found @version {entry['@version']!r}, want 1.1")
    for unsupported in ("@import", "@base", "@propagate", "@direction"):
        if unsupported in entry:
            raise JsonldUnsupported(f"{unsupported} in a context")
    if "@vocab" in entry:
        vocab = entry["@vocab"]
        if vocab is not None and not (isinstance(vocab, str) and is_absolute_iri(vocab)):
            raise ContextMalformed("@vocab must be an absolute IRI")
        active.vocab = vocab
    if "@language" in entry:
        language = entry["@language"]
        if language is not None and not isinstance(language, str):
            raise ContextMalformed("@language must be text")
        active.language = language
    _Definer(
        active, entry, override_protected=override_protected, inline=inline
    ).define_all()


_TERM_KEYS = frozenset(
    {"@id", "@type", "@container", "@context", "@language", "@protected", "@prefix"}
)
_UNSUPPORTED_TERM_KEYS = frozenset({"@reverse", "@index", "@nest", "@direction"})
_CONTAINERS = frozenset({"@set", "@list", "@language", "@graph"})


class _Definer:
    """Create Term Definition, section 4.2.2, for all the terms of one context object."""

    def __init__(
        self,
        active: ActiveContext,
        entry: Mapping[str, Json],
        *,
        override_protected: bool,
        inline: bool,
    ) -> None:
        self.active = active
        self.entry = entry
        self.override_protected = override_protected
        self.inline = inline
        self.protect_all = entry.get("@protected") is True
        self.defined: dict[str, bool] = {}

    def define_all(self) -> None:
        for name in self.entry:
            if name not in KEYWORDS:
                self.define(name)

    def define(self, name: str) -> None:
        # 1, 2.
        if name in self.defined:
            if not self.defined[name]:
                raise ContextMalformed(f"the term {name[:64]!r} is defined by itself")
            return
        if not name or _LOOKS_LIKE_KEYWORD.fullmatch(name):
            raise ContextMalformed(f"{name[:64]!r} cannot be a term")
        self.defined[name] = False
        # 8, 9: the definition before this one no longer counts while this one is made.
        before = self.active.terms.pop(name, None)
        term = self._read(name, self.entry[name])
        if before is not None and before.protected and not self.override_protected:
            if not term.same_as(before):
                raise ContextRedefinition(f"the protected term {name[:64]!r} is redefined")
            term = before
        self.active.terms[name] = term
        self.active._expanded.clear()  # noqa: SLF001 - still being built, by us alone
        self.defined[name] = True

    def _read(self, name: str, value: Json) -> Term:
        simple = not isinstance(value, Mapping)
        if value is None or isinstance(value, str):
            value = {"@id": value}
        if not isinstance(value, Mapping):
            raise ContextMalformed(f"the definition of {name[:64]!r} is no text or object")
        self._refuse_foreign_keys(name, value)
        iri = self._iri(name, value)
        if self.inline and (iri is None or iri in KEYWORDS or "@context" in value):
            raise ContextForbidden(f"an inline context may only name things: {name[:64]!r}")
        return Term(
            iri=iri,
            coercion=self._coercion(name, value),
            container=_container(name, value),
            language=_language(name, value),
            has_language="@language" in value and "@type" not in value,
            scoped=value.get("@context"),
            has_scoped="@context" in value,
            protected=bool(value.get("@protected", self.protect_all)),
            prefix=_prefix(name, value, iri, simple=simple),
            inline=self.inline,
        )

    @staticmethod
    def _refuse_foreign_keys(name: str, value: Mapping[str, Json]) -> None:
        for key in value:
            if key in _UNSUPPORTED_TERM_KEYS:
                raise JsonldUnsupported(f"{key} in the definition of {name[:64]!r}")
            if key not in _TERM_KEYS:
                raise ContextMalformed(f"{key[:64]!r} in the definition of {name[:64]!r}")

    def _iri(self, name: str, value: Mapping[str, Json]) -> str | None:
        # 14 to 18.
        if "@id" in value and value["@id"] != name:
            wanted = value["@id"]
            if wanted is None:
                return None
            if not isinstance(wanted, str):
                raise ContextMalformed(f"@id of {name[:64]!r} must be text")
            return self._require_iri(name, self._expand(wanted))
        if ":" in name[1:]:
            prefix, _, suffix = name.partition(":")
            if prefix in self.entry:
                self.define(prefix)
            known = self.active.terms.get(prefix)
            iri = name if known is None or known.iri is None else known.iri + suffix
            return self._require_iri(name, iri)
        if self.active.vocab is not None:
            return self.active.vocab + name
        raise ContextMalformed(f"the term {name[:64]!r} has no IRI")

    @staticmethod
    def _require_iri(name: str, iri: str | None) -> str:
        if iri is None or not (iri in KEYWORDS or is_absolute_iri(iri)):
            raise ContextMalformed(f"the term {name[:64]!r} has no absolute IRI")
        if iri not in ("@id", "@type", "@value", "@language") and iri in KEYWORDS:
            raise JsonldUnsupported(f"{name[:64]!r} as another name for {iri}")
        return iri

    def _coercion(self, name: str, value: Mapping[str, Json]) -> str | None:
        # 13.
        if "@type" not in value:
            return None
        wanted = value["@type"]
        if not isinstance(wanted, str):
            raise ContextMalformed(f"@type of {name[:64]!r} must be text")
        expanded = self._expand(wanted)
        if expanded in ("@id", "@vocab", "@json", "@none"):
            return expanded
        if expanded is None or not is_absolute_iri(expanded):
            raise ContextMalformed(f"@type of {name[:64]!r} is no absolute IRI")
        return expanded

    def _expand(self, value: str) -> str | None:
        return _expand_iri(self.active, value, vocab=True, definer=self)


def _container(name: str, value: Mapping[str, Json]) -> frozenset[str]:
    # 21.
    found = value.get("@container")
    names = found if isinstance(found, Sequence) and not isinstance(found, str) else [found]
    container = frozenset(n for n in names if isinstance(n, str))
    if not container <= _CONTAINERS:
        raise JsonldUnsupported(f"container of {name[:64]!r}")
    return container


def _language(name: str, value: Mapping[str, Json]) -> str | None:
    # 23.
    language = value.get("@language")
    if language is not None and not isinstance(language, str):
        raise ContextMalformed(f"@language of {name[:64]!r} must be text")
    return language


def _prefix(name: str, value: Mapping[str, Json], iri: str | None, *, simple: bool) -> bool:
    # 14.2.5 and 26.
    if "@prefix" in value:
        return value["@prefix"] is True
    return (
        simple
        and iri is not None
        and ":" not in name
        and "/" not in name
        and iri.endswith(_GENERIC_DELIMITERS)
    )


def _expand_iri(
    active: ActiveContext, value: str, *, vocab: bool, definer: _Definer | None = None
) -> str | None:
    """IRI Expansion, section 5.2.2."""
    # 1, 2.
    if value in KEYWORDS:
        return value
    if _LOOKS_LIKE_KEYWORD.fullmatch(value):
        return None
    # 3.
    if definer is not None and value in definer.entry:
        definer.define(value)
    # 4, 5.
    term = active.terms.get(value)
    if term is not None and (vocab or term.iri in KEYWORDS):
        return term.iri
    # 6 to 9.
    iri = _expand_compact_iri(active, value, definer)
    if iri is None and vocab and active.vocab is not None:
        return active.vocab + value
    return value if iri is None else iri


def _expand_compact_iri(
    active: ActiveContext, value: str, definer: _Definer | None
) -> str | None:
    """Step 6: what stands before a colon is a prefix, or the value is an IRI already."""
    prefix, colon, suffix = value.partition(":")
    if not colon or not prefix:
        return None
    if prefix == "_" or suffix.startswith("//"):
        return value
    if definer is not None and prefix in definer.entry:
        definer.define(prefix)
    known = active.terms.get(prefix)
    if known is not None and known.iri is not None and known.prefix:
        return known.iri + suffix
    return value if is_absolute_iri(value) else None
