"""The achievement: what somebody has to know or do, and how it is judged.

No array here has an order that means anything, but for `allowed_value`: a signature covers
sets. The rank of a rubric level is its `level`.
"""

from dataclasses import dataclass, field

from credentials.open_badges.document import read_document
from credentials.open_badges.endorsement import (
    EndorsementDocument,
    IdentifierEntry,
    OpenBadgeMalformed,
    Profile,
)
from credentials.open_badges.resources import Image
from credentials.open_badges.shape import Place
from credentials.open_badges.vocabulary import (
    AchievementType,
    Iri,
    Language,
    ResultType,
    TargetType,
)
from primitives.canonical_json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """How the achievement is earned: a page, words, or both."""

    id: Iri | None = None
    narrative: str | None = None
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """A node of a framework: an outcome, a level, a workload, a quality label."""

    type: tuple[str, ...] = ("Alignment",)
    target_type: TargetType | None = None
    target_name: str
    target_url: Iri
    target_code: str | None = None
    target_framework: str | None = None
    target_description: str | None = None
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricCriterionLevel:
    """One level of a rubric."""

    id: Iri
    type: tuple[str, ...] = ("RubricCriterionLevel",)
    name: str
    level: str | None = None
    """The rank, as a number in text. The position in the array is signed by nobody."""

    points: str | None = None
    description: str | None = None
    alignment: tuple[Alignment, ...] = ()
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultDescription:
    """A kind of result, and which values it may have."""

    id: Iri
    type: tuple[str, ...] = ("ResultDescription",)
    name: str
    result_type: ResultType
    allowed_value: tuple[str, ...] = ()
    """From low to high; the one order that a signature covers."""

    required_level: Iri | None = None
    """Id of the lowest level of `rubric_criterion_level` that passes."""

    required_value: str | None = None
    rubric_criterion_level: tuple[RubricCriterionLevel, ...] = ()
    value_min: str | None = None
    value_max: str | None = None
    alignment: tuple[Alignment, ...] = ()
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another achievement, such as the same one in another language."""

    id: Iri
    type: tuple[str, ...] = ("Related",)
    in_language: Language | None = None
    version: str | None = None
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Achievement:
    """What is recognized, the same for everybody who earns it."""

    id: Iri
    type: tuple[str, ...] = ("Achievement",)
    achievement_type: AchievementType | None = None
    name: str
    version: str | None = None
    in_language: Language | None = None
    """Of the texts here. A translation is an achievement of its own; see `related`."""

    description: str
    criteria: Criteria
    creator: Profile | None = None
    credits_available: int | float | None = None
    field_of_study: str | None = None
    human_code: str | None = None
    specialization: str | None = None
    image: Image | None = None
    alignment: tuple[Alignment, ...] = ()
    result_description: tuple[ResultDescription, ...] = ()
    related: tuple[Related, ...] = ()
    other_identifier: tuple[IdentifierEntry, ...] = ()
    tag: tuple[str, ...] = ()
    endorsement: tuple[EndorsementDocument, ...] = ()
    extra: JsonObject = field(default_factory=dict)


def parse_achievement(document: JsonObject) -> Achievement:
    """Return an Achievement that stands by itself, as in a template.

    Raises:
        OpenBadgeMalformed: The first thing that is not as the official schema has it.
    """
    return read_document(Achievement, Place(document, OpenBadgeMalformed))
