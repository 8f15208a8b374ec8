import pickle
from typing import Any

import pytest

from did.document import (
    MAX_REFERENCES,
    MAX_SERVICES,
    MAX_VERIFICATION_METHODS,
    DidDocument,
    build_did_document,
    parse_did_document,
)
from did.key import DidKey, did_key_document
from did.multikey import encode_multikey
from did.service import LogAnchor, PatunayLogService
from primitives.canonical_json import JsonObject, canonicalize
from primitives.ed25519 import PublicKey, SoftwareSigner
from primitives.encodings import encode_base64url
from primitives.errors import Malformed, PatunayError, Rejected, Undetermined
from primitives.strict_json import parse_json_object
from tests.support.standards import standards

DID = "did:web:example.edu:issuers:north"
KEY = SoftwareSigner(b"\x01" * 32).public_key
OTHER_KEY = SoftwareSigner(b"\x02" * 32).public_key
X25519 = "z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"
ACCOUNT = "eip155:11155111:0x" + "aB" * 20
SERVICE = PatunayLogService(
    log="https://example.edu/log/",
    vkey="example.edu/log+1a2b3c4d+AZjK" + "A" * 40,
    anchors=(LogAnchor(ACCOUNT, (ACCOUNT, "eip155:1:0x" + "0" * 40)),),
)


def method(fragment: str = "key-1", **members: Any) -> JsonObject:
    return {
        "id": f"{DID}#{fragment}",
        "type": "Multikey",
        "controller": DID,
        "publicKeyMultibase": encode_multikey(KEY),
        **members,
    }


def document(*methods: JsonObject, **members: Any) -> JsonObject:
    return {
        "id": DID,
        "verificationMethod": list(methods),
        "assertionMethod": [entry["id"] for entry in methods],
        **members,
    }


def jwk(key: PublicKey) -> JsonObject:
    return {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(key)}


def read(value: JsonObject) -> DidDocument:
    return parse_did_document(value, DID)


def code_of(value: JsonObject, method_id: str = f"{DID}#key-1") -> str:
    with pytest.raises(PatunayError) as caught:
        read(value).key_for(method_id)
    return caught.value.code


def test_a_built_document_gives_its_keys_back() -> None:
    built = build_did_document(
        DID,
        assertion_keys={"key-1": KEY},
        withdrawn_keys={"stolen": OTHER_KEY},
        services=[SERVICE],
        controller="did:web:example.edu",
    )
    found = read(parse_json_object(canonicalize(built)))
    assert found.key_for(f"{DID}#key-1") == KEY
    assert found.key_for(f"{DID}#key-1", "authentication") == KEY
    assert found.log_service() == SERVICE
    assert built["controller"] == "did:web:example.edu"
    assert code_of(built, f"{DID}#stolen") == "verification-method-not-authorised"
    assert found.methods.keys() >= {found.method_for(f"{DID}#key-1").id}
    assert len(found.methods) == 2


def test_a_built_document_has_this_form() -> None:
    assert build_did_document(DID, assertion_keys={"key-1": KEY}) == {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/multikey/v1",
        ],
        "id": DID,
        "verificationMethod": [
            {
                "id": "did:web:example.edu:issuers:north#key-1",
                "type": "Multikey",
                "controller": DID,
                "publicKeyMultibase": encode_multikey(KEY),
            }
        ],
        "assertionMethod": ["did:web:example.edu:issuers:north#key-1"],
        "authentication": ["did:web:example.edu:issuers:north#key-1"],
    }


@pytest.mark.parametrize(
    ("keys", "withdrawn", "code"),
    [
        ({"a b": KEY}, {}, "did-url-malformed"),
        ({"": KEY}, {}, "did-url-malformed"),
        ({"k": KEY}, {"k": KEY}, "did-vm-duplicate"),
        ({"k": PublicKey(bytes([1]) + bytes(31))}, {}, "key-not-prime-order"),
    ],
)
def test_builds_no_document_that_it_would_not_read(
    keys: dict[str, PublicKey], withdrawn: dict[str, PublicKey], code: str
) -> None:
    with pytest.raises(PatunayError) as caught:
        build_did_document(DID, assertion_keys=keys, withdrawn_keys=withdrawn)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "entry",
    [
        method(),
        method(id="#key-1"),
        method(type="Ed25519VerificationKey2020"),
        method(type="JsonWebKey", publicKeyMultibase=None, publicKeyJwk=jwk(KEY)),
        method(type="JsonWebKey2020", publicKeyMultibase=None, publicKeyJwk=jwk(KEY)),
        method(publicKeyJwk=jwk(KEY)),
        method(expires="2026-01-01T00:00:00Z", unknown=[1]),
    ],
)
def test_reads_ed25519_keys_in_each_known_form(entry: JsonObject) -> None:
    assert read(document(entry)).key_for(f"{DID}#key-1") == KEY


