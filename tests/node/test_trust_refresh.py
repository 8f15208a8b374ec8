"""A round through an office's issuers: what it keeps, what it tells, how it goes on."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from anchoring.backend import AnchorReceipt, Sighting
from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.receipt import anchor_json
from anchoring.record import build_record, parse_record, record_cid
from anchoring.tree import Tree
from credentials.evidence import Lookup, Missing, Obtained
from credentials.trust_pack.parts import AnchorPart, CheckpointPart, IssuerPart, StatusPart
from did.document import build_did_document
from did.fetch import FetchFailed
from did.history import build_history
from did.resolver import Resolution
from did.service import PatunayLogService
from node.trust_folder import Followed, TrustFolder
from node.trust_refresh import Refresh, Trouble
from node.trust_round import ROUND_AGE
from primitives.canonical_json import JsonObject, canonicalize
from primitives.encodings import encode_base64
from primitives.hashing import Digest
from tests.support.credentials_support import (
    DAY,
    LOG_KEY,
    LOG_SIGNER,
    NOW,
    SIGNER,
    status_list,
)
from tests.support.nodes import CHEAP, HandClock
from tests.support.trust_packs import ANCHORED

LOG = "https://school.example/log/"
LIST = "https://school.example/status/revocation"
SERVICE = PatunayLogService(LOG, str(LOG_KEY))
DIDS = tuple(f"did:web:{name}.example" for name in ("a", "b", "c"))


def document(did: str, *, bound: bool = False) -> JsonObject:
    return build_did_document(
        did,
        assertion_keys={"key-1": SIGNER.public_key},
        withdrawn_keys={},
        services=[SERVICE] if bound else [],
    )


@dataclass
class Web:
    """Documents by DID, and files by URL; what is asked for is written down."""

    documents: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    cut_after: int | None = None
    """How many DIDs are answered before the process is killed."""

    async def resolve(self, did: str) -> Resolution:
        if self.cut_after is not None and len(self.asked) >= self.cut_after:
            raise KeyboardInterrupt
        self.asked.append(did)
        if did not in self.documents:
            raise FetchFailed(f"no answer about {did}")
        source = f"https://{did.rpartition(':')[2]}/.well-known/did.json"
        return Resolution(self.documents[did], source, NOW)

    async def fetch(self, url: str, limit: int) -> bytes:
        self.asked.append(url)
        if url not in self.files:
            raise FetchFailed(f"no answer from {url}")
        assert len(self.files[url]) <= limit
        return self.files[url]


@pytest.fixture
def office(tmp_path: Path) -> TrustFolder:
    folder = TrustFolder.create(
        tmp_path / "office",
        "ph",
        b"a passphrase",
        HandClock(NOW),
        others=(),
        threshold=1,
        contracts=(),
        cost=CHEAP,
    )
    folder.follow([Followed(did, f"School of {did[8]}", ()) for did in DIDS])
    return folder


def plain() -> Web:
    return Web({did: document(did) for did in DIDS})


async def refresh(
    office: TrustFolder, web: Web, clock: HandClock | None = None, look: Any = None
) -> tuple[Trouble, ...]:
    steps: list[tuple[str, int, int]] = []
    work = Refresh(
        office,
        web,
        web.fetch,
        clock or HandClock(NOW),
        look,
        lambda *step: steps.append(step),
    )
    found = await work.run()
    assert steps[0] == ("issuers", 0, len(office.followed()))
    assert steps[-1] == ("issuers", len(office.followed()), len(office.followed()))
    return found


def issuers(office: TrustFolder) -> dict[str, IssuerPart]:
    return {part.did: part for part in office.parts() if isinstance(part, IssuerPart)}


async def test_each_issuer_becomes_a_part(office: TrustFolder) -> None:
    assert await refresh(office, plain()) == ()
    assert set(issuers(office)) == set(DIDS)
    assert issuers(office)[DIDS[0]].name == "School of a"
    assert not (office.root / "refresh.json").exists()


async def test_what_cannot_be_had_is_told_and_the_rest_is_kept(office: TrustFolder) -> None:
    await refresh(office, plain())
    web = plain()
    del web.documents[DIDS[1]]
    (trouble,) = await refresh(office, web, HandClock(NOW + DAY))
    assert (trouble.what, trouble.error.code) == (DIDS[1], "fetch-failed")
    assert set(issuers(office)) == set(DIDS)


async def test_an_interrupted_round_goes_on_where_it_ended(office: TrustFolder) -> None:
    first = plain()
    first.cut_after = 2
    with pytest.raises(KeyboardInterrupt):
        await refresh(office, first)
    assert set(issuers(office)) == set(DIDS[:2])
    second = plain()
    assert await refresh(office, second, HandClock(NOW + timedelta(hours=1))) == ()
    assert second.asked == [DIDS[2]]
    # That round is over; the next one asks everybody.
    third = plain()
    await refresh(office, third)
    assert third.asked == [*DIDS]


async def test_whoever_gave_trouble_is_asked_again(office: TrustFolder) -> None:
    first = plain()
    del first.documents[DIDS[0]]
    first.cut_after = 2
    with pytest.raises(KeyboardInterrupt):
        await refresh(office, first)
    second = plain()
    assert await refresh(office, second) == ()
    assert second.asked == [DIDS[0], DIDS[2]]


@pytest.mark.parametrize(
    "case", ["a day later", "clock behind", "with the chain", "broken"]
)
async def test_a_round_that_cannot_go_on_begins_anew(
    office: TrustFolder, case: str
) -> None:
    first = plain()
    first.cut_after = 1
    with pytest.raises(KeyboardInterrupt):
        await refresh(office, first)
    moments = {"a day later": NOW + ROUND_AGE, "clock behind": NOW - DAY}
    if case == "broken":
        (office.root / "refresh.json").write_bytes(b"{}")
    second = plain()
    look = no_look if case == "with the chain" else None
    await refresh(office, second, HandClock(moments.get(case, NOW)), look)
    assert second.asked == [*DIDS]


async def no_look(
    _anchors: Iterable[AnchorReceipt], _digest: Digest
) -> dict[str, Lookup[Sighting]]:
    return {}


# A provider with a log.


def logging(size: int = 3, *, history: int = 1) -> Web:
    """Return a provider of one record, whose checkpoint has `size` entries."""
    did = DIDS[0]
    tree = Tree([Digest(bytes([n]) * 32) for n in range(size)])
    note = sign_checkpoint(Checkpoint(LOG_KEY.name, size, tree.root()), LOG_SIGNER)
    record = build_record(
        checkpoint=note,
        previous=None,
        did_documents={},
        status_lists={LIST: canonicalize(status_list())},
        tiles={},
    )
    anchored = {
        "version": 1,
        "record": encode_base64(record),
        "anchors": [anchor_json(ANCHORED.anchor)],
    }
    times = [NOW - 90 * DAY + n * DAY for n in range(history)]
    past = build_history(did, [(document(did, bound=True), time) for time in times])
    web = Web({did: document(did, bound=True)})
    web.files = {
        "https://a.example/.well-known/did-history.json": json.dumps(past).encode(),
        LOG + "checkpoint": note.encode(),
        LOG + "records/latest": json.dumps(anchored).encode(),
        LIST: json.dumps(status_list()).encode(),
    }
    return web


@pytest.fixture
def one(office: TrustFolder) -> TrustFolder:
    office.follow([Followed(DIDS[0], "School of a", ())])
    return office


async def seen(
    anchors: Iterable[AnchorReceipt], _digest: Digest
) -> dict[str, Lookup[Sighting]]:
    return {a.transaction: Obtained(Sighting(a, 9, 0), "chain", NOW) for a in anchors}


async def test_a_log_gives_its_checkpoint_and_the_anchors_that_the_chain_shows(
    one: TrustFolder,
) -> None:
    assert await refresh(one, logging(), look=seen) == ()
    kinds = {type(part) for part in one.parts()}
    assert kinds == {IssuerPart, CheckpointPart, AnchorPart, StatusPart}
    (anchor,) = (part for part in one.parts() if isinstance(part, AnchorPart))
    assert anchor.depth == 9
    assert parse_record(anchor.record).log == LOG_KEY.name
    assert anchor.cid == record_cid(anchor.record)


async def test_an_anchor_that_the_chain_does_not_show_is_not_packed(
    one: TrustFolder,
) -> None:
    async def lost(
        anchors: Iterable[AnchorReceipt], _digest: Digest
    ) -> dict[str, Lookup[Sighting]]:
        return {a.transaction: Missing("anchor-not-found", "no such one") for a in anchors}

    (trouble,) = await refresh(one, logging(), look=lost)
    assert trouble.what == ANCHORED.anchor.transaction
    assert not [part for part in one.parts() if isinstance(part, AnchorPart)]


async def test_a_list_that_cannot_be_had_stays_as_it_was(one: TrustFolder) -> None:
    await refresh(one, logging())
    web = logging()
    del web.files[LIST]
    (trouble,) = await refresh(one, web, HandClock(NOW + DAY))
    assert trouble.what == LIST
    (kept,) = (part for part in one.parts() if isinstance(part, StatusPart))
    assert kept.obtained_at == NOW


async def test_a_log_that_shrinks_is_told_and_stays_as_it_was(one: TrustFolder) -> None:
    await refresh(one, logging(5))
    (trouble,) = await refresh(one, logging(3), HandClock(NOW + DAY))
    assert (trouble.what, trouble.error.code) == (LOG, "issuer-went-back")
    (kept,) = (part for part in one.parts() if isinstance(part, CheckpointPart))
    assert kept.checkpoint.tree_size == 5


async def test_a_history_that_begins_otherwise_is_told(one: TrustFolder) -> None:
    await refresh(one, logging(history=2))
    (trouble,) = await refresh(one, logging(history=1), HandClock(NOW + DAY))
    assert (trouble.what, trouble.error.code) == (DIDS[0], "issuer-went-back")
    history = issuers(one)[DIDS[0]].history
    assert history is not None
    versions = history["versions"]
    assert isinstance(versions, list)
    assert len(versions) == 2


async def test_since_when_an_issuer_is_known_does_not_move(one: TrustFolder) -> None:
    await refresh(one, logging())
    web = logging()
    moved = web.resolve

    async def later(did: str) -> Resolution:
        found = await moved(did)
        return Resolution(found.document, found.source, NOW + DAY)

    web.resolve = later  # type: ignore[method-assign]
    await refresh(one, web, HandClock(NOW + DAY))
    part = issuers(one)[DIDS[0]]
    assert (part.first_seen, part.last_seen) == (NOW, NOW + DAY)
