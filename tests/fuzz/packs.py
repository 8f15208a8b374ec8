"""Mutated trust packs and foreign documents: what nobody signed is never believed.

A pack that is let in has to be the honest one, file by file, whatever was done to its
archive. A document of another system is never `valid`, whatever was done to it.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from credentials.evidence import Evidence
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Outcome
from credentials.trust_pack.archive import MAX_PACK_BYTES, read_archive, write_archive
from credentials.trust_pack.pack import parse_pack
from credentials.trust_pack.registries import parse_registry
from credentials.trust_pack.verify import Seen, verify_pack
from primitives.canonical_json import canonicalize
from primitives.errors import PatunayError
from primitives.hashing import sha256
from primitives.strict_json import parse_json_object
from tests.fuzz.mutations import Mutator
from tests.fuzz.ways import CODES
from tests.support.credentials_support import NOW, SIGNER
from tests.support.foreign import blockcerts, certificate, diploma, open_attestation
from tests.support.trust_packs import federation, pack

HONEST: Final = pack(signers=3).to_bytes()
FILES: Final = read_archive(HONEST)
SIGNATURES: Final = "signatures.json"
MANIFEST: Final = "manifest.json"
FOREIGN: Final[tuple[dict[str, Any], ...]] = (
    blockcerts(certificate(), (("left", bytes(32)), ("right", bytes([7]) * 32))),
    open_attestation(diploma(), (bytes(32),), hidden=["name"]),
)


@dataclass
class PackFindings:
    """What came of a run."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    """Seed, number and problem of each input that went wrong."""


def fuzz_packs(seed: int, count: int) -> PackFindings:
    """Send `count` inputs; the same seed and number give the same input."""
    found = PackFindings()
    for index in range(count):
        random = Random(f"{seed}/{index}")
        way = _WAYS[index % len(_WAYS)]
        try:
            found.outcomes[f"{way.__name__.strip('_')} {way(random)}"] += 1
        except PatunayError as e:
            if e.code not in CODES:
                found.failures.append(f"{seed}/{index}: unknown code {e.code}")
            found.outcomes[f"{way.__name__.strip('_')} refused"] += 1
        except Exception as e:  # noqa: BLE001 - whatever else comes is a bug to be shown
            found.failures.append(f"{seed}/{index}: {way.__name__}: {e!r}")
    return found


def _damaged_archive(random: Random) -> str:
    raw = bytearray(HONEST)
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(raw))
        change = random.randrange(4)
        if change == 0:
            raw[place] ^= 1 << random.randrange(8)
        elif change == 1:
            del raw[place : place + random.randint(1, 40)]
        elif change == 2:
            raw[place:place] = random.randbytes(random.randint(1, 20))
        else:
            raw[place:place] = raw[place : place + 200]
    return _let_in(bytes(raw))


def _changed_file(random: Random) -> str:
    name = random.choice(sorted(FILES))
    return _let_in(_zipped({**FILES, name: _mutated(random, FILES[name])}))


def _resealed(random: Random) -> str:
    """Change a file and write its digest into the manifest, as a forger would."""
    name = random.choice([n for n in sorted(FILES) if n not in (MANIFEST, SIGNATURES)])
    files = {**FILES, name: _mutated(random, FILES[name])}
    manifest = json.loads(files[MANIFEST])
    digest = sha256(files[name]).hex()
    manifest["files"][name] = {"bytes": len(files[name]), "sha256": digest}
    return _let_in(_zipped({**files, MANIFEST: canonicalize(manifest)}))


def _moved_files(random: Random) -> str:
    files = dict(FILES)
    one, other = random.sample(sorted(files), 2)
    if random.random() < 0.5:
        files[one], files[other] = files[other], files[one]
    elif random.random() < 0.5:
        del files[one]
    else:
        files[f"issuers/{random.randbytes(16).hex()}.json"] = files[one]
    return _let_in(_zipped(files))


def _foreign_document(random: Random) -> str:
    honest = random.choice(FOREIGN)
    raw = Mutator(random, FOREIGN).bytes_from(honest)
    report = judge(parse_json_object(raw), Evidence(), Policy(), NOW)
    if report.outcome is Outcome.VALID:
        raise AssertionError(f"valid: {raw[:400]!r}")
    return str(report.outcome.value)


def _registry(random: Random) -> str:
    honest = {"registry": {"did:web:a.example": {"name": "A"}}, "meta": {}}
    raw = Mutator(random, FOREIGN).bytes_from(honest)
    found = parse_registry(raw, None if random.random() < 0.9 else SIGNER.public_key, NOW)
    if found.signed:
        raise AssertionError(f"signed: {raw[:400]!r}")
    return "read"


_WAYS: Final[tuple[Callable[[Random], str], ...]] = (
    _damaged_archive,
    _changed_file,
    _resealed,
    _moved_files,
    _foreign_document,
    _registry,
)


def _mutated(random: Random, raw: bytes) -> bytes:
    return Mutator(random, FOREIGN).bytes_from(json.loads(raw))


def _zipped(files: dict[str, bytes]) -> bytes:
    return write_archive(files)


def _let_in(raw: bytes) -> str:
    """Let a pack in, or raise why not; one that is let in has to be the honest one."""
    if len(raw) > MAX_PACK_BYTES:
        return "too large to be sent"
    found = parse_pack(raw)
    verify_pack(found, federation(), NOW, Seen())
    held = found.contents.files()
    for name, content in read_archive(HONEST).items():
        if name not in (MANIFEST, SIGNATURES) and held[name] != content:
            raise AssertionError(f"let in with another {name}")
    if found.manifest.to_bytes() != FILES[MANIFEST]:
        raise AssertionError("let in with another manifest")
    return "let in, as it was signed"
