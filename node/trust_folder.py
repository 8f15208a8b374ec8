"""The working folder of an office that makes trust packs.

    keys.json          this office's own keys of the federation, sealed by a passphrase
    federation.json    all keys, and how many have to sign
    office.json        whom to look after: DID, name and scope of each issuer
    deny.json, issuers/, status/, checkpoints/, anchors/      as they stand in a pack
    pack.zip           the last pack that was signed here

Each part is written as soon as it was had, so work that was broken off is not lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_bytes
from typing import Final

from anchoring.cosignature import WitnessQuorum
from credentials.trust_pack.archive import MAX_PACK_BYTES
from credentials.trust_pack.manifest import Federation
from credentials.trust_pack.members import (
    MAX_FILE_BYTES,
    array,
    members_of,
    number,
    read_object,
    text,
    texts,
)
from credentials.trust_pack.pack import (
    FOLDERS,
    Contents,
    OnePart,
    TrustPack,
    build_pack,
    parse_pack,
)
from credentials.trust_pack.parts import DENY, FEDERATION, DenyList, Part
from did.keyfile import MAX_FILE_BYTES as MAX_KEY_FILE_BYTES
from did.keyfile import MODERATE, Argon2Cost, KeyLabel
from did.keystore import Keystore, new_keystore, open_keystore
from did.multikey import decode_multikey, encode_multikey
from node.home import create_folder, write_file
from primitives.canonical_json import Json, canonicalize
from primitives.clock import Clock
from primitives.ed25519 import SEED_BYTES
from primitives.errors import Misconfigured

PACK: Final = "pack.zip"
_OFFICE: Final = "office.json"
_KEYS: Final = "keys.json"
_MAX_ISSUERS: Final = 5_000
_MAX_SCOPE: Final = 64


class TrustFolderMissing(Misconfigured):
    """The folder is not one that `patunay trust init` made, or a file of it is gone."""

    code = "trust-folder-missing"
    hint = "name the office's folder, or make one with `patunay trust init DIR`"


class NothingToSign(Misconfigured):
    """The folder holds no evidence about any issuer yet."""

    code = "trust-nothing-to-sign"
    hint = "add issuers with `patunay trust add-issuer`, then `patunay trust refresh`"


class KeyNotInFederation(Misconfigured):
    """None of this office's keys may sign packs of the federation."""

    code = "trust-key-not-in-federation"
    hint = "have the federation add this office's key"


@dataclass(frozen=True, slots=True)
class Followed:
    """An issuer that the office looks after."""

    did: str
    name: str
    scope: tuple[str, ...]
    """Award types, ascending; empty means all."""


