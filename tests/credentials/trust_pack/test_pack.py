"""A pack as a whole: the same bytes everywhere, and no byte that can be changed."""

import json
import random
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from credentials.clock_check import ClockImplausible
from credentials.trust_pack.archive import PackMalformed, read_archive, write_archive
from credentials.trust_pack.manifest import (
    Federation,
    FederationMalformed,
    Manifest,
    parse_signatures,
    write_signatures,
)
from credentials.trust_pack.pack import (
    MANIFEST,
    SIGNATURES,
    OnePart,
    PackFileChanged,
    PackFileUnexpected,
    TrustPack,
    parse_pack,
)
from credentials.trust_pack.parts import DenyList, IssuerPart
from credentials.trust_pack.rules import Denial
from credentials.trust_pack.verify import (
    PackExpired,
    PackQuorumMissed,
    PackRolledBack,
    PackSignatureInvalid,
    PackSignerUnknown,
    PackWrongFederation,
    Seen,
    require_past,
    verify_pack,
)
from did.multikey import encode_multikey
from primitives.canonical_json import canonicalize
from primitives.ed25519 import Signature
from primitives.errors import Malformed, PatunayError, Rejected
from primitives.hashing import sha256
from primitives.instants import format_instant
from tests.support.credentials_support import DAY, ISSUER, NOW
from tests.support.trust_packs import (
    ISSUED,
    MINUTE,
    OFFICES,
    OUTSIDER,
    checkpoint_part,
    contents,
    federation,
    issuer_part,
    pack,
    parts,
    status_part,
)

PACK = pack()
RAW = PACK.to_bytes()
KEYS = [encode_multikey(office.public_key) for office in OFFICES]


def check(raw: bytes, seen: Seen | None = None) -> Seen:
    return verify_pack(parse_pack(raw), federation(), NOW, seen or Seen())


def reading(**changes: bytes | None) -> bytes:
    """Return the pack with files added, changed or (None) left out; the manifest stands."""
    files = {**read_archive(RAW), **changes}
    return write_archive({name: raw for name, raw in files.items() if raw is not None})


def remade(name: str, raw: bytes) -> bytes:
    """Return the pack with a file changed, and a manifest that says so, not signed anew."""
    manifest = json.loads(read_archive(RAW)[MANIFEST])
    manifest["files"][name] = {"sha256": sha256(raw).hex(), "bytes": len(raw)}
    return reading(**{name: raw, MANIFEST: canonicalize(manifest)})


def test_a_pack_is_the_same_bytes_whoever_makes_it() -> None:
    other = pack(replace(contents(), parts=tuple(reversed(parts()))))
    assert other.to_bytes() == RAW
    assert parse_pack(RAW).to_bytes() == RAW
    # Frozen: a change of the format has to be noticed.
    assert max(read_archive(RAW)).startswith("status/")
    assert PACK.digest == sha256(read_archive(RAW)[MANIFEST]).hex()


def test_what_was_packed_is_read_again() -> None:
    found = parse_pack(RAW)
    assert sorted(p.file_name for p in found.contents.parts) == sorted(
        p.file_name for p in parts()
    )
    assert set(map(repr, found.contents.parts)) == set(map(repr, parts()))
    assert check(RAW).version == 1


def test_no_bit_of_a_sample_can_be_changed() -> None:
    source = random.Random(5)
    for bit in source.sample(range(len(RAW) * 8), 600):
        changed = bytearray(RAW)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((Malformed, Rejected)):
            check(bytes(changed))


@pytest.mark.parametrize("name", sorted(read_archive(RAW).keys() - {MANIFEST, SIGNATURES}))
def test_no_file_can_be_changed_left_out_or_exchanged(name: str) -> None:
    raw = read_archive(RAW)[name]
    with pytest.raises(PackFileChanged):
        check(reading(**{name: raw[:-1] + b" "}))
    with pytest.raises(PackFileUnexpected, match="not there"):
        check(reading(**{name: None}))
    # Whoever changes the manifest with it has no signature over that.
    with pytest.raises((PackMalformed, FederationMalformed, PackSignatureInvalid)):
        check(remade(name, raw[:-1] + b" "))


def fields(name: str) -> list[str]:
    return sorted(json.loads(read_archive(RAW)[name]))


@pytest.mark.parametrize(
    ("name", "member"),
    [
        (name, member)
        for name in sorted(read_archive(RAW).keys() - {MANIFEST, SIGNATURES})
        for member in fields(name)
    ],
)
def test_no_member_of_any_file_can_be_changed(name: str, member: str) -> None:
    value = json.loads(read_archive(RAW)[name])
    others: tuple[Any, ...] = (None, 7, "x", [], {"a": 1})
    for other in others:
        if value[member] != other:
            with pytest.raises((Malformed, Rejected)):
                check(remade(name, canonicalize({**value, member: other})))
    with pytest.raises((Malformed, Rejected)):
        check(remade(name, canonicalize({k: v for k, v in value.items() if k != member})))
    with pytest.raises((Malformed, Rejected)):
        check(remade(name, canonicalize({**value, "more": 1})))