def test_reads_the_document_of_a_did_key() -> None:
    did = DidKey(KEY)
    found = parse_did_document(did_key_document(did), str(did))
    assert found.key_for(did.verification_method) == KEY


def test_reads_published_documents_as_far_as_their_types_are_known() -> None:
    types: set[str] = set()
    path = standards("did-key", "ed25519-x25519.json")
    for did, vector in parse_json_object(path.read_bytes()).items():
        assert isinstance(vector, dict)
        published = vector["didDocument"]
        assert isinstance(published, dict)
        found = parse_did_document(published, did)
        signing = found.method_for(f"{did}#{did.removeprefix('did:key:')}")
        types.add(signing.type)
        if signing.type == "JsonWebKey2020":
            assert signing.public_key() == DidKey.parse(did).public_key
        else:
            with pytest.raises(Undetermined, match="2018"):
                signing.public_key()
    assert types == {"JsonWebKey2020", "Ed25519VerificationKey2018"}


def test_a_method_inside_a_relationship_is_authorised_for_that_one_alone() -> None:
    found = read({"id": DID, "assertionMethod": [method()]})
    assert found.key_for(f"{DID}#key-1") == KEY
    with pytest.raises(Rejected) as caught:
        found.key_for(f"{DID}#key-1", "authentication")
    assert caught.value.code == "verification-method-not-authorised"


def test_says_when_a_key_expired_or_was_revoked() -> None:
    value = document(method(revoked="2026-01-02T03:04:05Z"))
    revoked = read(value).method_for(f"{DID}#key-1").revoked
    assert revoked is not None
    assert revoked.isoformat() == "2026-01-02T03:04:05+00:00"


def test_a_broken_or_unknown_key_spoils_no_other() -> None:
    value = document(
        method(),
        method("broken", publicKeyMultibase="z6Mk"),
        method("agreement", publicKeyMultibase=X25519),
        method("odd", type="EcdsaSecp256k1RecoveryMethod2020"),
        method("empty", publicKeyMultibase=None),
        method("bare", type="JsonWebKey"),
    )
    assert read(value).key_for(f"{DID}#key-1") == KEY
    for fragment, code in {
        "broken": "multikey-malformed",
        "agreement": "key-type-unsupported",
        "odd": "key-type-unsupported",
        "empty": "did-document-malformed",
        "bare": "did-document-malformed",
    }.items():
        assert code_of(value, f"{DID}#{fragment}") == code


def test_an_unsupported_key_leaves_things_undetermined() -> None:
    with pytest.raises(Undetermined) as caught:
        read(document(method(publicKeyMultibase=X25519))).key_for(f"{DID}#key-1")
    assert caught.value.code == "key-type-unsupported"


@pytest.mark.parametrize(
    ("method_id", "code"),
    [
        (f"{DID}#key-2", "verification-method-not-found"),
        ("did:web:evil.example#key-1", "did-vm-foreign"),
        (f"{DID}:sub#key-1", "did-vm-foreign"),
        (f"{DID}#listed", "verification-method-not-authorised"),
        (f"{DID}#lent", "did-vm-foreign"),
        (DID, "did-url-malformed"),
        (f"{DID}?x#key-1", "did-url-malformed"),
        ("#key-1", "did-malformed"),
    ],
)
def test_refuses_a_key_that_may_not_sign(method_id: str, code: str) -> None:
    foreign = method(id="did:web:evil.example#key-1", controller="did:web:evil.example")
    lent = method("lent", controller="did:web:evil.example")
    value = document(method(), foreign, lent)
    value["verificationMethod"] = [method(), foreign, lent, method("listed")]
    assert code_of(value, method_id) == code


@pytest.mark.parametrize(
    "pair",
    [
        (jwk(OTHER_KEY), encode_multikey(KEY)),
        (jwk(KEY), X25519),
        ({"kty": "EC", "crv": "P-256"}, encode_multikey(KEY)),
    ],
)
@pytest.mark.parametrize("kind", ["Multikey", "JsonWebKey"])
def test_refuses_a_method_with_two_different_keys(
    pair: tuple[JsonObject, str], kind: str
) -> None:
    entry = method(type=kind, publicKeyJwk=pair[0], publicKeyMultibase=pair[1])
    assert code_of(document(entry)) == "did-key-conflict"


@pytest.mark.parametrize(
    "value",
    [
        document(method(), method()),
        document(method(), method(id="#key-1")),
        document(method(), authentication=[method()]),
    ],
)
def test_refuses_one_id_twice(value: JsonObject) -> None:
    assert code_of(value) == "did-vm-duplicate"


