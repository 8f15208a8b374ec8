"""A holder's page of one credential: who may open it, and the files that it gives.

The address carries a key that is worked out from the credential itself. Its signature is
in it, so nobody can guess the key who has not seen the credential, however its id was
chosen; and the node keeps no list of keys, and needs no secret for them.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from anchoring.cosignature import with_cosignatures
from anchoring.tlog_proof import TlogProof
from credentials.bundle import Bundle, make_bundle
from credentials.evidence import Evidence, Obtained
from node.logbook import CredentialUnknown, grown_tree
from node.node import Node
from node.storage import anchor_store, ledger, witnesses
from node.storage.receipts import leaf_of_document
from primitives.canonical_json import JsonObject, canonicalize
from primitives.hashing import sha256
from primitives.strict_json import parse_json_object

_DOMAIN: Final = b"patunay holder page\0"
"""The digest without it stands in the public log."""

_KEY_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class HolderPage:
    """A credential whose page may be opened."""

    uuid: str
    body: bytes
    """The credential, to the byte as it was handed out."""

    document: JsonObject

    @property
    def path(self) -> str:
        """Return the path of the page. Whoever knows it may read the credential."""
        return f"/c/{self.uuid}/{holder_key(self.document)}"


def holder_key(document: JsonObject) -> str:
    """Return the key of a credential's page: 22 characters."""
    digest = sha256(_DOMAIN + canonicalize(document))
    return urlsafe_b64encode(digest[:_KEY_BYTES]).rstrip(b"=").decode()


async def find_page(node: Node, uuid: str) -> HolderPage:
    """Return the page of a credential, for whoever may read it without a key.

    Raises:
        CredentialUnknown: This node has issued no such credential.
    """
    async with node.looking_up() as c:
        stored = await ledger.find_credential(c, uuid)
    if stored is None or stored.document is None:
        raise CredentialUnknown("found no credential at this address")
    body = stored.document.encode()
    return HolderPage(stored.uuid, body, parse_json_object(body))


async def open_page(node: Node, uuid: str, key: str) -> HolderPage:
    """Return the page of a credential.

    Raises:
        CredentialUnknown: This node has issued no such credential, or the key is another:
            which of the two is not told.
    """
    found = await find_page(node, uuid)
    if not hmac.compare_digest(holder_key(found.document).encode(), key.encode()):
        raise CredentialUnknown("found no credential at this address")
    return found


async def bundle_of(node: Node, document: JsonObject, found: Evidence) -> Bundle:
    """Return the bundle of a credential of this node, its DID documents proven.

    Args:
        node: Open; need not be unlocked.
        document: The credential.
        found: What was had about it, from this node's own files.
    """
    proofs: dict[str, TlogProof] = {}
    for did, one in found.did_documents.items():
        if isinstance(one, Obtained):
            proof = await _prove(node, did, one.value)
            if proof is not None:
                proofs[did] = proof
    whole = Evidence(
        did_documents=found.did_documents,
        status_lists=found.status_lists,
        receipt=found.receipt,
        histories=found.histories,
        did_proofs=proofs,
    )
    return make_bundle(document, whole)


async def _prove(node: Node, did: str, document: JsonObject) -> TlogProof | None:
    """Return the proof that the log has a DID document; None while it has not."""
    digest = sha256(canonicalize(document))
    async with node.reading() as c:
        index = await leaf_of_document(c, did, digest)
        latest = await anchor_store.latest_checkpoint(c)
        if index is None or latest is None or index >= latest.tree_size:
            return None
        lines = await witnesses.cosignatures_of(c, latest.tree_size)
    tree = await grown_tree(node, latest.tree_size)
    hashes = tree.inclusion_proof(index, tree_size=latest.tree_size)
    return TlogProof(index, hashes, with_cosignatures(latest.note, lines))
