"""What a verifying machine remembers of packs, over runs."""

from pathlib import Path

import pytest

from credentials.trust_pack.verify import (
    PackExpired,
    PackRolledBack,
    PackSignerUnknown,
)
from did.multikey import encode_multikey
from node.trust_store import TrustRootKnown, TrustStore, TrustStoreEmpty
from tests.support.credentials_support import DAY, NOW
from tests.support.trust_packs import OUTSIDER, checkpoint_part, contents, federation, pack

FIRST = pack()
SECOND = pack(contents(checkpoint_part(9)), after=FIRST)


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "store")


def files(store: TrustStore) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.folder.glob("*")}


def test_the_first_pack_needs_a_federation(store: TrustStore) -> None:
    with pytest.raises(TrustStoreEmpty):
        store.let_in(FIRST.to_bytes(), None, NOW)
    with pytest.raises(TrustStoreEmpty):
        store.newest(NOW)
    assert store.let_in(FIRST.to_bytes(), federation(), NOW).digest == FIRST.digest
    assert store.newest(NOW).digest == FIRST.digest
    assert store.root() == federation()


def test_what_was_seen_is_remembered_over_runs(store: TrustStore) -> None:
    store.let_in(FIRST.to_bytes(), federation(), NOW)
    store.let_in(SECOND.to_bytes(), None, NOW)
    again = TrustStore(store.folder)
    assert (again.seen().version, again.seen().digest) == (2, SECOND.digest)
    assert [*again.seen().logs.values()] == [9]
    assert len(again.seen().lists) == 1
    kept = files(again)
    with pytest.raises(PackRolledBack):
        again.let_in(FIRST.to_bytes(), None, NOW)
    assert files(again) == kept
    assert again.let_in(SECOND.to_bytes(), None, NOW).digest == SECOND.digest


def test_another_federation_is_not_taken_over(store: TrustStore) -> None:
    store.let_in(FIRST.to_bytes(), federation(), NOW)
    with pytest.raises(TrustRootKnown):
        store.let_in(SECOND.to_bytes(), federation(1), NOW)
    assert store.let_in(SECOND.to_bytes(), federation(), NOW).digest == SECOND.digest


def test_nothing_is_stored_of_a_pack_that_is_refused(store: TrustStore) -> None:
    with pytest.raises(PackSignerUnknown):
        store.let_in(pack(signers=0).to_bytes(), federation(), NOW)
    assert files(store) == {}


def test_new_keys_are_believed_once_both_have_signed(store: TrustStore) -> None:
    key = encode_multikey(OUTSIDER.public_key)
    held = contents(threshold=1, keys=(key,))
    store.let_in(FIRST.to_bytes(), federation(), NOW)
    store.let_in(pack(held, after=FIRST).signed_by(OUTSIDER).to_bytes(), None, NOW)
    assert store.root() == federation(1, keys=(key,))
    assert store.newest(NOW).manifest.version == 2


def test_a_crash_between_two_files_never_lets_an_older_pack_back(store: TrustStore) -> None:
    store.let_in(FIRST.to_bytes(), federation(), NOW)
    before = files(store)
    store.let_in(SECOND.to_bytes(), None, NOW)
    # What was seen is written first; here the machine died before the pack was.
    (store.folder / "pack.zip").write_bytes(before["pack.zip"])
    with pytest.raises(PackRolledBack):
        store.newest(NOW)
    store.let_in(SECOND.to_bytes(), None, NOW)
    assert store.newest(NOW).digest == SECOND.digest


def test_an_old_pack_is_not_used_for_ever(store: TrustStore) -> None:
    store.let_in(FIRST.to_bytes(), federation(), NOW)
    with pytest.raises(PackExpired):
        store.newest(NOW + 180 * DAY)
