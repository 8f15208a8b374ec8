"""A trust pack: built, signed, and read again. Reading believes nothing; verify.py does.

Its files are `manifest.json`, which says what the pack is and gives the SHA-256 of every
other file, `signatures.json`, detached signatures over the manifest's bytes, and the parts.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from credentials.trust_pack.archive import PackMalformed, read_archive, write_archive
from credentials.trust_pack.manifest import (
    FRESH,
    USABLE,
    Federation,
    FileEntry,
    Manifest,
    parse_signatures,
    sign_manifest,
    write_signatures,
)
from credentials.trust_pack.parts import (
    DENY,
    FEDERATION,
    AnchorPart,
    CheckpointPart,
    DenyList,
    IssuerPart,
    Part,
    StatusPart,
)
from did.multikey import encode_multikey
from primitives.ed25519 import Signature, Signer
from primitives.errors import Rejected
from primitives.hashing import sha256

MANIFEST: Final = "manifest.json"
SIGNATURES: Final = "signatures.json"

OnePart: TypeAlias = IssuerPart | StatusPart | CheckpointPart | AnchorPart

FOLDERS: Final[Mapping[str, Callable[[bytes, str], OnePart]]] = {
    "issuers": IssuerPart.parse,
    "status": StatusPart.parse,
    "checkpoints": CheckpointPart.parse,
    "anchors": AnchorPart.parse,
}
"""Parser of the files in each folder of a pack."""


class PackFileUnexpected(PackMalformed):
    """A file that the manifest does not name, or that is not there, or of no known kind."""

    code = "pack-file-unexpected"


class PackFileChanged(Rejected):
    """A file is not the one that the manifest names."""

    code = "pack-file-changed"
    hint = "get the pack again, exactly as the office handed it out"


@dataclass(frozen=True, slots=True)
class Contents:
    """All parts of a pack."""

    federation: Federation
    deny: DenyList = DenyList()  # noqa: RUF009 - frozen, and its mappings are never changed
    parts: tuple[OnePart, ...] = ()

    def of(self, kind: type[OnePart]) -> tuple[OnePart, ...]:
        """Return the parts of one kind."""
        return tuple(part for part in self.parts if isinstance(part, kind))

    def files(self) -> dict[str, bytes]:
        """Return all of them as files."""
        named: Iterable[Part] = (self.deny, *self.parts)
        files = {part.file_name: part.to_bytes() for part in named}
        return {**files, FEDERATION: self.federation.to_bytes()}


@dataclass(frozen=True, slots=True)
class TrustPack:
    """A pack taken apart: whole by its manifest, which nobody has verified."""

    manifest: Manifest
    signatures: Mapping[str, Signature]
    """By Multikey."""

    contents: Contents
    raw_manifest: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, in hexadecimal."""
        return self.manifest.digest

    @property
    def name(self) -> str:
        """Federation, version and digest, for people."""
        said = self.manifest
        return f"trust pack {said.version} of {said.federation} ({self.digest[:16]})"

    def to_bytes(self) -> bytes:
        """Return the archive, the same for the same pack everywhere."""
        return write_archive(
            {
                **self.contents.files(),
                MANIFEST: self.raw_manifest,
                SIGNATURES: write_signatures(dict(self.signatures)),
            }
        )

    def signed_by(self, signer: Signer) -> "TrustPack":
        """Return the pack with one more signature, or that key's signature anew."""
        key = encode_multikey(signer.public_key)
        signature = sign_manifest(self.raw_manifest, signer)
        return replace(self, signatures={**self.signatures, key: signature})


def build_pack(
    contents: Contents,
    *,
    after: Manifest | None,
    issued: datetime,
    fresh: timedelta = FRESH,
    usable: timedelta = USABLE,
) -> TrustPack:
    """Return an unsigned pack.

    Args:
        contents: What it holds.
        after: Manifest of the pack before; None for the first.
        issued: Aware; now.
        fresh: How long it is used without remark.
        usable: How long it is used at all.

    Raises:
        PackMalformed: It would not be read again.
    """
    issued = issued.replace(microsecond=0)
    manifest = Manifest(
        federation=contents.federation.name,
        version=1 if after is None else after.version + 1,
        issued=issued,
        expires=issued + fresh,
        usable_until=issued + usable,
        previous=None if after is None else after.digest,
        files={name: _entry(raw) for name, raw in contents.files().items()},
    )
    return TrustPack(manifest, {}, contents, manifest.to_bytes())


def parse_pack(raw: bytes) -> TrustPack:
    """Return a pack of which every file is the one that its manifest names.

    Whether the manifest is to be believed is for `verify_pack`.

    Raises:
        PackMalformed: Not a pack in its one spelling; some subclasses say more.
        PackFileChanged: A file has another digest than the manifest names.
        FederationMalformed: `federation.json` is none.
    """
    files = read_archive(raw)
    raw_manifest, raw_signatures = files.pop(MANIFEST, None), files.pop(SIGNATURES, None)
    if raw_manifest is None or raw_signatures is None:
        raise PackFileUnexpected(f"found no {MANIFEST} or no {SIGNATURES}, want both")
    manifest = Manifest.parse(raw_manifest)
    _require_files(files, manifest)
    signatures = parse_signatures(raw_signatures)
    federation = Federation.parse(files.pop(FEDERATION))
    deny = DenyList.parse(files.pop(DENY))
    parts = tuple(_parse_part(name, files[name]) for name in files)
    if federation.name != manifest.federation:
        raise PackMalformed(f"found federation {federation.name}, want the manifest's")
    contents = Contents(federation, deny, parts)
    return TrustPack(manifest, signatures, contents, raw_manifest)


def _require_files(files: Mapping[str, bytes], manifest: Manifest) -> None:
    for name in sorted(files.keys() ^ manifest.files.keys()):
        where = "not named by the manifest" if name in files else "not there"
        raise PackFileUnexpected(f"{name[:80]} is {where}")
    for name in (FEDERATION, DENY):
        if name not in files:
            raise PackFileUnexpected(f"{name} is not there")
    for name, raw in files.items():
        found, wanted = _entry(raw), manifest.files[name]
        if found != wanted:
            raise PackFileChanged(f"{name}: found {found.sha256}, want {wanted.sha256}")


def _parse_part(name: str, raw: bytes) -> OnePart:
    parse = FOLDERS.get(name.partition("/")[0])
    if parse is None:
        raise PackFileUnexpected(f"{name} is of no known kind")
    part = parse(raw, name)
    if part.file_name != name:
        raise PackFileUnexpected(f"found {name}, want {part.file_name} for what is in it")
    return part


def _entry(raw: bytes) -> FileEntry:
    return FileEntry(sha256(raw).hex(), len(raw))
