"""A provider's template and one row of a registrar's file to an unsigned credential.

A template is written once by the office that defines a micro-credential and used by the
node of every office that awards it: the issuing node's DID stands in for the template's.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from credentials.ratings import (
    Assessment,
    ResultRule,
    assess,
    read_result_rules,
    read_scales,
)
from credentials.registrar import Finding, Row
from credentials.registrar_cells import Severity
from credentials.template_fields import Field
from credentials.template_parts import (
    COMPUTED,
    PLACEHOLDER,
    EvidenceRule,
    Period,
    Policy,
    SubjectRule,
    optional_text,
    read_did,
    read_evidence,
    read_policy,
    read_profile,
    read_subject,
)
from primitives.canonical_json import JsonObject
from primitives.errors import Rejected
from primitives.instants import format_instant

CONTEXTS = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
)
"""The third defines the type of `credentialSchema`; without it that type has no meaning."""

SCHEMA = (
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/"
    "ob_v3p0_achievementcredential_schema.json"
)

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_SLUG_CHARACTERS = 64
_URN_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_MONTHS = 12
_SHORTEST_TELLING_REF = 6
"""A shorter learner number may stand in a text by chance, as in "Raters: 1 self"."""


class RowNotIssuable(Rejected):
    """The row does not meet the template's rules; `findings` lists each reason."""

    code = "row-not-issuable"

    def __init__(self, row: int, findings: tuple[Finding, ...]) -> None:
        codes = ", ".join(finding.code for finding in findings)
        super().__init__(f"row {row}: found {codes}, want a row that meets every rule")
        self.findings = findings


@dataclass(frozen=True, slots=True)
class CredentialTemplate:
    """One version of one micro-credential; a published version never changes."""

    template_id: str
    """Slug of at most 64 characters."""

    version: str

    issuer: str
    """DID of the office that wrote the template."""

    source: str
    """DID of the assessor; the template's issuer where none is named."""

    issuer_profile: JsonObject
    """Open Badges Profile members of the issuer, without id and type."""

    description: str
    """Of the credential; the achievement has its own. May be empty."""

    achievement: JsonObject
    """The Open Badges Achievement, as it will stand in every credential."""

    subject: SubjectRule
    results: tuple[ResultRule, ...]

    evidence: EvidenceRule | None
    """None where the template combines no ratings and describes no evidence."""

    policy: Policy


def parse_template(value: JsonObject) -> CredentialTemplate:
    """Return the template that `value` describes.

    Raises:
        TemplateMalformed: A member is missing, unknown or not what it should be; the
            message starts with its JSON path.
    """
    members = Field(value).closed(
        required="templateId version issuer achievement subjectFrom policy",
        optional="source issuerProfile description resultFrom evidence",
    )
    Field(value).refuse_unclean_text()
    template_id, version = members["templateId"], members["version"].text()
    if len(template_id.text()) > _SLUG_CHARACTERS or not _SLUG.fullmatch(
        template_id.text()
    ):
        template_id.fail(f'"{template_id.text()[:80]}"', "a slug of at most 64 characters")
    achievement = _read_achievement(members["achievement"], version)
    results: tuple[ResultRule, ...] = ()
    if "resultFrom" in members:
        scales = read_scales(members["achievement"])
        results = read_result_rules(members["resultFrom"], scales)
    rated = any(rule.weights for rule in results)
    issuer = read_did(members["issuer"])
    return CredentialTemplate(
        template_id=template_id.text(),
        version=version,
        issuer=issuer,
        source=read_did(members["source"]) if "source" in members else issuer,
        issuer_profile=read_profile(members.get("issuerProfile")),
        description=optional_text(members, "description"),
        achievement=achievement,
        subject=read_subject(members["subjectFrom"]),
        results=results,
        evidence=read_evidence(members.get("evidence"), rated=rated),
        policy=read_policy(members["policy"]),
    )


def _read_achievement(field: Field, version: str) -> JsonObject:
    members = field.members()
    for name in ("id", "type", "name", "description", "criteria"):
        if name not in members:
            field.fail("no such member", f'"{name}"')
    for name in ("id", "name", "description"):
        members[name].text()
    members["criteria"].members()
    if "Achievement" not in [item.value for item in members["type"].items()]:
        members["type"].fail("other types", '"Achievement" among them')
    # A credential shows the achievement's version and the records the template's.
    if "version" in members and members["version"].text() != version:
        members["version"].fail(f'"{members["version"].text()}"', f'"{version}" as above')
    return field.json_object()


def check_row(template: CredentialTemplate, row: Row) -> tuple[Finding, ...]:
    """Return why `template` cannot be issued for `row`; empty if it can."""
    return (*_column_findings(template, row), *assess(template.results, row).findings)


def _column_findings(template: CredentialTemplate, row: Row) -> tuple[Finding, ...]:
    patterns = [template.subject.name]
    if template.evidence is not None:
        patterns.append(template.evidence.narrative)
    wanted = [
        name
        for pattern in patterns
        for name, optional in PLACEHOLDER.findall(pattern)
        if not optional and name not in COMPUTED
    ]
    wanted += [column for _, column, needed in template.subject.dates if needed]
    wanted.append(_award_column(row))
    missing = [c for c in dict.fromkeys(wanted) if not row.values.get(c)]
    findings = [
        _error(row, column, "required-cell-empty", f"found nothing, want {column}")
        for column in missing
    ]
    ref = row.values.get("learner_ref", "")
    if len(ref) >= _SHORTEST_TELLING_REF:
        shown = [_fill(pattern, row.values) for pattern in patterns]
        shown.append(row.values.get("did", ""))
        if any(ref in text for text in shown):
            detail = "found the learner number in text that the credential would show"
            findings.append(_error(row, "learner_ref", "learner-number-shown", detail))
    return tuple(findings)


