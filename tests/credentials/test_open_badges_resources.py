"""Images, pins, and what an endorsement carries along."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest

from credentials.data_integrity import Proof, parse_proofs, verify_proof
from credentials.open_badges.badge import (
    build_open_badge,
    parse_open_badge,
    unpinned_images,
)
from credentials.open_badges.endorsement import (
    Endorsement,
    EndorsementSubject,
    Profile,
    build_endorsement,
    parse_endorsement,
)
from credentials.open_badges.resources import (
    Image,
    RelatedResource,
    ResourceDigestMismatch,
    ResourceDigestUnsupported,
    embed_image,
    pin_bytes,
    pin_credential,
    verify_credential_pin,
    verify_pin,
)
from tests.support.open_badges import PNG, SIGNER, badge, complete, example, signed, text


def test_an_image_is_embedded_or_pinned() -> None:
    embedded = embed_image(PNG, media_type="image/png", caption="A tree")
    assert embedded.id == "data:image/png;base64,iVBORw0KGgogYW5kIHRoZSByZXN0"
    assert unpinned_images(complete()) == frozenset()
    loose = replace(complete(), related_resource=())
    assert unpinned_images(loose) == {"https://school.example/badge.png"}
    assert (
        unpinned_images(replace(badge("als-communication"), image=embedded)) == frozenset()
    )
    organization = Profile(id="did:web:a.example", image=Image(id="https://a.example/logo"))
    below = replace(
        badge("als-communication"),
        issuer=Profile(id="did:web:b.example", parent_org=organization),
    )
    assert unpinned_images(below) == {"https://a.example/logo"}


def test_a_pin_is_the_multihash_of_the_bytes() -> None:
    pin = pin_bytes("https://school.example/badge.png", PNG, media_type="image/png")
    digest = b"\x12\x20" + hashlib.sha256(PNG).digest()
    assert pin.digest_multibase == "u" + urlsafe_b64encode(digest).decode().rstrip("=")
    verify_pin(pin, PNG)
    with pytest.raises(ResourceDigestMismatch, match="want"):
        verify_pin(pin, PNG + b"\n")


def test_a_pin_in_base58_is_read_too() -> None:
    # SHA-256 of "Hello World!", an example of the multihash registry's own documentation.
    digest = "zQmWvQxTqbG2Z9HPJgG57jjwR154cKhbtJenbyYTWkjgF3e"
    verify_pin(
        RelatedResource(id="urn:example:x", digest_multibase=digest), b"Hello World!"
    )


@pytest.mark.parametrize("digest", [None, "", "mEiA", "uEiA", "uEyA", "f1220", "u!"])
def test_another_digest_is_unsupported_and_not_false(digest: str | None) -> None:
    with pytest.raises(ResourceDigestUnsupported):
        verify_pin(RelatedResource(id="urn:example:x", digest_multibase=digest), PNG)


def test_a_digest_of_another_function_is_not_taken_for_sha_256() -> None:
    sha3 = b"\x16\x20" + hashlib.sha256(PNG).digest()
    named = "u" + urlsafe_b64encode(sha3).decode().rstrip("=")
    with pytest.raises(ResourceDigestUnsupported, match="found multihash 1620 of 34 bytes"):
        verify_pin(RelatedResource(id="urn:example:x", digest_multibase=named), PNG)


def test_a_pin_under_the_id_of_another_credential_is_refused() -> None:
    judged = example("stack-macro-credential")
    pin = replace(
        pin_credential(judged), id="urn:uuid:00000000-0000-4000-8000-000000000999"
    )
    with pytest.raises(ResourceDigestMismatch, match="found the id"):
        verify_credential_pin(pin, judged)


def test_a_recognition_decision_pins_the_very_document_that_was_judged() -> None:
    judged = signed(example("stack-macro-credential"))
    decision = replace(
        parse_endorsement(example("recognition-partial")),
        related_resource=(pin_credential(judged),),
    )
    document = signed(build_endorsement(decision))
    (pin,) = parse_endorsement(document).related_resource
    assert (pin.media_type, pin.id) == ("application/vc", judged["id"])
    verify_credential_pin(pin, judged)
    for other in (
        {**judged, "name": "Diploma"},
        {**judged, "id": "urn:uuid:00000000-0000-4000-8000-000000000999"},
        {key: value for key, value in judged.items() if key != "proof"},
    ):
        with pytest.raises(ResourceDigestMismatch):
            verify_credential_pin(pin, other)


def test_an_embedded_endorsement_keeps_its_proof() -> None:
    approval = signed(
        build_endorsement(
            Endorsement(
                id="urn:uuid:00000000-0000-4000-8000-000000000900",
                name="Approval",
                issuer="did:web:senate.example",
                valid_from="2026-01-01T00:00:00Z",
                credential_subject=EndorsementSubject(
                    id="urn:example:achievement", endorsement_comment="Approved"
                ),
            )
        )
    )
    carried = parse_open_badge(
        signed(build_open_badge(replace(complete(), endorsement=(approval,))))
    )
    (found,) = carried.endorsement
    assert text(found) == text(approval)
    (proof,) = parse_proofs(found)
    assert isinstance(proof, Proof)
    verify_proof(found, proof, SIGNER.public_key)
