"""Every field of a bundle and of a pack altered: `python -m tests.matrix.alterations`.

One value at a time is changed, deleted, joined by another, or put in another type, as a
forger would: a bundle gets the digest of its new parts, a pack the manifest of its new
files. Whatever comes of it, nothing is concluded that was not concluded before.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeAlias

from credentials.bundle import parse_bundle
from credentials.judge import judge
from credentials.policy import Policy, parse_policy
from credentials.report import Check, Outcome, Report, Result
from credentials.trust_pack.archive import read_archive, write_archive
from credentials.trust_pack.belief import PackBelief, believe
from credentials.trust_pack.pack import parse_pack
from credentials.trust_pack.verify import Seen, verify_pack
from primitives.canonical_json import Json, JsonObject, NotCanonicalizable, canonicalize
from primitives.encodings import decode_base64, encode_base64
from primitives.errors import PatunayError
from primitives.hashing import sha256
from tests.matrix.beliefs import ANCHOR, AUGUST, BLOCK, BOUND, JUNE, MARCH
from tests.matrix.office import Pack, federation, world
from tests.matrix.world import day

Place: TypeAlias = tuple[str | int, ...]
"""Where a value stands in a JSON document."""

Change: TypeAlias = Callable[[Any, Any], object]
"""Alters one member of a holder in place; gets holder and key."""

_TWICE: Final = "an item that stands twice in a set is signed as one"

OF_NO_MEANING: Final = {
    "receipt: source": "by its maker's word: shown, and never believed",
    "didDocuments: source": "as the receipt's",
    "histories: source": "as the receipt's",
    "statusLists: source": "as the receipt's",
    "receipt: obtainedAt": "by its maker's word; the anchor says since when",
    "didDocuments: obtainedAt": "by its maker's word; no report dates the key by it",
    "histories: obtainedAt": "as the documents'",
    "statusLists: obtainedAt": "the signature's own date counts, where it is earlier",
    "receipt: anchors": "one anchor twice is one anchor",
    "receipt: transaction": "no proof of a block has it; record, block and contract bind",
    "receipt: logIndex": "as the transaction",
    "statusLists: type": _TWICE,
    "statusLists: @context": _TWICE,
    "statusLists: statusPurpose": _TWICE,
}
"""Fields of a bundle that no conclusion rests on, and why."""

BEHIND_A_PACK: Final = {
    "didDocuments": "what the pack has of an issuer comes before the bundle",
    "histories": "as the documents",
    "statusLists": "the pack's copy is newer than the bundle's",
    "receipt: nodes": "the offices have seen the anchor themselves",
    "receipt: proof": "as the nodes",
    "receipt: header": "as the nodes",
    "receipt: transactionIndex": "as the nodes",
}
"""What counts for nothing besides, where a pack has the same; by its beginning."""


@dataclass(frozen=True)
class Setting:
    """A bundle, and an office that judges it."""

    bundle: str
    pack: Pack | None
    policy: Any
    month: int

    @property
    def belief(self) -> PackBelief | None:
        """What the office believes."""
        return (
            None if self.pack is None else _belief(self.pack.day, issuer=self.pack.issuer)
        )

    def demands(self) -> Policy:
        """Return the office's policy, the pack's additions among it."""
        trust = None if self.pack is not None else {"version": 1, **BOUND}
        policy = parse_policy({"version": 1, **self.policy}, trust)
        return policy if self.belief is None else self.belief.policy(policy)

    def report(self, raw: bytes) -> Report:
        """Judge a bundle as `patunay verify` does."""
        bundle = parse_bundle(raw)
        found = bundle.judged()
        if self.belief is not None:
            found = self.belief.before(found, bundle.credential)
        return judge(bundle.credential, found, self.demands(), day(self.month, 10))


@lru_cache(maxsize=8)
def _belief(name: str, *, issuer: bool) -> PackBelief:
    return believe(Pack(name, issuer=issuer).make())


SETTINGS: Final = {
    "valid-by-a-pack": Setting("good-march", MARCH, ANCHOR, 3),
    "valid-by-a-log-key": Setting("good-august", None, {**ANCHOR, **BLOCK}, 8),
    "revoked": Setting("revoked-march", JUNE, ANCHOR, 6),
    "suspended": Setting("suspended-march", JUNE, ANCHOR, 6),
    "signed-by-a-thief": Setting("late-august", AUGUST, ANCHOR, 8),
    "of-an-unknown-log": Setting("good-march", Pack(issuer=False), ANCHOR, 3),
}


VALID: Final = ("valid-by-a-pack", "valid-by-a-log-key")
"""Of these, whatever is altered has to be noticed; the others must not become valid."""


def places(value: Json, at: Place = ()) -> Iterator[Place]:
    """Yield the place of every value, those that hold others too; not of the whole."""
    if at:
        yield at
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*at, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*at, index))


def changed(holder: Any, key: Any) -> None:
    """Put another value of the same type."""
    value = holder[key]
    if isinstance(value, bool):
        holder[key] = not value
    elif isinstance(value, int | float):
        holder[key] = value + 1
    elif isinstance(value, str):
        middle = len(value) // 2
        other = "A" if value[middle : middle + 1] != "A" else "B"
        holder[key] = value[:middle] + other + value[middle + 1 :]
    elif isinstance(value, list):
        holder[key] = [*reversed(value)] if len(value) > 1 else []
    else:
        holder[key] = {} if value else {"x": 1}


def deleted(holder: Any, key: Any) -> None:
    """Take it away."""
    del holder[key]


def joined(holder: Any, key: Any) -> None:
    """Add one like it: another member, or the same item twice."""
    if isinstance(holder, dict):
        holder[f"{key}X"] = holder[key]
    else:
        holder.append(holder[key])


def retyped(holder: Any, key: Any) -> None:
    """Put its like in another type."""
    value = holder[key]
    if isinstance(value, str):
        holder[key] = [value]
    elif isinstance(value, list | dict):
        holder[key] = json.dumps(value)
    else:
        holder[key] = str(value)


CHANGES: Final[tuple[Change, ...]] = (changed, deleted, joined, retyped)


def altered(value: Any, place: Place, change: Change) -> Any:
    """Return a copy with one alteration."""
    copy = json.loads(json.dumps(value))
    holder = copy
    for step in place[:-1]:
        holder = holder[step]
    change(holder, place[-1])
    return copy


def sealed(parts: JsonObject) -> bytes:
    """Return a bundle of `parts` with the digest that a forger would put there."""
    rest = {name: value for name, value in parts.items() if name != "digest"}
    return canonicalize({**rest, "digest": sha256(canonicalize(rest)).hex()})


def conclusions(report: Report) -> list[tuple[Any, ...]]:
    """Return what a report concludes; where evidence came from is none of it."""
    return [(c.name, c.result, c.code, c.as_of, c.since, c.required) for c in report.checks]


def stronger(before: Report, after: Report) -> str:
    """Return what `after` concludes beyond `before`, in words; empty if nothing."""
    if after.outcome is Outcome.VALID and before.outcome is not Outcome.VALID:
        return f"{before.outcome.value} became valid"
    for old, new in zip(before.checks, after.checks, strict=True):
        if new.result is not Result.PASSED:
            continue
        if old.result is Result.FAILED or (old.required and old.result is not new.result):
            return f"{new.name}: {old.result.value} became passed"
        if _is_better(old, new):
            return f"{new.name} is dated better"
    return ""


def _is_better(old: Check, new: Check) -> bool:
    later = old.as_of is not None and new.as_of is not None and new.as_of > old.as_of
    earlier = old.since is not None and new.since is not None and new.since < old.since
    return later or earlier


@dataclass
class Tally:
    """What became of the alterations."""

    made: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Typed errors, by code."""

    weaker: int = 0
    """Reports with a check that does not pass any more, or is known of an earlier day."""

    equal: Counter[str] = field(default_factory=Counter)
    """Reports that conclude the same, by the field that was altered."""

    bad: list[str] = field(default_factory=list)
    """What was accepted, and should not have been."""


