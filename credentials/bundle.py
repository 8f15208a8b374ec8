"""Evidence bundles: one credential with what was looked up about it, as one file.

    {"version": 1, "credential", "receipt", "didDocuments", "histories", "statusLists",
     "contexts", "digest"}

In JCS, so that one bundle has one spelling. A bundle is evidence and never a source of
trust: whoever hands it over wrote where and when its parts were had. So a DID document
in it counts only as far as a log proves it that the verifier itself binds to the issuer,
and a status list is as old as its issuer's signature says, whatever stands beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from anchoring.receipt import MAX_RECEIPT_BYTES, Receipt
from anchoring.tlog_proof import TlogProof
from credentials.data_integrity import Proof, parse_proofs
from credentials.evidence import Evidence, Lookup, Missing, Obtained, Origin
from credentials.jsonld.loader import ContextUnknown, context_digest
from credentials.kinds import MAX_BUNDLE_BYTES
from primitives.canonical_json import Json, JsonObject, NotCanonicalizable, canonicalize
from primitives.errors import Malformed, PatunayError, Undetermined
from primitives.hashing import sha256
from primitives.instants import format_instant, parse_instant
from primitives.strict_json import MAX_DOCUMENT_BYTES, parse_json

BUNDLE_VERSION: Final = 1

MAX_PARTS: Final = 16
"""DID documents, histories and status lists, each; a node looks 8 up for a credential."""

MAX_HISTORY_PROOFS: Final = 256
"""Versions and events of one history that proofs are carried for; some 1 KB each."""

MAX_PART_BYTES: Final = 4 << 20
"""One of them as JSON: a status list of 8 Mi entries that are half set has 1.4 MB."""

_MAX_NODES: Final = 200_000
"""Values in a bundle: a history has up to some 100,000."""

_FIELDS: Final = frozenset(
    (
        "version",
        "credential",
        "receipt",
        "didDocuments",
        "histories",
        "statusLists",
        "contexts",
        "digest",
    )
)
_NAME: Final = "name"
_PART: Final = frozenset((_NAME, "value", "source", "obtainedAt"))
_DID_PART: Final = _PART | {"tlogProof"}
_HISTORY_PART: Final = _PART | {"tlogProofs"}


class BundleMalformed(Malformed):
    """The bytes are not an evidence bundle in its one spelling."""

    code = "bundle-malformed"
    hint = "ask for the bundle again, or for the credential alone"


class BundleAltered(Malformed):
    """The bundle's parts are not those that its own digest names: it is damaged.

    Malformed and not Rejected: a file that was cut says nothing about its credential.
    """

    code = "bundle-altered"
    hint = "ask for the bundle again; the copy may have been cut or changed on its way"


class BundleContextMismatch(Undetermined):
    """The bundle was made with another revision of a context than is held here."""

    code = "bundle-context-mismatch"
    hint = "a newer release may hold that revision"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A credential and its evidence. Nothing in it is verified."""

    credential: JsonObject

    evidence: Evidence
    """What was not had is not in it. Every `obtained_at` is the maker's word."""

    contexts: Mapping[str, str]
    """SHA-256 in hexadecimal of each known context that the credential names, by URL."""

    def judged(self) -> Evidence:
        """Return the evidence as far as a stranger's file can be believed about times."""
        lists = {url: _dated(found) for url, found in self.evidence.status_lists.items()}
        return Evidence(
            did_documents=_kept(self.evidence.did_documents),
            status_lists=lists,
            receipt=self.evidence.receipt,
            histories=_kept(self.evidence.histories),
            did_proofs=self.evidence.did_proofs,
            history_proofs=self.evidence.history_proofs,
        )

    def completing(self, found: Evidence) -> Evidence:
        """Return what was `found` anew, and from here what could not be."""
        kept = self.judged()
        missing = isinstance(found.receipt, Missing)
        return replace(
            found,
            did_documents=_completed(found.did_documents, kept.did_documents),
            status_lists=_completed(found.status_lists, kept.status_lists),
            histories=_completed(found.histories, kept.histories),
            receipt=kept.receipt if missing else found.receipt,
            did_proofs=kept.did_proofs,
        )


def _completed(
    found: Mapping[str, Lookup[JsonObject]], kept: Mapping[str, Lookup[JsonObject]]
) -> Mapping[str, Lookup[JsonObject]]:
    had = {name: one for name, one in found.items() if isinstance(one, Obtained)}
    return {**found, **kept, **had}


def make_bundle(credential: JsonObject, evidence: Evidence) -> Bundle:
    """Return the bundle of `credential` with what of `evidence` was had."""
    return Bundle(credential, evidence, _contexts_of(credential))


