"""The packs that a verifying machine has let in: the newest, and what was ever seen.

    root.json     the federation as this machine knows it
    seen.json     highest version, sizes of logs, times of lists
    pack.zip      the newest pack

Whoever can write here can make this machine believe anything: keep the folder as safe as
the program itself. An attacker who can put older files back can undo a rollback's refusal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from credentials.trust_pack.archive import MAX_PACK_BYTES
from credentials.trust_pack.manifest import Federation
from credentials.trust_pack.members import (
    MAX_FILE_BYTES,
    document,
    instant,
    number,
    read_object,
)
from credentials.trust_pack.pack import TrustPack, parse_pack
from credentials.trust_pack.verify import Seen, require_past, verify_pack
from primitives.canonical_json import Json, canonicalize
from primitives.errors import Misconfigured
from primitives.instants import format_instant

_ROOT: Final = "root.json"
_SEEN: Final = "seen.json"
_PACK: Final = "pack.zip"
_MOST: Final = 2**53 - 1


class TrustStoreEmpty(Misconfigured):
    """No pack was let in yet, and nobody said which federation is to be believed."""

    code = "trust-store-empty"
    hint = "`patunay trust import PACK --store DIR --root federation.json` begins one"


class TrustRootKnown(Misconfigured):
    """The machine knows its federation already, and another one was named."""

    code = "trust-root-known"
    hint = "leave --root away; for another federation name another --store"


@dataclass(frozen=True, slots=True)
class TrustStore:
    """A folder of a verifying machine."""

    folder: Path

    def root(self) -> Federation | None:
        """Return the federation that is believed; None before the first pack."""
        raw = self._read(_ROOT)
        return None if raw is None else Federation.parse(raw)

    def seen(self) -> Seen:
        """Return the highest of everything that was seen."""
        raw = self._read(_SEEN)
        if raw is None:
            return Seen()
        found = read_object(raw, _SEEN, ("format", "version", "digest", "logs", "lists"))
        logs, lists = document(found, "logs"), document(found, "lists")
        return Seen(
            number(found, "version", 0, _MOST),
            str(found["digest"]),
            {key: number(logs, key, 0, _MOST) for key in logs},
            {url: instant(lists, url) for url in lists},
        )

    def let_in(self, raw: bytes, root: Federation | None, now: datetime) -> TrustPack:
        """Return a pack, after it was verified and stored in the place of the last one.

        Args:
            raw: The file, from anywhere.
            root: Whom to believe, for the first pack; else None.
            now: Aware.

        Raises:
            TrustStoreEmpty, TrustRootKnown: See the classes.
            PatunayError: As `parse_pack`, `verify_pack` and `require_past`; then nothing
                was changed.
        """
        known = self.root()
        if known is None and root is None:
            raise TrustStoreEmpty(f"found no {_ROOT} in {self.folder}")
        if known is not None and root is not None and known != root:
            raise TrustRootKnown(f"{self.folder} believes {known.name} with other keys")
        believed = known or root
        assert believed is not None  # noqa: S101 - one of both is there, see above
        pack = parse_pack(raw)
        seen = verify_pack(pack, believed, now, self.seen())
        require_past(pack, now)
        # Who only reads needs nothing of a node, whose configuration takes long to load.
        from node.home import write_file  # noqa: PLC0415

        # What was seen comes first: a crash in between leaves an older pack, which is then
        # refused, and never an older one that is believed. New keys come last: with the old
        # ones the same pack can be let in again.
        write_file(self.folder / _SEEN, _seen_bytes(seen))
        write_file(self.folder / _PACK, raw)
        write_file(self.folder / _ROOT, pack.contents.federation.to_bytes())
        return pack

    def newest(self, now: datetime) -> TrustPack:
        """Return the pack that was let in last, verified again.

        Raises:
            TrustStoreEmpty: There is none.
            PatunayError: It is past its time, or was changed.
        """
        raw, root = self._read(_PACK, MAX_PACK_BYTES), self.root()
        if raw is None or root is None:
            raise TrustStoreEmpty(f"found no pack in {self.folder}")
        pack = parse_pack(raw)
        verify_pack(pack, root, now, self.seen())
        return pack

    def _read(self, name: str, max_bytes: int = MAX_FILE_BYTES) -> bytes | None:
        try:
            with (self.folder / name).open("rb") as file:
                return file.read(max_bytes + 1)
        except FileNotFoundError:
            return None


def _seen_bytes(seen: Seen) -> bytes:
    logs: Mapping[str, Json] = dict(seen.logs)
    lists: Mapping[str, Json] = {
        url: format_instant(time) for url, time in seen.lists.items()
    }
    return canonicalize(
        {
            "format": 1,
            "version": seen.version,
            "digest": seen.digest,
            "logs": logs,
            "lists": lists,
        }
    )