def alter_bundle(name: str, tally: Tally, *, every: int = 1, first: int = 0) -> None:
    """Alter every value of a bundle in every way, or one of `every` of them."""
    setting = SETTINGS[name]
    parts: JsonObject = world()["bundles"][setting.bundle]
    before = setting.report(canonicalize(parts))
    each = [(p, c) for p in places(parts) if p != ("digest",) for c in CHANGES]
    for place, change in each[first::every]:
        tally.made += 1
        what = f"{name}: {change.__name__} {'.'.join(map(str, place))}"
        try:
            raw = sealed(altered(parts, place, change))
            if raw == canonicalize(parts):
                continue
            after = setting.report(raw)
        except NotCanonicalizable:
            continue
        except PatunayError as e:
            tally.refused[e.code] += 1
            continue
        problem = stronger(before, after)
        if problem:
            tally.bad.append(f"{what}: {problem}")
        elif conclusions(after) != conclusions(before):
            tally.weaker += 1
        else:
            tally.equal[_field(place)] += 1


def _field(place: Place) -> str:
    """Return the innermost name, and for what is inside of a document that one's."""
    for name in place:
        if name in ("didDocuments", "histories", "statusLists", "receipt", "credential"):
            last = next(str(n) for n in reversed(place) if isinstance(n, str))
            return f"{name}: {last}"
    return str(place[0])


