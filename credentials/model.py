"""The VC Data Model: what a credential must look like before anything else is asked of it.

Versions 2.0 (<https://www.w3.org/TR/vc-data-model-2.0/>) and 1.1 are read. The rules here
are about form alone; whether a signature holds is `credentials.data_integrity`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from credentials.jsonld.active_context import is_absolute_iri
from credentials.jsonld.loader import DATA_INTEGRITY_V2, STATUS_V1, VC_V1, VC_V2
from primitives.canonical_json import Json, JsonObject
from primitives.errors import Rejected
from primitives.instants import InstantMalformed, parse_instant

_SCHEMES: Final = frozenset(
    ("did", "urn", "https", "http", "ipfs", "tag", "mailto", "data", "ni")
)
_LANGUAGE_MEMBERS = frozenset({"@value", "@language", "@direction"})


class StructureInvalid(Rejected):
    """The document parses, and breaks a rule of the data model."""

    code = "structure-invalid"

    CODES: Final = (
        "context-missing",
        "type-missing",
        "id-malformed",
        "issuer-malformed",
        "subject-missing",
        "datetime-malformed",
        "period-invalid",
        "text-malformed",
        "status-malformed",
        "typed-object-malformed",
        "related-resource-malformed",
        "related-resource-mismatch",
    )
    """Each broken rule has its own code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class StatusEntry(NamedTuple):
    """One entry of `credentialStatus`, by form alone."""

    type: str
    members: JsonObject


@dataclass(frozen=True, slots=True)
class Credential:
    """What every check needs to know of a credential, typed."""

    document: JsonObject
    """The whole document, proof included, exactly as it was read."""

    id: str | None
    types: tuple[str, ...]
    issuer: str
    """The issuer's id: a DID or another URL. A claim until its key is checked."""

    issuer_name: str | None
    """What the issuer calls itself. Anyone can write anything here."""

    name: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    statuses: tuple[StatusEntry, ...]

    unknown_resources: int
    """Entries of `relatedResource` whose digest could be compared with nothing."""


def parse_credential(document: JsonObject) -> Credential:
    """Return `document` as a typed credential.

    Raises:
        StructureInvalid: With the code of the first rule that it breaks.
    """
    modern = _check_context(document.get("@context"))
    types = _check_types(document)
    _check_id(document.get("id"), "id", optional=True)
    issuer, issuer_name = check_issuer(document.get("issuer"))
    _check_subjects(document.get("credentialSubject"))
    for name in ("name", "description"):
        _check_text(document.get(name), name)
    start, end = _check_period(document, modern=modern)
    for name, needs_id in _TYPED_OBJECTS:
        _check_typed(document.get(name), name, needs_id=needs_id)
    return Credential(
        document=document,
        id=_text_or_none(document.get("id")),
        types=types,
        issuer=issuer,
        issuer_name=issuer_name,
        name=_display_name(document),
        valid_from=start,
        valid_until=end,
        statuses=_check_statuses(document.get("credentialStatus")),
        unknown_resources=_check_related(document.get("relatedResource")),
    )


_OPEN_BADGE_TYPES = frozenset(
    {"OpenBadgeCredential", "AchievementCredential", "EndorsementCredential"}
)


def is_open_badge(document: Mapping[str, Json]) -> bool:
    """Tell whether `document` says that it is an Open Badges 3.0 credential."""
    types = document.get("type")
    names = types if isinstance(types, list) else [types]
    return any(name in _OPEN_BADGE_TYPES for name in names if isinstance(name, str))


def with_issuing_contexts(document: Mapping[str, Json]) -> JsonObject:
    """Return `document` with the contexts that its status and proof will need.

    Version 2 has all of them. Version 1.1 knows neither a DataIntegrityProof nor a
    bitstring status list, so their contexts are added at the end.
    """
    contexts = document.get("@context")
    entries = contexts if isinstance(contexts, list) else [contexts]
    if entries[:1] != [VC_V1]:
        return dict(document)
    missing = [url for url in (STATUS_V1, DATA_INTEGRITY_V2) if url not in entries]
    return {**document, "@context": [*entries, *missing]}


_TYPED_OBJECTS = (
    ("credentialSchema", True),
    ("refreshService", False),
    ("termsOfUse", False),
    ("evidence", False),
)


def _check_context(value: Json) -> bool:
    """Return whether this is version 2; 4.3 of the data model."""
    entries = value if isinstance(value, list) else [value]
    first = entries[0] if entries else None
    if first not in (VC_V2, VC_V1):
        found = str(first)[:80] if first is not None else "none"
        raise StructureInvalid(
            "context-missing", f"found first context {found}, want {VC_V2}"
        )
    return first == VC_V2


def _check_types(document: JsonObject) -> tuple[str, ...]:
    # 4.5.
    types = document.get("type")
    entries = types if isinstance(types, list) else [types]
    if "VerifiableCredential" not in entries:
        raise StructureInvalid("type-missing", "want VerifiableCredential among the types")
    names = tuple(entry for entry in entries if isinstance(entry, str) and entry)
    if len(names) != len(entries):
        raise StructureInvalid("type-missing", "every type must be a text")
    return names


def _check_id(value: Json, where: str, *, optional: bool) -> None:
    # 4.4: one absolute URL.
    if value is None and optional:
        return
    if not isinstance(value, str) or not _is_url(value):
        raise StructureInvalid(
            "id-malformed", f"found {where} {str(value)[:80]!r}, want one absolute URL"
        )


