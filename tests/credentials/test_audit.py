"""The audit as a pure function: an honest history, and what may be wrong with one."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.cosignature import WitnessKey, WitnessQuorum, cosign, with_cosignatures
from anchoring.merkle import RootMismatch
from anchoring.note import SignedNote
from anchoring.split import SplitMalformed, SplitNotShown, SplitView, verify_split
from anchoring.tiles import entry_bundle_path, tile_path
from credentials.audit.evidence import AuditEvidence, LogSeen
from credentials.audit.judge import judge_audit
from credentials.audit.leaves import name_change
from credentials.audit.report import (
    AuditBroken,
    AuditReport,
    AuditState,
    AuditStateMalformed,
    AuditUndetermined,
    Finding,
    Severity,
)
from credentials.evidence import Missing, Obtained
from credentials.policy import DEVELOPMENT_CHAINS
from credentials.report import Outcome
from primitives.canonical_json import canonicalize
from primitives.ed25519 import SoftwareSigner
from primitives.hashing import Digest, sha256
from primitives.instants import format_instant
from tests.support.audited import (
    ACCOUNT,
    CHAIN,
    DID,
    KEY,
    LIST_URL,
    ORIGIN,
    SIGNER,
    START,
    Provider,
    honest,
)

HOUR = timedelta(hours=1)
NOW = START + timedelta(days=300)


def audit(evidence: AuditEvidence) -> AuditReport:
    return judge_audit(evidence, NOW)


def codes(report: AuditReport) -> set[str]:
    return {finding.code for finding in report.findings}


def only(report: AuditReport, code: str) -> Finding:
    (finding,) = (finding for finding in report.findings if finding.code == code)
    return finding


def log_of(provider: Provider, **changes: bytes | None) -> Obtained[LogSeen]:
    tiles = provider.tiles() | changes
    seen = LogSeen(provider.note(), {k: v for k, v in tiles.items() if v is not None})
    return Obtained(seen, "test", START)


def test_an_honest_history_is_complete() -> None:
    report = audit(honest().evidence())
    assert report.findings == ()
    assert report.outcome is Outcome.VALID
    assert (report.tree_size, report.credentials) == (1004, 999)
    assert (report.records, report.anchors) == (3, 3)
    assert report.summary.startswith("Complete, in order, nothing taken back: 999")
    report.raise_for_outcome()


def test_a_log_that_grew_since_its_last_anchor_is_complete() -> None:
    provider = honest()
    provider.issue(10)
    assert audit(provider.evidence()).findings == ()


def test_records_that_were_not_anchored_themselves_are_followed() -> None:
    provider = honest()
    provider.issue(5)
    provider.record()
    provider.issue(5)
    provider.anchor()
    report = audit(provider.evidence())
    assert report.findings == ()
    assert (report.records, report.anchors) == (5, 4)


def rewritten(change: Any) -> tuple[Provider, AuditReport]:
    """Audit a provider that has changed its entries, and signed and served what came."""
    provider = honest()
    change(provider.entries)
    provider.issue(50, "later")
    return provider, audit(provider.evidence())


@pytest.mark.parametrize(
    ("change", "code", "leaf"),
    [
        (lambda e: e.pop(200), "leaf-removed", 200),
        (lambda e: e.__setitem__(200, b"\x01" + bytes(32)), "leaf-replaced", 200),
        (lambda e: e.insert(200, b"\x01" + bytes(32)), "leaf-inserted", 200),
        (lambda e: e.__setitem__(slice(200, 202), e[201:199:-1]), "leaves-reordered", 200),
        (lambda e: e.pop(700), "leaf-removed", 700),
        (lambda e: e.__setitem__(1003, b"\x01" + bytes(32)), "leaf-replaced", 1003),
    ],
)
def test_a_rewritten_log_is_named_and_accused(change: Any, code: str, leaf: int) -> None:
    _, report = rewritten(change)
    finding = only(report, code)
    assert finding.leaf == leaf
    assert finding.severity is Severity.BROKEN
    assert report.outcome is Outcome.REJECTED
    with pytest.raises(AuditBroken) as caught:
        report.raise_for_outcome()
    assert caught.value.code == "audit-broken"
    # Each anchored checkpoint at or past the change is half of a portable proof.
    sizes = {302, 603, 1004}
    assert {verify_split(split)[0].tree_size for split in report.splits} == {
        size for size in sizes if size > leaf
    }


def test_without_the_old_bundle_the_tile_is_named() -> None:
    provider = honest()
    old = sha256(provider.tiles(0, 302)[entry_bundle_path(0)])
    del provider.blocks[old]
    provider.entries[200] = b"\x01" + bytes(32)
    finding = only(audit(provider.evidence()), "leaves-changed")
    assert (finding.name, finding.leaf) == (entry_bundle_path(0), 0)


def test_a_forked_checkpoint_is_a_split_that_a_third_machine_can_verify() -> None:
    provider = honest()
    forked = sign_checkpoint(Checkpoint(ORIGIN, 603, sha256(b"another root")), SIGNER)
    provider.anchor(provider.record(checkpoint=forked))
    report = audit(provider.evidence())
    assert "split-view" in codes(report)
    split = SplitView.parse(report.splits[0].to_json())
    first, second = verify_split(split)
    assert first.tree_size == second.tree_size == 603
    assert first.root != second.root


def test_a_view_that_only_a_peer_was_shown_is_a_split() -> None:
    provider = honest()
    shown = sign_checkpoint(Checkpoint(ORIGIN, 700, sha256(b"for one alone")), SIGNER)
    report = audit(provider.evidence(checkpoints=(("a peer", shown),)))
    assert only(report, "split-view").size == 700
    verify_split(report.splits[0])
    honest_view = (("a peer", provider.note(700)),)
    assert audit(provider.evidence(checkpoints=honest_view)).findings == ()


def test_a_log_behind_what_a_peer_has_is_broken() -> None:
    provider = honest()
    ahead = honest()
    ahead.issue(10)
    report = audit(provider.evidence(checkpoints=(("a peer", ahead.note()),)))
    assert only(report, "log-behind").size == 1014


def test_a_peers_checkpoint_of_another_log_is_a_remark() -> None:
    other = SoftwareSigner(b"\x09" * 32)
    forged = sign_checkpoint(Checkpoint(ORIGIN, 700, sha256(b"forged")), other)
    report = audit(honest().evidence(checkpoints=(("a peer", forged),)))
    assert only(report, "checkpoint-unsigned").severity is Severity.REMARK
    assert report.outcome is Outcome.VALID


def cosigned(note: str, *seeds: int) -> str:
    """Return `note` with a cosignature by each witness, an hour after one another."""
    lines = [
        str(cosign(SignedNote.parse(note).text, key.name, signer, START + n * HOUR))
        for n, (key, signer) in enumerate(map(witness, seeds))
    ]
    return with_cosignatures(note, lines)


def witness(seed: int) -> tuple[WitnessKey, SoftwareSigner]:
    signer = SoftwareSigner(bytes([seed]) * 32)
    return WitnessKey(f"w{seed}.example", signer.public_key), signer


def quorum(*seeds: int, threshold: int) -> WitnessQuorum:
    return WitnessQuorum(tuple(witness(seed)[0] for seed in seeds), threshold)


def serving(provider: Provider, note: str, **changes: Any) -> AuditEvidence:
    log = Obtained(LogSeen(note, provider.tiles()), "test", START)
    return provider.evidence(log=log, **changes)


def test_enough_cosignatures_say_since_when_the_checkpoint_was_seen() -> None:
    provider = honest()
    note = cosigned(provider.note(), 41, 42, 49)
    report = audit(serving(provider, note, witnesses=quorum(41, 42, 43, threshold=2)))
    assert report.findings == ()
    assert report.witnessed is not None
    assert report.witnessed.sentence == (
        f"The checkpoint is cosigned by 2 of 3 at {format_instant(START + HOUR)}."
    )
    assert report.to_json()["witnesses"] == {
        "cosigned": 2,
        "known": 3,
        "threshold": 2,
        "time": format_instant(START + HOUR),
    }


def test_too_few_cosignatures_are_a_remark() -> None:
    provider = honest()
    note = cosigned(provider.note(), 41)
    report = audit(serving(provider, note, witnesses=quorum(41, 42, threshold=2)))
    remark = only(report, "checkpoint-unwitnessed")
    assert (remark.severity, remark.size) == (Severity.REMARK, 1004)
    assert report.outcome is Outcome.VALID
    assert report.witnessed is not None
    assert report.witnessed.sentence == (
        "The checkpoint is cosigned by 1 of 2, and 2 are wanted."
    )


def test_nobody_asks_for_witnesses_unless_the_auditor_names_some() -> None:
    provider = honest()
    report = audit(serving(provider, cosigned(provider.note(), 41)))
    assert (report.findings, report.witnessed) == ((), None)


def test_a_forged_cosignature_on_the_served_checkpoint_breaks_it() -> None:
    provider = honest()
    forged = provider.note() + cosigned(provider.note(500), 41).splitlines()[-1] + "\n"
    report = audit(serving(provider, forged, witnesses=quorum(41, threshold=1)))
    assert only(report, "cosignature-invalid").severity is Severity.BROKEN


def unsigned(note: str) -> str:
    """Return a cosigned note without the log's own line."""
    text, _, lines = note.rpartition("\n\n")
    return text + "\n\n" + lines.partition("\n")[2]


