"""The resolver: what it is asked, however it is spelt, and its answer in each dialect."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from did.document import DidDocumentMalformed
from did.fetch import FetchTimeout, FetchTlsFailed
from did.identifier import Did
from did.key import DidKey, did_key_document
from did.resolver import (
    DidKeyResolver,
    DidMethodUnsupported,
    DidNotFound,
    DidUnreachable,
    Resolution,
)
from node.api.app import build_app
from node.api.did_resolution import (
    Representation,
    RepresentationUnsupported,
    choose_representation,
    read_identifier,
)
from node.api.identifiers import IDENTIFIERS, MAX_IN_HAND, Identifiers
from node.api.problems import Overloaded
from node.home import Home
from node.node import Node
from node.setup import add_issuer
from primitives.canonical_json import JsonObject
from primitives.errors import Malformed, PatunayError
from tests.support.api import problem_of
from tests.support.nodes import Client, HandClock, client_of, opened

KEY = "z6Mkf5rGMoatrSj1f4CyvuHBeXJELe9RPdzo2PKGNCKVtZxP"
DID_KEY = f"did:key:{KEY}"
OWN = "did:web:localhost%3A8460"
OLDER_RESULT = 'application/ld+json;profile="https://w3id.org/did-resolution"'
EXPERIMENTAL = "publicKeyFormat=Ed25519VerificationKey2018"
OLDER_CONTENT = 'application/ld+json;profile="https://w3id.org/did-url-dereferencing"'


async def ask(
    client: Client, target: str, accept: str | None = None
) -> aiohttp.ClientResponse:
    """Ask for `target` exactly as it is spelt."""
    assert client.port is not None
    url = f"http://localhost:{client.port}/identifiers/{target}"
    headers = {} if accept is None else {"Accept": accept}
    return await client.session.get(URL(url, encoded=True), headers=headers)


async def body_of(response: aiohttp.ClientResponse) -> Any:
    """Return the JSON of an answer, whatever media type it has."""
    return json.loads(await response.read())


async def test_a_did_key_resolves_to_the_document_that_it_implies(client: Client) -> None:
    response = await ask(client, DID_KEY, "application/did-resolution")
    assert (response.status, response.content_type) == (200, "application/did-resolution")
    assert response.headers["Vary"] == "Accept"
    assert await body_of(response) == {
        "@context": "https://w3id.org/did-resolution/v1",
        "didDocument": did_key_document(DidKey.parse(DID_KEY)),
        "didResolutionMetadata": {"contentType": "application/did"},
        "didDocumentMetadata": {},
    }


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/did-resolution"),
        ("*/*", "application/did-resolution"),
        ("application/did-resolution", "application/did-resolution"),
        ("application/did-resolution, text/html;q=0.9", "application/did-resolution"),
    ],
)
async def test_the_first_dialect_puts_metadata_around_the_document(
    client: Client, accept: str | None, kind: str
) -> None:
    response = await ask(client, DID_KEY, accept)
    assert response.headers["Content-Type"] == kind
    assert (await body_of(response))["didDocument"]["id"] == DID_KEY
    response = await ask(client, "did:key:nokey", accept)
    assert (response.status, response.headers["Content-Type"]) == (400, kind)
    told = await body_of(response)
    assert told["didDocument"] is None
    assert told["didDocumentMetadata"] == {}
    assert told["@context"] == "https://w3id.org/did-resolution/v1"
    error = told["didResolutionMetadata"]["error"]
    assert error["type"] == "https://www.w3.org/ns/did#INVALID_DID"
    assert error["code"] == "did-key-malformed"


@pytest.mark.parametrize(
    "kind",
    [
        "application/did",
        "application/did+json",
        "application/did+ld+json",
        "application/json",
    ],
)
async def test_the_second_dialect_is_the_document_alone(client: Client, kind: str) -> None:
    response = await ask(client, DID_KEY, kind)
    assert (response.status, response.content_type) == (200, kind)
    assert await body_of(response) == did_key_document(DidKey.parse(DID_KEY))
    response = await ask(client, "did:key:nokey", kind)
    assert (response.status, response.content_type) == (400, "application/json")
    told = await body_of(response)
    assert told["didDocument"] is None
    assert told["didResolutionMetadata"]["error"] == "invalidDid"


async def test_a_type_that_is_not_known_here_is_a_406(client: Client) -> None:
    for accept in ("text/html", "application/ld+json", "application/json;q=0", '"', ";"):
        response = await ask(client, DID_KEY, accept)
        assert (response.status, response.content_type) == (406, "application/json"), accept
        error = (await body_of(response))["didResolutionMetadata"]["error"]
        assert error == "representationNotSupported"


def test_the_type_of_the_highest_quality_is_chosen() -> None:
    accept = "application/json;q=0.5, application/did+json ; q=0.8, text/html"
    assert choose_representation(accept) == Representation("application/did+json", False)
    assert choose_representation("application/json, application/did").media_type == (
        "application/json"
    )
    with pytest.raises(RepresentationUnsupported, match="application/did-resolution"):
        choose_representation("application/json;q=2")


# The node's own


async def test_the_node_resolves_its_own_dids_without_asking_anybody(
    node: Node, home: Home
) -> None:
    async with client_of(node) as client:
        response = await ask(client, OWN, "application/json")
        published = (home.public / ".well-known" / "did.json").read_bytes()
        assert await body_of(response) == json.loads(published)
        # Added while the node runs; nothing listens on 8460, so this is its own word.
        made = await add_issuer(node, "north", "North")
        response = await ask(client, made.did, "application/json")
        assert response.status == 200
        assert await body_of(response) == made.parsed()


# Spellings


@pytest.mark.parametrize(
    "target",
    [
        "did:key:z6Mkf5rGMoatrSj1f4CyvuHBeXJELe9RPdzo2PKGNCKVtZxP",
        quote(DID_KEY, safe=""),
        quote(DID_KEY, safe="").lower().replace(KEY.lower(), KEY),
    ],
)
async def test_a_did_may_be_encoded_as_a_whole(client: Client, target: str) -> None:
    assert (await ask(client, target)).status == 200


def test_one_request_never_means_two_dids() -> None:
    port = Did("web", "localhost%3A8460")
    path = Did("web", "localhost:8460")
    assert read_identifier("did:web:localhost%3A8460") == port
    assert read_identifier("did%3Aweb%3Alocalhost%253A8460") == port
    assert read_identifier("did:web:localhost:8460") == path
    assert read_identifier("did%3Aweb%3Alocalhost%3A8460") == path


@pytest.mark.parametrize(
    "raw",
    [
        "did%3Akey%3",
        "did%3Akey%3Az%zz",
        "did%3Akey%3Az%",
        "did%3Akey%3A%C3%B1",
        "did%3Akey%3Az%00",
        "did%3Akey%3Az%0A",
        "did%253Akey%253Az",
        "did:key:z%",
        "did:key:z ",
        "did%3Aweb%3Ax.example%2Fy",
        "did%3Aweb%3Ax.example%3Fy",
        "did:web:x.example?versionId=1",
        "did:key:z%23",
        "did:key:z%23a%23b",
        "did:key:z/y%23a",
        "DID:key:z",
        "did:KEY:z",
        "key:z6Mk",
        "x",
        "",
        "did:web:" + "x" * 3000,
    ],
)
def test_another_spelling_is_no_did(raw: str) -> None:
    with pytest.raises(Malformed):
        read_identifier(raw)


async def test_an_option_is_refused_and_not_forgotten(client: Client) -> None:
    for target in (
        f"{DID_KEY}?versionId=1",
        f"{DID_KEY}?hl=zQm",
        f"{DID_KEY}?service=a&service=b",
        f"{DID_KEY}?accept=%F0%9F%94%A5",
        f"{OWN}?versionTime=2020-01-01T00:00:00Z",
    ):
        response = await ask(client, target)
        assert response.status == 400
        error = (await body_of(response))["didResolutionMetadata"]["error"]
        assert error["type"] == "https://www.w3.org/ns/did#INVALID_OPTIONS"
        assert error["code"] == "resolution-option-refused"


@pytest.mark.parametrize(
    "query",
    [
        "service=files",
        "serviceType=LinkedDomains",
        "relativeRef=my%2520path%2Ffile",
        "versionTime=2025-10-07T14:30:00Z",
        "publicKeyFormat=Multikey&enableExperimentalPublicKeyTypes=false",
    ],
)
async def test_an_option_that_changes_nothing_is_answered(
    client: Client, query: str
) -> None:
    response = await ask(client, f"{DID_KEY}?{query}")
    assert response.status == 200
    assert (await body_of(response))["didDocument"]["id"] == DID_KEY


@pytest.mark.parametrize(
    "query",
    [
        f"{name}={value}"
        for name in (
            "service",
            "serviceType",
            "relativeRef",
            "versionTime",
            "publicKeyFormat",
        )
        for value in ("%F0%9F%94%A5", "foo%E2%80%8Bbar", "%00", "a%0Ab", "", "%FF")
    ]
    + [
        f"relativeRef={quote(value, safe='')}"
        for value in ("my path/file", "file#section", "dir/with?query=value", "a%2", "%zz")
    ]
    # XML Schema 1.1 part 2, 3.3.7; in UTC and in whole seconds (DID Resolution, 3).
    + [
        f"versionTime={quote(value, safe='')}"
        for value in (
            "2025-10-07 12:30:45",
            "2025-13-07T12:30:45Z",
            "2025-02-30T12:30:45Z",
            "2025-10-07T25:00:00Z",
            "2025-10-07T12:30:45+02:00",
            "2025-10-07T12:30:45",
            "2025-10-07T12:30:45.5Z",
            "2025-10-07",
        )
    ],
)
async def test_an_option_out_of_form_is_refused(client: Client, query: str) -> None:
    response = await ask(client, f"{DID_KEY}?{query}")
    assert response.status == 400
    error = (await body_of(response))["didResolutionMetadata"]["error"]
    assert error["type"] == "https://www.w3.org/ns/did#INVALID_OPTIONS"


async def test_no_did_is_no_did_either(client: Client) -> None:
    response = await ask(client, "")
    assert response.status == 400
    error = (await body_of(response))["didResolutionMetadata"]["error"]
    assert error["type"] == "https://www.w3.org/ns/did#INVALID_DID"


# The result of the older dialect


@pytest.mark.parametrize(
    "accept",
    [
        OLDER_RESULT,
        OLDER_RESULT.replace(";", "; "),
        f"text/html, {OLDER_RESULT};q=0.9",
    ],
)
async def test_the_older_result_has_words_for_errors(client: Client, accept: str) -> None:
    response = await ask(client, quote(DID_KEY, safe=""), accept)
    assert (response.status, response.headers["Content-Type"]) == (200, OLDER_RESULT)
    assert (await body_of(response))["didDocument"]["id"] == DID_KEY
    for target, word, code in (
        # The did:key method, 3.1.2 (Document Creation Algorithm), one error after another.
        (f"notDid:key:{KEY}", "invalidDid", "did-malformed"),
        (f"did:experimental:{KEY}", "invalidDid", "did-method-unsupported"),
        (f"did:key:-4:{KEY}", "invalidDid", "did-key-malformed"),
        (f"did:key:{KEY[1:]}", "invalidDid", "did-key-malformed"),
        ("did:key:@", "invalidDid", "did-malformed"),
        # ed01 and three bytes.
        ("did:key:zTjsVPtY", "invalidPublicKeyLength", "did-key-malformed"),
    ):
        response = await ask(client, quote(target, safe=""), accept)
        assert response.status in (400, 501)
        assert response.headers["Content-Type"] == OLDER_RESULT
        told = await body_of(response)
        assert told["didDocument"] == {}
        assert told["didDocumentMetadata"] == {}
        assert told["@context"] == "https://w3id.org/did-resolution/v1"
        assert told["didResolutionMetadata"]["error"] == word
        assert told["didResolutionMetadata"]["code"] == code


@pytest.mark.parametrize(
    ("target", "query", "word"),
    [
        (f"{DID_KEY}/^bar^/?query=`#{KEY}", "", "invalidDidUrl"),
        (f"{DID_KEY}#{KEY}", "publicKeyFormat=unknown", "unsupportedPublicKeyType"),
        (
            f"{DID_KEY}#{KEY}",
            f"{EXPERIMENTAL}&enableExperimentalPublicKeyTypes=false",
            "invalidPublicKeyType",
        ),
        (
            f"{DID_KEY}#z6LSother",
            EXPERIMENTAL,
            "invalidPublicKeyType",
        ),
        (
            f"{DID_KEY}#{KEY}",
            f"{EXPERIMENTAL}&enableExperimentalPublicKeyTypes=true",
            "unsupportedPublicKeyType",
        ),
        (f"{DID_KEY}#{KEY}", "publicKeyFormat=JsonWebKey2020", "unsupportedPublicKeyType"),
        (f"{DID_KEY}#{KEY}", "enableExperimentalPublicKeyTypes=1", "invalidOptions"),
        (f"{DID_KEY}#other", "", "notFound"),
    ],
)
async def test_the_older_result_of_a_fragment_has_them_too(
    client: Client, target: str, query: str, word: str
) -> None:
    url = f"{quote(target, safe='')}{'?' if query else ''}{query}"
    told = await body_of(await ask(client, url, OLDER_RESULT))
    assert told["didDocument"] == told["didDocumentMetadata"] == {}
    assert told["didDereferencingMetadata"]["error"] == word


# Fragments


@pytest.mark.parametrize(
    "target", [f"{DID_KEY}%23{KEY}", quote(f"{DID_KEY}#{KEY}", safe="")]
)
async def test_a_fragment_gives_the_method_that_it_names(
    client: Client, target: str
) -> None:
    document: Any = did_key_document(DidKey.parse(DID_KEY))
    method = {"@context": document["@context"], **document["verificationMethod"][0]}
    response = await ask(client, target, "application/json")
    assert (response.status, await body_of(response)) == (200, method)
    for accept, kind in (
        ("application/did-resolution", "application/did-url-dereferencing"),
        ("application/did-url-dereferencing", "application/did-url-dereferencing"),
    ):
        response = await ask(client, target, accept)
        assert (response.status, response.headers["Content-Type"]) == (200, kind)
        assert await body_of(response) == {
            "@context": "https://w3id.org/did-resolution/v1",
            "dereferencingMetadata": {"contentType": "application/did"},
            "content": method,
            "contentMetadata": {},
        }
    for accept in (OLDER_CONTENT, OLDER_RESULT):
        response = await ask(client, target, accept)
        assert (response.status, response.headers["Content-Type"]) == (200, OLDER_CONTENT)
        assert await body_of(response) == {
            "@context": "https://w3id.org/did-resolution/v1",
            "didDereferencingMetadata": {"contentType": "application/did"},
            "didDocument": method,
            "didDocumentMetadata": {},
        }


async def test_a_fragment_that_names_nothing_is_not_found(client: Client) -> None:
    response = await ask(client, f"{DID_KEY}%23other", "application/did-url-dereferencing")
    assert response.status == 404
    told = await body_of(response)
    assert told["content"] is None
    error = told["dereferencingMetadata"]["error"]
    assert error["type"] == "https://www.w3.org/ns/did#NOT_FOUND"
    response = await ask(client, f"{DID_KEY}%23other", "application/json")
    assert (await body_of(response))["dereferencingMetadata"]["error"] == "notFound"


async def test_a_fragment_may_name_a_service(client: Client) -> None:
    response = await ask(client, f"{OWN}%23log", "application/json")
    assert (await body_of(response))["type"] == "PatunayLog"


# Errors


class Failing:
    """A resolver that answers with one error, or one document."""

    def __init__(self, clock: HandClock, answer: PatunayError | JsonObject) -> None:
        self._clock = clock
        self._answer = answer

    async def resolve(self, did: str) -> Resolution:
        if isinstance(self._answer, PatunayError):
            raise self._answer
        return Resolution(self._answer, did, self._clock.now())


@asynccontextmanager
async def asking(node: Node, answer: PatunayError | JsonObject) -> AsyncIterator[Client]:
    """Serve a node whose resolver gives `answer` to every DID."""
    app = build_app(node)

    async def replace(_app: object) -> None:
        app[IDENTIFIERS].resolver = Failing(HandClock(), answer)

    app.on_startup.append(replace)
    async with TestClient(TestServer(app, host="localhost")) as client:
        yield client


@pytest.mark.parametrize(
    ("answer", "status", "name", "older"),
    [
        (DidNotFound("x"), 404, "NOT_FOUND", "notFound"),
        (DidMethodUnsupported("x"), 501, "METHOD_NOT_SUPPORTED", "methodNotSupported"),
        (DidUnreachable("x"), 504, "INTERNAL_ERROR", "internalError"),
        (FetchTimeout("x"), 504, "INTERNAL_ERROR", "internalError"),
        (FetchTlsFailed("x"), 502, "INTERNAL_ERROR", "internalError"),
        (DidDocumentMalformed("x"), 502, "INVALID_DID_DOCUMENT", "invalidDidDocument"),
        ({"id": "did:web:b.example"}, 502, "INVALID_DID_DOCUMENT", "invalidDidDocument"),
        (
            {"id": "did:web:a.example", "verificationMethod": [5]},
            502,
            "INVALID_DID_DOCUMENT",
            "invalidDidDocument",
        ),
    ],
)
async def test_each_error_has_its_name_in_both_dialects(
    node: Node, answer: PatunayError | JsonObject, status: int, name: str, older: str
) -> None:
    async with asking(node, answer) as client:
        response = await ask(client, "did:web:a.example", "application/did-resolution")
        assert response.status == status
        error = (await body_of(response))["didResolutionMetadata"]["error"]
        assert error["type"] == f"https://www.w3.org/ns/did#{name}"
        response = await ask(client, "did:web:a.example", "application/json")
        assert response.status == status
        assert (await body_of(response))["didResolutionMetadata"]["error"] == older


@pytest.mark.parametrize(
    ("target", "status", "name"),
    [
        ("did:ethr:0x01", 501, "METHOD_NOT_SUPPORTED"),
        ("key:z6Mk", 400, "INVALID_DID"),
        ("did:web:127.0.0.1", 400, "INVALID_DID"),
        ("did:web:x.example%2Fy", 400, "INVALID_DID"),
        ("did:key:z%23", 400, "INVALID_DID_URL"),
        # A P-256 key, from the examples of the did:key specification.
        (
            "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
            501,
            "UNSUPPORTED_PUBLIC_KEY_TYPE",
        ),
    ],
)
async def test_what_is_no_did_of_ours_is_told_apart(
    client: Client, target: str, status: int, name: str
) -> None:
    response = await ask(client, target)
    assert response.status == status
    told = await body_of(response)
    metadata = told.get("didResolutionMetadata") or told["dereferencingMetadata"]
    assert metadata["error"]["type"] == f"https://www.w3.org/ns/did#{name}"


async def test_private_addresses_are_not_asked(home: Home, clock: HandClock) -> None:
    # This machine's own addresses are the guard's to refuse, unless the operator says so.
    async with opened(home, clock) as node:
        node.config = type(node.config)(domain="school.example")
        async with client_of(node) as client:
            response = await ask(client, "did:web:localhost%3A1025")
            error = (await body_of(response))["didResolutionMetadata"]["error"]
    assert response.status == 502
    assert error["code"] == "fetch-address-refused"


async def test_too_many_at_once_are_sent_away(node: Node) -> None:
    identifiers = Identifiers(node, DidKeyResolver(node.clock), in_hand=MAX_IN_HAND)
    with pytest.raises(PatunayError) as told:
        await identifiers.resolve(Did.parse(DID_KEY))
    assert told.value.code == "http-overloaded"
    identifiers.in_hand -= 1
    assert (await identifiers.resolve(Did.parse(DID_KEY)))["id"] == DID_KEY
    with pytest.raises(PatunayError):
        await identifiers.resolve(Did.parse("did:key:x"))
    assert identifiers.in_hand == MAX_IN_HAND - 1


async def test_a_busy_node_says_when_to_come_back(node: Node) -> None:
    async with asking(node, Overloaded("busy")) as client:
        response = await ask(client, "did:web:a.example", "application/json")
        assert (await problem_of(response, 503))["code"] == "http-overloaded"
        assert response.headers["Retry-After"] == "30"