def _is_url(value: str) -> bool:
    scheme, _, rest = value.partition(":")
    return scheme.lower() in _SCHEMES and rest != "" and is_absolute_iri(value)


def check_issuer(value: Json) -> tuple[str, str | None]:
    """Return the id of an `issuer` member, and the name that it gives itself.

    Raises:
        StructureInvalid: `issuer-malformed` or `text-malformed`; section 4.7.
    """
    issuer = value.get("id") if isinstance(value, dict) else value
    if not isinstance(issuer, str) or not _is_url(issuer):
        raise StructureInvalid(
            "issuer-malformed", f"found issuer {str(issuer)[:80]!r}, want one absolute URL"
        )
    if isinstance(value, dict):
        for name in ("name", "description"):
            _check_text(value.get(name), f"issuer.{name}")
        return issuer, _plain(value.get("name"))
    return issuer, None


def _check_subjects(value: Json) -> None:
    # 4.8: one or more non-empty objects.
    subjects = value if isinstance(value, list) else [value]
    if not subjects:
        raise StructureInvalid("subject-missing", "credentialSubject is empty")
    for subject in subjects:
        if not isinstance(subject, dict) or not subject:
            raise StructureInvalid(
                "subject-missing", "want credentialSubject objects with claims"
            )
        _check_id(subject.get("id"), "credentialSubject.id", optional=True)


def _check_text(value: Json, where: str) -> None:
    # 11.1: plain text, or one or more language-value objects.
    for item in value if isinstance(value, list) else [value]:
        if item is None or isinstance(item, str):
            continue
        if not isinstance(item, dict) or not {"@value"} <= item.keys() <= _LANGUAGE_MEMBERS:
            raise StructureInvalid(
                "text-malformed", f"{where} is no text or language value"
            )
        if not all(isinstance(member, str) for member in item.values()):
            raise StructureInvalid(
                "text-malformed", f"{where} holds a value that is no text"
            )


def _check_period(
    document: JsonObject, *, modern: bool
) -> tuple[datetime | None, datetime | None]:
    # 4.9; version 1.1 names the same two instants otherwise.
    names = ("validFrom", "validUntil") if modern else ("issuanceDate", "expirationDate")
    if not modern and names[0] not in document:
        raise StructureInvalid("datetime-malformed", "issuanceDate is missing")
    start, end = (_check_instant(document.get(name), name) for name in names)
    if start is not None and end is not None and end < start:
        raise StructureInvalid("period-invalid", f"{names[1]} is before {names[0]}")
    return start, end


def _check_instant(value: Json, where: str) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise StructureInvalid("datetime-malformed", f"{where} is no text")
    try:
        return parse_instant(value)
    except InstantMalformed as e:
        raise StructureInvalid("datetime-malformed", f"{where}: {e}") from e


def _check_statuses(value: Json) -> tuple[StatusEntry, ...]:
    # 4.10.
    if value is None:
        return ()
    entries = []
    for entry in value if isinstance(value, list) else [value]:
        kind = entry.get("type") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(kind, str):
            raise StructureInvalid(
                "status-malformed", "every credentialStatus needs one type"
            )
        _check_id(entry.get("id"), "credentialStatus.id", optional=True)
        entries.append(StatusEntry(kind, entry))
    ids = [entry.members["id"] for entry in entries if entry.members.get("id")]
    if len(set(ids)) != len(ids):
        # RDF would make one thing of the two, with the members of either.
        raise StructureInvalid("status-malformed", "two credentialStatus share one id")
    return tuple(entries)


def _check_typed(value: Json, where: str, *, needs_id: bool) -> None:
    # 4.11, 5.4 to 5.6: each of these objects says what it is.
    for item in value if isinstance(value, list) else [value]:
        if item is None:
            continue
        kinds = item.get("type") if isinstance(item, dict) else None
        names = kinds if isinstance(kinds, list) else [kinds]
        if not names or not all(isinstance(name, str) and name for name in names):
            raise StructureInvalid("typed-object-malformed", f"{where} needs a type")
        if isinstance(item, dict) and (needs_id or "id" in item):
            _check_id(item.get("id"), f"{where}.id", optional=False)


def _check_related(value: Json) -> int:
    # 5.3.
    if value is None:
        return 0
    from credentials.related_resources import (  # noqa: PLC0415 - few have any
        RelatedResourceMalformed,
        RelatedResourceMismatch,
        check_related_resources,
    )

    try:
        return check_related_resources(value)
    except (RelatedResourceMalformed, RelatedResourceMismatch) as e:
        raise StructureInvalid(e.code, str(e)) from e


def _display_name(document: JsonObject) -> str | None:
    """Return what people call this credential: its name, or its achievement's.

    Of several subjects none is the first: no signature covers their order.
    """
    subject = document.get("credentialSubject")
    only = subject[0] if isinstance(subject, list) and len(subject) == 1 else subject
    achievement = only.get("achievement") if isinstance(only, dict) else None
    inner = achievement.get("name") if isinstance(achievement, dict) else None
    return _plain(document.get("name")) or _plain(inner)


def _plain(value: Json) -> str | None:
    if isinstance(value, list) and value:
        # In several languages: whichever it is, it must not depend on the order.
        return min((text for text in map(_plain, value) if text), default=None)
    if isinstance(value, dict):
        return _text_or_none(value.get("@value"))
    return _text_or_none(value)


def _text_or_none(value: Json) -> str | None:
    return value if isinstance(value, str) else None
