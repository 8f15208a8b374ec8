"""The Open Badges 3.0 credential as a value: read strictly, and built to be signed.

See <https://www.imsglobal.org/spec/ob/v3p0/>, whose names the fields have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from credentials.open_badges.achievement import Achievement, Alignment
from credentials.open_badges.document import read_document, write_document
from credentials.open_badges.endorsement import (
    EndorsementDocument,
    Envelope,
    OpenBadgeMalformed,
    Profile,
)
from credentials.open_badges.resources import Image
from credentials.open_badges.shape import Place
from credentials.open_badges.vocabulary import IdentifierType, Instant, Iri
from primitives.canonical_json import JsonObject

ResultStatus = Literal[
    "Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one person reached."""

    type: tuple[str, ...] = ("Result",)
    result_description: Iri | None = None
    """Id of a result description of the same achievement."""

    achieved_level: Iri | None = None
    """Id of a level of that description's rubric."""

    value: str | None = None
    status: ResultStatus | None = None
    alignment: tuple[Alignment, ...] = ()
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the judgement rests on."""

    id: Iri | None = None
    type: tuple[str, ...] = ("Evidence",)
    name: str | None = None
    genre: str | None = None
    narrative: str | None = None
    description: str | None = None
    audience: str | None = None
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityObject:
    """Who the subject is, in clear or as a salted hash."""

    type: Literal["IdentityObject"] = "IdentityObject"
    hashed: bool
    identity_hash: str
    """The identity itself where `hashed` is false."""

    identity_type: IdentifierType
    salt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AchievementSubject:
    """Who earned the achievement, and how."""

    id: Iri | None = None
    type: tuple[str, ...] = ("AchievementSubject",)
    identifier: tuple[IdentityObject, ...] = ()
    activity_start_date: Instant | None = None
    activity_end_date: Instant | None = None
    credits_earned: int | float | None = None
    role: str | None = None
    term: str | None = None
    license_number: str | None = None
    narrative: str | None = None
    source: Profile | None = None
    """Who assessed."""

    image: Image | None = None
    achievement: Achievement
    result: tuple[Result, ...] = ()
    extra: JsonObject = field(default_factory=dict)


def _read_types(place: Place) -> tuple[str, ...]:
    names = tuple(item.text() for item in place.items())
    if "VerifiableCredential" not in names:
        place.fail("other types", "'VerifiableCredential' among them")
    if not {"OpenBadgeCredential", "AchievementCredential"} & set(names):
        place.fail("other types", "'OpenBadgeCredential' or its synonym among them")
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBadge(Envelope):
    """One achievement of one person, as its issuer asserts it."""

    type: Annotated[tuple[str, ...], _read_types] = (
        "VerifiableCredential",
        "OpenBadgeCredential",
    )
    name: str | None = None
    image: Image | None = None
    credential_subject: AchievementSubject
    evidence: tuple[Evidence, ...] = ()
    endorsement: tuple[EndorsementDocument, ...] = ()


def parse_open_badge(document: JsonObject) -> OpenBadge:
    """Return an Open Badges 3.0 credential; its proof is neither read nor kept.

    Says nothing about who signed, and nothing about whether the results make sense; see
    `credentials.data_integrity` and `check_open_badge`.

    Raises:
        OpenBadgeMalformed: The first thing that is not as the official schema has it.
    """
    return read_document(OpenBadge, Place(document, OpenBadgeMalformed))


def build_open_badge(badge: OpenBadge) -> JsonObject:
    """Return the unsigned document, which `parse_open_badge` reads as `badge` again.

    Members of `extra` stand where they stood. Whether a context defines them is found out
    when the document is signed: `add_proof` refuses what no signature would cover.
    Embedded endorsements are shared with the result: change none.

    Raises:
        OpenBadgeMalformed: A field holds what no Open Badges credential may hold.
        ValueError: `extra` holds a member that has a field, or a proof.
    """
    return write_document(badge, OpenBadgeMalformed)


def unpinned_images(badge: OpenBadge) -> frozenset[str]:
    """Return the URLs of images that their server could exchange under the signature."""
    pinned = {resource.id for resource in badge.related_resource}
    shown = {image.id for image in _images(badge) if image is not None}
    return frozenset(url for url in shown - pinned if not url.lower().startswith("data:"))


def _images(badge: OpenBadge) -> Iterator[Image | None]:
    subject = badge.credential_subject
    yield from (badge.image, subject.image, subject.achievement.image)
    issuer = None if isinstance(badge.issuer, str) else badge.issuer
    pending = [issuer, subject.source, subject.achievement.creator]
    while pending:
        profile = pending.pop()
        if profile is not None:
            yield profile.image
            pending.append(profile.parent_org)
