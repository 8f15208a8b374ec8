"""The kinds of text in Open Badges 3.0: identifiers, dates, languages and vocabularies."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from credentials.jsonld.active_context import is_absolute_iri
from credentials.open_badges.shape import Place, show
from primitives.instants import InstantMalformed, parse_instant

_EXTENSION = re.compile(r"ext:[A-Za-z0-9._][A-Za-z0-9._-]*", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The standard's own terms, and `ext:` with a name for everybody else's."""

    terms: frozenset[str]

    def __call__(self, place: Place) -> str:
        """Return a term of the standard or an extension."""
        text = place.text()
        if text not in self.terms and not _EXTENSION.fullmatch(text):
            place.fail(show(text), "a term of Open Badges 3.0, or ext: and a name")
        return text


def _vocabulary(words: str) -> Vocabulary:
    return Vocabulary(frozenset(words.split()))


def _read_iri(place: Place) -> str:
    if not is_absolute_iri(place.text()):
        place.fail(show(place.value), "an absolute IRI")
    return place.text()


def _read_instant(place: Place) -> str:
    try:
        parse_instant(place.text())
    except InstantMalformed as e:
        raise place.refusal(place.path, show(place.value), "a date-time with a zone") from e
    return place.text()


def _read_date(place: Place) -> str:
    try:
        known = _DATE.fullmatch(place.text()) and date.fromisoformat(place.text())
    except ValueError:
        known = None
    if not known:
        place.fail(show(place.value), "a day like 2025-10-13")
    return place.text()


def _read_language(place: Place) -> str:
    if not _LANGUAGE.fullmatch(place.text()):
        place.fail(show(place.value), "a language such as en, fil-PH or zh-Hant-TW")
    return place.text()


Iri = Annotated[str, _read_iri]
"""Absolute. A relative one would have no meaning that a signature could cover."""

Instant = Annotated[str, _read_instant]
"""A date-time with its zone, kept as it is written: 08:00+08:00 and 00:00Z differ."""

Date = Annotated[str, _read_date]
Language = Annotated[str, _read_language]
"""A BCP 47 tag in the spelling of the official schema: fil and fil-PH, not en-ph."""

ACHIEVEMENT_TYPES = _vocabulary(
    "Achievement ApprenticeshipCertificate Assessment Assignment AssociateDegree "
    "Award Badge BachelorDegree Certificate CertificateOfCompletion Certification "
    "CoCurricular CommunityService Competency Course Degree Diploma DoctoralDegree "
    "Fieldwork GeneralEducationDevelopment JourneymanCertificate LearningProgram "
    "License MasterCertificate MasterDegree Membership MicroCredential "
    "ProfessionalDoctorate QualityAssuranceCredential ResearchDoctorate "
    "SecondarySchoolDiploma"
)
TARGET_TYPES = _vocabulary(
    "ceasn:Competency ceterms:Credential CFItem CFRubric CFRubricCriterion "
    "CFRubricCriterionLevel CTDL"
)
RESULT_TYPES = _vocabulary(
    "GradePointAverage LetterGrade Percent PerformanceLevel PredictedScore "
    "RawScore Result RubricCriterion RubricCriterionLevel RubricScore "
    "ScaledScore Status"
)
IDENTIFIER_TYPES = _vocabulary(
    "name sourcedId systemId productId userName accountId emailAddress "
    "nationalIdentityNumber isbn issn lisSourcedId oneRosterSourcedId "
    "sisSourcedId ltiContextId ltiDeploymentId ltiToolId ltiPlatformId ltiUserId "
    "identifier"
)

AchievementType = Annotated[str, ACHIEVEMENT_TYPES]
TargetType = Annotated[str, TARGET_TYPES]
ResultType = Annotated[str, RESULT_TYPES]
IdentifierType = Annotated[str, IDENTIFIER_TYPES]
