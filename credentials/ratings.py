"""From the ratings in a row to the results in a credential, by a template's rules.

The rules, exactly. A role (self, teacher, community) has one value: the lower median of
its raters. The certified level is the lower weighted median of the role values: the
lowest level at which the roles that rated it or lower have half of all weight or more.
The spread is the highest role value minus the lowest. Every median is a level somebody
gave, and an even split is decided downwards, never in between.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from credentials.registrar import Finding, Row
from credentials.registrar_cells import Severity
from credentials.registrar_columns import is_column
from credentials.template_fields import Field
from primitives.canonical_json import JsonObject

_MAX_WEIGHT = 1000
_MAX_RATERS = 99
_DIGITS = re.compile(r"\d+", re.ASCII)
_NUMBER = re.compile(r"[1-9]\d?|0", re.ASCII)


class Combine(Enum):
    """How a result comes from cells."""

    PASS_THROUGH = "pass-through"  # noqa: S105 - the rule's name in templates
    MEDIAN = "median"
    WEIGHTED_MEDIAN = "weighted-median"


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a scale."""

    number: int
    """Its rank: stated in the rubric, or the place in `allowedValue`, from 1."""

    name: str

    level_id: str
    """`id` of the rubric level; empty on a scale that is only `allowedValue`."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The levels of one result description, low to high."""

    levels: tuple[Level, ...]

    required: int
    """Number of the lowest level that passes; 0 where every level does."""

    _by_text: dict[str, Level] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Note each level by its number and its name; of two alike the lower counts."""
        by_text: dict[str, Level] = {}
        for level in self.levels:
            by_text.setdefault(str(level.number), level)
            by_text.setdefault(level.name.casefold(), level)
        object.__setattr__(self, "_by_text", by_text)

    def find(self, text: str) -> Level | None:
        """Return the level whose number or name `text` is, in any case; else None."""
        return self._by_text.get(text.casefold())


@dataclass(frozen=True, slots=True)
class ResultRule:
    """How one result of the credential is made."""

    description: str
    """`id` of a result description of the achievement."""

    combine: Combine

    scale: Scale | None
    """None where the description lists no levels: the cell's text is the result."""

    column: str
    """Canonical column; for a median the part before the rater's number. Empty for a
    weighted median, which reads the other rules."""

    many: bool
    """Whether `column` stands for column_1, column_2 and so on."""

    at_least: int
    """Fewest raters."""

    weights: tuple[tuple[str, int], ...]
    """Role and weight, for a weighted median."""

    moderate_if_spread: int
    """Spread from which a person must decide; 0 for never."""

    with_level_id: bool
    """Whether the result names the rubric level by its id (`achievedLevel`)."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the rules made of one row."""

    results: tuple[JsonObject, ...]
    """Open Badges results in the order certified level first; empty with findings."""

    findings: tuple[Finding, ...]
    """Why the row cannot be issued; empty if it can."""

    raters: tuple[tuple[str, int], ...] = ()
    """Role and number of raters, in the order of the rules."""

    spread: int | None = None
    """None where no weighted median was asked for."""


