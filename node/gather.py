"""Gathering: looking up what `credentials.judge` needs. The slow half, which may fail.

What cannot be had becomes `Missing` with its reason; nothing here decides anything. The
node's own files come first, then the network, if a fetcher was given.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from credentials.data_integrity import ASSERTION, Proof, parse_proofs
from credentials.evidence import NOT_LOOKED_UP, Evidence, Lookup, Missing, Obtained
from credentials.policy import Policy
from credentials.readings import MAX_KNOWN, Remembered, recurring_of
from did.service_type import SERVICE_TYPE
from primitives.canonical_json import Json, JsonObject
from primitives.clock import Clock
from primitives.errors import PatunayError
from primitives.strict_json import parse_json_object

if TYPE_CHECKING:  # a stranger's credential needs none of them
    from anchoring.backend import Sighting
    from anchoring.receipt import Receipt
    from did.resolver import Resolution, Resolver
    from node.own_node import OwnNode

    AskChain: TypeAlias = Callable[[Receipt], Awaitable[dict[str, Lookup[Sighting]]]]

MAX_STATUS_LIST_BYTES = 2 << 20
"""A list of 8 Mi entries that are half set has 1.4 MB; the shortest some 100 bytes."""

MAX_HISTORY_BYTES = 2 << 20
"""Some 500 versions of a DID document of a node, with their events."""

MAX_LOOK_UPS = 8
"""DIDs and lists looked up for one credential: its author chooses them, not we."""

Fetch: TypeAlias = Callable[[str, int], Awaitable[bytes]]
"""Gives the bytes at a URL, at most so many, or raises."""


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Where one verifier may look."""

    clock: Clock

    own: "OwnNode | None" = None
    """The verifier's own node, if it has one."""

    resolver: "Resolver | None" = None
    """Over the network; None stays offline."""

    fetch: Fetch | None = None
    """Gives a status list's JSON by URL; None stays offline."""

    def policy(self, policy: Policy) -> Policy:
        """Return `policy` with the own node's issuers and log among those believed."""
        if self.own is None:
            return policy
        logs = dict.fromkeys(self.own.issuers, self.own.vkey)
        return replace(
            policy,
            issuers={**self.own.names, **policy.issuers},
            logs={**logs, **policy.logs},
        )

    async def gather(
        self,
        document: JsonObject,
        *,
        purpose: str = ASSERTION,
        proofs: Iterable[Proof | PatunayError] | None = None,
        receipt: "Lookup[Receipt] | None" = None,
        sightings: "AskChain | None" = None,
    ) -> Evidence:
        """Return everything that could be had about `document`.

        Args:
            document: Read, and not trusted.
            purpose: What its proofs have to have been made for.
            proofs: They, where somebody has read them already.
            receipt: Of this credential, where it is known.
            sightings: Asks the chain about a receipt, where an endpoint is known.
        """
        read = _proofs(document, purpose) if proofs is None else proofs
        dids = {did: await self._did(did) for did in _dids(document, read)}
        lists = {url: await self._status_list(url) for url in _status_urls(document)}
        for found in lists.values():
            for did in _signers(found) if isinstance(found, Obtained) else ():
                if did not in dids and len(dids) < MAX_LOOK_UPS:
                    dids[did] = await self._did(did)
        evidence = Evidence(
            did_documents=dids,
            status_lists=lists,
            histories={
                did: await self._history(did, found)
                for did, found in dids.items()
                if isinstance(found, Obtained) and _runs_a_log(found.value)
            },
        )
        if receipt is None:
            return evidence
        seen: "dict[str, Lookup[Sighting]]" = {}
        if isinstance(receipt, Obtained) and sightings is not None:
            seen = await sightings(receipt.value)
        return replace(evidence, receipt=receipt, sightings=seen)

    async def _did(self, did: str) -> Lookup[JsonObject]:
        own = self.own.did_document(did) if self.own is not None else None
        if own is not None:
            return own
        if self.resolver is None:
            return NOT_LOOKED_UP
        try:
            found: "Resolution" = await self.resolver.resolve(did)
        except PatunayError as e:
            return Missing.because(e)
        return Obtained(found.document, found.source, found.obtained_at)

    async def _history(
        self, did: str, document: Obtained[JsonObject]
    ) -> Lookup[JsonObject]:
        """Return what stands beside the DID document; nothing depends on it being there."""
        own = self.own.did_history(did) if self.own is not None else None
        if own is not None:
            return own
        if self.fetch is None or not document.source.endswith("/did.json"):
            return NOT_LOOKED_UP
        url = document.source.removesuffix("did.json") + "did-history.json"
        try:
            body = await self.fetch(url, MAX_HISTORY_BYTES)
            return Obtained(
                parse_json_object(body, MAX_HISTORY_BYTES), url, self.clock.now()
            )
        except PatunayError as e:
            return Missing.because(e)

    async def _status_list(self, url: str) -> Lookup[JsonObject]:
        own = self.own.status_list(url) if self.own is not None else None
        if own is not None:
            return own
        if self.fetch is None:
            return NOT_LOOKED_UP
        try:
            body = await self.fetch(url, MAX_STATUS_LIST_BYTES)
            document = parse_json_object(body, MAX_STATUS_LIST_BYTES)
        except PatunayError as e:
            # Whatever the server sent, it is no status list: that answers nothing.
            return Missing(
                e.code, str(e), e.hint or "ask the issuer whether it is in force"
            )
        return Obtained(document, url, self.clock.now())


def _proofs(
    document: JsonObject, purpose: str = ASSERTION
) -> Iterable[Proof | PatunayError]:
    try:
        return parse_proofs(document, purpose)
    except PatunayError:
        return ()  # `check_proof` reports it; there is just no key to look up


def _signers(found: Obtained[JsonObject]) -> Sequence[str]:
    """Return the `_dids` of a status list; found once while its file is the same."""

    def read() -> Sequence[str]:
        return _dids(found.value, _proofs(found.value))

    recurring = recurring_of(found)
    return read() if recurring is None else _known_signers.get(ASSERTION, recurring, read)


_known_signers: Final = Remembered[Sequence[str]](MAX_KNOWN)


def _dids(document: JsonObject, proofs: Iterable[Proof | PatunayError]) -> list[str]:
    """Return the DIDs whose documents the checks will ask for; a did:key needs none."""
    issuer = document.get("issuer")
    named = issuer.get("id") if isinstance(issuer, dict) else issuer
    found = [named] if isinstance(named, str) else []
    found += [
        p.verification_method.partition("#")[0] for p in proofs if isinstance(p, Proof)
    ]
    wanted = [did for did in dict.fromkeys(found) if _is_resolvable(did)]
    return wanted[:MAX_LOOK_UPS]


def _runs_a_log(document: JsonObject) -> bool:
    """Tell whether the issuer keeps a log as Patunay does: others have no history."""
    services = document.get("service")
    entries = services if isinstance(services, list) else []
    return any(isinstance(e, dict) and e.get("type") == SERVICE_TYPE for e in entries)


def _is_resolvable(did: str) -> bool:
    return did.startswith("did:") and not did.startswith("did:key:")


def _status_urls(document: JsonObject) -> list[str]:
    status = document.get("credentialStatus")
    entries: list[Json] = status if isinstance(status, list) else [status]
    urls = [e.get("statusListCredential") for e in entries if isinstance(e, dict)]
    return [*dict.fromkeys(url for url in urls if isinstance(url, str))][:MAX_LOOK_UPS]