@pytest.mark.parametrize(("threshold", "split"), [(1, True), (2, True), (3, False)])
def test_what_enough_witnesses_were_shown_is_a_split(threshold: int, split: bool) -> None:
    provider, forked = honest(), honest()
    forked.entries[7] = b"\x01" + bytes(32)
    seen = unsigned(cosigned(forked.note(603), 41, 42))
    wanted = quorum(41, 42, 43, threshold=threshold)
    note = cosigned(provider.note(), 41, 42, 43)
    report = audit(
        serving(provider, note, checkpoints=(("a peer", seen),), witnesses=wanted)
    )
    assert codes(report) == ({"split-view"} if split else {"checkpoint-unsigned"})
    assert report.splits == ()
    if split:
        finding = only(report, "split-view")
        assert (finding.size, finding.severity) == (603, Severity.BROKEN)
        assert f"2 of 3 witnesses have cosigned the root {forked.tree.root(603).hex()}" in (
            finding.detail
        )


def test_what_witnesses_saw_of_this_history_accuses_nobody() -> None:
    provider = honest()
    seen = unsigned(cosigned(provider.note(603), 41))
    report = audit(
        provider.evidence(
            checkpoints=(("a peer", seen),), witnesses=quorum(41, threshold=1)
        )
    )
    assert codes(report) == {"checkpoint-unsigned", "checkpoint-unwitnessed"}


