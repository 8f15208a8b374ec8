"""Data Integrity proofs: adding one, and checking one against a key.

See <https://www.w3.org/TR/vc-data-integrity/>.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from credentials.jsonld.quads import Engine
from credentials.jsonld.recurring import RecurringEngine
from credentials.model import is_open_badge
from credentials.proof_chain import previous_ids, proof_entries, signed_document
from credentials.suites import ed25519_signature_2020, eddsa_jcs_2022, eddsa_rdfc_2022
from primitives.canonical_json import Json, JsonObject
from primitives.ed25519 import (
    SIGNATURE_BYTES,
    PublicKey,
    Signature,
    Signer,
    verify_signature,
)
from primitives.encodings import decode_base58btc, encode_base58btc
from primitives.errors import PatunayError, Rejected, Undetermined
from primitives.hashing import sha256
from primitives.instants import format_instant, parse_instant

if TYPE_CHECKING:  # whoever verifies needs none
    from credentials.jsonld.batch import BatchEngine

MAX_PROOFS = 16
"""Proofs in one document; a set of two is the most that is seen in use."""

MAX_HELD: Final = 256
"""Digests that `verify_recurring_proof` remembers; the oldest goes first."""

PROOF_TYPE: Final = "DataIntegrityProof"
DEFAULT_SUITE: Final = eddsa_rdfc_2022.NAME

HashData = Callable[[Mapping[str, Json], Mapping[str, Json], Engine], bytes]
Complete = Callable[[Mapping[str, Json], Mapping[str, Json]], Mapping[str, Json]]

_SUITES: Final[Mapping[str, tuple[Complete, HashData]]] = {
    suite.NAME: (suite.complete_options, suite.hash_data)
    for suite in (eddsa_rdfc_2022, eddsa_jcs_2022)
}
SUITES: Final = tuple(_SUITES)
"""Cryptosuites that are issued."""

_READ: Final[Mapping[str, HashData]] = {
    **{name: hash_data for name, (_, hash_data) in _SUITES.items()},
    ed25519_signature_2020.NAME: ed25519_signature_2020.hash_data,
}

READ_SUITES: Final = tuple(_READ)
"""What is verified: `SUITES`, and older proof types that are never issued."""

ASSERTION: Final = "assertionMethod"
AUTHENTICATION: Final = "authentication"
"""Purposes of a credential's proof and of a presentation's."""


class ProofMissing(Rejected):
    """Nothing is signed."""

    code = "proof-missing"


class ProofInvalid(Rejected):
    """A member of the proof is missing, or is not what the standard allows."""

    code = "proof-invalid"


class ProofPurposeMismatch(Rejected):
    """The proof was made for something else than what it is used for here."""

    code = "proof-purpose-mismatch"


class ProofValueMalformed(Rejected):
    """`proofValue` is not multibase base58btc of 64 bytes."""

    code = "proof-value-malformed"


class SuiteUnsupported(Undetermined):
    """A proof type or cryptosuite that Patunay does not read."""

    code = "proof-suite-unsupported"
    hint = "the credential is not thereby false; another verifier may know the cryptosuite"


class Proof(NamedTuple):
    """One proof, read and typed, and not yet checked against a key."""

    cryptosuite: str
    """One of `READ_SUITES`."""

    verification_method: str
    """DID URL of the key, as the proof claims it."""

    purpose: str
    created: datetime | None
    expires: datetime | None
    signature: Signature
    options: Mapping[str, Json]
    """The proof without `proofValue`: what is signed beside the document."""

    previous: tuple[str, ...] = ()
    """Ids of the proofs that are signed together with the document."""


@cache
def default_engine() -> Engine:
    """Return the engine over the bundled contexts, shared so that they are read once."""
    return Engine()


def batch_engine() -> "BatchEngine":
    """Return an engine over the bundled contexts for documents of a few templates."""
    from credentials.jsonld.batch import BatchEngine  # noqa: PLC0415 - see above

    return BatchEngine(default_engine())


@cache
def verifying_engine() -> RecurringEngine:
    """Return the engine of all that is verified here, which comes back in few shapes."""
    return RecurringEngine(default_engine())


def without_proof(document: Mapping[str, Json]) -> JsonObject:
    """Return `document` without its `proof` member."""
    return {key: value for key, value in document.items() if key != "proof"}


def add_proof(
    document: Mapping[str, Json],
    signer: Signer,
    *,
    verification_method: str,
    created: datetime,
    cryptosuite: str = DEFAULT_SUITE,
    engine: Engine | None = None,
) -> JsonObject:
    """Return `document` with a proof by `signer`, purpose assertionMethod.

    `proof` is an object; in an Open Badge an array of one, as its schema wants it.

    Args:
        document: Has no proof yet.
        signer: Holds the key that `verification_method` names.
        verification_method: DID URL.
        created: Aware; written in whole seconds, in UTC.
        cryptosuite: One of `SUITES`.
        engine: Over other contexts than the bundled ones, or `batch_engine()`.

    Raises:
        UnsignedTerm: A term that no signature would cover.
        PatunayError: Whatever else safe mode refuses; see `Engine.quads`.
    """
    if "proof" in document:
        raise ProofInvalid("the document has a proof already")
    options: Mapping[str, Json] = {
        "type": PROOF_TYPE,
        "cryptosuite": cryptosuite,
        "created": format_instant(created),
        "verificationMethod": verification_method,
        "proofPurpose": ASSERTION,
    }
    proof = make_proof(document, signer, options, engine=engine)
    return {**document, "proof": [proof] if is_open_badge(document) else proof}


def make_proof(
    document: Mapping[str, Json],
    signer: Signer,
    options: Mapping[str, Json],
    *,
    engine: Engine | None = None,
) -> JsonObject:
    """Return a proof by `signer` over `document`, which has none yet.

    Args:
        document: What is signed.
        signer: Holds the key that `options` names.
        options: The proof's members but for `proofValue`; its `cryptosuite` is of `SUITES`.
        engine: Over other contexts than the bundled ones.

    Raises:
        UnsignedTerm: A term that no signature would cover.
        PatunayError: Whatever else safe mode refuses; see `Engine.quads`.
    """
    complete, hash_data = _SUITES[str(options["cryptosuite"])]
    members = complete(document, options)
    signature = signer.sign(hash_data(document, members, engine or default_engine()))
    return {**members, "proofValue": "z" + encode_base58btc(signature)}


def parse_proofs(
    document: Mapping[str, Json], purpose: str = ASSERTION
) -> tuple[Proof | PatunayError, ...]:
    """Return each proof of `document`, or what is wrong with it, in the order given.

    Args:
        document: Under test.
        purpose: What each proof has to have been made for.

    Raises:
        ProofMissing: There is none.
        ProofInvalid: `proof` is no object or array, or holds over `MAX_PROOFS`.
    """
    entries = proof_entries(document)
    if not entries:
        raise ProofMissing("the document has no proof")
    if len(entries) > MAX_PROOFS:
        raise ProofInvalid(f"found {len(entries)} proofs, want at most {MAX_PROOFS}")
    proofs: list[Proof | PatunayError] = []
    for entry in entries:
        try:
            proofs.append(_parse_proof(entry, purpose))
        except PatunayError as e:
            proofs.append(e)
    return tuple(proofs)


def verify_proof(
    document: Mapping[str, Json],
    proof: Proof,
    key: PublicKey,
    *,
    engine: Engine | None = None,
) -> None:
    """Return if `proof` is `key`'s signature over `document`; raise otherwise.

    Says nothing about whose key it is, or whether it may assert: the caller MUST have
    taken `key` from the issuer's own DID document.

    Raises:
        SignatureRejected: Another document, other options, or another key.
        ProofChainBroken: It builds upon a proof that is not there, or upon itself.
        KeyRefused: A key of small or mixed order.
        PatunayError: Whatever safe mode refuses; see `Engine.quads`.
    """
    hash_data = _READ[proof.cryptosuite]
    secured = signed_document(document, proof.previous)
    signed = hash_data(secured, proof.options, engine or verifying_engine())
    verify_signature(key, signed, proof.signature)


class Recurring:
    """A document that comes back with others, as a status list does, and its digest."""

    __slots__ = ("_digest", "document")

    def __init__(self, document: JsonObject) -> None:
        self.document = document
        """Not changed from now on."""

        self._digest = b""

    @property
    def digest(self) -> bytes:
        """Of the document exactly as it was read: it tells True from 1. Made once."""
        if not self._digest:
            self._digest = _digest_exactly(self.document)
        return self._digest


def _digest_exactly(value: object) -> bytes:
    return sha256(repr(value).encode("utf-8", "surrogatepass"))


def verify_recurring_proof(recurring: Recurring, proof: Proof, key: PublicKey) -> None:
    """As `verify_proof`, and remembers what held: a status list comes with each credential.

    Safe, because whether a signature holds depends on the document, the proof and the key
    alone: of these, exactly as they were read, the digest is remembered. Not on the time.

    Raises:
        PatunayError: As `verify_proof`; what does not hold is not remembered.
    """
    name = recurring.digest + _digest_exactly((proof.options, proof.signature, key))
    if name in _held:
        return
    verify_proof(recurring.document, proof, key)
    _held[name] = None
    if len(_held) > MAX_HELD:
        _held.popitem(last=False)


_held: Final[OrderedDict[bytes, None]] = OrderedDict()


def _parse_proof(entry: Json, wanted: str) -> Proof:
    if not isinstance(entry, dict):
        raise ProofInvalid(f"found a {type(entry).__name__}, want a proof object")
    suite = _suite_of(entry)
    previous = previous_ids(entry)
    method, purpose = entry.get("verificationMethod"), entry.get("proofPurpose")
    if not isinstance(method, str) or not isinstance(purpose, str):
        raise ProofInvalid("verificationMethod and proofPurpose must be text")
    if purpose != wanted:
        raise ProofPurposeMismatch(f"found {purpose[:64]!r}, want {wanted!r}")
    return Proof(
        cryptosuite=suite,
        verification_method=method,
        purpose=purpose,
        created=_instant(entry, "created"),
        expires=_instant(entry, "expires"),
        signature=_signature(entry.get("proofValue")),
        options={key: value for key, value in entry.items() if key != "proofValue"},
        previous=previous,
    )


def _suite_of(entry: JsonObject) -> str:
    """Return which of `READ_SUITES` the proof is of."""
    kind, suite = entry.get("type"), entry.get("cryptosuite")
    if not isinstance(kind, str):
        raise ProofInvalid("the proof has no type")
    if kind == PROOF_TYPE and isinstance(suite, str) and suite in SUITES:
        return suite
    if kind == ed25519_signature_2020.NAME:
        return kind
    raise SuiteUnsupported(
        f"found {kind[:64]} {str(suite)[:64]}, want one of {READ_SUITES}"
    )


def _instant(entry: JsonObject, name: str) -> datetime | None:
    value = entry.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ProofInvalid(f"{name} must be a date-time")
    try:
        return parse_instant(value)
    except PatunayError as e:
        raise ProofInvalid(f"{name}: {e}") from e


def _signature(value: Json) -> Signature:
    if not isinstance(value, str) or not value.startswith("z"):
        raise ProofValueMalformed("found no base58btc multibase, want z and the digits")
    return _decode_signature(value[1:])


@lru_cache(maxsize=64)  # a refusal is not kept; a status list's comes back all the time
def _decode_signature(digits: str) -> Signature:
    try:
        raw = decode_base58btc(digits)
    except PatunayError as e:
        raise ProofValueMalformed(str(e)) from e
    if len(raw) != SIGNATURE_BYTES:
        raise ProofValueMalformed(f"found {len(raw)} bytes, want {SIGNATURE_BYTES}")
    return Signature(raw)
