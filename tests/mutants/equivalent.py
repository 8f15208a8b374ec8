"""Mutants that no test can notice, each with the reason why."""

from typing import Final

EQUIVALENT: Final[dict[str, str]] = {
    "anchoring.note:SignedNote.parse clause not blank": (
        "without an empty line the text is one, which is refused with the same code"
    ),
    (
        "anchoring.note:_refuse_characters removed raise NoteMalformed("
        "f'found {len(text)} characters, want at most {MAX_NOTE_BYTES}')"
    ): "the bytes are counted next; this saves encoding them",
    "credentials.proof_checks:check_proof clause unread is not None": (
        "where no proof counts, one of them could not be read"
    ),
    (
        "credentials.proof_checks:_check_issuer_method clause "
        "state.compromised_since is None"
    ): "a history that is missing says of no key that it was stolen",
    (
        "credentials.key_standing:_records removed raise "
        "AnchorNotShown('no record of the log was read')"
    ): "of no records none follows the boundary, which is refused with the same code",
    "credentials.jsonld.batch:_tail removed raise _OtherShapeError": (
        "no line is then looked for, is not found, and that raises the same"
    ),
    "credentials.key_standing:KeyQuestion.time_of_receipt clause reason is not None": (
        "where there is no time, there is a reason"
    ),
    "credentials.model:_check_statuses clause not isinstance(entry, dict)": (
        "what is no object has no type"
    ),
    "credentials.related_resources:check_related_resources clause "
    "not isinstance(entry, dict)": "what is no object has no id",
    "credentials.related_resources:_texts clause not item.split()": (
        "an empty text holds no digest, which is refused with the same code"
    ),
    (
        "did.identifier:DidUrl.parse removed raise DidUrlMalformed("
        "f'found {text[:80]!r}, want a DID with a #fragment')"
    ): "the fragment is then empty, which is refused with the same code",
    (
        "did.multikey:decode_multikey clause "
        "len(raw) != len(_ED25519_PUB) + PUBLIC_KEY_BYTES"
    ): "48 characters that begin with z6Mk always hold 34 bytes",
}
"""Name of the mutant, as the table has it: why the two behave alike."""