@dataclass(frozen=True, slots=True)
class TrustFolder:
    """An office's folder that is there."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> "TrustFolder":
        """Return the folder.

        Raises:
            TrustFolderMissing: There is none.
        """
        if not (root / _OFFICE).is_file():
            raise TrustFolderMissing(f"found no {_OFFICE} in {root}")
        return cls(root)

    @classmethod
    def create(  # noqa: PLR0913 - one parameter for each thing that is chosen
        cls,
        root: Path,
        name: str,
        passphrase: bytes,
        clock: Clock,
        *,
        others: Sequence[str],
        threshold: int,
        contracts: Sequence[str],
        witnesses: WitnessQuorum | None = None,
        cost: Argon2Cost = MODERATE,
    ) -> "TrustFolder":
        """Make a folder with one new key.

        Args:
            root: New or empty.
            name: Id of the federation.
            passphrase: Seals the key.
            clock: Says when the key was made.
            others: Multikeys of the other offices.
            threshold: How many keys have to sign.
            contracts: CAIP-10 contracts whose events count; empty for all.
            witnesses: Whose cosignatures count; None for nobody's.
            cost: Of opening the key file.

        Raises:
            FederationMalformed: Nobody, or anybody, could speak for such a federation.
            HomeExists: Something is there already.
            MultikeyMalformed: One of `others` is none.
        """
        for key in others:
            decode_multikey(key)
        label = KeyLabel("pack-1", "pack", "", clock.now())
        store = new_keystore(passphrase, cost).add_ed25519(label, token_bytes(SEED_BYTES))
        own = store.keystore.entry("pack-1").public
        keys, events = tuple(sorted({own, *others})), tuple(sorted(set(contracts)))
        federation = Federation(name, keys, threshold, events, witnesses)
        create_folder(root)
        folder = cls(root)
        write_file(root / _KEYS, store.seal(), mode=0o600)
        folder.write_federation(federation)
        folder.write_part(DenyList())
        folder.follow(())
        return folder

    def federation(self) -> Federation:
        """Return the federation as it is to be from the next pack on."""
        return Federation.parse(self._read(FEDERATION))

    def write_federation(self, federation: Federation) -> None:
        """Store it."""
        write_file(self.root / FEDERATION, federation.to_bytes())

    def deny(self) -> DenyList:
        """Return who is not to be believed."""
        return DenyList.parse(self._read(DENY))

    def keystore(self) -> Keystore:
        """Return this office's keys, locked."""
        return open_keystore(self._read(_KEYS, MAX_KEY_FILE_BYTES))

    def followed(self) -> tuple[Followed, ...]:
        """Return whom the office looks after, by DID."""
        found = read_object(self._read(_OFFICE), _OFFICE, ("format", "issuers"))
        number(found, "format", 1, 1)
        members = ("did", "name", "scope")
        items = [
            members_of(item, _OFFICE, members)
            for item in array(found, "issuers", _MAX_ISSUERS)
        ]
        return tuple(
            Followed(text(one, "did"), text(one, "name"), texts(one, "scope", _MAX_SCOPE))
            for one in items
        )

    def follow(self, issuers: Sequence[Followed]) -> None:
        """Store whom the office looks after; of one DID the last counts."""
        each = {issuer.did: issuer for issuer in issuers}
        listed: list[Json] = [
            {"did": did, "name": each[did].name, "scope": list(each[did].scope)}
            for did in sorted(each)
        ]
        raw = canonicalize({"format": 1, "issuers": listed})
        write_file(self.root / _OFFICE, raw)

    def write_part(self, part: Part) -> None:
        """Store a part, durably."""
        write_file(self.root / part.file_name, part.to_bytes())

    def parts(self) -> tuple[OnePart, ...]:
        """Return every part that is there.

        Raises:
            PackMalformed: A file of it was changed by hand.
        """
        found: list[OnePart] = []
        for name, parse in FOLDERS.items():
            files = sorted((self.root / name).glob("*.json"))
            found += (parse(self._read(f"{name}/{f.name}"), f.name) for f in files)
        return tuple(found)

    def contents(self) -> Contents:
        """Return what the next pack would hold."""
        return Contents(self.federation(), self.deny(), self.parts())

    def pack(self) -> TrustPack | None:
        """Return the last pack that was signed here; None before the first."""
        if not (self.root / PACK).is_file():
            return None
        return parse_pack(self._read(PACK, MAX_PACK_BYTES))

    def sign(self, passphrase: bytes, now: datetime) -> TrustPack:
        """Return a new pack of what is there, signed by this office, and store it.

        Raises:
            NothingToSign: Nothing is there.
            KeyNotInFederation: See the class.
            KeyUnlockFailed: Another passphrase.
        """
        contents, last = self.contents(), self.pack()
        if not contents.parts:
            raise NothingToSign(f"found no part of a pack in {self.root}")
        after = last.manifest if last is not None else None
        signed = self.add_signatures(
            build_pack(contents, after=after, issued=now), passphrase
        )
        write_file(self.root / PACK, signed.to_bytes())
        return signed

    def add_signatures(self, pack: TrustPack, passphrase: bytes) -> TrustPack:
        """Return `pack` with the signatures of this office's keys.

        Raises:
            KeyNotInFederation: None of them is one of the federation's.
            KeyUnlockFailed: Another passphrase.
        """
        wanted = {*pack.contents.federation.keys, *self.federation().keys}
        store = self.keystore()
        mine = [e.label.key_id for e in store.entries if e.public in wanted]
        if not mine:
            raise KeyNotInFederation(f"no key of {self.root} is one of {len(wanted)}")
        unlocked = store.unlock(passphrase)
        for key_id in mine:
            pack = pack.signed_by(unlocked.signer(key_id))
        return pack

    def own_keys(self) -> tuple[str, ...]:
        """Return the Multikeys of this office."""
        entries = self.keystore().entries
        return tuple(encode_multikey(decode_multikey(entry.public)) for entry in entries)

    def _read(self, name: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
        try:
            with (self.root / name).open("rb") as file:
                return file.read(max_bytes + 1)
        except FileNotFoundError as e:
            raise TrustFolderMissing(f"found no {name} in {self.root}") from e
