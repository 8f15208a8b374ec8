import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass

from did.pkcs11_signer import (
    HsmKeyExists,
    HsmKeyMissing,
    HsmLibraryMissing,
    HsmPinRefused,
    HsmSignatureFaulty,
    HsmUnavailable,
    Pkcs11Signer,
    create_key,
)
from primitives.ed25519 import SoftwareSigner, verify_signature
from primitives.errors import Misconfigured, Undetermined
from tests.support.softhsm import (
    PIN,
    SO_PIN,
    Hsm,
    import_pair,
    make_key,
    opened,
    running_softhsm,
    store_private,
    store_public,
)

# RFC 8032 section 7.1, TEST 2 and TEST 3.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
OTHER_SEED = bytes.fromhex(
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"
)
OTHER_PUBLIC = bytes.fromhex(
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
)


@pytest.fixture
def hsm(tmp_path: Path) -> Iterator[Hsm]:
    with running_softhsm(tmp_path) as made:
        made.add_token("node")
        yield made


def test_matches_rfc_8032(hsm: Hsm) -> None:
    import_pair(hsm, SEED, b"\x04\x20" + PUBLIC)
    with opened(hsm) as signer:
        assert signer.public_key == PUBLIC
        assert signer.sign(b"\x72") == SIGNATURE


def test_reads_a_point_without_its_octet_string(hsm: Hsm) -> None:
    import_pair(hsm, SEED, PUBLIC)
    with opened(hsm) as signer:
        assert signer.public_key == PUBLIC
        assert signer.sign(b"\x72") == SIGNATURE


def test_a_bare_point_may_begin_like_an_octet_string(hsm: Hsm) -> None:
    # Found by counting up; one key in 65,536 is like this.
    seed = (50_154).to_bytes(32)
    public = SoftwareSigner(seed).public_key
    assert public.startswith(b"\x04\x20")
    import_pair(hsm, seed, public)
    with opened(hsm) as signer:
        assert signer.public_key == public


@pytest.mark.parametrize(
    "point",
    [
        b"",
        PUBLIC[:-1],
        b"\x04\x21" + PUBLIC + b"\x00",
        b"\x03\x20" + PUBLIC,
        bytes([1]) + bytes(31),
        b"\x04\x20" + bytes([1]) + bytes(31),
    ],
    ids=["empty", "short", "long", "another tag", "small order", "small order in DER"],
)
def test_refuses_what_is_no_ed25519_point(hsm: Hsm, point: bytes) -> None:
    import_pair(hsm, SEED, point)
    with pytest.raises(HsmKeyMissing, match="public key is unusable") as caught:
        opened(hsm)
    assert caught.value.code == "hsm-key-missing"


def test_a_new_key_never_leaves_the_token(hsm: Hsm) -> None:
    public = make_key(hsm)
    with opened(hsm) as signer, hsm.writing("node") as session:
        assert signer.public_key == public
        key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label="log")
        assert key[Attribute.SENSITIVE] is True
        assert key[Attribute.ALWAYS_SENSITIVE] is True
        assert key[Attribute.EXTRACTABLE] is False
        assert key[Attribute.NEVER_EXTRACTABLE] is True
        assert key[Attribute.PRIVATE] is True
        assert key[Attribute.LOCAL] is True
        with pytest.raises(pkcs11.AttributeSensitive):
            key[Attribute.VALUE]
        with pytest.raises(pkcs11.AttributeReadOnly):
            key[Attribute.EXTRACTABLE] = True


def test_a_new_key_can_do_nothing_but_sign(hsm: Hsm) -> None:
    make_key(hsm)
    with hsm.writing("node") as session:
        key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label="log")
        assert key[Attribute.SIGN] is True
        for other in (Attribute.DECRYPT, Attribute.UNWRAP, Attribute.DERIVE):
            assert key[other] is False


def test_each_new_key_is_another(hsm: Hsm) -> None:
    assert make_key(hsm, "a") != make_key(hsm, "b")


def test_a_key_is_never_replaced(hsm: Hsm) -> None:
    before = make_key(hsm)
    with pytest.raises(HsmKeyExists, match="found 2 objects labelled 'log', want 0") as e:
        make_key(hsm)
    assert e.value.code == "hsm-key-exists"
    with opened(hsm) as signer:
        assert signer.public_key == before


def test_half_of_a_key_is_not_made_whole(hsm: Hsm) -> None:
    with hsm.writing("node") as session:
        store_public(session, b"\x04\x20" + PUBLIC)
    with pytest.raises(HsmKeyExists, match="found 1 objects"):
        make_key(hsm)