def lower_median(values: Sequence[int]) -> int:
    """Return the middle value; of two middle values the lower. Wants at least one."""
    return sorted(values)[(len(values) - 1) // 2]


def weighted_median(weighted: Iterable[tuple[int, int]]) -> int:
    """Return the lowest value at which half of all weight or more is reached.

    Args:
        weighted: (value, weight) pairs, at least one; weights are 1 or more.
    """
    ordered = sorted(weighted)
    total = sum(weight for _, weight in ordered)
    reached = 0
    for value, weight in ordered:
        reached += weight
        if reached * 2 >= total:
            return value
    raise ValueError("a median of nothing")


def assess(rules: tuple[ResultRule, ...], row: Row) -> Assessment:
    """Apply a template's rules to a row."""
    values: dict[str, int] = {}
    raters: list[tuple[str, int]] = []
    results: list[JsonObject] = []
    findings: list[Finding] = []
    for rule in rules:
        if rule.combine is Combine.WEIGHTED_MEDIAN:
            continue
        cells = _cells(rule, row)
        found = _cell_findings(rule, cells, row.number)
        findings += found
        if found:
            continue
        if rule.scale is None:
            results.append(_result(rule, next(iter(cells.values())), None))
            continue
        levels = [level for cell in cells.values() if (level := rule.scale.find(cell))]
        value = lower_median([level.number for level in levels])
        values[rule.column] = value
        raters.append((rule.column, len(levels)))
        level = rule.scale.find(str(value))
        findings += _pass_findings(rule, level, row.number)
        results.append(_result(rule, level.name if level else "", level))
    certified = next((r for r in rules if r.combine is Combine.WEIGHTED_MEDIAN), None)
    if findings or certified is None:
        return Assessment(() if findings else tuple(results), tuple(findings))
    return _certify(certified, row.number, values, (results, raters))


def _certify(
    rule: ResultRule,
    row: int,
    values: Mapping[str, int],
    rated: tuple[list[JsonObject], list[tuple[str, int]]],
) -> Assessment:
    results, raters = rated
    by_role = {role: values[role] for role, _ in rule.weights}
    spread = max(by_role.values()) - min(by_role.values())
    number = weighted_median((by_role[role], weight) for role, weight in rule.weights)
    level = rule.scale.find(str(number)) if rule.scale else None
    limit = rule.moderate_if_spread
    if limit and spread >= limit:
        detail = f"found a spread of {spread} between the roles, want under {limit}"
        hint = "let a moderator settle the ratings, and enter what was settled"
        held = _error(row, "", "needs-moderation", detail, hint)
        return Assessment((), (held,), tuple(raters), spread)
    findings = _pass_findings(rule, level, row)
    if findings:
        return Assessment((), findings, tuple(raters), spread)
    first = _result(rule, level.name if level else "", level)
    roles = {role for role, _ in rule.weights}
    counted = tuple((role, count) for role, count in raters if role in roles)
    return Assessment((first, *results), (), counted, spread)


def _cells(rule: ResultRule, row: Row) -> dict[str, str]:
    """Return the cells that a rule reads, by column; raters in any order of numbers."""
    if not rule.many:
        text = row.values.get(rule.column)
        return {rule.column: text} if text else {}
    begin = f"{rule.column}_"
    return {
        column: text
        for column, text in row.values.items()
        if text and column.startswith(begin) and _DIGITS.fullmatch(column, len(begin))
    }


def _cell_findings(
    rule: ResultRule, cells: Mapping[str, str], row: int
) -> tuple[Finding, ...]:
    if len(cells) < rule.at_least:
        detail = f"found {len(cells)} in {rule.column}, want at least {rule.at_least}"
        return (_error(row, rule.column, "ratings-too-few", detail),)
    if rule.scale is None:
        return ()
    unknown = [c for c, text in cells.items() if rule.scale.find(text) is None]
    if not unknown:
        return ()
    names = ", ".join(f"{level.number} {level.name}" for level in rule.scale.levels)
    return tuple(
        _error(
            row,
            column,
            "rating-not-on-scale",
            f'found "{cells[column][:40]}", want {names}',
        )
        for column in unknown
    )


def _pass_findings(rule: ResultRule, level: Level | None, row: int) -> tuple[Finding, ...]:
    if level is None or rule.scale is None or level.number >= rule.scale.required:
        return ()
    want = rule.scale.find(str(rule.scale.required))
    detail = f"found level {level.number} {level.name}, want {rule.scale.required}"
    named = f"{detail} {want.name} or higher" if want else detail
    return (_error(row, rule.column, "below-required-level", named),)


def _error(row: int, column: str, code: str, detail: str, hint: str = "") -> Finding:
    return Finding(row, column, code, Severity.ERROR, detail, hint)


def _result(rule: ResultRule, value: str, level: Level | None) -> JsonObject:
    result: JsonObject = {"type": ["Result"], "resultDescription": rule.description}
    if rule.with_level_id and level is not None:
        result["achievedLevel"] = level.level_id
    result["value"] = value
    return result


# --- reading the rules of a template -------------------------------------------------


def read_scales(achievement: Field) -> dict[str, Scale | None]:
    """Return the scale of each result description of an achievement, by its id."""
    scales: dict[str, Scale | None] = {}
    described = achievement.members().get("resultDescription")
    for entry in described.items() if described else ():
        members = entry.members()
        if "id" not in members:
            entry.fail("no such member", '"id"')
        name = members["id"].text()
        if name in scales:
            members["id"].fail("an id that is taken", "its own")
        scales[name] = _read_scale(members)
    return scales


def _read_scale(members: Mapping[str, Field]) -> Scale | None:
    # A pass mark that this module does not apply must not be printed on a credential.
    if "requiredValue" in members and "allowedValue" not in members:
        members["requiredValue"].fail(
            "a pass mark without allowedValue", "a list of values"
        )
    if "rubricCriterionLevel" in members:
        levels = _rubric_levels(members["rubricCriterionLevel"])
        mark, spelling = members.get("requiredLevel"), {v.level_id: v for v in levels}
    elif "allowedValue" in members:
        names = [item.text() for item in members["allowedValue"].items()]
        levels = tuple(Level(i, name, "") for i, name in enumerate(names, 1))
        mark, spelling = members.get("requiredValue"), {v.name: v for v in levels}
    else:
        return None
    if len({level.name.casefold() for level in levels}) != len(levels) or not levels:
        next(iter(members.values())).fail("no levels, or two of one name", "distinct names")
    if mark is not None and mark.text() not in spelling:
        mark.fail(mark.text(), f"one of {', '.join(spelling)}")
    return Scale(levels, spelling[mark.text()].number if mark else 0)


def _rubric_levels(field: Field) -> tuple[Level, ...]:
    """Read rubric levels; the order is their numbers', as array order is not signed."""
    levels = []
    for item in field.items():
        members = item.members()
        for name in ("id", "name", "level"):
            if name not in members:
                item.fail("no such member", f'"{name}"')
        number = members["level"].text()
        if not _NUMBER.fullmatch(number):
            members["level"].fail(f'"{number}"', "a number from 0 to 99")
        levels.append(Level(int(number), members["name"].text(), members["id"].text()))
    if len({level.number for level in levels}) != len(levels):
        field.fail("two levels of one number", "distinct numbers")
    return tuple(sorted(levels, key=lambda level: level.number))


def read_result_rules(
    field: Field, scales: Mapping[str, Scale | None]
) -> tuple[ResultRule, ...]:
    """Return the rules in `resultFrom`, checked against the achievement's scales."""
    rules = tuple(_read_rule(item, scales) for item in field.items())
    certified = [rule for rule in rules if rule.combine is Combine.WEIGHTED_MEDIAN]
    if len(certified) > 1:
        field.fail(f"{len(certified)} weighted medians", "at most one")
    if len({rule.description for rule in rules}) != len(rules):
        field.fail("two rules for one result description", "one each")
    scale_of = {rule.column: rule.scale for rule in rules if rule.column}
    if len(scale_of) != len(rules) - len(certified):
        field.fail("two rules that read one column", "one each")
    for role, _ in certified[0].weights if certified else ():
        if role not in scale_of:
            field.fail(f'a weight for "{role}"', "a rule that reads it")
        if _steps(scale_of[role]) != _steps(certified[0].scale):
            field.fail(f'other levels for "{role}"', "those of the certified level")
    return rules


def _steps(scale: Scale | None) -> list[tuple[int, str]]:
    return [(level.number, level.name) for level in scale.levels] if scale else []


def _read_rule(field: Field, scales: Mapping[str, Scale | None]) -> ResultRule:
    members = field.closed(
        required="resultDescription",
        optional="column combine weights moderateIfSpread as atLeast",
    )
    described = members["resultDescription"]
    if described.text() not in scales:
        described.fail(f'"{described.text()}"', "the id of a result description")
    scale = scales[described.text()]
    combine = _read_combine(members.get("combine"))
    weighted = combine is Combine.WEIGHTED_MEDIAN
    if scale is None and combine is not Combine.PASS_THROUGH:
        described.fail("a description without levels", "a rubric or allowedValue")
    if ("weights" in members) is not weighted or ("column" in members) is weighted:
        field.fail("the wrong sources", "weights for a weighted median, else a column")
    if not weighted and "moderateIfSpread" in members:
        members["moderateIfSpread"].fail("a limit of spread", "it beside weights only")
    column, many = _read_column(members["column"], combine) if not weighted else ("", False)
    spread, least = members.get("moderateIfSpread"), members.get("atLeast")
    return ResultRule(
        description=described.text(),
        combine=combine,
        scale=scale,
        column=column,
        many=many,
        at_least=least.whole(1, _MAX_RATERS) if least else 1,
        weights=_read_weights(members["weights"]) if weighted else (),
        moderate_if_spread=spread.whole(1, _MAX_RATERS) if spread else 0,
        with_level_id=_read_as(members.get("as"), scale),
    )


def _read_combine(field: Field | None) -> Combine:
    if field is None:
        return Combine.PASS_THROUGH
    combine = next((known for known in Combine if known.value == field.value), None)
    if combine is None:
        field.fail(f'"{field.text()}"', "pass-through, median or weighted-median")
    return combine


def _read_column(field: Field, combine: Combine) -> tuple[str, bool]:
    column = field.text().removesuffix("_*")
    many = column != field.text()
    if not is_column(f"{column}_1" if many else column):
        field.fail(
            f'"{field.text()}"', "a column, such as rating_self or rating_community_*"
        )
    if many is not (combine is Combine.MEDIAN):
        field.fail(f'"{field.text()}"', 'a median over a column that ends in "_*"')
    return column, many


def _read_weights(field: Field) -> tuple[tuple[str, int], ...]:
    weights = tuple((r, m.whole(1, _MAX_WEIGHT)) for r, m in field.members().items())
    if not weights:
        field.fail("no weights", "one for each role")
    return weights


def _read_as(field: Field | None, scale: Scale | None) -> bool:
    if field is None:
        return False
    if field.value != "achievedLevel" or scale is None or not scale.levels[0].level_id:
        field.fail(f'"{field.text()}"', "achievedLevel, for a description with a rubric")
    return True
