"""What the office has: packs that are old, poor or of others, and denials."""

from dataclasses import replace

from tests.matrix.beliefs import ANCHOR, BLOCK, BOUND, KNOWN, MARCH, denied
from tests.matrix.edits import FIRST, cut, one_byte
from tests.matrix.office import OFFICES, STRANGER, Case
from tests.matrix.world import day


def trust_cases() -> list[Case]:
    """Return these cases."""
    return [*_whole(), *_old_packs(), *_foreign_packs(), *_poor_packs(), *_denials()]


def _whole() -> list[Case]:
    alone = "alone:good"
    return [
        Case(
            "all-there",
            "A bundle and a pack of the week: all is known, as of then.",
            pack=MARCH,
        ),
        Case(
            "all-there-anchor-required",
            "The same, and the office wants an anchor.",
            pack=MARCH,
            policy=ANCHOR,
        ),
        Case(
            "credential-and-pack",
            "No bundle, no receipt: only the anchor is open, and nobody wants it.",
            alone,
            MARCH,
        ),
        Case(
            "credential-and-pack-anchor-required",
            "No receipt, and the office wants an anchor: open, with what to ask for.",
            alone,
            MARCH,
            policy=ANCHOR,
        ),
        Case(
            "credential-receipt-and-pack",
            "What a holder brings in two files is as good as a bundle.",
            alone,
            MARCH,
            receipt="good-march",
            policy=ANCHOR,
        ),
        Case(
            "credential-alone",
            "Nothing is known of a did:web without a network: open, not false.",
            alone,
        ),
        Case(
            "bundle-alone", "A bundle is no source of trust: it cannot say whose log it is."
        ),
        Case(
            "bundle-and-log-key",
            "The office binds the log itself: enough, but for the block.",
            trust=BOUND,
        ),
        Case(
            "bundle-and-log-key-anchor-required",
            "Nobody the office believes has spoken of the block.",
            trust=BOUND,
            policy=ANCHOR,
        ),
        Case(
            "bundle-and-name-alone",
            "The office knows the name and not the log: anybody could have made the keys.",
            trust=KNOWN,
        ),
        Case(
            "bundle-and-block",
            "The office's own policy names the block: the anchor counts.",
            trust=BOUND,
            policy={**ANCHOR, **BLOCK},
        ),
        Case(
            "bundle-and-block-without-contract",
            "The block is named, and the contract is not.",
            trust=BOUND,
            policy={**ANCHOR, "blocks": BLOCK["blocks"]},
        ),
    ]


def _old_packs() -> list[Case]:
    return [
        Case(
            "pack-stale",
            "A pack past its date: what it says is said with that remark, never silently.",
            pack=MARCH,
            clock=day(4, 13),
        ),
        Case(
            "pack-stale-own-list",
            "The office's own list names the issuer; the pack that gives the rest is old.",
            pack=MARCH,
            trust=KNOWN,
            clock=day(4, 13),
        ),
        Case(
            "pack-stale-newer-bundle",
            "The bundle has a newer list, signed by the issuer: that one counts.",
            "good-july",
            MARCH,
            clock=day(7, 5),
        ),
        Case(
            "pack-stale-status-too-old",
            "After a hundred days the list decides nothing any more.",
            pack=MARCH,
            clock=day(6, 20),
        ),
        Case(
            "pack-expired",
            "Nothing is concluded from a pack of last year; the office gets told which.",
            pack=MARCH,
            clock=day(9, 10),
        ),
        Case(
            "pack-on-its-last-day",
            "A second before that it is stale, and used.",
            pack=replace(MARCH, lists=True),
            clock=day(8, 31, 8),
            policy={"acceptedStatusAgeDays": 365},
        ),
    ]


