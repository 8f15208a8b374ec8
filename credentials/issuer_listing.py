"""Whether somebody whom the verifier trusts names the issuer, and for such an award."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from credentials.case import Case, passed
from credentials.clock_check import newest_known
from credentials.quoting import quoted
from credentials.report import Check
from primitives.canonical_json import Json, JsonObject
from primitives.errors import Undetermined
from primitives.instants import format_instant

if TYPE_CHECKING:  # not every verifier has one
    from credentials.trust_pack.rules import PackRules

PACK_STALE: Final = "pack-stale"
"""Remark: the trust pack is past the day until which it is fresh."""

LISTED_LATER: Final = "listed-later"
"""Remark: the offices that made the pack came to know the issuer after the moment asked."""

LISTING_THEN_UNKNOWN: Final = "listing-then-unknown"
"""Remark: the pack lists the issuer today, and does not say since when."""


class IssuerNotListed(Undetermined):
    """Nobody whom the verifier trusts has named this issuer."""

    code = "issuer-not-listed"
    hint = "compare the DID with one that you had from the provider itself"


class AwardOutOfScope(Undetermined):
    """The trust pack recognises this issuer, and not for such an award."""

    code = "award-out-of-scope"
    hint = "ask the office that made the trust pack"


class AwardTypeNotAccepted(Undetermined):
    """The policy accepts other types of award; nothing is false about this one."""

    code = "award-type-not-accepted"
    hint = "use a policy for this type of award"


def check_issuer_listed(case: Case) -> Check:
    """Somebody whom the verifier trusts names this DID, for an award of this type.

    A verifier's own list comes before a trust pack, except for what the pack denies.
    """
    issuer = case.readable().issuer
    pack = case.policy.pack
    if pack is not None:
        from credentials.denials import require_issuer_not_denied  # noqa: PLC0415 - as above

        require_issuer_not_denied(issuer, case)
    name = case.policy.issuers.get(issuer)
    if name is None:
        raise IssuerNotListed(f"{issuer} is on no list that you gave")
    _require_accepted_type(case)
    if pack is None:
        return passed("issuer-listed", f"listed as {name}")
    code, words = _pack_remark(issuer, pack, case)
    if issuer not in pack.issuers:
        return passed("issuer-listed", f"listed as {name}{words}", code=code)
    _require_scope(issuer, pack, case)
    when = format_instant(pack.issued)
    detail = f"listed as {name} by {pack.name} as of {when}{words}"
    found = passed("issuer-listed", detail, code=code)
    return found._replace(source=pack.name, as_of=pack.issued)


def _pack_remark(issuer: str, pack: "PackRules", case: Case) -> tuple[str, str]:
    """Return what is to be said of the pack's age; both empty if it is of the day."""
    if (newest_known(case) or case.latest) >= pack.expires:
        until = format_instant(pack.expires)
        return PACK_STALE, f"; the trust pack is old, it was fresh until {until}"
    first = pack.first_seen.get(issuer)
    if not case.asked or first is None or pack.issued <= case.as_of:
        return "", ""
    if first > case.as_of + case.policy.clock_skew:
        return LISTED_LATER, f"; known to its makers only since {format_instant(first)}"
    return (
        LISTING_THEN_UNKNOWN,
        f"; whether at {format_instant(case.as_of)}, it does not say",
    )


def _require_accepted_type(case: Case) -> None:
    wanted = case.policy.award_types
    found = {*case.readable().types, *_achievement_types(case.document)}
    if wanted and not wanted & found:
        awards = ", ".join(quoted(award) for award in sorted(found))
        raise AwardTypeNotAccepted(
            f"found the types {awards}, want one of {', '.join(sorted(wanted))}"
        )


def _require_scope(issuer: str, pack: "PackRules", case: Case) -> None:
    scope = pack.scopes.get(issuer, frozenset())
    awards = {*case.readable().types, *_achievement_types(case.document)}
    if scope and not scope & awards:
        wanted = ", ".join(sorted(scope))
        found = ", ".join(quoted(award) for award in sorted(awards))
        raise AwardOutOfScope(f"{pack.name} lists {issuer} for {wanted}; found {found}")


def _achievement_types(document: JsonObject) -> Iterator[str]:
    """Yield the `achievementType` of Open Badges 3.0, of each subject."""
    for subject in _each(document.get("credentialSubject")):
        for achievement in _each(subject.get("achievement")):
            kind = achievement.get("achievementType")
            if isinstance(kind, str):
                yield kind


def _each(value: Json) -> Iterator[JsonObject]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item
