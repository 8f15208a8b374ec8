"""Who issues, what every credential has in common, and the endorsement of another thing.

One module, because a profile may carry endorsements and an endorsement has an issuer.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal

from credentials.jsonld.loader import VC_V2
from credentials.open_badges.document import read_document, write_document
from credentials.open_badges.resources import Image, RelatedResource
from credentials.open_badges.shape import Place, ShapeRefused, show
from credentials.open_badges.vocabulary import Date, IdentifierType, Instant, Iri
from primitives.canonical_json import JsonObject

OPEN_BADGE_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
"""Defines the type of `credentialSchema`; without it that type has no meaning."""

CONTEXTS = (VC_V2, OPEN_BADGE_CONTEXT, EXTENSIONS_CONTEXT)

_OPEN_BADGE_CONTEXTS = re.compile(
    r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)*\.json", re.ASCII
)


class OpenBadgeMalformed(ShapeRefused):
    """The document is no Open Badges 3.0 credential, endorsement or part of one."""

    code = "open-badge-malformed"


def contexts(second: re.Pattern[str]) -> Callable[[Place], tuple[object, ...]]:
    """Return a reader of `@context`: the data model, then what `second` matches."""

    def read(place: Place) -> tuple[object, ...]:
        entries = place.items()
        if entries[0].value != VC_V2:
            entries[0].fail(show(entries[0].value), VC_V2)
        found = entries[1].value if len(entries) > 1 else None
        if not isinstance(found, str) or not second.fullmatch(found):
            place.item(1, found).fail(show(found), f"a match of {second.pattern}")
        for entry in entries[2:]:
            if not isinstance(entry.value, str | dict):
                entry.fail(show(entry.value), "a URL or an object")
        return tuple(entry.value for entry in entries)

    return read


def _read_embedded(place: Place) -> JsonObject:
    # Kept as it stands, or its own proof would no longer hold.
    read_document(Endorsement, place)
    return place.json_object()


EndorsementDocument = Annotated[JsonObject, _read_embedded]
"""A whole EndorsementCredential, proof included; `parse_endorsement` gives its fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedReference:
    """Something that says where it is and how to read it, such as `credentialStatus`."""

    id: Iri | None = None
    type: str
    extra: JsonObject = field(default_factory=dict)
    """Members that the type defines, such as `statusListIndex`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoCoordinates:
    """A point on earth, in degrees."""

    type: Literal["GeoCoordinates"] = "GeoCoordinates"
    latitude: int | float
    longitude: int | float
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address."""

    type: tuple[str, ...] = ("Address",)
    address_country: str | None = None
    address_country_code: str | None = None
    """ISO 3166-1."""

    address_region: str | None = None
    address_locality: str | None = None
    street_address: str | None = None
    post_office_box_number: str | None = None
    postal_code: str | None = None
    geo: GeoCoordinates | None = None
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierEntry:
    """An identifier that another system gave."""

    type: Literal["IdentifierEntry"] = "IdentifierEntry"
    identifier: str
    identifier_type: IdentifierType


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A person or an organization. All but the id is what it says of itself."""

    id: Iri
    type: tuple[str, ...] = ("Profile",)
    name: str | None = None
    url: Iri | None = None
    phone: str | None = None
    description: str | None = None
    endorsement: tuple[EndorsementDocument, ...] = ()
    image: Image | None = None
    email: str | None = None
    address: Address | None = None
    other_identifier: tuple[IdentifierEntry, ...] = ()
    official: str | None = None
    """Name of the person who signs on paper for an organization."""

    parent_org: "Profile | None" = None
    family_name: str | None = None
    given_name: str | None = None
    additional_name: str | None = None
    patronymic_name: str | None = None
    honorific_prefix: str | None = None
    honorific_suffix: str | None = None
    family_name_prefix: str | None = None
    date_of_birth: Date | None = None
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a credential says beside its subject. Proofs are not part of it."""

    context: Annotated[tuple[str | JsonObject, ...], contexts(_OPEN_BADGE_CONTEXTS)] = (
        CONTEXTS
    )
    id: Iri
    type: tuple[str, ...] = ("VerifiableCredential",)
    description: str | None = None
    issuer: Profile | Iri
    valid_from: Instant
    valid_until: Instant | None = None
    awarded_date: Instant | None = None
    """First award; a corrected credential has a later `valid_from` and the same award."""

    related_resource: tuple[RelatedResource, ...] = ()
    credential_status: TypedReference | None = None
    """One at most: the official schema takes no list."""

    credential_schema: tuple[TypedReference, ...] = ()
    refresh_service: TypedReference | None = None
    terms_of_use: tuple[TypedReference, ...] = ()
    extra: JsonObject = field(default_factory=dict)

    @property
    def issuer_id(self) -> str:
        """DID or other URL of the issuer; a claim until a proof is checked."""
        return self.issuer if isinstance(self.issuer, str) else self.issuer.id


@dataclass(frozen=True, slots=True, kw_only=True)
class EndorsementSubject:
    """What is endorsed, and what the endorser says of it."""

    id: Iri
    """Id of an achievement, a profile or a credential."""

    type: tuple[str, ...] = ("EndorsementSubject",)
    endorsement_comment: str | None = None
    extra: JsonObject = field(default_factory=dict)
    """A recognition decision, for example, whose terms an inline context defines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsement(Envelope):
    """An EndorsementCredential: what its issuer says of something that it did not issue.

    Where a credential is endorsed, `related_resource` pins the document that was seen.
    """

    type: tuple[str, ...] = ("VerifiableCredential", "EndorsementCredential")
    name: str
    credential_subject: EndorsementSubject


def parse_endorsement(document: JsonObject) -> Endorsement:
    """Return an EndorsementCredential; its proof is neither read nor kept.

    Raises:
        OpenBadgeMalformed: The first thing that is not as the official schema has it.
    """
    return read_document(Endorsement, Place(document, OpenBadgeMalformed))


def build_endorsement(endorsement: Endorsement) -> JsonObject:
    """Return the unsigned document; see `build_open_badge`."""
    return write_document(endorsement, OpenBadgeMalformed)


def parse_profile(document: JsonObject) -> Profile:
    """Return a Profile that stands by itself.

    Raises:
        OpenBadgeMalformed: The first thing that is not as the official schema has it.
    """
    return read_document(Profile, Place(document, OpenBadgeMalformed))
