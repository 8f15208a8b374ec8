"""Context processing: from a `@context` to an active context, JSON-LD 1.1 section 4.

No `@base`, `@import`, `@reverse`, `@nest` or `@index`. A context that wants one of these
is refused by name, which makes a check undetermined and never a credential false.

See <https://www.w3.org/TR/json-ld11-api/#context-processing-algorithms>; the comments
number the steps of those algorithms.
"""

from collections.abc import Mapping

from credentials.jsonld.active_context import (
    KEYWORDS,
    ActiveContext,
    JsonldUnsupported,
    Term,
    expand_iri,
    is_absolute_iri,
    looks_like_keyword,
)
from credentials.jsonld.loader import find_context
from primitives.canonical_json import Json
from primitives.errors import Malformed, Rejected


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
    return ActiveContext(active.contexts)


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


_GENERIC_DELIMITERS = tuple(":/?#[]@")
_TERM_KEYS = frozenset(
    {"@id", "@type", "@container", "@context", "@language", "@protected", "@prefix"}
)
_UNSUPPORTED_TERM_KEYS = frozenset({"@reverse", "@index", "@nest", "@direction"})
MAX_PREFIXES = 16
"""Terms of one context defined by one another, which Python's own stack follows."""

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
        self.depth = 0

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
        if not name or looks_like_keyword(name):
            raise ContextMalformed(f"{name[:64]!r} cannot be a term")
        if self.depth > MAX_PREFIXES:
            raise JsonldUnsupported(f"prefixes of prefixes over {MAX_PREFIXES} deep")
        self.depth += 1
        self.defined[name] = False
        # 8, 9: the definition before this one no longer counts while this one is made.
        before = self.active.terms.pop(name, None)
        term = self._read(name, self.entry[name])
        if before is not None and before.protected and not self.override_protected:
            if not term.same_as(before):
                raise ContextRedefinition(f"the protected term {name[:64]!r} is redefined")
            term = before
        self.active.terms[name] = term
        self.depth -= 1
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
            self._define_first(prefix)
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
        return expand_iri(self.active, value, vocab=True, define=self._define_first)

    def _define_first(self, name: str) -> None:
        if name in self.entry:
            self.define(name)


def _container(name: str, value: Mapping[str, Json]) -> frozenset[str]:
    # 21.
    found = value.get("@container", ())
    names = found if isinstance(found, list | tuple) else [found]
    container = frozenset(n for n in names if isinstance(n, str))
    if len(container) < len(names) or not container <= KEYWORDS:
        raise ContextMalformed(f"container of {name[:64]!r}, want keywords, each once")
    if not container <= _CONTAINERS:
        raise JsonldUnsupported(f"container of {name[:64]!r}")
    if len(container - {"@set"}) > 1 or container == {"@list", "@set"}:
        raise ContextMalformed(f"container of {name[:64]!r}, which cannot go together")
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
        if not isinstance(value["@prefix"], bool) or ":" in name or "/" in name:
            raise ContextMalformed(f"@prefix of {name[:64]!r}")
        return value["@prefix"]
    return (
        simple
        and iri is not None
        and ":" not in name
        and "/" not in name
        and iri.endswith(_GENERIC_DELIMITERS)
    )