def encode_bundle(bundle: Bundle) -> bytes:
    """Return the one form that `parse_bundle` reads as this bundle.

    Raises:
        BundleMalformed: It would be over a limit, or the credential is no JSON for JCS.
    """
    found, receipt = bundle.evidence, bundle.evidence.receipt
    parts: JsonObject = {
        "version": BUNDLE_VERSION,
        "credential": bundle.credential,
        "receipt": None
        if isinstance(receipt, Missing)
        else _part_json("receipt", receipt.value.to_json(), receipt),
        "didDocuments": [
            {**part, "tlogProof": _proof_text(found.did_proofs.get(str(part[_NAME])))}
            for part in _parts_json(found.did_documents)
        ],
        "histories": [
            {
                **part,
                "tlogProofs": [
                    _proof_text(proof)
                    for proof in found.history_proofs.get(str(part[_NAME]), ())
                ],
            }
            for part in _parts_json(found.histories)
        ],
        "statusLists": [*_parts_json(found.status_lists)],
        "contexts": dict(bundle.contexts),
    }
    try:
        parts["digest"] = sha256(canonicalize(parts)).hex()
        raw = canonicalize(parts)
    except NotCanonicalizable as e:
        raise BundleMalformed(f"it cannot be written: {e}") from e
    if len(raw) > MAX_BUNDLE_BYTES:
        raise BundleMalformed(f"found {len(raw)} bytes, want at most {MAX_BUNDLE_BYTES}")
    return raw


def parse_bundle(raw: bytes) -> Bundle:
    """Return the bundle in `raw`, of which nothing is verified.

    Raises:
        BundleMalformed: A member, a version or a spelling that is not ours, or a limit.
        BundleAltered: Its digest is of other parts.
        BundleContextMismatch: It names another revision of a context that is known.
        PatunayError: What the receipt, or a proof, is refused with.
    """
    try:
        value = parse_json(raw, MAX_BUNDLE_BYTES, max_nodes=_MAX_NODES)
    except PatunayError as e:
        raise BundleMalformed(f"{e.code}: {e}") from e
    whole = _object(value, "the bundle")
    _refuse_members(whole, _FIELDS, "the bundle")
    if canonicalize(whole) != raw:
        raise BundleMalformed("found another spelling than JCS")
    if type(whole["version"]) is not int or whole["version"] != BUNDLE_VERSION:
        raise BundleMalformed(f"found version {whole['version']!r:.24}, want 1")
    parts = {name: part for name, part in whole.items() if name != "digest"}
    if sha256(canonicalize(parts)).hex() != whole["digest"]:
        raise BundleAltered("its parts are not those that its digest names")
    credential = _object(whole["credential"], "credential")
    if len(canonicalize(credential)) > MAX_DOCUMENT_BYTES:
        raise BundleMalformed(f"credential: want at most {MAX_DOCUMENT_BYTES} bytes")
    bundle = Bundle(credential, _parse_evidence(whole), _parse_contexts(whole, credential))
    # Whatever this does not write the same way, it has not read.
    if encode_bundle(bundle) != raw:
        raise BundleMalformed("its parts are not in their one order and spelling")
    return bundle


def _parse_evidence(whole: JsonObject) -> Evidence:
    proofs: dict[str, TlogProof] = {}
    dids: dict[str, Lookup[JsonObject]] = {}
    for item in _array(whole, "didDocuments"):
        part = _object(item, "didDocuments")
        _refuse_members(part, _DID_PART, "didDocuments")
        proof = part["tlogProof"]
        name, dids[name] = _parse_part({k: part[k] for k in _PART}, "didDocuments")
        if proof is not None:
            proofs[name] = TlogProof.parse(_text(part, "tlogProof"))
    histories, history_proofs = _parse_histories(whole)
    receipt: Lookup[Receipt] = Evidence().receipt
    if whole["receipt"] is not None:
        _, found = _parse_part(whole["receipt"], "receipt", MAX_RECEIPT_BYTES)
        receipt = Obtained(
            Receipt.parse(found.value), found.source, found.obtained_at, Origin.BUNDLE
        )
    return Evidence(
        did_documents=dids,
        status_lists=_parse_parts(whole, "statusLists"),
        receipt=receipt,
        histories=histories,
        did_proofs=proofs,
        history_proofs=history_proofs,
    )