def alter_pack(tally: Tally, *, every: int = 1, first: int = 0) -> None:
    """Alter every value of every file of a pack, with a manifest that fits or without."""
    raw = AUGUST.make().to_bytes()
    files = read_archive(raw)
    for name, content in files.items():
        value = json.loads(content)
        each = [(p, c) for p in places(value) for c in CHANGES]
        for place, change in each[first::every]:
            new = canonicalize(altered(value, place, change))
            if new == content:
                continue
            what = f"pack {name}: {change.__name__} {'.'.join(map(str, place))}"
            for forged in ({**files, name: new}, _with_manifest(files, name, new)):
                tally.made += 1
                try:
                    verify_pack(
                        parse_pack(write_archive(forged)), federation(), day(8, 10), Seen()
                    )
                except PatunayError as e:
                    tally.refused[e.code] += 1
                else:
                    tally.bad.append(what)


def _with_manifest(files: dict[str, bytes], name: str, new: bytes) -> dict[str, bytes]:
    """Return the files with one of them changed, and the manifest to fit."""
    manifest = json.loads(files["manifest.json"])
    if name in manifest["files"]:
        manifest["files"][name] = {"sha256": sha256(new).hex(), "bytes": len(new)}
        return {**files, name: new, "manifest.json": canonicalize(manifest)}
    return {**files, name: new}


def flip_pack(tally: Tally, count: int) -> None:
    """Flip bits of a pack's archive."""
    raw, chance = AUGUST.make().to_bytes(), random.Random(8)
    for _ in range(count):
        at = chance.randrange(len(raw) * 8)
        forged = bytearray(raw)
        forged[at // 8] ^= 1 << at % 8
        tally.made += 1
        try:
            verify_pack(parse_pack(bytes(forged)), federation(), day(8, 10), Seen())
        except PatunayError as e:
            tally.refused[e.code] += 1
        else:
            tally.bad.append(f"pack: bit {at}")


def meaningless(field: str, setting: Setting) -> bool:
    """Tell whether it is listed why nothing rests on a field of the bundle."""
    behind = setting.pack is not None and field.startswith(tuple(BEHIND_A_PACK))
    return behind or field in OF_NO_MEANING


def flip_block(tally: Tally, count: int) -> None:
    """Flip bits of the block header and of the Merkle-Patricia nodes of a receipt."""
    setting = SETTINGS["valid-by-a-log-key"]
    parts: Any = world()["bundles"][setting.bundle]
    (anchor,) = parts["receipt"]["value"]["anchors"]
    proof, chance = anchor["proof"], random.Random(600)
    pieces = [("header", None), *(("nodes", n) for n in range(len(proof["nodes"])))]
    for _ in range(count):
        name, at = chance.choice(pieces)
        old = proof[name] if at is None else proof[name][at]
        raw = bytearray(decode_base64(old))
        bit = chance.randrange(len(raw) * 8)
        raw[bit // 8] ^= 1 << bit % 8
        new = json.loads(json.dumps(parts))
        where = new["receipt"]["value"]["anchors"][0]["proof"]
        if at is None:
            where[name] = encode_base64(bytes(raw))
        else:
            where[name][at] = encode_base64(bytes(raw))
        tally.made += 1
        found = setting.report(sealed(new)).check("anchor")
        if found.result is Result.PASSED:
            tally.bad.append(f"block: bit {bit} of {name} {at}")
        else:
            tally.refused[found.code] += 1


def main() -> None:
    """Make every alteration, and print the counts."""
    for name in SETTINGS:
        tally = Tally()
        alter_bundle(name, tally)
        if name not in VALID:
            tally.equal.clear()
        _print(name, tally)
    tally = Tally()
    alter_pack(tally)
    flip_pack(tally, 2_000)
    _print("pack", tally)
    tally = Tally()
    flip_block(tally, 600)
    _print("block", tally)


def _print(name: str, tally: Tally) -> None:
    refused = sum(tally.refused.values())
    same = tally.made - refused - tally.weaker - len(tally.bad)
    print(  # noqa: T201 - what the program is for
        f"{name}: {tally.made} made, {refused} refused with {len(tally.refused)} codes,"
        f" {tally.weaker} weaker, {same} the same, {len(tally.bad)} accepted"
    )
    for code, count in tally.equal.most_common():
        print(f"    the same: {code} {count}")  # noqa: T201
    for line in tally.bad[:40]:
        print(f"    ACCEPTED {line}")  # noqa: T201


if __name__ == "__main__":
    main()