@pytest.mark.parametrize("found", [DID + ":sub", DID.upper(), DID + "#key-1", ""])
def test_refuses_the_document_of_another_did(found: str) -> None:
    with pytest.raises(Undetermined, match="found the id") as caught:
        read(document(method(), id=found))
    assert caught.value.code == "did-document-id-mismatch"


@pytest.mark.parametrize(
    "value",
    [
        {},
        document(id=7),
        document(verificationMethod={}),
        document(verificationMethod=["x"]),
        document(verificationMethod=[{}]),
        document(method(id="key-1")),
        document(method(id=f"{DID}/path#key-1")),
        document(verificationMethod=[method(id=7)]),
        document(method(type=["Multikey"])),
        document(method(controller=None)),
        document(method(publicKeyMultibase=7)),
        document(method(publicKeyJwk="x")),
        document(method(expires="2026-01-01")),
        document(method(revoked=None)),
        document(assertionMethod="did:web:example.edu#key-1"),
        document(assertionMethod=[7]),
        document(service={}),
        document(service=["x"]),
        document(verificationMethod=[method(str(i)) for i in range(257)]),
        document(assertionMethod=["#k"] * (MAX_REFERENCES + 1)),
        document(service=[{}] * (MAX_SERVICES + 1)),
        document(
            *[method(str(i)) for i in range(MAX_VERIFICATION_METHODS)],
            authentication=[method("one-more")],
        ),
    ],
)
def test_what_is_no_did_document_says_nothing(value: JsonObject) -> None:
    with pytest.raises(Undetermined) as caught:
        read(value)
    assert caught.value.code == "did-document-malformed"


def test_reads_as_many_keys_and_services_as_it_promises() -> None:
    entries = [method(str(i)) for i in range(MAX_VERIFICATION_METHODS)]
    found = read(document(*entries, service=[{}] * MAX_SERVICES))
    assert len(found.methods) == MAX_VERIFICATION_METHODS
    assert len(found.services) == MAX_SERVICES


def test_survives_pickling() -> None:
    found = read(document(method()))
    assert pickle.loads(pickle.dumps(found)) == found


def test_the_log_entry_has_the_published_form() -> None:
    assert SERVICE.to_json(DID) == {
        "id": f"{DID}#log",
        "type": "PatunayLog",
        "serviceEndpoint": {
            "log": "https://example.edu/log/",
            "vkey": SERVICE.vkey,
            "anchors": [
                {"contract": ACCOUNT, "accounts": [ACCOUNT, "eip155:1:0x" + "0" * 40]}
            ],
        },
    }


def test_a_document_without_a_log_names_none() -> None:
    assert read(document(service=[{"type": "LinkedDomains"}])).log_service() is None


def test_refuses_two_logs() -> None:
    twice = [SERVICE.to_json(DID), SERVICE.to_json(DID)]
    with pytest.raises(Malformed, match="found 2") as caught:
        read(document(service=twice)).log_service()
    assert caught.value.code == "did-log-service-malformed"


@pytest.mark.parametrize(
    "change",
    [
        {"log": "https://example.edu/log"},
        {"log": "javascript:alert(1)/"},
        {"log": "https://example.edu/log/?x/"},
        {"log": "https://example.edu/" + "a" * 2_048 + "/"},
        {"log": None},
        {"vkey": "example.edu/log+1a2b3c4d"},
        {"vkey": "example.edu/log+1a2b3c4d+AA\n"},
        {"vkey": 7},
        {"anchors": None},
        {"anchors": ["x"]},
        {"anchors": [{"contract": "0x" + "00" * 20, "accounts": []}]},
        {"anchors": [{"contract": ACCOUNT + "0", "accounts": []}]},
        {"anchors": [{"contract": ACCOUNT, "accounts": [7]}]},
        {"anchors": [{"contract": ACCOUNT, "accounts": ACCOUNT}]},
        {"anchors": [{"contract": ACCOUNT, "accounts": [ACCOUNT] * 129}]},
        {"anchors": [{"contract": ACCOUNT, "accounts": []}] * 33},
    ],
)
def test_refuses_a_log_entry_of_another_form(change: JsonObject) -> None:
    entry = SERVICE.to_json(DID)
    endpoint = entry["serviceEndpoint"]
    assert isinstance(endpoint, dict)
    with pytest.raises(Malformed) as caught:
        PatunayLogService.parse({**entry, "serviceEndpoint": {**endpoint, **change}})
    assert caught.value.code == "did-log-service-malformed"


def test_a_service_of_another_type_is_no_log() -> None:
    with pytest.raises(Malformed, match="want PatunayLog"):
        PatunayLogService.parse({**SERVICE.to_json(DID), "type": "LinkedDomains"})
