"""What a node has acknowledged, and what of it is there after a power cut."""

import base64
import gzip
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from anchoring.tiles import bundle_paths, parse_bundle
from node.daemon import serving
from node.fsck import check_node
from node.home import Home
from node.logbook import new_tiles
from node.node import Node
from primitives.clock import SystemClock
from primitives.errors import PatunayError
from tests.support.nodes import PASSPHRASE, query
from tests.support.reference_tree import mth


@dataclass
class Acknowledged:
    """Kept by somebody who relies on the node, on another machine."""

    credentials: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the document, by UUID."""

    checkpoints: dict[int, str] = field(default_factory=dict)
    """Signed note by size; also those that were only seen in the public log."""

    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 by name in `issued`."""

    revoked: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    issuers: set[str] = field(default_factory=set)
    created: bool = False
    contradictions: list[str] = field(default_factory=list)
    """What the node has said twice, in two ways."""

    def note(self, words: list[str]) -> None:
        """Keep one thing that the node says."""
        match words:
            case ["credential", name, digest]:
                self._once(self.credentials, name, digest)
            case ["checkpoint", size, note]:
                self._once(self.checkpoints, int(size), note)
            case ["file", name, digest]:
                self._once(self.files, name, digest)
            case ["revoked", name]:
                self.revoked.add(name)
            case ["key", name]:
                self.keys.add(name)
            case ["issuer", slug]:
                self.issuers.add(slug)
            case ["created"]:
                self.created = True
            case _:
                pass  # about the processes

    def _once(self, known: dict[Any, str], name: object, value: str) -> None:
        if known.setdefault(name, value) != value:
            self.contradictions.append(f"{name}: {known[name]!r}, then {value!r}")

    def look(self, home: Home) -> None:
        """Keep the checkpoint that is public now."""
        file = home.public / "log" / "checkpoint"
        if file.is_file():
            note = file.read_text()
            if note.count("\n") > 2:  # else it is torn, which `torn_files` tells
                self.note(["checkpoint", note.split("\n")[1], note])

    def count(self) -> Counter[str]:
        return Counter(
            {
                "credentials": len(self.credentials),
                "checkpoints": len(self.checkpoints),
                "files": len(self.files),
                "revocations": len(self.revoked),
                "keys": len(self.keys),
                "issuers": len(self.issuers),
                "nodes": int(self.created),
            }
        )

    async def lost(self, home: Home) -> list[str]:
        """Start the node again, and tell what is not as it was acknowledged.

        A node that has not been acknowledged may be there or not.
        """
        if not home.config_file.is_file():
            return ["the node"] if self.created else []
        try:
            async with Node.open(home, SystemClock(), PASSPHRASE) as node:
                async with serving(node, 0):
                    pass
                report = await check_node(node, None, lambda *_: None)
                tiles = _missing_tiles(home, await _tiles(node))
            found = [f"fsck: {problem}" for problem in (*report.problems, *report.unknown)]
            return [*self.contradictions, *found, *tiles, *self._missing(home)]
        except (PatunayError, OSError, SQLAlchemyError) as e:
            return [f"the node does not start: {e!r}"]

    def _missing(self, home: Home) -> list[str]:
        stored = dict(query(home, "SELECT uuid, document FROM credentials"))
        logged = Counter(
            subject for (subject,) in query(home, "SELECT subject FROM entries")
        )
        notes = dict(query(home, "SELECT tree_size, note FROM checkpoints"))
        revoked = {
            name: (url, index)
            for name, url, index in query(
                home,
                "SELECT credential, status_list, status_index FROM status_events"
                " WHERE action = 'revoke'",
            )
        }
        keys = {entry.label.key_id for entry in home.keystore().entries}
        issuers = {slug for (slug,) in query(home, "SELECT slug FROM issuers")}
        missing = [
            *(
                f"credential {n}"
                for n, d in self.credentials.items()
                if _sha(stored.get(n)) != d
            ),
            *(f"place of {n}: {logged[n]}" for n in self.credentials if logged[n] != 1),
            *(
                f"checkpoint {n}"
                for n, note in self.checkpoints.items()
                if notes.get(n) != note
            ),
            *(f"revocation {n}" for n in self.revoked - revoked.keys()),
            *(f"key {n}" for n in self.keys - keys),
            *(f"issuer {n}" for n in self.issuers - issuers),
        ]
        for name, digest in self.files.items():
            file = home.issued / name
            if not file.is_file() or _sha(file.read_text()) != digest:
                missing.append(f"file {name}")
        missing += [
            f"bit of {name}" for name, place in revoked.items() if not _bit(home, *place)
        ]
        for slug in issuers - {"main"}:
            document = home.public / "issuers" / slug / "did.json"
            if not document.is_file():
                missing.append(f"DID document of {slug}")
        return missing


def _sha(text: str | None) -> str:
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()


def _bit(home: Home, url: str, index: int) -> bool:
    """Read a bit of a published status list, straight from the standard's definition."""
    file = home.public / "status" / url.partition("/status/")[2]
    encoded = json.loads(file.read_bytes())["credentialSubject"]["encodedList"]
    bits = gzip.decompress(base64.urlsafe_b64decode(encoded[1:] + "=="))
    return bool(bits[index // 8] & 0x80 >> index % 8)


async def _tiles(node: Node) -> dict[str, bytes]:
    return dict(await new_tiles(node, 0, _public_size(node.home)))


def _public_size(home: Home) -> int:
    file = home.public / "log" / "checkpoint"
    return int(file.read_text().split("\n")[1]) if file.is_file() else 0


def _missing_tiles(home: Home, tiles: dict[str, bytes]) -> list[str]:
    """Read the log as a stranger does: from its files, up to its checkpoint."""
    size = _public_size(home)
    log = home.public / "log"
    missing = [
        f"tile {path}"
        for path, body in tiles.items()
        if not (log / path).is_file() or (log / path).read_bytes() != body
    ]
    if size and not missing:
        entries = [
            entry
            for path, width in bundle_paths(size)
            for entry in parse_bundle((log / path).read_bytes(), width)
        ]
        root = base64.b64encode(mth(entries)).decode()
        if (log / "checkpoint").read_text().split("\n")[2] != root:
            missing.append(f"leaves below the checkpoint of {size}")
    return missing


def torn_files(home: Home) -> list[str]:
    """Tell which of the node's files are there by halves; each is JSON or a note."""
    torn = []
    for file in _files(home):
        body = file.read_bytes()
        if not body:
            torn.append(f"empty {file.name}")
        elif file.suffix == ".json":
            try:
                json.loads(body)
            except ValueError:
                torn.append(f"half of {file.name}")
    return torn


def _files(home: Home) -> list[Path]:
    """Return the plain files that the node writes; its database looks after itself."""
    everything = [home.config_file, home.keystore_file]
    for folder in (home.public, home.issued):
        everything += [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in everything if file.is_file() and file.name[0] != "."]
