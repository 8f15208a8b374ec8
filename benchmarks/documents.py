"""What is issued and verified: one batch of a short credential, and one of a long one.

The goals were set on an Open Badge of 3.4 KB and 83 quads; `short-course.json` makes such
a one. The long one is that of the demonstration.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from credentials.data_integrity import add_proof, batch_engine
from credentials.jsonld.quads import Engine
from credentials.registrar import RegistrarFile, read_registrar_file
from credentials.status_list import build_entry, build_list_credential
from credentials.template import CredentialTemplate, build_credential, parse_template
from did.key import DidKey
from primitives.canonical_json import JsonObject, canonicalize
from primitives.ed25519 import SoftwareSigner
from primitives.strict_json import parse_json_object

_HERE = Path(__file__).parent
_EXAMPLES = _HERE.parent / "examples"
TEMPLATES: Final = (
    _HERE / "short-course.json",
    _EXAMPLES / "als-life-skills-communication.json",
)
NOW: Final = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SUITES: Final = ("eddsa-jcs-2022", "eddsa-rdfc-2022")

STATUS_LIST: Final = "https://college.example/status/1"

_SIGNER = SoftwareSigner(bytes(range(32)))
DID: Final = DidKey(_SIGNER.public_key)
_METHOD = DID.verification_method


@dataclass(frozen=True, slots=True)
class Batch:
    """Unsigned credentials of one template."""

    template: CredentialTemplate
    documents: tuple[JsonObject, ...]

    @property
    def title(self) -> str:
        """What to call such a document: its size and its quads, unsigned."""
        first = self.documents[0]
        size, quads = len(canonicalize(first)), len(Engine().quads(first))
        return f"{size / 1000:.1f} KB, {quads} quads"


def batches(credentials: int) -> list[Batch]:
    """Return a batch of that many for each template, without status."""
    made = []
    for path in TEMPLATES:
        template = parse_template(parse_json_object(path.read_bytes()))
        documents = tuple(
            build_credential(
                template,
                row,
                credential_id=UUID(int=row.number).urn,
                issuer_did=str(DID),
                issued_at=NOW - timedelta(days=1),
                status_entry=None,
            )
            for row in many_learners(credentials).rows
        )
        made.append(Batch(template, documents))
    return made


def with_status(document: JsonObject, index: int) -> JsonObject:
    """Return the credential with an entry in `status_list`."""
    return document | {"credentialStatus": build_entry(STATUS_LIST, index, "revocation")}


def status_list() -> JsonObject:
    """Return a list, unsigned, that has revoked one in a hundred, and none of these."""
    return build_list_credential(
        url=STATUS_LIST,
        issuer=str(DID),
        purpose="revocation",
        revoked=range(10_000, 131_072, 100),
        valid_from=NOW - timedelta(days=1),
    )


def sign_batch(documents: Sequence[JsonObject], suite: str) -> list[JsonObject]:
    """Return them signed, as the node signs what is made of one template."""
    engine = batch_engine()
    return [sign(document, suite, engine) for document in documents]


def many_learners(count: int) -> RegistrarFile:
    """Return the example file, repeated with other learner numbers."""
    learners = (_EXAMPLES / "learners.csv").read_text(encoding="utf-8")
    header, *rows = csv.reader(io.StringIO(learners))
    place = header.index("learner_ref")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    for number in range(count):
        row = list(rows[number % len(rows)])
        row[place] = str(500_000_000_000 + number)
        writer.writerow(row)
    return read_registrar_file(out.getvalue().encode(), today=date(2026, 11, 22))


def sign(document: JsonObject, suite: str, engine: Engine | None = None) -> JsonObject:
    """Return `document` as the benchmarks' did:key signs it."""
    return add_proof(
        document,
        _SIGNER,
        verification_method=_METHOD,
        created=NOW - timedelta(days=1),
        cryptosuite=suite,
        engine=engine,
    )
