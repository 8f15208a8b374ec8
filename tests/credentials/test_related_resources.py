"""`relatedResource`, with the digests of the official files."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from credentials.context_digests import REVISIONS, known_digests
from credentials.jsonld.loader import KNOWN, OB_V3, VC_V2
from credentials.judge import judge
from credentials.related_resources import (
    RelatedResourceMalformed,
    RelatedResourceMismatch,
    check_related_resources,
)
from credentials.report import Result
from primitives.encodings import encode_base58btc, encode_base64url
from tests.support.credentials_support import NOW, evidence, policy, signed, unsigned
from tests.support.standards import standards

REVISION = "credentials-v2.rev-8d0ee107-2024-07-20.jsonld"
V2_FILES = ("credentials-v2.jsonld", REVISION)
MULTIHASH = {"sha256": b"\x12\x20", "sha384": b"\x20\x30", "sha512": b"\x13\x40"}


def raw(name: str) -> bytes:
    return (standards("contexts") / name).read_bytes()


def sri(content: bytes, algorithm: str = "sha384") -> str:
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm}-{base64.b64encode(digest).decode()}"


def multibase(content: bytes, algorithm: str = "sha256", base: str = "u") -> str:
    made = MULTIHASH[algorithm] + hashlib.new(algorithm, content).digest()
    return base + (encode_base64url(made) if base == "u" else encode_base58btc(made))


def test_every_digest_on_record_is_that_of_an_official_file() -> None:
    lines = standards("contexts.sha256").read_text().splitlines()
    listed = {bytes.fromhex(line.split()[0]): line.split()[1] for line in lines}
    seen = set()
    for revisions in REVISIONS.values():
        for digests in revisions:
            prefix, _, value = digests[0].partition("-")
            assert prefix == "sha256"
            name = listed[base64.b64decode(value)]
            seen.add(digests[0])
            path: Path = standards("contexts") / name
            assert (len(digests) == 3) is path.exists()
            if path.exists():
                assert digests == tuple(sri(raw(name), each) for each in MULTIHASH)
    all_of_them = {f"sha256-{base64.b64encode(d).decode()}" for d in listed}
    assert seen == all_of_them


def test_every_bundled_context_is_on_record() -> None:
    assert set(KNOWN) <= set(REVISIONS)


@pytest.mark.parametrize("name", V2_FILES)
@pytest.mark.parametrize("algorithm", [*MULTIHASH])
def test_accepts_every_published_revision_in_either_form(name: str, algorithm: str) -> None:
    content = raw(name)
    for digest in (
        {"digestSRI": sri(content, algorithm)},
        {"digestSRI": f"{sri(content, algorithm)}?x=y"},
        {"digestSRI": [sri(content, algorithm)]},
        {"digestSRI": f"{sri(content, 'sha256')} {sri(content)}"},
        {"digestMultibase": multibase(content, algorithm)},
        {"digestMultibase": multibase(content, algorithm, "z")},
        {
            "digestSRI": sri(content),
            "digestMultibase": [multibase(raw(each)) for each in V2_FILES],
        },
    ):
        assert check_related_resources({"id": VC_V2, **digest}) == 0


@pytest.mark.parametrize("name", V2_FILES)
@pytest.mark.parametrize("algorithm", [*MULTIHASH])
def test_a_bare_digest_in_multibase_is_read_by_its_length(
    name: str, algorithm: str
) -> None:
    digest = hashlib.new(algorithm, raw(name)).digest()
    for given in ("u" + encode_base64url(digest), "z" + encode_base58btc(digest)):
        assert check_related_resources({"id": VC_V2, "digestMultibase": given}) == 0
        assert check_related_resources({"id": "urn:uuid:1", "digestMultibase": given}) == 1
    other = "u" + encode_base64url(digest[::-1])
    with pytest.raises(RelatedResourceMismatch, match=f"found {algorithm}-"):
        check_related_resources({"id": VC_V2, "digestMultibase": other})
    for size in (len(digest) - 1, len(digest) + 1):
        cut = "u" + encode_base64url((digest + b"\xff")[:size])
        with pytest.raises(RelatedResourceMalformed, match="no multihash and no digest"):
            check_related_resources({"id": VC_V2, "digestMultibase": cut})


@pytest.mark.parametrize("algorithm", [*MULTIHASH])
def test_refuses_another_context_under_a_known_name(algorithm: str) -> None:
    other = raw("ob-v3p0-context-3.0.3.json")
    for digest in (
        {"digestSRI": sri(other, algorithm)},
        {"digestMultibase": multibase(other, algorithm)},
        {"digestSRI": sri(raw(REVISION)), "digestMultibase": multibase(other, algorithm)},
    ):
        if algorithm == "sha384" and len(digest) == 2:
            continue  # of two digests of one kind, one is enough
        with pytest.raises(RelatedResourceMismatch, match="want that of a published"):
            check_related_resources([{"id": VC_V2, **digest}])
    assert check_related_resources({"id": OB_V3, "digestSRI": sri(other)}) == 0


def test_counts_what_it_cannot_compare() -> None:
    entries: list[Any] = [
        {"id": "https://school.example/syllabus.pdf", "digestSRI": sri(b"x")},
        {"id": OB_V3, "digestMultibase": "u" + encode_base64url(b"\x1b\x20" + bytes(32))},
        {
            "id": "https://w3id.org/security/data-integrity/v1",
            "digestSRI": sri(b"its bytes are not on record"),
        },
    ]
    # Within the grammar, and base64 of nothing: compared as it stands, where it can be.
    undecodable = "sha256-" + "A" * 45
    entries += [{"id": "urn:uuid:1", "digestSRI": undecodable}]
    assert check_related_resources(entries) == 4
    assert check_related_resources(entries[::-1]) == 4
    with pytest.raises(RelatedResourceMismatch):
        check_related_resources({"id": VC_V2, "digestSRI": undecodable})
    assert known_digests("https://school.example/x", "sha256") is None


SOUND = {"id": "https://school.example/a", "digestSRI": sri(b"x", "sha256")}


@pytest.mark.parametrize(
    "value",
    [
        "x",
        [SOUND, SOUND],
        {},
        {"digestSRI": SOUND["digestSRI"]},
        {**SOUND, "id": "x"},
        {**SOUND, "id": 1},
        {**SOUND, "id": [SOUND["id"]]},
        {"id": SOUND["id"]},
        {**SOUND, "digestSRI": ""},
        {**SOUND, "digestSRI": 1},
        # Text is no multihash, and none says another length than it has.
        *(
            {"id": "urn:uuid:1", "digestMultibase": "u" + encode_base64url(raw)}
            for raw in (b"e442356 x.json", b"\x1b\x21" + bytes(32), b"\x1b", b"\xff" * 9)
        ),
        {**SOUND, "digestSRI": []},
        {**SOUND, "digestSRI": "md5-1B2M2Y8AsgTpgAmY7PhCfg=="},
        {**SOUND, "digestSRI": "sha256-" + "A" * 44},
        {**SOUND, "digestSRI": f"sha256-{hashlib.sha256(b'x').hexdigest()}"},
        {**SOUND, "digestSRI": "sha384-" + "A" * 43 + "="},
        {**SOUND, "digestMultibase": "mAAAA"},
        {**SOUND, "digestMultibase": "u=="},
        {**SOUND, "digestMultibase": "z0"},
        {**SOUND, "digestMultibase": "z" + "2" * 500},
        [[SOUND]],
    ],
    ids=repr,
)
def test_refuses_what_is_no_related_resource(value: Any) -> None:
    with pytest.raises(RelatedResourceMalformed):
        check_related_resources(value)


def test_the_structure_says_what_was_not_compared() -> None:
    document = signed(unsigned(relatedResource=SOUND))
    report = judge(document, evidence(), policy(), NOW)
    found = report.check("structure")
    assert found.result is Result.PASSED
    assert found.detail.endswith("; relatedResource not compared: 1")
    assert report.check("proof").result is Result.PASSED
    other = {"id": VC_V2, "digestSRI": sri(b"another context")}
    report = judge(signed(unsigned(relatedResource=other)), evidence(), policy(), NOW)
    found = report.check("structure")
    assert (found.result, found.code) == (Result.FAILED, "related-resource-mismatch")
