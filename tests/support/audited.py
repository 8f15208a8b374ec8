"""A provider's history in memory: honest, or with one thing wrong."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from anchoring.backend import AnchorEvent, AnchorReceipt
from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.entry import EntryKind, encode_entry
from anchoring.merkle import hash_leaves
from anchoring.note import VerifierKey
from anchoring.record import build_record, record_cid
from anchoring.tiles import bundle_start, entry_bundles, hash_tiles
from anchoring.tree import Tree
from credentials.audit.evidence import AuditEvidence, IssuerSeen, LogSeen
from credentials.evidence import Obtained
from credentials.status_list import REVOCATION, build_list_credential
from did.document import build_did_document
from did.history import build_history
from primitives.canonical_json import JsonObject, canonicalize
from primitives.ed25519 import SoftwareSigner
from primitives.hashing import Digest, sha256

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
DID = "did:web:school.example"
LIST_URL = "https://school.example/status/main/general-1"
CHAIN = "eip155:11155111"
CONTRACT = f"{CHAIN}:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
ACCOUNT = f"{CHAIN}:0x" + "11" * 20
SIGNER = SoftwareSigner(b"\x07" * 32)
ORIGIN = "school.example/log"
KEY = VerifierKey(ORIGIN, SIGNER.public_key)


@dataclass
class Provider:
    """Builds a log, its records and its anchors, and hands out what an auditor sees."""

    origin: str = ORIGIN
    signer: SoftwareSigner = SIGNER
    entries: list[bytes] = field(default_factory=list)
    blocks: dict[Digest, bytes] = field(default_factory=dict)
    records: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    anchors: list[AnchorEvent] = field(default_factory=list)
    documents: list[tuple[JsonObject, datetime]] = field(default_factory=list)
    status: bytes = b""

    def issue(self, count: int, name: str = "credential") -> None:
        first = len(self.entries)
        self.entries += [
            encode_entry(EntryKind.CREDENTIAL, sha256(f"{name} {i}".encode()))
            for i in range(first, first + count)
        ]

    def publish_did(self, **members: Any) -> None:
        document = build_did_document(
            DID, assertion_keys={"credential-1": SIGNER.public_key}
        )
        document |= members
        self.documents.append((document, START + timedelta(days=len(self.documents))))
        self._log(EntryKind.DID_DOCUMENT, canonicalize(document))

    def revoke(self, indexes: Iterable[int]) -> None:
        """Publish the list with exactly these bits set."""
        body = canonicalize(
            build_list_credential(
                url=LIST_URL,
                issuer=DID,
                purpose=REVOCATION,
                revoked=indexes,
                valid_from=START + timedelta(days=len(self.entries)),
            )
        )
        self.status = body
        self._log(EntryKind.STATUS_LIST, body)

    def _log(self, kind: EntryKind, body: bytes) -> None:
        self.blocks[sha256(body)] = body
        self.entries.append(encode_entry(kind, sha256(body)))

    @property
    def tree(self) -> Tree:
        return Tree(hash_leaves(self.entries))

    def note(self, size: int | None = None) -> str:
        tree = self.tree
        size = tree.size if size is None else size
        return sign_checkpoint(Checkpoint(self.origin, size, tree.root(size)), self.signer)

    def tiles(self, old: int = 0, new: int | None = None) -> dict[str, bytes]:
        new = len(self.entries) if new is None else new
        if old == new:
            return {}
        entries = self.entries[bundle_start(old) : new]
        found = dict(hash_tiles(self.tree, old_size=old, new_size=new))
        found.update(entry_bundles(entries, old_size=old, new_size=new))
        return found

    def record(self, **changes: Any) -> bytes:
        """Close a batch: sign a checkpoint over all, and make its record."""
        old = self.sizes[-1] if self.sizes else 0
        document, _ = self.documents[-1]
        tiles = self.tiles(old)
        parts: dict[str, Any] = {
            "checkpoint": self.note(),
            "previous": record_cid(self.records[-1]) if self.records else None,
            "did_documents": {DID: canonicalize(document)},
            "status_lists": {LIST_URL: self.status},
            "tiles": tiles,
        }
        raw = build_record(**(parts | changes))
        self.blocks.update({sha256(tile): tile for tile in tiles.values()})
        self.blocks[sha256(raw)] = raw
        self.records.append(raw)
        self.sizes.append(len(self.entries))
        return raw

    def anchor(self, raw: bytes | None = None, *, account: str = ACCOUNT) -> None:
        raw = self.record() if raw is None else raw
        number = 1000 + len(self.anchors)
        self.anchors.append(
            AnchorEvent(
                AnchorReceipt(
                    contract=CONTRACT,
                    transaction=f"0x{number:064x}",
                    block_number=number,
                    block_hash=f"0x{number + 1:064x}",
                    log_index=0,
                    timestamp=START + timedelta(hours=len(self.anchors)),
                ),
                account,
                sha256(raw),
            )
        )

    def evidence(self, **changes: Any) -> AuditEvidence:
        document, _ = self.documents[-1]

        def had(value: Any) -> Obtained[Any]:
            return Obtained(value, "https://school.example", START)

        whole = AuditEvidence(
            vkey=KEY,
            accounts=frozenset({ACCOUNT}),
            anchors=tuple(self.anchors),
            log=had(LogSeen(self.note(), self.tiles())),
            blocks=dict(self.blocks),
            issuers={
                DID: IssuerSeen(
                    had(canonicalize(document)),
                    had(build_history(DID, self.documents)),
                )
            },
            status_lists={LIST_URL: had(self.status)},
        )
        return replace(whole, **changes)


def honest() -> Provider:
    """Return a provider with three anchors: 302, 603 and 1004 leaves."""
    provider = Provider()
    provider.publish_did()
    provider.revoke([])
    provider.issue(300)
    provider.anchor()
    provider.revoke([5])
    provider.issue(300)
    provider.anchor()
    provider.publish_did(alsoKnownAs=["https://school.example"])
    provider.revoke([5, 9])
    provider.issue(399)
    provider.anchor()
    return provider