def _parse_histories(
    whole: JsonObject,
) -> tuple[dict[str, Lookup[JsonObject]], dict[str, tuple[TlogProof | None, ...]]]:
    histories: dict[str, Lookup[JsonObject]] = {}
    proofs: dict[str, tuple[TlogProof | None, ...]] = {}
    for item in _array(whole, "histories"):
        part = _object(item, "histories")
        _refuse_members(part, _HISTORY_PART, "histories")
        name, histories[name] = _parse_part({k: part[k] for k in _PART}, "histories")
        texts = part["tlogProofs"]
        if not isinstance(texts, list) or len(texts) > MAX_HISTORY_PROOFS:
            raise BundleMalformed(
                f"tlogProofs: want an array of at most {MAX_HISTORY_PROOFS}"
            )
        if texts:
            proofs[name] = tuple(
                None if each is None else TlogProof.parse(_text({"": each}, ""))
                for each in texts
            )
    return histories, proofs


def _parse_parts(whole: JsonObject, where: str) -> dict[str, Lookup[JsonObject]]:
    return dict(_parse_part(item, where) for item in _array(whole, where))


def _parse_part(
    item: Json, where: str, limit: int = MAX_PART_BYTES
) -> tuple[str, Obtained[JsonObject]]:
    part = _object(item, where)
    _refuse_members(part, _PART, where)
    value = _object(part["value"], where)
    if len(canonicalize(value)) > limit:
        raise BundleMalformed(f"{where}: found over {limit} bytes in one part")
    try:
        when = parse_instant(_text(part, "obtainedAt"))
    except Malformed as e:
        raise BundleMalformed(f"{where}: {e}") from e
    source = _text(part, "source")
    return _text(part, _NAME), Obtained(value, source, when, Origin.BUNDLE)


def _parse_contexts(whole: JsonObject, credential: JsonObject) -> dict[str, str]:
    raw = _object(whole["contexts"], "contexts")
    known = _contexts_of(credential)
    for url, digest in raw.items():
        if url in known and digest != known[url]:
            raise BundleContextMismatch(
                f"found {str(digest)[:64]} of {url}, want {known[url]}"
            )
    if raw.keys() != known.keys():
        odd = ", ".join(sorted(raw.keys() ^ known.keys()))
        raise BundleContextMismatch(f"contexts missing or unknown: {odd[:200]}")
    return known


def _contexts_of(credential: JsonObject) -> dict[str, str]:
    named = credential.get("@context")
    found = {}
    for url in named if isinstance(named, list) else [named]:
        if isinstance(url, str):
            try:
                found[url] = context_digest(url)
            except ContextUnknown:
                continue  # whether the credential can be read at all, its proof check says
    return found


def _dated(found: Lookup[JsonObject]) -> Lookup[JsonObject]:
    """Return a status list as of its issuer's signature, or as had, if that is earlier."""
    if isinstance(found, Missing):
        return found
    try:
        times = [
            proof.created
            for proof in parse_proofs(found.value)
            if isinstance(proof, Proof) and proof.created is not None
        ]
    except PatunayError:
        times = []
    if not times:
        return Missing("status-undated", "the status list does not say when it was signed")
    when = min(found.obtained_at, *times)
    return Obtained(found.value, found.source, when, Origin.BUNDLE)


def _kept(lookups: Mapping[str, Lookup[JsonObject]]) -> dict[str, Lookup[JsonObject]]:
    return {
        name: Obtained(found.value, found.source, found.obtained_at, Origin.BUNDLE)
        for name, found in lookups.items()
        if isinstance(found, Obtained)
    }


def _parts_json(lookups: Mapping[str, Lookup[JsonObject]]) -> Iterable[JsonObject]:
    for name, found in sorted(lookups.items()):
        if isinstance(found, Obtained):
            yield _part_json(name, found.value, found)


def _part_json(name: str, value: JsonObject, found: Obtained[Any]) -> JsonObject:
    when: datetime = found.obtained_at
    return {
        _NAME: name,
        "value": value,
        "source": found.source,
        "obtainedAt": format_instant(when),
    }


def _proof_text(proof: TlogProof | None) -> str | None:
    return str(proof) if proof is not None else None


def _object(value: Json, what: str) -> JsonObject:
    if not isinstance(value, dict):
        raise BundleMalformed(f"{what}: found {type(value).__name__}, want an object")
    return value


def _array(whole: JsonObject, name: str) -> list[Json]:
    found = whole[name]
    if not isinstance(found, list) or len(found) > MAX_PARTS:
        raise BundleMalformed(f"{name}: want an array of at most {MAX_PARTS}")
    return found


def _text(part: JsonObject, name: str) -> str:
    found = part[name]
    if not isinstance(found, str):
        raise BundleMalformed(f"{name}: found {type(found).__name__}, want text")
    return found


def _refuse_members(part: JsonObject, wanted: frozenset[str], what: str) -> None:
    if part.keys() != wanted:
        odd = ", ".join(sorted(part.keys() ^ wanted))
        raise BundleMalformed(f"{what}: members missing or unknown: {odd[:200]}")
