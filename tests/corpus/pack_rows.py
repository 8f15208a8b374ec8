"""Area B: trust packs, and bundles that would be one.

A case of kind `pack` has in its context the `root` that the office knows, its `clock`,
perhaps the pack that it has let in `before`, and the `credential` that is judged with it.
"""

import io
import json
import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credentials.bundle import encode_bundle
from credentials.trust_pack.archive import read_archive, write_archive
from primitives.canonical_json import canonicalize
from primitives.encodings import encode_base64
from primitives.instants import format_instant
from tests.corpus.case import Case, pretty
from tests.support.bundles import kit, resealed, trust_file
from tests.support.credentials_support import DAY, INDEX, NOW, signed
from tests.support.trust_packs import (
    OFFICES,
    OUTSIDER,
    contents,
    federation,
    pack,
    status_part,
)

GOOD = pack()
FILES = read_archive(GOOD.to_bytes())
OTHER = pack(contents(name="other"))


@dataclass(frozen=True)
class PackCase:
    """A pack that an office is given."""

    name: str
    raw: bytes
    outcome: str = "valid"
    code: str = ""
    clock: datetime = NOW
    before: bytes = b""

    def files(self) -> dict[str, bytes]:
        """Return what stands in the folder."""
        context = {
            "kind": "pack",
            "root": json.loads(federation().to_bytes()),
            "clock": format_instant(self.clock),
            "before": encode_base64(self.before),
            "credential": signed(),
        }
        return {
            "input": self.raw,
            "context.json": pretty(context),
            "expect.json": pretty({"outcome": self.outcome, "code": self.code}),
        }


UNDETERMINED, REJECTED, MALFORMED = "undetermined", "rejected", "malformed"


def pack_rows() -> Iterator[PackCase]:
    """Give the cases, in the order of the table."""
    good = GOOD.to_bytes()
    yield PackCase("B00-good", good)
    yield from _signed()
    old = NOW + 30 * DAY
    yield PackCase("B03-past-its-date", good, code="pack-stale", clock=old)
    # Beside the remark on the list that is in it, which is as old.
    expired = NOW + 180 * DAY
    yield PackCase("B03-past-its-use", good, UNDETERMINED, "pack-expired", expired)
    yield from _rolled_back()
    yield from _files()
    for name, mode in SPECIAL.items():
        raw = _with_special(mode)
        yield PackCase(f"B09-{name}", raw, MALFORMED, "pack-entry-refused")
    packed, one = _packed(), "pack-entry-refused"
    yield PackCase("B11-packed-and-said-to-be-4-gib", packed, MALFORMED, one)
    over_each_other = _overlapping()
    yield PackCase(
        "B11-files-over-each-other", over_each_other, MALFORMED, "pack-too-large"
    )
    wrong = "pack-wrong-federation"
    yield PackCase("B12-of-another-federation", OTHER.to_bytes(), REJECTED, wrong)
    behind = "clock-implausible"
    yield PackCase("B13-clock-before-the-pack", good, UNDETERMINED, behind, NOW - DAY)
    yield PackCase("B13-clock-a-little-before", good, clock=NOW - DAY / 288)


def _signed() -> Iterator[PackCase]:
    bare, unknown = pack(signers=0), "pack-signer-unknown"
    stranger = bare.signed_by(OUTSIDER).to_bytes()
    yield PackCase("B01-signed-by-a-stranger", stranger, REJECTED, unknown)
    yield PackCase("B01-signed-by-nobody", bare.to_bytes(), REJECTED, unknown)
    few = "pack-quorum-missed"
    yield PackCase("B02-one-of-two", pack(signers=1).to_bytes(), REJECTED, few)
    two = bare.signed_by(OFFICES[0]).signed_by(OUTSIDER).to_bytes()
    yield PackCase("B02-one-and-a-stranger", two, REJECTED, few)
    yield PackCase("B02-all-three", pack(signers=3).to_bytes())


def _files() -> Iterator[PackCase]:
    odd = "pack-file-unexpected"
    more = write_archive({**FILES, "notes.txt": b"hello"})
    yield PackCase("B07-file-not-in-the-manifest", more, MALFORMED, odd)
    fewer = {n: raw for n, raw in FILES.items() if not n.startswith("status/")}
    yield PackCase("B07-entry-without-a-file", write_archive(fewer), MALFORMED, odd)
    nobody = canonicalize({"format": 1, "keys": [], "issuers": [1]})
    other = write_archive({**FILES, "deny.json": nobody})
    yield PackCase("B07-another-file-in-its-place", other, REJECTED, "pack-file-changed")


def bundle_rows() -> Iterator[Case]:
    """Give the cases that are given like a credential; the office knows nothing."""
    made = kit().bundle
    parts: Any = json.loads(encode_bundle(made))
    yield Case("B15-bundle-alone", encode_bundle(made), UNDETERMINED, "log-not-bound")
    with_trust = resealed({**parts, **trust_file(), "version": 1})
    yield Case("B15-bundle-with-its-own-trust", with_trust, MALFORMED, "bundle-malformed")
    url = b"http://169.254.169.254/latest/meta-data/"
    yield Case("B20-address-of-an-internal-host", url, MALFORMED, "json-malformed")
    quoted = json.dumps(url.decode()).encode()
    yield Case("B20-address-in-quotes", quoted, MALFORMED, "json-not-object")


def _rolled_back() -> Iterator[PackCase]:
    newer = pack(contents(status_part(INDEX, had=NOW)), after=GOOD).to_bytes()
    twin, raw = pack(contents(status_part(INDEX))), GOOD.to_bytes()
    follower = pack(contents(), after=twin).to_bytes()
    back = REJECTED, "pack-rolled-back"
    yield PackCase("B04-older-than-the-one-before", raw, *back, before=newer)
    same = "B04-another-of-the-same-version"
    yield PackCase(same, twin.to_bytes(), *back, before=raw)
    yield PackCase("B04-follows-another", follower, *back, before=raw)
    follows = pack(contents(), after=GOOD).to_bytes()
    yield PackCase("B04-the-next-version", follows, before=raw)
    yield PackCase("B04-the-same-again", raw, before=raw)


SPECIAL = {
    "symbolic-link": stat.S_IFLNK | 0o777,
    "device": stat.S_IFCHR | 0o666,
    "named-pipe": stat.S_IFIFO | 0o666,
    "folder": stat.S_IFDIR | 0o755,
    "set-user-id": stat.S_IFREG | 0o4755,
}
"""ZIP has no hard links; what comes nearest, two entries at one place, is `B11`."""


def _with_special(mode: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in FILES.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            kind = mode if name.startswith("status/") else stat.S_IFREG | 0o644
            info.external_attr = kind << 16
            archive.writestr(info, raw)
    return file.getvalue()


def _packed() -> bytes:
    """Return an archive with a packed file that says that it grows to 4 GiB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo("manifest.json")
        info.create_system = 3
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, b"\x00" * 100_000)
    raw = bytearray(file.getvalue())
    struct.pack_into("<I", raw, raw.index(b"PK\x01\x02") + 24, 2**32 - 2)
    return bytes(raw)


def _overlapping() -> bytes:
    """Return an archive whose files all begin at its beginning and take all of it."""
    raw = bytearray(write_archive(FILES))
    place = raw.index(b"PK\x01\x02")
    for _ in FILES:
        struct.pack_into("<II", raw, place + 20, len(raw), len(raw))
        struct.pack_into("<I", raw, place + 42, 0)
        named = struct.unpack_from("<H", raw, place + 28)[0]
        place += 46 + named
    return bytes(raw)
