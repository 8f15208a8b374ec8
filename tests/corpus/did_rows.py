"""Area D: DIDs, their documents, and the servers that these are read from."""

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

from did.web import parse_did_web
from primitives.canonical_json import JsonObject
from primitives.encodings import encode_base58btc, encode_base64url
from tests.corpus.case import Case, case
from tests.support.credentials_support import (
    ISSUER,
    SIGNER,
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    did_document,
    signed,
    unsigned,
)
from tests.support.stand_in_web import (
    EXPIRED,
    LONGEST_HOST,
    OLD_TLS,
    OTHER_NAME,
    SELF_SIGNED,
)

KEY = SIGNER.public_key
LIMIT = 64 * 1024
DID_LIMIT = 2048


def did_rows() -> Iterator[Case]:
    """Give the cases, in the order of the table."""
    yield from _names()
    yield from _addresses()
    yield from _servers()
    yield from _documents()
    yield from _keys()
    yield from _methods()


def _by(name: str, did: str, outcome: str = "valid", code: str = "", **had: Any) -> Case:
    """Return a case of a credential by `did`, whose document is published as it should."""
    published = {did: did_document(did=did)} if outcome == "valid" else {}
    document = signed(unsigned(issuer=did, credentialStatus=...), method=f"{did}#key-1")
    return case(name, document, outcome, code, **{"did_documents": published, **had})


_REFUSED: dict[str, dict[str, tuple[str, ...]]] = {
    "did-ip-literal": {
        "D01": ("127.0.0.1", "8.8.8.8", "127.0.0.1%3A8460"),
        "D04": ("%5B%3A%3A1%5D", "::1", "::ffff:127.0.0.1"),
    },
    "did-host-invalid": {
        "D02": ("2130706433", "0x7f000001", "017700000001", "127.1"),
        "D03": ("\uff11\uff12\uff17.0.0.1", "①②⑦.0.0.1"),
        "D09": (
            "School.example",
            "school.example.",
            "my_school.example",
            "school..example",
            f"{LONGEST_HOST}b",
        ),
    },
    "did-path-invalid": {
        "D06": (
            "school.example%2F..%2Fx",
            "school.example%5Cx",
            "school.example%252Fx",
            "school.example%40127.0.0.1%3A8080",
            "school.example:a%2Fb",
            "school.example:..:x",
        ),
        "D07": ("school.example%3Fx", "school.example%23x", "school.example:a%3Fx"),
    },
    "did-port-invalid": {
        "D08": ("school.example%3A0", "school.example%3A99999", "school.example%3A65536"),
    },
    "did-idn-not-ascii": {"D10": ("\u0455chool.example", "bücher.example")},
}


def _names() -> Iterator[Case]:
    for code, rows in _REFUSED.items():
        for row, rests in rows.items():
            for number, rest in enumerate(rests, start=1):
                yield _by(f"{row}-{number}", f"did:web:{rest}", "rejected", code)
    # A port below 1024 is well written; it is only never asked.
    for port in (22, 1023):
        did = f"did:web:school.example%3A{port}"
        yield _by(f"D08-port-{port}", did, "undetermined", "fetch-url-refused")
    for row, name, rest in (
        ("D01", "name", "school.example"),
        ("D06", "path", "school.example:a:b-c"),
        ("D08", "port-443", "school.example%3A443"),
        ("D08", "port-1024", "school.example%3A1024"),
        ("D08", "port-65535", "school.example%3A65535"),
        ("D09", "longest", LONGEST_HOST),
        ("D10", "punycode", "xn--bcher-kva.example"),
    ):
        yield _by(f"{row}-{name}", f"did:web:{rest}")


def _addresses() -> Iterator[Case]:
    name = ISSUER.rpartition(":")[2]

    def leading(row: str, *answers: list[str], **more: Any) -> Case:
        more = {"names": {name: answers}, **more}
        documents = {ISSUER: did_document()}
        return _by(
            row,
            ISSUER,
            "undetermined",
            "fetch-address-refused",
            did_documents=documents,
            more=more,
        )

    for kind, address in (
        ("private", "10.0.0.1"),
        ("link-local", "169.254.169.254"),
        ("unique-local", "fd00::1"),
        ("nat64", "64:ff9b::7f00:1"),
        ("mapped", "::ffff:127.0.0.1"),
    ):
        yield leading(f"D12-{kind}", [address])
    yield leading("D12-loopback", ["127.0.0.1"], loopback=False)
    yield _by("D12-allowed", ISSUER, more={"names": {name: [["127.0.0.1"]]}})
    yield leading("D13-rebinding", ["127.0.0.1"], rebinding={name: "10.0.0.1"})
    yield _by("D13-constant", ISSUER, more={"rebinding": {name: "127.0.0.1"}})
    yield leading("D15-private-last", ["127.0.0.1", "10.0.0.1"])
    yield leading("D15-private-first", ["10.0.0.1", "127.0.0.1"])
    yield _by("D15-both-allowed", ISSUER, more={"names": {name: [["127.0.0.1"] * 2]}})


def _served(name: str, code: str, outcome: str = "undetermined", /, **page: Any) -> Case:
    """Return a case of a credential whose issuer's server answers with `page`."""
    more: dict[str, Any] = {"web": {parse_did_web(ISSUER).document_url(): [page]}}
    if str(page.get("pace")).startswith("slow-"):
        more["deadlineSeconds"] = 0.5
    return _by(name, ISSUER, outcome, code, more=more)


