"""Evidence of time for `patunay verify`: the receipt, and what the chain says to it.

What the issuer's node or the receipt says is never believed for itself; it only tells
where to look. What could not be had becomes `Missing`, with its reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urljoin

from credentials.evidence import Evidence, Lookup, Missing, Obtained
from credentials.policy import DEVELOPMENT_CHAINS, Policy
from node.gather import Fetch
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import PatunayError
from primitives.hashing import Digest

if TYPE_CHECKING:  # most credentials come without a receipt
    from anchoring.backend import AnchorReceipt, Sighting
    from anchoring.receipt import Receipt

NO_RECEIPT: Final = Missing(
    "anchor-not-shown",
    "no receipt was given",
    "`patunay receipt ID -o FILE` writes it at the issuer's node; give it with --receipt",
)


class AnchorQuestion(NamedTuple):
    """How the anchor of a credential is to be looked up."""

    receipt: "Obtained[Receipt] | None"
    """The one that the user gave."""

    rpc: tuple[str, ...]
    """Endpoints of the chain, chosen by the user, that have to agree; none leaves the
    chain unasked."""

    async def ask(
        self,
        document: JsonObject,
        evidence: Evidence,
        policy: Policy,
        *,
        clock: Clock,
        fetch: Fetch | None,
    ) -> Evidence:
        """Return `evidence` with what could be had about the anchor.

        Args:
            document: Read, and not trusted.
            evidence: What was had so far, perhaps with the own node's receipt; tells where
                the issuer's node is.
            policy: Contracts that it does not accept are not asked about.
            clock: For the time of each answer.
            fetch: Gets the receipt from the issuer's node; None stays offline.
        """
        receipt: "Lookup[Receipt] | None" = self.receipt
        if receipt is None and isinstance(evidence.receipt, Obtained):
            if not self.rpc:
                return evidence
            receipt = evidence.receipt
        if receipt is None and self.rpc and fetch is not None:
            receipt = await fetch_receipt(document, evidence, fetch, clock)
        if receipt is None:
            return evidence
        seen: "dict[str, Lookup[Sighting]]" = {}
        if isinstance(receipt, Obtained) and self.rpc:
            found = receipt.value
            seen = await look(found.anchors, found.digest, self.rpc, policy, clock)
        return replace(evidence, receipt=receipt, sightings=seen)


async def fetch_receipt(
    document: JsonObject, evidence: Evidence, fetch: Fetch, clock: Clock
) -> "Lookup[Receipt]":
    """Return the receipt that the issuer's node has, where its DID document says."""
    # Needed with --rpc alone.
    from anchoring.receipt import MAX_RECEIPT_BYTES, Receipt  # noqa: PLC0415
    from cli.credential_id import read_uuid  # noqa: PLC0415
    from did.document import parse_did_document  # noqa: PLC0415
    from primitives.strict_json import parse_json_object  # noqa: PLC0415

    issuer = document.get("issuer")
    did = issuer.get("id") if isinstance(issuer, dict) else issuer
    found = evidence.did_documents.get(str(did), NO_RECEIPT)
    if isinstance(found, Missing):
        return found
    try:
        service = parse_did_document(found.value, str(did)).log_service()
        if service is None:
            return NO_RECEIPT
        name = read_uuid(str(document.get("id")))
        url = urljoin(service.log, f"../credentials/{name}/receipt")
        raw = await fetch(url, MAX_RECEIPT_BYTES)
        receipt = Receipt.parse(parse_json_object(raw, MAX_RECEIPT_BYTES))
    except PatunayError as e:
        return Missing(e.code, str(e), e.hint or NO_RECEIPT.hint)
    return Obtained(receipt, url, clock.now())


async def look(
    anchors: "Iterable[AnchorReceipt]",
    digest: Digest,
    rpc: Sequence[str],
    policy: Policy,
    clock: Clock,
) -> "dict[str, Lookup[Sighting]]":
    """Ask the chain about each anchor that could count; returned by transaction.

    Args:
        anchors: Where `digest` is said to be.
        digest: Of the anchor record.
        rpc: Endpoints that the user chose, one or more; all have to agree.
        policy: Contracts that it does not accept are not asked about.
        clock: For the time of each answer.
    """
    seen: "dict[str, Lookup[Sighting]]" = {}
    for anchor in anchors:
        if anchor.contract.rpartition(":")[0] in DEVELOPMENT_CHAINS:
            continue
        if policy.contracts and anchor.contract not in policy.contracts:
            continue
        # The first claim about a transaction counts: a second one, for another contract,
        # must not lend its answer to the first.
        if anchor.transaction not in seen:
            seen[anchor.transaction] = await _check(anchor, digest, rpc, clock)
    return seen


async def _check(
    anchor: "AnchorReceipt", digest: Digest, rpc: Sequence[str], clock: Clock
) -> "Lookup[Sighting]":
    from node.backends import read_only_backend  # noqa: PLC0415 - imports the database

    try:
        backend = read_only_backend(
            rpc[0], anchor.contract, other_urls=rpc[1:], clock=clock
        )
        try:
            sighting = await backend.check(anchor, digest)
        finally:
            await backend.close()
    except PatunayError as e:
        return Missing.because(e)
    return Obtained(sighting, backend.chain, clock.now())