def test_a_cosigned_checkpoint_that_the_log_signed_accuses_in_a_file() -> None:
    provider, forked = honest(), honest()
    forked.entries[7] = b"\x01" + bytes(32)
    seen = cosigned(forked.note(700), 41)
    report = audit(provider.evidence(checkpoints=(("a peer", seen),)))
    (split,) = report.splits
    assert verify_split(split)[0].tree_size == 700


def test_a_swapped_record_is_named() -> None:
    provider = honest()
    digest = provider.anchors[1].digest
    blocks = provider.blocks | {digest: provider.records[0]}
    finding = only(audit(provider.evidence(blocks=blocks)), "block-mismatch")
    assert finding.severity is Severity.BROKEN
    assert digest.hex() in finding.detail


def test_a_swapped_document_is_named() -> None:
    provider = honest()
    blocks = provider.blocks | {sha256(provider.status): b"{}"}
    finding = only(audit(provider.evidence(blocks=blocks)), "block-mismatch")
    assert finding.name == LIST_URL


def test_a_revocation_taken_back_between_two_anchors_is_named() -> None:
    provider = honest()
    provider.revoke([9])
    provider.anchor()
    finding = next(
        f for f in audit(provider.evidence()).findings if f.code == "revocation-taken-back"
    )
    assert (finding.name, finding.size) == (LIST_URL, 1005)
    assert "the first is of index 5" in finding.detail


def test_a_revocation_taken_back_since_the_last_anchor_is_named() -> None:
    provider = honest()
    old = provider.status
    provider.revoke([9])
    finding = only(audit(provider.evidence()), "revocation-taken-back")
    assert "what is served now" in finding.detail
    provider.status = old
    assert "revocation-taken-back" not in codes(audit(provider.evidence()))


def test_a_revocation_list_that_is_dropped_is_named() -> None:
    provider = honest()
    provider.issue(1)
    provider.anchor(provider.record(status_lists={}))
    assert only(audit(provider.evidence()), "status-list-dropped").name == LIST_URL


def test_a_rewritten_did_history_is_named() -> None:
    provider = honest()
    first, when = provider.documents[0]
    provider.documents[0] = (first | {"alsoKnownAs": ["https://other.example"]}, when)
    finding = only(audit(provider.evidence()), "did-history-rewritten")
    assert (finding.name, finding.size) == (DID, 302)