def _servers() -> Iterator[Case]:
    body = json.dumps(did_document())
    for kind, place in (
        ("inside", "https://10.0.0.1/did.json"),
        ("another-host", "https://office.example/did.json"),
        ("without-tls", "http://school.example/.well-known/did.json"),
    ):
        yield _served(
            f"D16-{kind}",
            "fetch-redirect-refused",
            status=302,
            headers={"Location": place},
            body=body,
        )
    yield _served("D16-no-redirect", "", "valid", body=body)
    for kind, host in (
        ("expired", EXPIRED),
        ("self-signed", SELF_SIGNED),
        ("other-name", OTHER_NAME),
        ("tls-1.1", OLD_TLS),
    ):
        did = f"did:web:{host}"
        yield _by(
            f"D17-{kind}",
            did,
            "undetermined",
            "fetch-tls-failed",
            did_documents={did: did_document(did=did)},
        )
    yield _by("D17-good", "did:web:office.example")
    for kind, size, code, outcome in (
        ("at-the-limit", LIMIT, "", "valid"),
        ("over-the-limit", LIMIT + 1, "fetch-too-large", "undetermined"),
    ):
        yield _served(f"D18-{kind}", code, outcome, body=body.ljust(size))
    yield _served("D19-endless", "fetch-too-large", pace="endless")
    for pace in ("slow-body", "slow-head"):
        yield _served(f"D19-{pace}", "fetch-timeout", pace=pace, body=body)
    bomb = base64.b64encode(gzip.compress(bytes(16 * 1024 * 1024), mtime=0)).decode()
    yield _served(
        "D20-gzip-bomb",
        "fetch-encoding-refused",
        headers={"Content-Encoding": "gzip"},
        base64=bomb,
    )
    yield _served(
        "D21-html",
        "did-document-malformed",
        headers={"Content-Type": "text/html"},
        body="<!doctype html><p>Welcome",
    )
    # What a server calls it proves nothing, and so harms nothing.
    yield _served(
        "D21-json-called-html",
        "",
        "valid",
        headers={"Content-Type": "text/html"},
        body=body,
    )


def _documents() -> Iterator[Case]:
    def edited(name: str, code: str = "", /, **changes: Any) -> Case:
        document = did_document() | changes
        outcome = "rejected" if code else "valid"
        return _by(name, ISSUER, outcome, code, did_documents={ISSUER: document})

    def key(**changes: Any) -> JsonObject:
        method: JsonObject = {
            "id": f"{ISSUER}#key-1",
            "type": "Multikey",
            "controller": ISSUER,
            "publicKeyMultibase": "z" + encode_base58btc(b"\xed\x01" + bytes(KEY)),
        }
        return method | changes

    def jwk(raw: bytes) -> JsonObject:
        return {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(raw)}

    yield edited("D23-own-key", verificationMethod=[key()])
    yield edited(
        "D23-controlled-by-another",
        "did-vm-foreign",
        verificationMethod=[key(controller=STRANGER_DID)],
    )
    yield case(
        "D23-key-of-another",
        signed(unsigned(credentialStatus=...), signer=STRANGER, method=STRANGER_METHOD),
        "rejected",
        "issuer-key-mismatch",
        did_documents={
            ISSUER: did_document()
            | {"verificationMethod": [key()], "assertionMethod": [STRANGER_METHOD]}
        },
    )
    yield edited("D24-twice", "did-vm-duplicate", verificationMethod=[key(), key()])
    other = key(id=f"{ISSUER}#key-2")
    yield edited("D24-two-ids", verificationMethod=[key(), other])
    agreeing, differing = jwk(bytes(KEY)), jwk(bytes(STRANGER.public_key))
    yield edited("D25-agree", verificationMethod=[key(publicKeyJwk=agreeing)])
    yield edited(
        "D25-differ", "did-key-conflict", verificationMethod=[key(publicKeyJwk=differing)]
    )
    # Who controls a document is never followed, so there is nothing to go in circles.
    yield edited("D34-controlled-by-itself", controller=ISSUER)
    yield edited("D34-controlled-by-another", controller="did:web:office.example")
    yield edited(
        "D34-circle",
        "did-vm-foreign",
        controller="did:web:office.example",
        verificationMethod=[key(controller="did:web:office.example")],
    )


def _keys() -> Iterator[Case]:
    raw = bytes(KEY)

    def spelled(name: str, prefix: bytes, key: bytes, outcome: str, code: str) -> Case:
        multibase = "z" + encode_base58btc(prefix + key)
        did = f"did:key:{multibase}"
        document = signed(
            unsigned(issuer=did, credentialStatus=...), method=f"{did}#{multibase}"
        )
        return case(f"D29-{name}", document, outcome, code, did_documents={})

    bad = ("rejected", "did-key-malformed")
    yield spelled("ed25519", b"\xed\x01", raw, "valid", "")
    yield spelled("x25519", b"\xec\x01", raw, *bad)
    yield spelled("long-varint", b"\xed\x81\x00", raw, *bad)
    yield spelled("extra-byte", b"\xed\x01", raw + b"\x00", *bad)
    yield spelled("short", b"\xed\x01", raw[:31], *bad)
    unsupported = ("undetermined", "key-type-unsupported")
    yield spelled("p-256", b"\x80\x24", b"\x02" + raw, *unsupported)


def _methods() -> Iterator[Case]:
    yield _by("D30-50000", f"did:key:z{'2' * 50_000}", "rejected", "did-too-long")
    prefix = "did:web:school.example:"
    longest = prefix + "a" * (DID_LIMIT - len(prefix))
    yield _by("D30-at-the-limit", longest)
    yield _by("D30-over-the-limit", f"{longest}a", "rejected", "did-too-long")
    for method in ("ethr:0xb9c5714089478a327f09197987f16f9e5d936e8a", "ion:x", "example:x"):
        kind = method.partition(":")[0]
        yield _by(f"D33-{kind}", f"did:{method}", "undetermined", "did-method-unsupported")
