"""How far a round of looking issuers up has come, so that the next run can go on.

refresh.json     in an office's folder, while a round is not finished
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from credentials.trust_pack.members import (
    MAX_FILE_BYTES,
    instant,
    number,
    read_object,
    texts,
)
from node.home import write_file
from primitives.canonical_json import canonicalize
from primitives.errors import Malformed
from primitives.instants import format_instant

ROUND_AGE: Final = timedelta(days=1)
"""A round that was begun longer ago begins anew: what it had is old by now."""

_FILE: Final = "refresh.json"
_MOST: Final = 20_000
"""As many files as a pack may have."""


@dataclass(slots=True)
class Round:
    """What of a round is done, kept on the disk after each step."""

    file: Path
    started: datetime
    with_chain: bool
    """Whether anchors are looked up; a round without them is another one."""

    done: set[str] = field(default_factory=set)
    """DIDs of issuers and addresses of logs that were had without trouble."""

    @classmethod
    def begin(cls, folder: Path, now: datetime, *, with_chain: bool) -> "Round":
        """Return the round that was left unfinished, if it can go on; else a new one."""
        file = folder / _FILE
        new = cls(file, now.replace(microsecond=0), with_chain)
        try:
            with file.open("rb") as kept:
                raw = kept.read(MAX_FILE_BYTES + 1)
            found = read_object(raw, _FILE, ("format", "started", "chain", "done"))
            number(found, "format", 1, 1)
            started, done = instant(found, "started"), texts(found, "done", _MOST)
        except (FileNotFoundError, Malformed):
            return new  # whatever stood there, only time is lost
        if found["chain"] is not with_chain or not started <= now < started + ROUND_AGE:
            return new
        return cls(file, started, with_chain, set(done))

    def finish(self, subject: str) -> None:
        """Write down that an issuer, or a log, is done."""
        self.done.add(subject)
        raw = canonicalize(
            {
                "format": 1,
                "started": format_instant(self.started),
                "chain": self.with_chain,
                "done": sorted(self.done),
            }
        )
        write_file(self.file, raw)

    def end(self) -> None:
        """Forget the round: all issuers were asked."""
        self.file.unlink(missing_ok=True)
