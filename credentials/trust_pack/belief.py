"""What a verified pack gives to a verifier: evidence, and additions to its policy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from anchoring.anchored_record import AnchoredRecord
from anchoring.backend import Sighting
from anchoring.checkpoint import parse_checkpoint_text
from anchoring.cosignature import WitnessQuorum
from anchoring.note import SignedNote, VerifierKey
from anchoring.record import parse_record, record_cid
from credentials.evidence import Evidence, LogReading, Lookup, Obtained, Origin
from credentials.policy import Policy
from credentials.trust_pack.pack import TrustPack
from credentials.trust_pack.parts import AnchorPart, IssuerPart, StatusPart
from credentials.trust_pack.rules import PackRules
from credentials.trust_pack.verify import newest_time
from did.key_event import COMPROMISED
from primitives.canonical_json import Json, JsonObject

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PackBelief:
    """A verified pack, laid out for looking things up. Use `believe`."""

    rules: PackRules
    names: Mapping[str, str] = field(default_factory=dict)
    logs: Mapping[str, VerifierKey] = field(default_factory=dict)
    contracts: frozenset[str] = frozenset()
    witnesses: WitnessQuorum | None = None
    did_documents: Mapping[str, Obtained[JsonObject]] = field(default_factory=dict)
    histories: Mapping[str, Obtained[JsonObject]] = field(default_factory=dict)
    status_lists: Mapping[str, Obtained[JsonObject]] = field(default_factory=dict)
    anchors: Mapping[str, tuple[AnchorPart, ...]] = field(default_factory=dict)
    """By the CID of the record that they are of."""

    records: Mapping[str, Obtained[LogReading]] = field(default_factory=dict)
    """By DID of an issuer that has had a key stolen: the anchored records of its log."""

    def policy(self, policy: Policy) -> Policy:
        """Return `policy` with what the pack adds; what the verifier says itself wins."""
        return replace(
            policy,
            issuers={**self.names, **policy.issuers},
            has_trust_list=True,
            logs={**self.logs, **policy.logs},
            contracts=policy.contracts or self.contracts,
            witnesses=policy.witnesses or self.witnesses,
            attested_blocks={**self._blocks(), **policy.attested_blocks},
            pack=self.rules,
        )

    def evidence(self, evidence: Evidence, document: JsonObject) -> Evidence:
        """Return `evidence` with what the pack has of that which is missing in it.

        Args:
            evidence: Looked up.
            document: The credential that it is about.
        """
        log = self._log(document)
        lists = _filled(evidence.status_lists, self.status_lists)
        return replace(
            _with_lists(evidence, lists, self.status_lists),
            did_documents=_filled(evidence.did_documents, self.did_documents),
            histories=_filled(evidence.histories, self.histories),
            sightings=_filled(evidence.sightings, self._sightings(evidence, log)),
            log=log or evidence.log,
        )

    def before(self, evidence: Evidence, document: JsonObject) -> Evidence:
        """Return `evidence`, brought by a holder, with the pack's in the place of it.

        What a bundle says of an issuer counts only where the pack says nothing.

        Args:
            evidence: Of a bundle.
            document: The credential that it is about.
        """
        log = self._log(document)
        lists = {**evidence.status_lists, **self.status_lists}
        return replace(
            _with_lists(evidence, lists, self.status_lists),
            did_documents={**evidence.did_documents, **self.did_documents},
            histories={**evidence.histories, **self.histories},
            sightings={**evidence.sightings, **self._sightings(evidence, log)},
            log=log or evidence.log,
        )

    def _log(self, document: JsonObject) -> Obtained[LogReading] | None:
        issuer = document.get("issuer")
        did = str(issuer.get("id") if isinstance(issuer, dict) else issuer)
        return self.records.get(did)

    def _sightings(
        self, evidence: Evidence, log: Obtained[LogReading] | None
    ) -> dict[str, Obtained[Sighting]]:
        """Return what the office saw of the receipt's record, and of those in `log`.

        A sighting is of a transaction; which record that carries, only the part says. So
        none is given for a transaction that the receipt claims for another record.
        """
        own, claimed = "", frozenset[str]()
        if isinstance(evidence.receipt, Obtained):
            receipt = evidence.receipt.value
            own = record_cid(receipt.record)
            claimed = frozenset(anchor.transaction for anchor in receipt.anchors)
        cids = {record_cid(one.record) for one in log.value.records} if log else set()
        return {
            part.anchor.transaction: Obtained(
                Sighting(part.anchor, part.depth, gas_used=0),
                self.rules.name,
                part.obtained_at,
                Origin.PACK,
            )
            for cid in sorted(cids | {own})
            for part in self.anchors.get(cid, ())
            if cid == own or part.anchor.transaction not in claimed
        }

    def _blocks(self) -> dict[tuple[str, str], str]:
        return {
            (part.anchor.contract.rpartition(":")[0], part.anchor.block_hash): (
                self.rules.name
            )
            for seen in self.anchors.values()
            for part in seen
        }


def believe(pack: TrustPack) -> PackBelief:
    """Return what a pack gives.

    Args:
        pack: That `verify_pack` has just let pass.
    """
    parts = pack.contents.parts
    issuers = [part for part in parts if isinstance(part, IssuerPart)]
    lists = [part for part in parts if isinstance(part, StatusPart)]
    anchors = [part for part in parts if isinstance(part, AnchorPart)]
    by_record: dict[str, list[AnchorPart]] = {}
    for part in anchors:
        by_record.setdefault(part.cid, []).append(part)
    deny = pack.contents.deny
    rules = PackRules(
        name=pack.name,
        digest=pack.digest,
        issued=pack.manifest.issued,
        expires=pack.manifest.expires,
        newest=newest_time(pack),
        issuers=frozenset(part.did for part in issuers),
        first_seen={part.did: part.first_seen for part in issuers},
        scopes={part.did: frozenset(part.scope) for part in issuers if part.scope},
        denied_keys=deny.keys,
        denied_issuers=deny.issuers,
    )
    return PackBelief(
        rules=rules,
        names={part.did: part.name for part in issuers},
        logs={part.did: VerifierKey.parse(part.vkey) for part in issuers if part.vkey},
        contracts=frozenset(
            pack.contents.federation.contracts or (part.anchor.contract for part in anchors)
        ),
        witnesses=pack.contents.federation.witnesses,
        did_documents={
            part.did: _attested(part.document, pack, part.last_seen) for part in issuers
        },
        histories={
            part.did: _attested(part.history, pack, part.last_seen)
            for part in issuers
            if part.history is not None
        },
        status_lists={
            part.url: _attested(part.document, pack, part.obtained_at) for part in lists
        },
        anchors={cid: tuple(seen) for cid, seen in by_record.items()},
        records=_records(pack, issuers, by_record),
    )


def _records(
    pack: TrustPack,
    issuers: Iterable[IssuerPart],
    anchors: Mapping[str, Sequence[AnchorPart]],
) -> dict[str, Obtained[LogReading]]:
    """Return the records of the logs of those whose keys were stolen, oldest first.

    Whether they follow each other without a gap, the judge finds out.
    """
    found: dict[str, Obtained[LogReading]] = {}
    for issuer in issuers:
        events = issuer.history["events"] if issuer.history is not None else []
        if issuer.vkey is None or COMPROMISED not in _types(events):
            continue
        log = VerifierKey.parse(issuer.vkey).name
        sizes = {cid: _size(seen[0].record, log) for cid, seen in anchors.items()}
        cids = sorted((cid for cid in sizes if sizes[cid]), key=sizes.__getitem__)
        records = tuple(
            AnchoredRecord(anchors[cid][0].record, tuple(p.anchor for p in anchors[cid]))
            for cid in cids
        )
        if records:
            when = max(part.obtained_at for cid in cids for part in anchors[cid])
            reading = LogReading(records)
            found[issuer.did] = Obtained(reading, pack.name, when, Origin.PACK)
    return found


def _types(events: Json) -> set[str]:
    each = events if isinstance(events, list) else []
    return {str(event.get("type")) for event in each if isinstance(event, dict)}


def _size(raw: bytes, log: str) -> int:
    """Return how many entries `log` had at a record; 0 of a record of another log."""
    record = parse_record(raw)
    if record.log != log:
        return 0
    return parse_checkpoint_text(SignedNote.parse(record.checkpoint).text).tree_size


def _attested(value: JsonObject, pack: TrustPack, when: datetime) -> Obtained[JsonObject]:
    return Obtained(value, pack.name, when, Origin.PACK)


def _tells_no_more(copy: Obtained[JsonObject], than: Lookup[JsonObject]) -> bool:
    """Tell whether another copy is the same list, and was had as late or later."""
    if not isinstance(than, Obtained):
        return False
    return copy.obtained_at <= than.obtained_at and copy.value == than.value


def _with_lists(
    evidence: Evidence,
    preferred: Mapping[str, Lookup[JsonObject]],
    pack: Mapping[str, Obtained[JsonObject]],
) -> Evidence:
    """Return `evidence` with the preferred copies of lists first, and all others kept."""
    further = dict(evidence.further_lists)
    for url, one in evidence.status_lists.items():
        others = [
            each
            for each in (one, pack.get(url))
            if isinstance(each, Obtained) and not _tells_no_more(each, preferred[url])
        ]
        further[url] = (*further.get(url, ()), *others)
    return replace(evidence, status_lists=preferred, further_lists=further)


def _filled(
    found: Mapping[str, Lookup[T]], pack: Mapping[str, Obtained[T]]
) -> dict[str, Lookup[T]]:
    had = {name: value for name, value in found.items() if isinstance(value, Obtained)}
    return {**found, **pack, **had}
