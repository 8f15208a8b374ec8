"""What happens to signers that are open: others beside them, and tokens that go away."""

import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from pkcs11 import Attribute, ObjectClass

from did.pkcs11_signer import (
    HsmKeyExists,
    HsmKeyMissing,
    HsmPinRefused,
    HsmSignatureFaulty,
    HsmUnavailable,
    Pkcs11Signer,
    create_key,
)
from primitives.ed25519 import SoftwareSigner, verify_signature
from tests.support.softhsm import (
    PIN,
    Hsm,
    destroy,
    import_pair,
    make_key,
    opened,
    running_softhsm,
    store_private,
)

SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = SoftwareSigner(SEED).public_key
OTHER_SEED = bytes(32)
OTHER_PUBLIC = SoftwareSigner(OTHER_SEED).public_key


@pytest.fixture
def hsm(tmp_path: Path) -> Iterator[Hsm]:
    with running_softhsm(tmp_path) as made:
        made.add_token("node")
        yield made


def test_several_signers_share_a_token(hsm: Hsm) -> None:
    make_key(hsm, "log")
    with opened(hsm, "log") as log:
        status_key = make_key(hsm, "status")
        with opened(hsm, "status") as status:
            assert status.public_key == status_key != log.public_key
            verify_signature(status.public_key, b"a", status.sign(b"a"))
            verify_signature(log.public_key, b"b", log.sign(b"b"))
        # Closing one has not logged the other out.
        verify_signature(log.public_key, b"c", log.sign(b"c"))


def test_a_failed_opening_leaves_the_others_alone(hsm: Hsm) -> None:
    make_key(hsm)
    with opened(hsm) as signer:
        with pytest.raises(HsmKeyMissing):
            opened(hsm, "nobody's")
        with pytest.raises(HsmKeyExists):
            make_key(hsm)
        verify_signature(signer.public_key, b"a", signer.sign(b"a"))


def test_the_last_one_to_close_logs_out(hsm: Hsm) -> None:
    make_key(hsm)
    first, second = opened(hsm), opened(hsm)
    private = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
    with hsm.onlooker("node") as session:
        first.close()
        assert len(list(session.get_objects(private))) == 1
        second.close()
        assert list(session.get_objects(private)) == []


def test_a_closed_signer_does_not_sign(hsm: Hsm) -> None:
    make_key(hsm)
    with opened(hsm) as other:
        signer = opened(hsm)
        signer.close()
        signer.close()
        with pytest.raises(ValueError, match="the signer is closed"):
            signer.sign(b"a")
        other.sign(b"a")


def test_a_module_under_two_names_is_one(hsm: Hsm, tmp_path: Path) -> None:
    make_key(hsm)
    link = tmp_path / "module.so"
    link.symlink_to(hsm.module)
    with (
        opened(hsm) as first,
        Pkcs11Signer.open(link, token_label="node", key_label="log", pin=PIN) as second,
    ):
        assert first.sign(b"a") == second.sign(b"a")


def test_a_wrong_pin_is_refused_while_the_right_one_is_in_use(hsm: Hsm) -> None:
    make_key(hsm)
    with opened(hsm) as signer:
        with pytest.raises(HsmPinRefused, match="found another PIN"):
            opened(hsm, pin="4711")
        signer.sign(b"a")


def test_a_pin_changed_meanwhile_is_tried_once(hsm: Hsm) -> None:
    make_key(hsm)
    with opened(hsm) as signer:
        hsm.change_pin("node", "another 4712")
        hsm.stop()
        with pytest.raises(HsmPinRefused, match="gave PinIncorrect") as caught:
            signer.sign(b"a")
        assert PIN not in "".join(traceback.format_exception(caught.value))
        # Even now that it would be right again: the signer cannot know.
        hsm.change_pin("node", PIN)
        hsm.stop()
        with pytest.raises(HsmPinRefused, match="refused this PIN before"):
            signer.sign(b"a")
    with opened(hsm) as signer:
        signer.sign(b"a")