def test_a_did_history_in_another_order_is_named() -> None:
    provider = honest()
    (first, t1), (second, t2) = provider.documents
    provider.documents = [(second, t1), (first, t2)]
    assert "did-history-rewritten" in codes(audit(provider.evidence()))


def test_a_served_did_document_outside_the_history_is_named() -> None:
    provider = honest()
    issuers = provider.evidence().issuers
    document, _ = provider.documents[0]
    had = Obtained(canonicalize(document), "test", START)
    changed = {DID: replace(issuers[DID], document=had)}
    assert "did-history-rewritten" in codes(audit(provider.evidence(issuers=changed)))


def test_an_anchor_by_another_account_of_a_signed_checkpoint_is_remarked() -> None:
    provider = honest()
    provider.anchor(provider.records[-1], account=ACCOUNT.replace("11", "22"))
    report = audit(provider.evidence())
    finding = only(report, "anchor-by-another-account")
    assert finding.severity is Severity.REMARK
    assert report.outcome is Outcome.VALID


def test_an_anchor_by_another_account_of_another_history_is_a_split() -> None:
    provider = honest()
    forked = sign_checkpoint(Checkpoint(ORIGIN, 603, sha256(b"another root")), SIGNER)
    other = ACCOUNT.replace("11", "22")
    provider.anchor(provider.record(checkpoint=forked), account=other)
    assert {"split-view", "anchor-by-another-account"} <= codes(audit(provider.evidence()))


def test_anybody_may_write_to_the_contract() -> None:
    provider = honest()
    provider.anchor(b"no record of ours", account=ACCOUNT.replace("11", "22"))
    assert audit(provider.evidence()).findings == ()


def test_an_unreadable_event_of_a_listed_account_is_a_gap() -> None:
    provider = honest()
    provider.anchor(b"lost")
    report = audit(provider.evidence())
    finding = only(report, "anchor-gap")
    assert finding.severity is Severity.UNKNOWN
    assert finding.transaction == provider.anchors[-1].anchor.transaction
    assert report.outcome is Outcome.UNDETERMINED
    with pytest.raises(AuditUndetermined):
        report.raise_for_outcome()
    blocks = provider.blocks | {sha256(b"lost"): b"lost"}
    finding = only(audit(provider.evidence(blocks=blocks)), "anchor-gap")
    assert finding.severity is Severity.BROKEN


def test_a_record_that_is_gone_is_a_gap() -> None:
    provider = honest()
    blocks = dict(provider.blocks)
    del blocks[sha256(provider.records[1])]
    report = audit(provider.evidence(blocks=blocks))
    assert "anchor-gap" in codes(report)
    assert report.outcome is Outcome.UNDETERMINED


def test_a_block_time_in_the_future_is_named() -> None:
    provider = honest()
    late = provider.anchors[-1]
    anchor = replace(late.anchor, timestamp=NOW + timedelta(minutes=16))
    provider.anchors[-1] = replace(late, anchor=anchor)
    report = audit(provider.evidence())
    assert only(report, "time-in-future").transaction == anchor.transaction
    within = replace(late.anchor, timestamp=NOW + timedelta(minutes=15))
    provider.anchors[-1] = replace(late, anchor=within)
    assert audit(provider.evidence()).findings == ()


@pytest.mark.parametrize(
    "path", [entry_bundle_path(2), tile_path(0, 1), tile_path(1, 0, 3)]
)
def test_a_truncated_tile_is_named(path: str) -> None:
    provider = honest()
    cut = provider.tiles()[path][:-1]
    report = audit(provider.evidence(log=log_of(provider, **{path: cut})))
    assert only(report, "tile-truncated").name == path
    assert report.outcome is Outcome.REJECTED


def test_a_hash_tile_that_differs_is_named() -> None:
    provider = honest()
    path = tile_path(0, 1)
    odd = b"\x00" + provider.tiles()[path][1:]
    report = audit(provider.evidence(log=log_of(provider, **{path: odd})))
    assert only(report, "tile-differs").name == path


@pytest.mark.parametrize("path", [entry_bundle_path(2), tile_path(0, 1)])
def test_a_tile_that_cannot_be_had_is_unknown(path: str) -> None:
    provider = honest()
    report = audit(provider.evidence(log=log_of(provider, **{path: None})))
    assert only(report, "tile-missing").name == path
    assert report.outcome is Outcome.UNDETERMINED


