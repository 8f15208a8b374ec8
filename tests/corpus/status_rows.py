"""Area S: status lists."""

import gzip
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from credentials.jsonld.loader import VC_V2
from credentials.status_list import build_entry
from primitives.canonical_json import JsonObject
from primitives.encodings import encode_base64url
from primitives.instants import format_instant
from tests.corpus.case import Case, case
from tests.support.credentials_support import (
    INDEX,
    NOW,
    REVOCATIONS,
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    SUSPENSIONS,
    signed,
    status_list,
    unsigned,
)


def status_rows() -> Iterator[Case]:
    """Give the cases, in the order of the table."""
    good = signed()

    def listed(name: str, value: Any, code: str, outcome: str = "undetermined") -> Case:
        return case(name, good, outcome, code, status_lists={REVOCATIONS: value})

    def packed(name: str, raw: bytes, code: str, outcome: str = "undetermined") -> Case:
        encoded = "u" + encode_base64url(raw)
        subject = {
            "id": f"{REVOCATIONS}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded,
        }
        return listed(name, status_list(credentialSubject=subject), code, outcome)

    bits = bytes(131_072 // 8)
    whole = gzip.compress(bits, mtime=0)
    yield from _unreachable(good)
    foreign = status_list(issuer=STRANGER_DID, signer=STRANGER, method=STRANGER_METHOD)
    yield listed("S03-another-issuer", foreign, "status-issuer-mismatch")
    yield listed(
        "S03-another-key",
        status_list(signer=STRANGER, method=STRANGER_METHOD),
        "status-list-proof-invalid",
    )
    yield listed(
        "S03-unsigned", {**status_list(), "proof": []}, "status-list-proof-invalid"
    )
    yield listed("S04-another-id", status_list(url=SUSPENSIONS), "status-list-id-mismatch")
    yield listed(
        "S05-another-purpose", status_list(purpose="suspension"), "status-purpose-mismatch"
    )
    for number, index in enumerate(("-1", "abc", "1e3", "007", 3.5, ""), start=1):
        entry = {**build_entry(REVOCATIONS, INDEX, "revocation"), "statusListIndex": index}
        yield case(
            f"S06-index-{number}",
            signed(unsigned(credentialStatus=entry)),
            "rejected",
            "status-entry-malformed",
        )
    yield packed("S08-short", gzip.compress(bits[1:], mtime=0), "status-list-too-short")
    yield packed(
        "S09-bomb", gzip.compress(bytes(16 * 1024 * 1024), mtime=0), "status-list-too-long"
    )
    most = bytes(1024 * 1024)
    yield packed("S09-at-the-limit", gzip.compress(most, mtime=0), "", "valid")
    over = gzip.compress(bytes(1) + most, mtime=0)
    yield packed("S09-one-over", over, "status-list-too-long")
    yield packed("S08-at-the-limit", whole, "", "valid")
    yield from (*_last_places(), *_elsewhere())
    yield packed("S11-trailing", whole + b"\x00", "status-encoding-invalid")
    yield packed("S11-truncated", whole[:-4], "status-encoding-invalid")
    yield packed("S13-zlib", zlib.compress(bits), "status-encoding-invalid")
    yield packed("S13-deflate", zlib.compress(bits, wbits=-15), "status-encoding-invalid")
    past = format_instant(NOW - timedelta(minutes=5, seconds=1))
    yield listed("S14-stale", status_list(validUntil=past), "status-list-stale")
    edge = format_instant(NOW - timedelta(minutes=5))
    yield listed("S14-at-the-limit", status_list(validUntil=edge), "", "valid")
    yield listed(
        "S19-recursive",
        status_list(credentialStatus=build_entry(SUSPENSIONS, 1, "suspension")),
        "status-list-unusable",
    )
    yield from _orders()
    own = "https://www.w3.org/ns/credentials/examples/v2"
    unknown = unsigned(
        **{"@context": [VC_V2, own]}, credentialStatus={"id": "urn:x", "type": "X2030Entry"}
    )
    yield case(
        "S22-unknown-type", signed(unknown), "undetermined", "status-type-unsupported"
    )
    yield listed("S00-revoked", status_list(INDEX), "revoked", "rejected")
    yield case("S00-in-force", good, "valid")


def _unreachable(good: JsonObject) -> Iterator[Case]:
    for name, page, code in (
        ("not-found", {"status": 404}, "fetch-not-found"),
        ("broken-server", {"status": 503}, "fetch-failed"),
        ("reset", {"pace": "reset"}, "fetch-failed"),
        ("timeout", {"pace": "slow-body", "body": "x" * 64}, "fetch-timeout"),
    ):
        more = {"web": {REVOCATIONS: [page]}, "deadlineSeconds": 0.5}
        yield case(f"S01-{name}", good, "undetermined", code, more=more)


def _last_places() -> Iterator[Case]:
    for name, index, outcome, code in (
        ("last", 131_071, "valid", ""),
        ("past-the-end", 131_072, "undetermined", "status-index-out-of-range"),
    ):
        place = build_entry(REVOCATIONS, index, "revocation")
        document = signed(unsigned(credentialStatus=place))
        yield case(f"S06-index-{name}", document, outcome, code)


def _elsewhere() -> Iterator[Case]:
    """Lists at addresses where nobody looks."""
    office = "https://office.example/status/1"

    def at(name: str, url: str, outcome: str, code: str, **more: Any) -> Case:
        entry = build_entry(url, INDEX, "revocation")
        return case(
            f"S18-{name}",
            signed(unsigned(credentialStatus=entry)),
            outcome,
            code,
            status_lists={url: status_list(url=url)},
            more=more,
        )

    unknown = "undetermined"
    for name, host in (("address", "10.0.0.1"), ("metadata", "169.254.169.254")):
        yield at(name, f"https://{host}/status/1", unknown, "fetch-url-refused")
    plain = "http://office.example/status/1"
    yield at("without-tls", plain, unknown, "fetch-url-refused")
    names = {"office.example": [["10.0.0.1"]]}
    yield at("private-name", office, unknown, "fetch-address-refused", names=names)
    pages = {office: [{"status": 302, "headers": {"Location": REVOCATIONS}}]}
    yield at("redirect", office, unknown, "fetch-redirect-refused", web=pages)
    yield at("another-host", office, "valid", "")


def _orders() -> Iterator[Case]:
    entries = [
        build_entry(REVOCATIONS, INDEX, "revocation"),
        build_entry(SUSPENSIONS, INDEX, "suspension"),
    ]
    lists = {
        REVOCATIONS: status_list(INDEX),
        SUSPENSIONS: status_list(INDEX, url=SUSPENSIONS, purpose="suspension"),
    }
    for name, order in (("revocation-first", entries), ("suspension-first", entries[::-1])):
        yield case(
            f"S21-{name}",
            signed(unsigned(credentialStatus=order)),
            "rejected",
            "revoked",
            status_lists=lists,
        )
