"""Whether a pack is to be believed: by keys and memories of the verifier's own.

Offline there is nobody to ask whether a pack is the newest. What was once seen is
remembered, so that no older pack, list or log comes back in place of a newer one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from credentials.clock_check import ClockImplausible
from credentials.trust_pack.manifest import Federation, signed_bytes
from credentials.trust_pack.pack import TrustPack
from credentials.trust_pack.parts import CheckpointPart, StatusPart
from did.multikey import decode_multikey
from primitives.ed25519 import verify_signature
from primitives.errors import PatunayError, Rejected, Undetermined
from primitives.instants import format_instant

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far the verifier's clock may be behind the office's."""


class PackWrongFederation(Rejected):
    """The pack is of another federation than the verifier's own."""

    code = "pack-wrong-federation"
    hint = "name the federation file that belongs to this pack"


class PackSignerUnknown(Rejected):
    """None of the keys that have signed is one of the federation's."""

    code = "pack-signer-unknown"
    hint = "do not use the pack; ask the office which keys are its own"


class PackQuorumMissed(Rejected):
    """Fewer of the federation's keys have signed than it demands."""

    code = "pack-quorum-missed"
    hint = "the other offices sign with `patunay trust sign PACK`"


class PackSignatureInvalid(Rejected):
    """A signature names a key of the federation, and is not that key's over this pack."""

    code = "pack-signature-invalid"
    hint = "do not use the pack; get it again from the office"


class PackRolledBack(Rejected):
    """Something older than what was seen before, or another pack of the same version."""

    code = "pack-rolled-back"
    hint = "ask the office for its newest pack"


class PackExpired(Undetermined):
    """The pack is too old for anything to be concluded from it today."""

    code = "pack-expired"
    hint = "ask the office for its newest pack"


@dataclass(frozen=True, slots=True)
class Seen:
    """The highest of everything that a verifier has seen of one federation."""

    version: int = 0
    digest: str = ""
    """Of the pack of that version."""

    logs: Mapping[str, int] = field(default_factory=dict)
    """Verifier key of a log to the size of its newest checkpoint."""

    lists: Mapping[str, datetime] = field(default_factory=dict)
    """URL of a status list to when its newest version was had."""


def verify_pack(pack: TrustPack, root: Federation, now: datetime, seen: Seen) -> Seen:
    """Return what is to be remembered of a pack that may be used.

    1. It is of the federation, and enough of that one's distinct keys have signed it.
    2. If it names other keys from now on, enough of those have signed it too.
    3. It is not too old to be used.
    4. Nothing in it is older than what was seen before.

    Whether the clock can be right is another question: `require_past`, and in the judge
    `credentials.clock_check`.

    Args:
        pack: From anywhere.
        root: The federation as the verifier knows it; never taken from the pack.
        now: Aware; the verifier's own clock.
        seen: As the last call for this federation returned it; empty for the first.

    Raises:
        PackWrongFederation, PackSignerUnknown, PackQuorumMissed, PackSignatureInvalid:
            It is not signed as `root` demands.
        PackExpired: It is too old.
        PackRolledBack: Something newer was seen.
    """
    if pack.manifest.federation != root.name:
        raise PackWrongFederation(
            f"found a pack of {pack.manifest.federation}, want one of {root.name}"
        )
    require_quorum(pack, root)
    if pack.contents.federation != root:
        require_quorum(pack, pack.contents.federation)
    _require_usable(pack, now)
    return _require_newer(pack, seen)


def newest_time(pack: TrustPack) -> datetime:
    """Return the latest moment that anything in the pack is of."""
    # The files too: an office whose clock is wrong would date everything in them.
    return max((pack.manifest.issued, *_times(pack)))


def require_past(pack: TrustPack, now: datetime) -> None:
    """Return if the pack is not of the future.

    Raises:
        ClockImplausible: It is, by the clock that says `now`.
    """
    newest = newest_time(pack)
    if now + CLOCK_SKEW < newest:
        raise ClockImplausible(
            f"found this clock at {format_instant(now)}, and evidence of"
            f" {format_instant(newest)}"
        )


def require_quorum(pack: TrustPack, root: Federation) -> None:
    """Return if enough distinct keys of `root` have signed the manifest.

    Keys that `root` does not name count for nothing, whatever they have signed.

    Raises:
        PackSignerUnknown, PackQuorumMissed, PackSignatureInvalid: As the classes say.
    """
    known = pack.signatures.keys() & set(root.keys)
    if not known:
        raise PackSignerUnknown(
            f"found {len(pack.signatures)} signatures, none by the keys of {root.name}"
        )
    message = signed_bytes(pack.raw_manifest)
    for key in sorted(known):
        try:
            verify_signature(decode_multikey(key), message, pack.signatures[key])
        except PatunayError as e:
            raise PackSignatureInvalid(f"{key}: {e}") from e
    if len(known) < root.threshold:
        raise PackQuorumMissed(f"found {len(known)} signatures, want {root.threshold}")


def _require_usable(pack: TrustPack, now: datetime) -> None:
    if now >= pack.manifest.usable_until:
        until = format_instant(pack.manifest.usable_until)
        raise PackExpired(f"{pack.name} was usable until {until}")


def _times(pack: TrustPack) -> list[datetime]:
    return [
        part.obtained_at
        for part in pack.contents.parts
        if isinstance(part, StatusPart | CheckpointPart)
    ]


def _require_newer(pack: TrustPack, seen: Seen) -> Seen:
    said = pack.manifest
    if said.version < seen.version:
        raise PackRolledBack(f"found version {said.version}, and have seen {seen.version}")
    if said.version == seen.version and pack.digest != seen.digest:
        raise PackRolledBack(f"found another pack of version {said.version} than before")
    if said.version == seen.version + 1 and seen.version and said.previous != seen.digest:
        raise PackRolledBack(f"version {said.version} does not follow the pack seen before")
    logs, lists = dict(seen.logs), dict(seen.lists)
    for part in pack.contents.parts:
        if isinstance(part, CheckpointPart):
            size = part.checkpoint.tree_size
            if size < logs.get(part.vkey, 0):
                raise PackRolledBack(
                    f"{part.checkpoint.origin}: found a checkpoint of size {size},"
                    f" and have seen {logs[part.vkey]}"
                )
            logs[part.vkey] = size
        elif isinstance(part, StatusPart):
            before = lists.get(part.url, part.obtained_at)
            if part.obtained_at < before:
                raise PackRolledBack(
                    f"{part.url}: found the list of {format_instant(part.obtained_at)},"
                    f" and have seen that of {format_instant(before)}"
                )
            lists[part.url] = part.obtained_at
    return Seen(said.version, pack.digest, logs, lists)
