"""What a node knows of itself, read from its static files: Evidence with source `own-node`.

Imports no database and no network library, so that `patunay verify` starts fast.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from anchoring.note import VerifierKey
from credentials.evidence import OWN_NODE, Lookup, Missing, Obtained
from did.resolver import DidNotFound
from node.config import Config
from node.home import Home
from node.parsed_files import ParsedFiles
from node.publishing import (
    StatusUrlForeign,
    did_document_file,
    did_history_file,
    status_list_file,
)
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import Malformed, Misconfigured, PatunayError
from primitives.strict_json import parse_json_object

MAX_FILE_BYTES: Final = 4 << 20
"""Largest static file that is read back: a status list."""


class NodeFileDamaged(Misconfigured):
    """A static file of the node is gone, or was changed."""

    code = "node-file-damaged"
    hint = "`patunay serve` writes the files under public/ anew from the database"


@dataclass(frozen=True, slots=True)
class OwnNode:
    """A node's own DID documents, status lists and log key. Trusted: it is one's own."""

    home: Home
    config: Config
    clock: Clock
    issuers: Mapping[str, str]
    """DID to slug."""

    names: Mapping[str, str]
    """DID to name."""

    vkey: VerifierKey

    files: ParsedFiles = field(default_factory=ParsedFiles, repr=False, compare=False)

    _places: dict[str, Path] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(cls, home: Home, clock: Clock) -> "OwnNode":
        """Read what the node says of itself.

        Raises:
            NodeFileDamaged: `public/node.json` is gone or not as the node writes it.
            ConfigInvalid: The configuration cannot be honoured.
        """
        file = home.public / "node.json"
        try:
            described: Any = parse_json_object(file.read_bytes(), MAX_FILE_BYTES)
            return cls(
                home,
                home.config(),
                clock,
                {str(i["did"]): str(i["slug"]) for i in described["issuers"]},
                {str(i["did"]): str(i["name"]) for i in described["issuers"]},
                VerifierKey.parse(described["log"]["vkey"]),
            )
        except (FileNotFoundError, Malformed, KeyError, TypeError) as e:
            raise NodeFileDamaged(f"{file.name} is not as the node wrote it: {e!r}") from e

    def did_document(self, did: str) -> Lookup[JsonObject] | None:
        """Return one of the node's own DID documents, or None for a stranger's."""
        slug = self.issuers.get(did)
        if slug is None:
            return None
        missing = DidNotFound(f"the file of {did} is gone from public/")
        return self._obtained(
            did, partial(did_document_file, self.home, slug), Missing.because(missing)
        )

    def did_history(self, did: str) -> Lookup[JsonObject] | None:
        """Return the history of one of the node's own DIDs, or None for a stranger's."""
        slug = self.issuers.get(did)
        if slug is None:
            return None
        missing = DidNotFound(f"the history of {did} is gone")
        return self._obtained(
            f"{did}#", partial(did_history_file, self.home, slug), Missing.because(missing)
        )

    def status_list(self, url: str) -> Lookup[JsonObject] | None:
        """Return one of the node's own status lists, or None for a stranger's."""
        missing = Missing("status-list-not-found", f"this node has no list {url}")
        try:
            return self._obtained(
                url, partial(status_list_file, self.home, self.config, url), missing
            )
        except StatusUrlForeign:
            return None

    def _obtained(
        self, name: str, place: Callable[[], Path], missing: Missing
    ) -> Lookup[JsonObject]:
        """Return what a file holds; `missing` if there is no such file."""
        file = self._places.get(name) or place()
        when = self.clock.now()
        try:
            read = self.files.read(file, MAX_FILE_BYTES)
        except FileNotFoundError:
            return missing
        except PatunayError as e:
            return Missing.because(e)
        self._places[name] = file  # one for each file that is there, and no more
        return Obtained(read.document, OWN_NODE, when, recurring=read)
