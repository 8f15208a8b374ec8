"""The page that checks, over HTTP: what it takes and answers, and with which headers."""

import json
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from credentials.bundle import encode_bundle, make_bundle
from credentials.foreign.formats import Format, file_format
from credentials.presentation import sign_presentation
from node.api.verify import VERIFIER
from node.challenges import create_challenge
from node.node import Node
from node.web.kinds import KINDS
from node.web.submission import MAX_SUBMISSION_BYTES
from tests.support.credentials_support import STRANGER, STRANGER_METHOD
from tests.support.nodes import Client

HOSTILE = "<script>alert(1)</script>\" onload='x'"


async def send(client: Client, **fields: str | bytes) -> tuple[int, str]:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        if name == "file":
            body = BytesIO(value if isinstance(value, bytes) else value.encode())
            form.add_field(name, body, filename="a.json", content_type="application/json")
        else:
            form.add_field(name, value)
    headers = {"Accept-Language": "en"}
    response = await client.post("/", data=form, headers=headers)
    assert response.content_type == "text/html"
    return response.status, await response.text()


async def test_checks_a_file_and_a_pasted_text(
    client: Client, credential: dict[str, Any]
) -> None:
    text = json.dumps(credential)
    for fields in (
        {"file": text.encode(), "credential": "", "link": ""},
        {"credential": f"\n {text} \n"},
        {"file": b"\xef\xbb\xbf" + text.encode()},
        {"credential": json.dumps({"verifiableCredential": credential})},
    ):
        status, page = await send(client, **fields)
        assert status == 200
        assert "<h1>Genuine and in force</h1>" in page
        assert "Josefina Peñaflor Catacutan" in page


async def test_a_changed_credential_is_not_to_be_accepted(
    client: Client, credential: dict[str, Any]
) -> None:
    status, page = await send(client, credential=json.dumps({**credential, "name": "X"}))
    assert status == 200
    assert "<h1>Do not accept this: the signature does not hold</h1>" in page
    assert "Nobody is shown to have signed these words" in page


async def test_whatever_a_credential_says_stays_text(
    client: Client, credential: dict[str, Any]
) -> None:
    changed = {
        **credential,
        "name": HOSTILE,
        HOSTILE: HOSTILE,
        "issuer": {"id": "javascript:alert(1)", "name": HOSTILE},
    }
    for document in (changed, {**changed, "issuer": {**credential["issuer"]}}):
        _, page = await send(client, credential=json.dumps(document))
        assert "<script>alert" not in page
        assert "onload='x'" not in page
        assert 'href="javascript:' not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"credential": "{"}, 400, "This cannot be read as a credential"),
        ({"credential": HOSTILE}, 400, "This cannot be read as a credential"),
        ({"file": b"hello"}, 400, "A photo or a PDF"),
        ({"file": b"%PDF-1.7"}, 422, "This kind of file is not read here"),
        ({"credential": ""}, 400, "nothing-handed-over"),
        ({"file": b"x" * (MAX_SUBMISSION_BYTES + 1)}, 413, "json-too-large"),
        ({"link": "http://10.0.0.1/x"}, 422, "The link could not be opened"),
        ({"link": "javascript:alert(1)"}, 422, "The link could not be opened"),
        ({"link": "https://localhost/x"}, 422, "fetch-"),
    ],
)
async def test_what_cannot_be_read_gets_a_page_that_says_so(
    client: Client, fields: Any, status: int, words: str
) -> None:
    found, page = await send(client, **fields)
    assert found == status
    assert words in page
    assert "<script>alert" not in page


async def test_each_credential_of_a_presentation_is_answered(
    client: Client, node: Node, credential: dict[str, Any]
) -> None:
    false = {**credential, "name": HOSTILE, "id": "urn:uuid:1"}
    challenge = await create_challenge(node)
    made = sign_presentation(
        [credential, false],
        STRANGER,
        verification_method=STRANGER_METHOD,
        created=node.instant(),
        challenge=challenge.text,
        domain=None,
    )
    text = json.dumps({"verifiablePresentation": made})
    status, page = await send(client, credential=text)
    assert status == 200
    assert "<h1>Not every credential in it is to be accepted</h1>" in page
    assert "Genuine and in force</h3>" in page
    assert "Do not accept this: the signature does not hold</h3>" in page
    assert "This page cannot know what you asked for." in page
    assert "<script>alert" not in page
    good = json.dumps({**made, "verifiableCredential": [credential]})
    _, page = await send(client, credential=good, challenge="another")
    assert "its signature does not hold</h1>" in page
    for answer in ("Yes. It answers the challenge that you gave.", "challenge-used"):
        _, page = await send(client, credential=text, challenge=challenge.text)
        assert answer in page
    assert "<h1>That challenge is not open</h1>" in page
    _, page = await send(client, credential=text, challenge="x" * 1025)
    assert "verify-request-malformed" in page


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"%PDF-1.7", "It is a PDF file."),
        (b"eyJhbGciOiJub25lIn0.e30.e30", "It is a JWT."),
        (b'{"type": "Assertion", "badge": "x"}', "It is an Open Badges 2 assertion."),
    ],
)
async def test_a_file_of_another_system_is_called_by_its_name(
    client: Client, body: bytes, kind: str
) -> None:
    _, page = await send(client, file=body)
    assert "<h1>This kind of file is not read here</h1>" in page
    assert kind in page
    assert "That does not make it false." in page