def test_the_tiles_of_another_log_are_no_tree_of_this_one() -> None:
    provider, other = honest(), Provider()
    other.issue(1004, "other")
    seen = Obtained(LogSeen(provider.note(), other.tiles()), "test", START)
    report = audit(provider.evidence(log=seen))
    assert "log-root-mismatch" in codes(report)
    # Tiles alone accuse nobody: a bad mirror could serve them.
    assert report.splits == ()


def test_a_record_of_another_log_is_mixed_in() -> None:
    provider = honest()
    other = Provider(origin="other.example/log")
    other.publish_did()
    other.revoke([])
    provider.blocks |= {sha256(other.record()): other.records[0]}
    provider.anchor(other.records[0])
    report = audit(provider.evidence())
    assert only(report, "log-mixed").transaction == provider.anchors[-1].anchor.transaction


def test_a_record_signed_by_another_key_is_named() -> None:
    provider = honest()
    thief = Provider(signer=SoftwareSigner(b"\x09" * 32))
    thief.publish_did()
    thief.revoke([])
    provider.blocks |= {sha256(thief.record()): thief.records[0]}
    provider.anchor(thief.records[0])
    assert "checkpoint-unsigned" in codes(audit(provider.evidence()))


def test_anchors_that_go_back_are_named() -> None:
    provider = honest()
    provider.anchor(provider.records[0])
    finding = only(audit(provider.evidence()), "size-went-back")
    assert (finding.size, "302 leaves after" in finding.detail) == (302, True)


def test_anchoring_the_same_record_again_is_harmless() -> None:
    provider = honest()
    provider.anchor(provider.records[-1])
    assert audit(provider.evidence()).findings == ()


def test_a_document_that_is_no_leaf_is_named() -> None:
    provider = honest()
    odd = canonicalize({"secret": "list"})
    lists = {LIST_URL: provider.status, f"{LIST_URL}0": odd}
    provider.blocks[sha256(odd)] = odd
    provider.issue(1)
    provider.anchor(provider.record(status_lists=lists))
    assert "document-not-logged" in codes(audit(provider.evidence()))


def test_a_record_that_no_later_one_leads_to_is_named() -> None:
    provider = honest()
    provider.issue(1)
    aside = provider.record()
    provider.anchor(aside)
    # The next one pretends that it never was.
    provider.records.pop()
    provider.sizes.pop()
    provider.issue(1)
    provider.anchor()
    assert "record-not-in-chain" in codes(audit(provider.evidence()))


def test_a_log_that_cannot_be_read_leaves_the_rest_to_be_judged() -> None:
    provider = honest()
    missing = Missing("fetch-timeout", "the log did not answer")
    report = audit(provider.evidence(log=missing))
    assert codes(report) == {"fetch-timeout"}
    assert (report.outcome, report.records) == (Outcome.UNDETERMINED, 3)


def test_a_checkpoint_that_is_not_signed_is_named() -> None:
    provider = honest()
    note = provider.note().replace("1004", "1005")
    seen = Obtained(LogSeen(note, provider.tiles()), "test", START)
    report = audit(provider.evidence(log=seen))
    assert {finding.name for finding in report.findings} == {"checkpoint"}
    assert report.outcome is Outcome.REJECTED


def test_the_next_audit_goes_on_where_this_one_ended() -> None:
    provider = honest()
    state = AuditState.parse(audit(provider.evidence()).to_json())
    assert state.blocks == ((CHAIN, 1002),)
    provider.revoke([5, 9, 11])
    provider.issue(20)
    provider.anchor()
    later = provider.anchors[-1:]
    report = audit(provider.evidence(earlier=state, anchors=tuple(later)))
    assert report.findings == ()
    assert report.records == 2
    provider.revoke([11])
    provider.anchor()
    again = audit(provider.evidence(earlier=state, anchors=tuple(provider.anchors[-2:])))
    assert "revocation-taken-back" in codes(again)


def test_a_history_rewritten_since_the_last_audit_is_a_split() -> None:
    provider = honest()
    state = AuditState.parse(audit(provider.evidence()).to_json())
    other = honest()
    other.entries[3] = b"\x01" + bytes(32)
    report = audit(other.evidence(anchors=(), earlier=state))
    assert "the earlier audit shows" in only(report, "split-view").detail