@pytest.mark.parametrize("member", fields(MANIFEST))
def test_no_member_of_the_manifest_can_be_changed(member: str) -> None:
    value = json.loads(read_archive(RAW)[MANIFEST])
    others: tuple[Any, ...] = (None, 0, 2, "x", "2026-11-22T07:59:30Z", "a" * 64, [], {})
    for other in (other for other in others if other != value[member]):
        with pytest.raises((Malformed, Rejected)):
            check(reading(**{MANIFEST: canonicalize({**value, member: other})}))


def test_every_entry_of_the_manifest_counts() -> None:
    value = json.loads(read_archive(RAW)[MANIFEST])
    for name, entry in value["files"].items():
        for other in (
            {**entry, "bytes": entry["bytes"] + 1},
            {**entry, "sha256": "0" * 64},
            {**entry, "sha256": entry["sha256"].upper()},
            {"sha256": entry["sha256"]},
            7,
        ):
            changed = {**value, "files": {**value["files"], name: other}}
            with pytest.raises((PackMalformed, PackFileChanged)):
                check(reading(**{MANIFEST: canonicalize(changed)}))


def test_a_file_beside_the_manifest_is_refused() -> None:
    with pytest.raises(PackFileUnexpected, match="not named"):
        check(reading(**{"more.json": b"{}"}))


@pytest.mark.parametrize("name", ["more.json", "keys/more.json"])
def test_a_file_of_no_known_kind_is_refused(name: str) -> None:
    with pytest.raises(PackFileUnexpected, match="no known kind"):
        check(remade(name, b"{}"))


def test_a_file_stands_where_its_subject_says() -> None:
    part = issuer_part()
    with pytest.raises(PackFileUnexpected, match="for what is in it"):
        check(remade(f"issuers/{'0' * 32}.json", part.to_bytes()))


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURES, "federation.json", "deny.json"])
def test_a_pack_without_its_own_files_is_refused(name: str) -> None:
    with pytest.raises(PackFileUnexpected):
        check(reading(**{name: None}))


def test_another_spelling_of_a_file_is_refused() -> None:
    raw = read_archive(RAW)["federation.json"]
    with pytest.raises(FederationMalformed, match="RFC 8785"):
        check(remade("federation.json", raw.replace(b'":', b'": ')))


# Signatures.


def with_signatures(signatures: dict[str, Signature]) -> bytes:
    return replace(PACK, signatures=signatures).to_bytes()


def test_every_signature_counts_and_none_can_be_changed() -> None:
    for key, signature in PACK.signatures.items():
        fewer = {k: v for k, v in PACK.signatures.items() if k != key}
        with pytest.raises(PackQuorumMissed, match="found 1 signatures, want 2"):
            check(with_signatures(fewer))
        for place in range(64):
            changed = bytearray(signature)
            changed[place] ^= 1
            broken = Signature(bytes(changed))
            with pytest.raises(PackSignatureInvalid):
                check(with_signatures({**PACK.signatures, key: broken}))
        with pytest.raises(PackSignatureInvalid):
            check(with_signatures({**PACK.signatures, key: Signature(signature[:-1])}))


def test_a_third_signature_that_is_wrong_is_not_passed_over() -> None:
    third = Signature(bytes(64))
    with pytest.raises(PackSignatureInvalid):
        check(with_signatures({**PACK.signatures, KEYS[2]: third}))


def test_signatures_of_strangers_count_for_nothing() -> None:
    one = pack(signers=1).signed_by(OUTSIDER)
    with pytest.raises(PackQuorumMissed):
        check(one.to_bytes())
    assert check(PACK.signed_by(OUTSIDER).to_bytes()).version == 1
    with pytest.raises(PackSignerUnknown):
        check(pack(signers=0).signed_by(OUTSIDER).to_bytes())
    with pytest.raises(PackSignerUnknown):
        check(pack(signers=0).to_bytes())


def test_one_key_that_signs_twice_is_one_signature() -> None:
    one = pack(signers=1)
    assert one.signed_by(OFFICES[0]).to_bytes() == one.to_bytes()
    item = json.loads(write_signatures(dict(one.signatures)))["signatures"][0]
    twice = canonicalize({"format": 1, "signatures": [item, item]})
    with pytest.raises(PackMalformed, match="two signatures"):
        parse_signatures(twice)


def test_a_signature_of_the_manifest_alone_is_none_of_the_pack() -> None:
    plain = {
        encode_multikey(office.public_key): office.sign(PACK.raw_manifest)
        for office in OFFICES
    }
    with pytest.raises(PackSignatureInvalid):
        check(with_signatures(plain))


@pytest.mark.parametrize("threshold", [0, -1, 4])
def test_a_federation_of_no_or_too_many_signatures_is_refused(threshold: int) -> None:
    with pytest.raises(FederationMalformed, match="threshold"):
        federation(threshold)
    raw = federation().to_bytes().replace(b'"threshold":2', b'"threshold":%d' % threshold)
    with pytest.raises(FederationMalformed, match="threshold"):
        Federation.parse(raw)