def _foreign_packs() -> list[Case]:
    return [
        Case(
            "pack-of-another-federation",
            "A pack that other offices have signed for their own use.",
            pack=replace(MARCH, name="other"),
            root="ph",
        ),
        Case(
            "pack-signed-by-one",
            "Two have to sign, and one has.",
            pack=replace(MARCH, signers=OFFICES[:1]),
        ),
        Case(
            "pack-signed-by-a-stranger",
            "None of the office's own keys has signed.",
            pack=replace(MARCH, signers=(STRANGER,)),
        ),
        Case(
            "pack-signed-by-one-and-a-stranger",
            "A stranger's signature is no second one.",
            pack=replace(MARCH, signers=(OFFICES[0], STRANGER)),
        ),
        Case(
            "pack-changed",
            "One byte is another: it is not the pack that was signed.",
            pack=MARCH,
            spoil=one_byte,
        ),
        Case("pack-cut", "The end was lost on the way.", pack=MARCH, spoil=cut),
    ]


def _poor_packs() -> list[Case]:
    elsewhere = (FIRST["contract"].replace("11155111", "17000"),)
    return [
        Case(
            "pack-without-the-issuer",
            "The pack does not name the school: the bundle cannot make up for that.",
            pack=replace(MARCH, issuer=False),
        ),
        Case(
            "pack-without-the-issuer-own-list",
            "The office names school and log itself; the pack adds the rest.",
            pack=replace(MARCH, issuer=False),
            trust=BOUND,
        ),
        Case(
            "pack-for-this-award",
            "The school is recognised for such an award.",
            pack=replace(MARCH, scope=("Certificate", "OpenBadgeCredential")),
        ),
        Case(
            "pack-for-another-award",
            "The school is recognised, and not for this: nothing is false.",
            pack=replace(MARCH, scope=("BachelorDegree",)),
        ),
        Case(
            "policy-for-another-award",
            "The office's policy accepts other types of award.",
            pack=MARCH,
            policy={"awardTypes": ["BachelorDegree"]},
        ),
        Case(
            "pack-without-lists-bundle-has",
            "The bundle's own list counts, as of its issuer's signature.",
            pack=replace(MARCH, lists=False),
        ),
        Case(
            "pack-without-lists",
            "Whether it was revoked, nobody can say.",
            "alone:good",
            replace(MARCH, lists=False),
        ),
        Case(
            "pack-without-history",
            "The key is known as of the day of the pack.",
            pack=replace(MARCH, history=False),
        ),
        Case(
            "pack-without-anchors",
            "The receipt's own proof holds, in a block that nobody attests.",
            pack=replace(MARCH, records=()),
            policy=ANCHOR,
        ),
        Case(
            "pack-with-another-contract",
            "The offices believe another contract only.",
            pack=replace(MARCH, contracts=elsewhere),
            policy=ANCHOR,
        ),
    ]


def _denials() -> list[Case]:
    before, after = day(1, 1), day(3, 5)
    return [
        Case(
            "issuer-denied",
            "The office does not believe the school any more, whenever it signed.",
            pack=replace(MARCH, deny=denied()),
        ),
        Case(
            "issuer-denied-since-later",
            "Anchored before the school was withdrawn: it counts.",
            pack=replace(MARCH, deny=denied(after)),
        ),
        Case(
            "issuer-denied-since-earlier",
            "Anchored after that: it does not.",
            pack=replace(MARCH, deny=denied(before)),
        ),
        Case(
            "issuer-denied-since-later-no-receipt",
            "Without a receipt nobody knows which: the learner is told what to bring.",
            "alone:good",
            replace(MARCH, deny=denied(after)),
        ),
        Case(
            "issuer-denied-own-list",
            "A denial comes before the verifier's own list.",
            pack=replace(MARCH, deny=denied()),
            trust=KNOWN,
        ),
        Case(
            "key-denied",
            "The office does not believe this key.",
            pack=replace(MARCH, deny=denied(key=True)),
        ),
        Case(
            "key-denied-since-later",
            "Anchored before that.",
            pack=replace(MARCH, deny=denied(after, key=True)),
        ),
    ]