@pytest.mark.parametrize("wrong", ["4711", "", PIN + " ", SO_PIN, "9" * 1000])
def test_a_wrong_pin_is_refused_and_not_shown(hsm: Hsm, wrong: str) -> None:
    make_key(hsm)
    with pytest.raises(HsmPinRefused) as caught:
        opened(hsm, pin=wrong)
    assert isinstance(caught.value, Misconfigured)
    assert caught.value.code == "hsm-pin-refused"
    told = "".join(traceback.format_exception(caught.value))
    assert PIN not in told
    assert not wrong or wrong not in told


def test_a_token_that_is_not_there_is_unavailable(hsm: Hsm) -> None:
    with pytest.raises(HsmUnavailable, match="found 0 tokens labelled 'other', want 1"):
        Pkcs11Signer.open(hsm.module, token_label="other", key_label="log", pin=PIN)
    with pytest.raises(HsmUnavailable):
        create_key(hsm.module, token_label="other", key_label="log", pin=PIN)


def test_two_tokens_of_one_label_are_refused(hsm: Hsm) -> None:
    hsm.add_token("node")
    with pytest.raises(HsmUnavailable, match="found 2 tokens labelled 'node', want 1"):
        opened(hsm)


@pytest.mark.parametrize("present", [True, False], ids=["no library", "absent"])
def test_a_module_that_cannot_be_loaded_is_unavailable(
    tmp_path: Path, *, present: bool
) -> None:
    module = tmp_path / "module.so"
    if present:
        module.write_bytes(b"no shared library")
    with pytest.raises(HsmUnavailable, match=r"module\.so") as caught:
        Pkcs11Signer.open(module, token_label="node", key_label="log", pin=PIN)
    assert isinstance(caught.value, Undetermined)
    assert caught.value.code == "hsm-unavailable"
    assert PIN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("half", ["nothing", "public", "private", "private without sign"])
def test_a_key_that_is_not_whole_is_missing(hsm: Hsm, half: str) -> None:
    with hsm.writing("node") as session:
        if half != "nothing":
            if half != "private":
                store_public(session, b"\x04\x20" + PUBLIC)
            if half != "public":
                store_private(session, SEED, sign=half == "private")
    with pytest.raises(HsmKeyMissing, match=r"found \d public and \d signing keys") as e:
        opened(hsm)
    assert e.value.code == "hsm-key-missing"


def test_two_keys_of_one_label_are_refused(hsm: Hsm) -> None:
    import_pair(hsm, SEED, b"\x04\x20" + PUBLIC)
    import_pair(hsm, OTHER_SEED, b"\x04\x20" + OTHER_PUBLIC)
    with pytest.raises(HsmKeyMissing, match="found 2 public and 2 signing keys"):
        opened(hsm)


def test_a_key_of_another_curve_is_not_taken(hsm: Hsm) -> None:
    with hsm.writing("node") as session:
        p256 = {Attribute.EC_PARAMS: bytes.fromhex("06082a8648ce3d030107")}
        session.create_domain_parameters(KeyType.EC, p256, local=True).generate_keypair(
            store=True, label="log", capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY
        )
    with pytest.raises(HsmKeyMissing, match="found 0 public and 0 signing keys"):
        opened(hsm)


def test_halves_of_two_pairs_are_not_opened(hsm: Hsm) -> None:
    import_pair(hsm, SEED, b"\x04\x20" + OTHER_PUBLIC)
    with pytest.raises(HsmSignatureFaulty, match="the token signed, but") as caught:
        opened(hsm)
    assert caught.value.code == "hsm-signature-faulty"


def test_without_the_extra_the_error_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(HsmLibraryMissing) as caught:
        Pkcs11Signer.open(tmp_path, token_label="node", key_label="log", pin=PIN)
    assert caught.value.code == "hsm-library-missing"
    assert "patunay[hsm]" in caught.value.hint
    assert PIN not in "".join(traceback.format_exception(caught.value))


def test_the_module_is_imported_without_the_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, did.pkcs11_signer; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "did.pkcs11_signer" in done.stdout.split()
    assert "pkcs11" not in done.stdout.split()


def test_what_pkcs11_tool_makes_is_opened(hsm: Hsm) -> None:
    # The curve as a name, which is how OpenSC writes it.
    with hsm.writing("node") as session:
        named = {Attribute.EC_PARAMS: b"\x13\x0cedwards25519"}
        session.create_domain_parameters(
            KeyType.EC_EDWARDS, named, local=True
        ).generate_keypair(
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
            store=True,
            label="log",
            capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        )
    with opened(hsm) as signer:
        verify_signature(signer.public_key, b"a", signer.sign(b"a"))