STATE: Any = {"checkpoint": "", "record": "", "blocks": {}}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({}, "found no report of an audit"),
        ({"version": 2, "state": STATE}, "found no report of an audit"),
        ({"version": 1, "state": ["x"]}, "found no report of an audit"),
        ({"version": 1, "state": {**STATE, "blocks": {"a": -1}}}, "found the block -1"),
        ({"version": 1, "state": {**STATE, "blocks": {"a": True}}}, "found the block True"),
        ({"version": 1, "state": {**STATE, "blocks": []}}, "want checkpoint, record and"),
        ({"version": 1, "state": {**STATE, "record": 1}}, "want checkpoint, record and"),
        ({"version": 1, "state": {**STATE, "checkpoint": 1}}, "want checkpoint, record"),
    ],
)
def test_the_result_of_something_else_is_no_state(raw: Any, words: str) -> None:
    with pytest.raises(AuditStateMalformed, match=words):
        AuditState.parse(raw)
    assert AuditState.parse({"version": 1, "state": STATE}) == AuditState("", "", ())


def test_two_true_checkpoints_are_no_split() -> None:
    provider = honest()
    tree = provider.tree
    split = SplitView(
        str(KEY),
        provider.note(603),
        provider.note(),
        tree.root(603),
        tree.consistency_proof(603, 1004),
    )
    with pytest.raises(SplitNotShown):
        verify_split(split)
    with pytest.raises(RootMismatch):
        verify_split(replace(split, prefix_root=Digest(bytes(32))))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "found other members than those of version 1"),
        ({"vkey": 1}, "found int, want text"),
        ({"first": None}, "found NoneType, want text"),
        ({"prefixRoot": "AAAA"}, "found a hash of 3 bytes, want 32"),
        ({"prefixRoot": "?"}, "base64"),
        ({"consistency": {}}, "consistency: want a list of at most 128"),
        ({"consistency": ["AA=="]}, "found a hash of 1 bytes, want 32"),
        ({"consistency": [""] * 129}, "consistency: want a list of at most 128"),
        ({"more": 1}, "found other members than those of version 1"),
    ],
)
def test_a_split_in_another_spelling_is_refused(changes: Any, words: str) -> None:
    provider = honest()
    good = SplitView(str(KEY), provider.note(603), provider.note(), provider.tree.root(603))
    SplitView.parse(good.to_json())
    with pytest.raises(SplitMalformed, match=words):
        SplitView.parse(good.to_json() | changes)


def test_every_change_of_entries_gets_the_word_for_it() -> None:
    chance = random.Random(3)
    for _ in range(200):
        old = [chance.randbytes(4) for _ in range(12)]
        after = [chance.randbytes(4) for _ in range(4)]
        at = chance.randrange(11)
        assert name_change(old, [*old[:at], *old[at + 1 :], *after]) == ("leaf-removed", at)
        assert name_change(old, old[:at]) == ("leaf-removed", at)
        new = [*old[:at], b"new", *old[at:], *after]
        assert name_change(old, new) == ("leaf-inserted", at)
        new = [*old[:at], b"new", *old[at + 1 :], *after]
        assert name_change(old, new) == ("leaf-replaced", at)
        new = [*old[:at], old[at + 1], old[at], *old[at + 2 :], *after]
        assert name_change(old, new) == ("leaves-reordered", at)
    assert name_change([b"a", b"b", b"c"], [b"x", b"y", b"z"]) == ("leaves-changed", 0)


def test_a_contract_that_nobody_looked_at_is_unknown() -> None:
    unasked = Missing("anchor-not-looked-up", "nobody looked")
    report = audit(honest().evidence(unasked={"eip155:1:0xAb": unasked}))
    assert only(report, "anchor-not-looked-up").severity is Severity.UNKNOWN
    dev = f"{next(iter(DEVELOPMENT_CHAINS))}:0xAb"
    report = audit(honest().evidence(unasked={dev: unasked}))
    assert only(report, "no-time-evidence").severity is Severity.REMARK
    assert report.outcome is Outcome.VALID


def test_without_a_chain_the_records_are_followed_from_the_one_that_is_named() -> None:
    provider = honest()
    head = (sha256(provider.records[-1]),)
    report = audit(provider.evidence(anchors=(), heads=head))
    assert (report.findings, report.records, report.anchors) == ((), 3, 0)
    gone = audit(provider.evidence(anchors=(), heads=(sha256(b"gone"),)))
    assert only(gone, "anchor-gap").severity is Severity.UNKNOWN