def test_every_kind_of_file_has_a_name_for_people() -> None:
    files = [b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"<?xml", b"<svg", b"HC1:"]
    zipped, jwt = b"PK\x03\x04", b"eyJ.e.e"
    found = [file_format(raw) for raw in (*files, zipped, zipped + b"pass.json", jwt)]
    names = {str(name) for name in (*found, file_format(jwt + b"~"))}
    assert names | {kind.value for kind in Format} == {*KINDS}


async def test_a_pasted_link_is_fetched_by_nobody_until_it_is_asked_for(
    client: Client,
) -> None:
    status, page = await send(client, credential="https://school.example/diploma.json")
    assert status == 200
    assert "You pasted a link" in page
    assert 'value="https://school.example/diploma.json"' in page


async def test_a_form_that_is_none_of_ours_is_refused(client: Client) -> None:
    told = await client.post("/", data={"credential": "{}"})
    assert (told.status, told.content_type) == (415, "text/html")
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"no boundary", b"--x\r\nbroken", b"--x\r\n\r\nhalf a part"):
        told = await client.post("/", data=body, headers=broken)
        assert (told.status, told.content_type) == (400, "text/html"), body
    told = await client.post("/", headers={"Content-Type": "multipart/form-data"})
    assert told.status == 400
    status, _ = await send(client, **{f"f{n}": "x" for n in range(9)})
    assert status == 400


async def test_says_when_there_is_too_much_in_hand(
    client: Client, credential: dict[str, Any]
) -> None:
    assert client.app is not None
    verifier = client.app[VERIFIER]
    verifier.in_hand = 200
    status, page = await send(client, credential=json.dumps(credential))
    verifier.in_hand = 0
    assert status == 503
    assert "Nothing is said about the credential by this" in page


async def test_every_page_is_fenced_in(client: Client) -> None:
    response = await client.get("/")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "'unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    page = await response.text()
    assert "style=" not in page
    assert "<style" not in page
    assert "onclick" not in page


async def test_speaks_the_language_that_is_asked_for_and_remembers_it(
    client: Client,
) -> None:
    first = await client.get("/", headers={"Accept-Language": "fil, en;q=0.5"})
    assert '<html lang="fil">' in await first.text()
    assert first.headers["Content-Language"] == "fil"
    assert not first.cookies
    asked = await client.get("/?lang=en", headers={"Accept-Language": "fil"})
    assert '<html lang="en">' in await asked.text()
    cookie = asked.cookies["patunay_lang"]
    assert (cookie.value, cookie["samesite"], cookie["httponly"]) == ("en", "Lax", True)
    again = await client.get("/", headers={"Accept-Language": "fil"})
    assert '<html lang="en">' in await again.text()


async def test_an_answer_can_be_had_again_in_the_other_language(
    client: Client, credential: dict[str, Any]
) -> None:
    status, page = await send(client, credential=json.dumps(credential), lang="fil")
    assert status == 200
    assert '<html lang="fil">' in page
    assert "<h1>Tunay at may bisa</h1>" in page


async def test_files_of_the_pages_are_kept_for_ever_under_their_digest(
    client: Client,
) -> None:
    page = await (await client.get("/")).text()
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    named = await client.get(address)
    assert (named.status, named.content_type) == (200, "text/css")
    assert "immutable" in named.headers["Cache-Control"]
    plain = await client.get("/assets/style.css")
    assert "immutable" not in plain.headers["Cache-Control"]
    for name in ("none.css", "..%2fcheck.py", "%2e%2e%2fcheck.py"):
        assert (await client.get(f"/assets/{name}")).status == 404


async def test_a_bundle_is_looked_up_anew(
    client: Client, credential: dict[str, Any]
) -> None:
    assert client.app is not None
    found = await client.app[VERIFIER].evidence(credential)
    raw = encode_bundle(make_bundle(credential, found))
    status, page = await send(client, file=raw)
    assert status == 200
    assert "<h1>Genuine and in force</h1>" in page
    status, page = await send(client, file=raw.replace(b"Josefina", b"Josefino"))
    assert (status, "bundle-altered" in page) == (400, True)
