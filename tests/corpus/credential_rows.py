"""Area C: contexts and the data model."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from credentials.jsonld.loader import VC_V2
from primitives.instants import format_instant
from tests.corpus.case import Case, X, as_bytes, case
from tests.support.credentials_support import (
    ISSUER,
    NOW,
    STRANGER,
    STRANGER_METHOD,
    signed,
    unsigned,
)


def credential_rows() -> Iterator[Case]:
    """Give the cases, in the order of the table."""

    def after(name: str, code: str, outcome: str = "rejected", /, **changes: Any) -> Case:
        document = {**signed(), **changes}
        document = {k: v for k, v in document.items() if v is not ...}
        return case(name, document, outcome, code)

    def issued(name: str, code: str, /, **changes: Any) -> Case:
        return case(name, signed(unsigned(**changes)), "rejected", code)

    yield after("C01-no-context", "context-missing", **{"@context": ...})
    yield after(
        "C03-unknown-context",
        "context-unknown",
        "undetermined",
        **{"@context": [VC_V2, f"{X}v1"]},
    )
    yield after(
        "C06-term-redefined",
        "context-redefinition",
        **{"@context": [VC_V2, {"type": f"{X}type"}]},
    )
    for keyword, value in (("vocab", X), ("base", X), ("import", VC_V2)):
        yield after(
            f"C07-{keyword}",
            "context-forbidden",
            **{"@context": [VC_V2, {f"@{keyword}": value}]},
        )
    yield after("C08-undefined-term", "unsigned-term", honours="summa cum laude")
    yield after(
        "C08-undefined-type", "unsigned-term", type=["VerifiableCredential", "Degree"]
    )
    for scheme in ("file:///etc/passwd", "http://terms.example/", "data:text/plain,{}"):
        yield after(
            f"C09-{scheme.partition(':')[0]}-context",
            "context-unknown",
            "undetermined",
            **{"@context": [VC_V2, scheme]},
        )
    for kind, issuer in (("number", 1), ("empty", ""), ("array", [ISSUER])):
        yield after(f"C12-issuer-{kind}", "issuer-malformed", issuer=issuer)
    yield case(
        "C13-foreign-key",
        signed(signer=STRANGER, method=STRANGER_METHOD),
        "rejected",
        "issuer-key-mismatch",
    )
    past = format_instant(NOW - timedelta(minutes=5, seconds=1))
    yield issued("C15-expired", "expired", validUntil=past)
    edge = format_instant(NOW - timedelta(minutes=5))
    yield case("C15-at-the-limit", signed(unsigned(validUntil=edge)), "valid")
    yield issued("C16-period-reversed", "period-invalid", validUntil="2025-12-31T00:00:00Z")
    for kind, date in (
        ("no-zone", "2026-01-01T00:00:00"),
        ("year", "10000-01-01T00:00:00Z"),
        ("offset", "2026-01-01T00:00:00+25:00"),
        ("second-60", "2026-01-01T00:00:60Z"),
    ):
        yield issued(f"C17-{kind}", "datetime-malformed", validFrom=date)
    yield issued("C18-javascript", "id-malformed", id="javascript:alert(1)")
    yield after("C18-no-url", "id-malformed", id="x")
    for kind, subject in (("missing", ...), ("empty", []), ("null", None)):
        yield after(f"C19-subject-{kind}", "subject-missing", credentialSubject=subject)
    yield case(
        "C20-schema-on-a-private-address",
        signed(
            unsigned(
                credentialSchema={
                    "id": "https://10.0.0.1/schema.json",
                    "type": "JsonSchema",
                }
            )
        ),
        "valid",
    )
    # Digests of two published revisions, and of none.
    published = "sha256-WZVc7WaX1h4D8rJVb+vlMIqxaEKEb1tYbX8fet7JJzQ="
    for kind, digest, outcome, code in (
        ("published", published, "valid", ""),
        ("unknown", f"sha256-{'A' * 43}=", "rejected", "related-resource-mismatch"),
    ):
        resource = {"id": VC_V2, "digestSRI": digest}
        document = signed(unsigned(relatedResource=[resource]))
        yield case(f"C21-{kind}-digest", document, outcome, code)
    own = "https://www.w3.org/ns/credentials/examples/v2"
    nodes: list[Any] = [
        {"id": f"_:x{i}", "knows": [{"id": f"_:x{j}"} for j in range(8) if i != j]}
        for i in range(8)
    ]
    yield after(
        "C23-clique-of-8",
        "canonicalization-limit",
        **{"@context": [VC_V2, own], "group": nodes},
    )
    script = "<script>alert(1)</script>"
    yield case("C24-script-in-text", signed(unsigned(name=script)), "valid")
    evidence: list[Any] = [{"type": "E"}] * 10_000
    yield Case(
        "C27-evidence-of-10000",
        as_bytes({**signed(), "evidence": evidence}),
        "malformed",
        "json-too-many-nodes",
    )
    yield after("C29-member-removed", "signature-rejected", name=...)
    yield after("C30-member-added", "signature-rejected", description="x")
