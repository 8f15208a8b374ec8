"""The parts of a template beside the achievement and the rating rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from credentials.registrar_columns import PRIVATE, is_column
from credentials.status_list import PURPOSES, REVOCATION
from credentials.template_fields import Field
from primitives.canonical_json import JsonObject

PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)(\??)\}", re.ASCII)
COMPUTED = ("raters", "spread")
"""Placeholders of the evidence narrative that are no columns."""

_DID = re.compile(r"did:[a-z0-9]+:\S+", re.ASCII)
_PERIOD = re.compile(
    r"P(?=\d)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?", re.ASCII
)
_MONTHS = 12
_MAX_DAYS = 36_525


@dataclass(frozen=True, slots=True)
class Approval:
    """Who has to agree before a batch is signed."""

    role: str
    count: int


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time in calendar terms."""

    months: int
    days: int


@dataclass(frozen=True, slots=True)
class Policy:
    """What the issuing office has to do around a batch."""

    status_list: str

    status_purpose: str
    """One of `PURPOSES`: Open Badges allows one status entry in a credential."""

    approvals: tuple[Approval, ...]
    lint_profiles: tuple[str, ...]
    print_on_paper: bool

    valid_for: Period | None
    """From `validFrom`; None for a credential that does not expire."""


@dataclass(frozen=True, slots=True)
class SubjectRule:
    """Where the subject's properties come from."""

    name: str
    """Pattern: `{column}` must have text, `{column?}` may be empty."""

    wallet_column: str
    """Column of the holder's DID, or empty."""

    dates: tuple[tuple[str, str, bool], ...]
    """Property, column, and whether every row must have it."""

    role: str
    """Text for every credential, or empty."""


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """The words around the counts."""

    name: str
    genre: str

    narrative: str
    """Pattern as `SubjectRule.name`, with `{raters}` and `{spread}` beside the columns."""


_DEFAULT_EVIDENCE = EvidenceRule(
    name="Rating record",
    genre="Rating by several roles",
    narrative="Raters: {raters}. Spread: {spread}. Moderation: not needed.",
)


def optional_text(members: Mapping[str, Field], name: str, default: str = "") -> str:
    """Return a member that may be absent."""
    return members[name].text() if name in members else default


def read_did(field: Field) -> str:
    """Return a DID of any method."""
    if not _DID.fullmatch(field.text()):
        field.fail(f'"{field.text()[:80]}"', "a DID")
    return field.text()


def read_profile(field: Field | None) -> JsonObject:
    """Return the issuer's Profile members; id and type belong to the issuing node."""
    if field is None:
        return {}
    members = field.closed(
        required="name", optional="url description email phone address parentOrg"
    )
    members["name"].text()
    if "address" in members:
        members["address"].members()
    return field.json_object()


def read_subject(field: Field) -> SubjectRule:
    """Return `subjectFrom`."""
    members = field.closed(
        required="name", optional="id activityStartDate activityEndDate role"
    )
    wallet = optional_text(members, "id")
    if wallet not in ("", "did?"):
        members["id"].fail(f'"{wallet}"', '"did?": the holder\'s DID, where there is one')
    dates = []
    for name in ("activityStartDate", "activityEndDate"):
        if name in members:
            column = members[name].text().removesuffix("?")
            if column not in ("started_on", "completed_on", "awarded_on"):
                members[name].fail(f'"{column}"', "started_on, completed_on or awarded_on")
            dates.append((name, column, column == members[name].text()))
    return SubjectRule(
        name=_pattern(members["name"]),
        wallet_column=wallet.removesuffix("?"),
        dates=tuple(dates),
        role=optional_text(members, "role"),
    )


def _pattern(field: Field, computed: tuple[str, ...] = ()) -> str:
    """Return a pattern that names only columns which may be shown."""
    text = field.text()
    for name, _ in PLACEHOLDER.findall(text):
        if name in PRIVATE:
            field.fail(f"{{{name}}}", "no column that identifies a person to outsiders")
        if not is_column(name) and name not in computed:
            field.fail(f"{{{name}}}", "a column of a registrar's file")
    if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        field.fail("a brace outside a placeholder", "{column} or {column?}")
    return text


def read_evidence(field: Field | None, *, rated: bool) -> EvidenceRule | None:
    """Return `evidence`; a template that combines ratings always states their counts."""
    if field is None:
        return _DEFAULT_EVIDENCE if rated else None
    members = field.closed(required="name narrative", optional="genre")
    return EvidenceRule(
        name=members["name"].text(),
        genre=optional_text(members, "genre"),
        narrative=_pattern(members["narrative"], COMPUTED if rated else ()),
    )


def read_policy(field: Field) -> Policy:
    """Return `policy`."""
    members = field.closed(
        required="statusList approvals", optional="statusPurpose lintProfile print validFor"
    )
    purpose = optional_text(members, "statusPurpose", REVOCATION)
    if purpose not in PURPOSES:
        members["statusPurpose"].fail(f'"{purpose[:40]}"', "revocation or suspension")
    approvals = []
    for item in members["approvals"].items():
        approval = item.closed(required="role count")
        approvals.append(Approval(approval["role"].text(), approval["count"].whole(1, 20)))
    profiles = members["lintProfile"].items() if "lintProfile" in members else ()
    return Policy(
        status_list=members["statusList"].text(),
        status_purpose=purpose,
        approvals=tuple(approvals),
        lint_profiles=tuple(item.text() for item in profiles),
        print_on_paper=members["print"].boolean() if "print" in members else False,
        valid_for=_read_period(members.get("validFor")),
    )


def _read_period(field: Field | None) -> Period | None:
    if field is None or field.value is None:
        return None
    if isinstance(field.value, int):
        return Period(months=0, days=field.whole(1, _MAX_DAYS))
    match = _PERIOD.fullmatch(field.text())
    if match is None:
        field.fail(f'"{field.text()[:40]}"', "days, or a duration such as P5Y or P6M")
    years, months, weeks, days = (int(part or 0) for part in match.groups())
    period = Period(months=years * _MONTHS + months, days=weeks * 7 + days)
    if not 0 < period.months * 31 + period.days <= _MAX_DAYS:
        field.fail(f'"{field.text()[:40]}"', "over nothing and under a century")
    return period
