"""What an office has: packs made of what it kept, its files, and one verification of it."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from anchoring.cosignature import WitnessQuorum
from anchoring.receipt import parse_anchor
from cli.network import Surroundings
from credentials.trust_pack.manifest import Federation
from credentials.trust_pack.pack import Contents, OnePart, TrustPack, build_pack
from credentials.trust_pack.parts import (
    AnchorPart,
    CheckpointPart,
    DenyList,
    IssuerPart,
    StatusPart,
)
from did.multikey import encode_multikey
from primitives.canonical_json import JsonObject, canonicalize
from primitives.ed25519 import SoftwareSigner
from primitives.encodings import decode_base64
from primitives.hashing import sha256
from primitives.instants import format_instant, parse_instant
from tests.matrix.world import FILE, day
from tests.support.command_line import run
from tests.support.nodes import HandClock

OFFICES = tuple(
    SoftwareSigner(hashlib.sha256(f"matrix office {n}".encode()).digest()) for n in range(3)
)
STRANGER = SoftwareSigner(hashlib.sha256(b"matrix stranger").digest())
SCHOOL = "Bureau of Alternative Education"

Edit = Callable[[Any], object]
"""Changes the JSON of a bundle or a credential in place."""


@lru_cache(maxsize=1)
def world() -> Any:
    """Return what is left of the provider; nobody changes it."""
    return json.loads(FILE.read_bytes())


def federation(name: str = "ph", **changes: Any) -> Federation:
    """Return the federation of the three offices, two of which have to sign."""
    keys = tuple(sorted(encode_multikey(office.public_key) for office in OFFICES))
    return Federation(**{"name": name, "keys": keys, "threshold": 2, **changes})


@dataclass(frozen=True)
class Pack:
    """A trust pack made of what was kept on one day, the next day."""

    day: str = "march"
    lists: bool = True
    issuer: bool = True
    history: bool = True
    records: Sequence[int] = (0, 1, 2, 3)
    """Which anchor records are in it, of those that were anchored by then."""

    scope: tuple[str, ...] = ()
    deny: DenyList = field(default_factory=DenyList)
    contracts: tuple[str, ...] = ()
    witnesses: WitnessQuorum | None = None
    name: str = "ph"
    signers: Sequence[SoftwareSigner] = OFFICES[:2]
    years: int = 0
    """How long it stays fresh, in place of the usual 30 days."""

    def make(self) -> TrustPack:
        """Return it, signed."""
        kept = world()["days"][self.day]
        had = parse_instant(kept["at"])
        held = Contents(
            federation(self.name, contracts=self.contracts, witnesses=self.witnesses),
            self.deny,
            tuple(self._parts(kept, had)),
        )
        long = timedelta(days=365 * self.years)
        made = build_pack(
            held,
            after=None,
            issued=had + timedelta(days=1),
            **({"fresh": long, "usable": long} if self.years else {}),
        )
        for signer in self.signers:
            made = made.signed_by(signer)
        return made

    def _parts(self, kept: Any, had: datetime) -> list[OnePart]:
        found: list[OnePart] = []
        if self.issuer:
            found.append(
                IssuerPart(
                    did=world()["did"],
                    name=SCHOOL,
                    scope=self.scope,
                    first_seen=day(3, 3),
                    last_seen=had,
                    source="https://school.example/.well-known/did.json",
                    document=kept["did"],
                    history=kept["history"] if self.history else None,
                    vkey=world()["vkey"],
                )
            )
        found.append(CheckpointPart(world()["vkey"], had, kept["checkpoint"]))
        if self.lists:
            found += [StatusPart(url, had, one) for url, one in kept["lists"].items()]
        for number in self.records:
            one = world()["records"][number]
            for anchor in map(parse_anchor, one["anchors"]):
                if anchor.timestamp < had:
                    record = decode_base64(one["record"])
                    found.append(AnchorPart(record, had, 9, anchor))
        return found


@dataclass(frozen=True)
class Case:
    """One verification, offline."""

    name: str

    about: str
    """What is missing or old, and why the answer is right."""

    given: str = "good-march"
    """A bundle of the world; or, after `alone:`, a credential without evidence."""

    pack: Pack | None = None
    trust: JsonObject | None = None
    policy: JsonObject | None = None
    receipt: str = ""
    """The bundle whose receipt is given beside a credential."""

    as_of: str = ""
    clock: datetime = field(default_factory=lambda: day(3, 10))
    edit: Edit | None = None
    sealed: bool = True
    """Whether an edited bundle gets the digest of its new parts."""

    spoil: Callable[[bytes], bytes] | None = None
    """Changes the bytes of the pack."""

    root: str = "ph"
    receipt_edit: Edit | None = None

    def write(self, folder: Path) -> list[str]:
        """Write what the office has into `folder`; return the arguments."""
        files: dict[str, bytes] = {"given.json": self._given()}
        arguments = ["verify", "given.json", "--offline"]
        if self.pack is not None:
            raw = self.pack.make().to_bytes()
            files["pack.zip"] = raw if self.spoil is None else self.spoil(raw)
            files["federation.json"] = federation(self.root).to_bytes()
            arguments += ["--pack", "pack.zip", "--root", "federation.json"]
        for name, said in (("trust", self.trust), ("policy", self.policy)):
            if said is not None:
                files[f"{name}.json"] = json.dumps({"version": 1, **said}).encode()
                arguments += [f"--{name}", f"{name}.json"]
        if self.receipt:
            value = json.loads(
                json.dumps(world()["bundles"][self.receipt]["receipt"]["value"])
            )
            if self.receipt_edit is not None:
                self.receipt_edit(value)
            files["receipt.json"] = json.dumps(value).encode()
            arguments += ["--receipt", "receipt.json"]
        if self.as_of:
            arguments += ["--as-of", self.as_of]
        for file, content in files.items():
            (folder / file).write_bytes(content)
        return arguments

    def _given(self) -> bytes:
        kind, _, name = self.given.rpartition(":")
        found = world()["credentials" if kind else "bundles"][name]
        copy: JsonObject = json.loads(json.dumps(found))
        if self.edit is not None:
            self.edit(copy)
        if kind:
            return json.dumps(copy).encode()
        if self.sealed:
            parts = {n: v for n, v in copy.items() if n != "digest"}
            copy["digest"] = sha256(canonicalize(parts)).hex()
        return canonicalize(copy)

    def answer(self, folder: Path) -> dict[str, Any]:
        """Return what `patunay verify` says, run in `folder`, which is the current one."""
        arguments = self.write(folder)
        around = Surroundings(HandClock(self.clock))
        told = run(*arguments, "--json", surroundings=around)
        found: dict[str, Any] = {
            "about": self.about,
            "clock": format_instant(self.clock),
            "arguments": arguments,
            "exit": told.exit_code,
        }
        said: dict[str, Any] = json.loads(told.stdout)
        return {**found, **({"report": said} if "outcome" in said else said)}