def test_lost_sessions_are_opened_again(hsm: Hsm) -> None:
    make_key(hsm, "log")
    make_key(hsm, "status")
    with opened(hsm, "log") as log, opened(hsm, "status") as status:
        for _ in range(3):
            hsm.stop()
            verify_signature(log.public_key, b"a", log.sign(b"a"))
            verify_signature(status.public_key, b"b", status.sign(b"b"))


def test_a_reopened_session_serves_all_signers(hsm: Hsm) -> None:
    make_key(hsm, "log")
    make_key(hsm, "status")
    with opened(hsm, "log") as log, opened(hsm, "status") as status:
        hsm.stop()
        log.sign(b"a")
        # Whoever logged in now would fail.
        hsm.change_pin("node", "another 4712")
        status.sign(b"b")
        log.sign(b"c")


def test_a_second_signer_is_opened_after_a_lost_session(hsm: Hsm) -> None:
    make_key(hsm, "log")
    with opened(hsm, "log"):
        hsm.stop()
        status_key = make_key(hsm, "status")
        hsm.stop()
        with opened(hsm, "status") as status:
            assert status.public_key == status_key


def test_a_token_that_is_gone_is_unavailable_until_it_is_back(hsm: Hsm) -> None:
    make_key(hsm)
    with opened(hsm) as signer:
        with hsm.unplugged("node"):
            for _ in range(2):
                with pytest.raises(HsmUnavailable, match="found 0 tokens labelled"):
                    signer.sign(b"a")
        verify_signature(signer.public_key, b"a", signer.sign(b"a"))


def test_a_token_that_comes_back_does_not_mix_up_the_others(hsm: Hsm) -> None:
    hsm.add_token("spare")
    make_key(hsm)
    create_key(hsm.module, token_label="spare", key_label="log", pin=PIN)
    with (
        opened(hsm) as here,
        Pkcs11Signer.open(
            hsm.module, token_label="spare", key_label="log", pin=PIN
        ) as gone,
    ):
        # The module starts anew to see the spare, and counts sessions and keys from 1 on.
        # Whether an old number hits a key of the other token is left to chance.
        for _ in range(8):
            with hsm.unplugged("spare"):
                with pytest.raises(HsmUnavailable):
                    gone.sign(b"a")
                verify_signature(here.public_key, b"a", here.sign(b"a"))
            for signer in (gone, here, gone):
                verify_signature(signer.public_key, b"b", signer.sign(b"b"))


def test_a_destroyed_key_is_missing(hsm: Hsm) -> None:
    make_key(hsm)
    with opened(hsm) as signer:
        with hsm.writing("node") as session:
            destroy(session, ObjectClass.PRIVATE_KEY)
        with pytest.raises(HsmKeyMissing, match="found 1 public and 0 signing keys"):
            signer.sign(b"a")


def test_another_key_of_the_same_label_is_not_signed_with(hsm: Hsm) -> None:
    import_pair(hsm, SEED, b"\x04\x20" + PUBLIC)
    with opened(hsm) as signer:
        with hsm.writing("node") as session:
            destroy(session, ObjectClass.PRIVATE_KEY)
            destroy(session, ObjectClass.PUBLIC_KEY)
        import_pair(hsm, OTHER_SEED, b"\x04\x20" + OTHER_PUBLIC)
        with pytest.raises(HsmKeyMissing, match=f"found key {OTHER_PUBLIC.hex()[:16]}"):
            signer.sign(b"a")
        assert signer.public_key == PUBLIC


def test_a_wrong_signature_is_not_given_out(hsm: Hsm) -> None:
    import_pair(hsm, SEED, b"\x04\x20" + PUBLIC)
    with opened(hsm) as signer:
        with hsm.writing("node") as session:
            destroy(session, ObjectClass.PRIVATE_KEY)
            store_private(session, OTHER_SEED)
        with pytest.raises(HsmSignatureFaulty) as caught:
            signer.sign(b"a")
    # The signature itself is not in the message either.
    wrong = SoftwareSigner(OTHER_SEED).sign(b"a")
    assert wrong.hex() not in "".join(traceback.format_exception(caught.value))
