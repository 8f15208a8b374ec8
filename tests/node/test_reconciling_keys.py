"""Keys that were replaced after the backup: their history comes back, they do not."""

from pathlib import Path

import pytest

from credentials.data_integrity import Proof, parse_proofs
from node.fsck import check_node
from node.issuance import issue_document
from node.logbook import close_batch
from node.node import MAIN, KeyLost, Node
from node.published_log import PublishedLogIncomplete
from node.publishing import did_history_file
from node.reconciling import Answers, reconcile
from node.rotation import rotate
from node.setup import add_issuer
from tests.node.test_backup import PLAIN
from tests.restore_drill.drill import back_up, place_of, quiet, restore
from tests.support.declaring import declare_compromised
from tests.support.nodes import HandClock, client_of, opened, query

_DOCUMENTS = "SELECT sha256 FROM documents"
_OWN = "SELECT document FROM issuers WHERE slug = 'main'"


async def test_an_issuers_newer_document_and_history_come_back(
    node: Node, tmp_path: Path, clock: HandClock
) -> None:
    await close_batch(node)
    raw = await back_up(node)
    clock.advance(60)
    await rotate(node, MAIN)
    await add_issuer(node, "sdo-batangas", "Another")
    await rotate(node, "sdo-batangas")
    await close_batch(node)
    copy = await restore(raw, tmp_path / "copy", clock)
    assert query(copy, _OWN) != query(node.home, _OWN)
    clock.advance(60)
    async with client_of(node) as client, opened(copy, clock) as again:
        place = place_of(client, node.config.base_url)
        said = Answers(place, (await place.head(node.vkey),))
        assert (await reconcile(again, said, quiet)).lost == 0
        assert query(copy, _OWN) == query(node.home, _OWN)
        assert set(query(copy, _DOCUMENTS)) == set(query(node.home, _DOCUMENTS))
        histories = [did_history_file(each.home, MAIN) for each in (node, again)]
        assert histories[0].read_bytes() == histories[1].read_bytes()


async def test_a_key_that_is_lost_is_replaced_before_anything_is_signed(
    node: Node, tmp_path: Path, clock: HandClock
) -> None:
    """The one before it was replaced in public: nobody would believe it."""
    await close_batch(node)
    raw = await back_up(node)
    clock.advance(60)
    await rotate(node, MAIN)
    await close_batch(node)
    copy = await restore(raw, tmp_path / "copy", clock)
    async with client_of(node) as client, opened(copy, clock) as again:
        place = place_of(client, node.config.base_url)
        await reconcile(again, Answers(place, (await place.head(node.vkey),)), quiet)
        with pytest.raises(KeyLost, match="#credential-2, which the document") as told:
            await issue_document(again, dict(PLAIN), None)
        assert told.value.code == "key-lost"
        made = await rotate(again, MAIN)
        assert (made.old[-2:], made.new[-2:]) == ("-2", "-3")
        (proof,) = parse_proofs(await issue_document(again, dict(PLAIN), None))
        assert isinstance(proof, Proof)
        assert proof.verification_method == made.new
        await close_batch(again)
        assert (await check_node(again, None, quiet)).problems == []


async def test_a_declaration_that_a_key_was_stolen_is_never_lost(
    node: Node, tmp_path: Path, clock: HandClock
) -> None:
    await close_batch(node)
    raw = await back_up(node)
    clock.advance(60)
    await declare_compromised(node, "main.credential", clock.moment)
    await close_batch(node)
    history = did_history_file(node.home, MAIN)
    declared = history.read_bytes()
    copy = await restore(raw, tmp_path / "copy", clock)
    async with client_of(node) as client, opened(copy, clock) as again:
        place = place_of(client, node.config.base_url)
        said = Answers(place, (await place.head(node.vkey),))
        history.unlink()
        with pytest.raises(PublishedLogIncomplete, match="with the key event of leaf 2"):
            await reconcile(again, said, quiet)
        assert again.is_restored
        history.write_bytes(declared)
        await reconcile(again, said, quiet)
        assert did_history_file(again.home, MAIN).read_bytes() == declared
        with pytest.raises(KeyLost):
            await issue_document(again, dict(PLAIN), None)
        await rotate(again, MAIN)
        await issue_document(again, dict(PLAIN), None)