def test_a_federation_counts_each_key_once() -> None:
    with pytest.raises(FederationMalformed, match="each of them once"):
        federation(keys=(KEYS[0], KEYS[0]))
    with pytest.raises(FederationMalformed, match="threshold"):
        federation(1, keys=())


def test_a_pack_of_another_federation_is_refused() -> None:
    with pytest.raises(PackWrongFederation):
        verify_pack(PACK, federation(name="my"), NOW, Seen())


def test_new_keys_need_the_signatures_of_old_and_new() -> None:
    new = federation(1, keys=(encode_multikey(OUTSIDER.public_key),))
    held = replace(contents(), federation=new)
    with pytest.raises(PackSignerUnknown):
        check(pack(held).to_bytes())
    with pytest.raises(PackSignerUnknown):
        check(pack(held, signers=0).signed_by(OUTSIDER).to_bytes())
    assert check(pack(held).signed_by(OUTSIDER).to_bytes()).version == 1


# Time, and what was seen before.


def at(moment: datetime) -> Seen:
    return verify_pack(PACK, federation(), moment, Seen())


def test_a_pack_is_usable_then_expired() -> None:
    assert at(ISSUED + 180 * DAY - MINUTE).version == 1
    until = format_instant(ISSUED + 180 * DAY)
    with pytest.raises(PackExpired, match=f"was usable until {until}$"):
        at(ISSUED + 180 * DAY)


def test_a_clock_before_the_pack_is_told() -> None:
    require_past(PACK, ISSUED - 5 * MINUTE)
    with pytest.raises(ClockImplausible):
        require_past(PACK, ISSUED - 6 * MINUTE)
    with pytest.raises(ClockImplausible):
        require_past(pack(contents(status_part(had=NOW + DAY))), NOW)


def later(*more: OnePart, after: TrustPack = PACK) -> bytes:
    return pack(contents(*more), after=after).to_bytes()


def test_an_older_pack_is_refused_after_a_newer_one() -> None:
    first = check(RAW)
    assert (first.version, first.digest) == (1, PACK.digest)
    assert check(RAW, first) == first
    second = check(later(), first)
    assert second.version == 2
    with pytest.raises(PackRolledBack, match="found version 1, and have seen 2"):
        check(RAW, second)


def test_two_packs_of_one_version_are_refused() -> None:
    other = pack(contents(deny=DenyList(issuers={ISSUER: Denial("closed")})))
    with pytest.raises(PackRolledBack, match="another pack of version 1"):
        check(other.to_bytes(), check(RAW))


def test_a_pack_follows_the_one_before() -> None:
    other = pack(contents(deny=DenyList(issuers={ISSUER: Denial("closed")})))
    with pytest.raises(PackRolledBack, match="does not follow"):
        check(later(after=other), check(RAW))
    third = pack(after=pack(after=other))
    assert check(third.to_bytes(), check(RAW)).version == 3


def test_a_log_does_not_shrink_from_one_pack_to_the_next() -> None:
    grown = check(later(checkpoint_part(9)), check(RAW))
    assert [*grown.logs.values()] == [9]
    third = pack(after=pack(contents(checkpoint_part(9)), after=PACK)).to_bytes()
    with pytest.raises(PackRolledBack, match="size 3, and have seen 9"):
        check(third, grown)


def test_a_status_list_does_not_grow_older() -> None:
    older = status_part(had=NOW - DAY)
    with pytest.raises(PackRolledBack, match="found the list of"):
        check(later(older), check(RAW))


def test_a_log_that_leaves_a_pack_is_still_remembered() -> None:
    without = replace(contents(), parts=(issuer_part(),))
    found = check(pack(without, after=PACK).to_bytes(), check(RAW))
    assert [*found.logs.values()] == [3]
    assert len(found.lists) == 1


# What the parts say must hold together.


def refused(**changes: Any) -> None:
    with pytest.raises(PatunayError):
        IssuerPart.parse(issuer_part(**changes).to_bytes(), "issuers/x.json")


def test_an_issuer_has_its_own_document_history_and_key() -> None:
    refused(did="did:web:other.example")
    refused(vkey="no key")
    refused(scope=("b", "a"))
    refused(scope=("a", "a"))
    refused(name="a\nb")
    refused(name="")
    refused(history={"version": 1})
    assert IssuerPart.parse(issuer_part().to_bytes(), "x") == issuer_part()


def test_a_manifest_has_a_beginning_and_an_end() -> None:
    said = PACK.manifest
    changes: dict[str, Any]
    for changes in (
        {"expires": said.issued},
        {"usable_until": said.issued},
        {"version": 2},
        {"previous": "0" * 64},
    ):
        with pytest.raises(PackMalformed):
            replace(said, **changes)
    assert Manifest.parse(said.to_bytes()) == said
