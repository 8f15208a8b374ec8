"""The Comprehensive Learner Record, CLR 2.0: several signed credentials in one envelope.

See <https://www.imsglobal.org/spec/clr/v2p0/>. Whoever signs the record vouches for the
collection; each credential inside is as good as its own proof.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from credentials.jsonld.loader import VC_V2
from credentials.open_badges.achievement import Achievement
from credentials.open_badges.badge import IdentityObject
from credentials.open_badges.document import read_document, write_document
from credentials.open_badges.endorsement import (
    OPEN_BADGE_CONTEXT,
    EndorsementDocument,
    Envelope,
    contexts,
)
from credentials.open_badges.resources import Image
from credentials.open_badges.shape import Place, ShapeRefused
from credentials.open_badges.vocabulary import Iri
from primitives.canonical_json import JsonObject

CLR_CONTEXT: Final = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
CLR_CONTEXTS: Final = (VC_V2, CLR_CONTEXT, OPEN_BADGE_CONTEXT)
"""The third defines Profile, IdentityObject and Achievement."""

_CLR_CONTEXTS = re.compile(
    r"https://purl\.imsglobal\.org/spec/clr/v2p0/context(-2\.\d\.\d)*\.json", re.ASCII
)

AssociationType = Literal[
    "exactMatchOf",
    "isChildOf",
    "isParentOf",
    "isPartOf",
    "isPeerOf",
    "isRelatedTo",
    "precedes",
    "replacedBy",
]


class ClrMalformed(ShapeRefused):
    """The document is no CLR 2.0 credential."""

    code = "clr-malformed"


def _read_embedded(place: Place) -> JsonObject:
    """Return a credential as it stands, or its own proof would no longer hold."""
    document = place.json_object()
    if "type" not in document:
        place.fail("no such member", "'type'")
    types = place.member("type", document["type"])
    if "VerifiableCredential" not in [item.value for item in types.items()]:
        types.fail("other types", "'VerifiableCredential' among them")
    return document


CredentialDocument = Annotated[JsonObject, _read_embedded]
"""A whole credential of any kind, proof included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """How one achievement of the record relates to another: source is `type` of target."""

    type: Literal["Association"] = "Association"
    association_type: AssociationType
    source_id: Iri
    target_id: Iri


@dataclass(frozen=True, slots=True, kw_only=True)
class ClrSubject:
    """Whose record it is, and what is in it."""

    id: Iri | None = None
    type: tuple[str, ...] = ("ClrSubject",)
    identifier: tuple[IdentityObject, ...] = ()
    verifiable_credential: tuple[CredentialDocument, ...]
    """In no order. Whether each is about the same subject is not checked here."""

    achievement: tuple[Achievement, ...] = ()
    """Achievements that associations speak of and no credential here asserts."""

    association: tuple[Association, ...] = ()
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clr(Envelope):
    """A learner record."""

    context: Annotated[tuple[str | JsonObject, ...], contexts(_CLR_CONTEXTS)] = CLR_CONTEXTS
    type: tuple[str, ...] = ("VerifiableCredential", "ClrCredential")
    name: str
    image: Image | None = None
    partial: bool | None = None
    """Whether the issuer has more on record of this learner than stands here."""

    credential_subject: ClrSubject
    endorsement: tuple[EndorsementDocument, ...] = ()


def parse_clr(document: JsonObject) -> Clr:
    """Return a CLR 2.0 credential; its proof is neither read nor kept.

    The credentials inside are kept as they are, their proofs included, and none of them is
    verified. `parse_open_badge` gives the fields of those that are badges.

    Raises:
        ClrMalformed: The first thing that is not as the standard has it.
    """
    return read_document(Clr, Place(document, ClrMalformed))


def build_clr(clr: Clr) -> JsonObject:
    """Return the unsigned document, which `parse_clr` reads as `clr` again.

    The credentials inside are shared with the result: change none, or their proofs break.

    Raises:
        ClrMalformed: A field holds what no CLR may hold.
        ValueError: `extra` holds a member that has a field, or a proof.
    """
    return write_document(clr, ClrMalformed)


def children_of(clr: Clr, achievement: str) -> frozenset[str]:
    """Return the ids of the achievements that the record puts directly under this one."""
    ends = set()
    for association in clr.credential_subject.association:
        source, target = association.source_id, association.target_id
        if association.association_type == "isChildOf":
            ends.add((source, target))
        elif association.association_type == "isParentOf":
            ends.add((target, source))
    return frozenset(child for child, parent in ends if parent == achievement)