def _error(row: Row, column: str, code: str, detail: str) -> Finding:
    return Finding(row.number, column, code, Severity.ERROR, detail)


def build_credential(
    template: CredentialTemplate,
    row: Row,
    *,
    credential_id: str,
    issuer_did: str,
    issued_at: datetime,
    status_entry: JsonObject | None,
) -> JsonObject:
    """Return the unsigned Open Badges credential of `row`.

    Parts of the template are shared with the result: add members to it, and change none.

    Args:
        template: What is awarded.
        row: From `RegistrarFile.rows`, never from `held`.
        credential_id: `urn:uuid:` and a random UUID, never a number that identifies.
        issuer_did: DID of the node that will sign.
        issued_at: Becomes `validFrom`, in whole seconds.
        status_entry: The `credentialStatus` object, or None for no revocation.

    Raises:
        RowNotIssuable: The row breaks a rule of the template, or its award lies after
            `issued_at`.
    """
    if not _URN_UUID.fullmatch(credential_id):
        raise ValueError("credential_id must be urn:uuid: and a lower-case UUID")
    assessment = assess(template.results, row)
    findings = (*_column_findings(template, row), *assessment.findings)
    awarded = _midnight(row.values.get(_award_column(row), ""))
    valid_from = format_instant(issued_at)
    if not findings and awarded > valid_from:
        detail = f"found an award at {awarded}, want it not after issuing at {valid_from}"
        findings = (_error(row, _award_column(row), "award-after-issue", detail),)
    if findings:
        raise RowNotIssuable(row.number, findings)
    credential: JsonObject = {
        "@context": list(CONTEXTS),
        "id": credential_id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": template.achievement["name"],
        "issuer": {"id": issuer_did, "type": ["Profile"], **template.issuer_profile},
        "validFrom": valid_from,
        "awardedDate": awarded,
        "credentialSubject": _subject(template, row, issuer_did, assessment),
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }
    if template.description:
        credential["description"] = template.description
    if template.policy.valid_for is not None:
        credential["validUntil"] = _until(issued_at, template.policy.valid_for)
    if template.evidence is not None:
        credential["evidence"] = [_evidence(template.evidence, row, assessment)]
    if status_entry is not None:
        credential["credentialStatus"] = status_entry
    return credential


def _subject(
    template: CredentialTemplate, row: Row, issuer_did: str, assessment: Assessment
) -> JsonObject:
    rule = template.subject
    subject: JsonObject = {
        "type": ["AchievementSubject"],
        # The first identifier: wallets show it as the recipient.
        "identifier": [
            {
                "type": "IdentityObject",
                "hashed": False,
                "identityHash": _fill(rule.name, row.values),
                "identityType": "name",
            }
        ],
        "source": _source(template, issuer_did),
        "achievement": template.achievement,
    }
    wallet = row.values.get(rule.wallet_column)
    if wallet:
        subject["id"] = wallet
    for name, column, _ in rule.dates:
        if column in row.values:
            subject[name] = _midnight(row.values[column])
    if rule.role:
        subject["role"] = rule.role
    if assessment.results:
        subject["result"] = list(assessment.results)
    return subject


def _source(template: CredentialTemplate, issuer_did: str) -> JsonObject:
    """Return who assessed: the issuing office, unless the template names another."""
    if template.source != template.issuer:
        return {"id": template.source, "type": ["Profile"]}
    source: JsonObject = {"id": issuer_did, "type": ["Profile"]}
    if "name" in template.issuer_profile:
        source["name"] = template.issuer_profile["name"]
    return source


def _evidence(rule: EvidenceRule, row: Row, assessment: Assessment) -> JsonObject:
    computed = dict(row.values)
    if assessment.spread is not None:
        levels = "level" if assessment.spread == 1 else "levels"
        computed["spread"] = f"{assessment.spread} {levels}"
        computed["raters"] = ", ".join(
            f"{count} {role.removeprefix('rating_')}" for role, count in assessment.raters
        )
    evidence: JsonObject = {"type": ["Evidence"], "name": rule.name}
    if rule.genre:
        evidence["genre"] = rule.genre
    evidence["narrative"] = _fill(rule.narrative, computed)
    return evidence


def _fill(pattern: str, values: Mapping[str, str]) -> str:
    """Put columns into a pattern; what is empty takes its space with it."""
    text = PLACEHOLDER.sub(lambda match: values.get(match[1], ""), pattern)
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _award_column(row: Row) -> str:
    return "awarded_on" if row.values.get("awarded_on") else "completed_on"


def _midnight(day: str) -> str:
    return f"{day}T00:00:00Z"


def _until(start: datetime, period: Period) -> str:
    """Add calendar months first, to the last day of a shorter month, then days."""
    months = start.year * _MONTHS + start.month - 1 + period.months
    year, month = months // _MONTHS, months % _MONTHS + 1
    day = min(start.day, monthrange(year, month)[1])
    moved = start.replace(year=year, month=month, day=day)
    return format_instant(moved + timedelta(days=period.days))
