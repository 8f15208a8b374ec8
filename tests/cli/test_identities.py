"""`patunay issuer`, `did`, `key` and `token`."""

import asyncio
import json

import pytest

from node.access import TokenRefused, authenticate
from node.home import Home
from node.node import Node
from primitives.clock import SystemClock
from tests.support.command_line import assert_refused, run, run_json, web_server

DID = "did:web:localhost%3A8460"
DID_KEY = "did:key:z6Mkf5rGMoatrSj1f4CyvuHBeXJELe9RPdzo2PKGNCKVtZxP"


def use(home: Home, secret: str) -> str:
    """Return the name of the token that a program shows."""

    async def ask() -> str:
        async with Node.open(home, SystemClock()) as node:
            header = {"Authorization": f"Bearer {secret}"}
            return (await authenticate(node, header)).name

    return asyncio.run(ask())


def test_an_issuer_is_added_once(home: Home) -> None:
    add = ("issuer", "add", "sdo-batangas", "--name", "SDO Batangas")
    assert run(*add, home=home.root).stdout == f"{DID}:issuers:sdo-batangas\n"
    assert run(*add, home=home.root).exit_code == 4
    _, first, second = run("issuer", "list", home=home.root).stdout.splitlines()
    assert first.startswith("main          Sample Schools Division  ")
    assert second.startswith("sdo-batangas  SDO Batangas             ")


def test_an_issuer_is_listed_with_its_cryptosuite(home: Home) -> None:
    add = ("issuer", "add", "north", "--name", "North", "--cryptosuite", "eddsa-jcs-2022")
    assert run_json(*add, home=home.root)["cryptosuite"] == "eddsa-jcs-2022"
    first, second = run_json("issuer", "list", home=home.root)["issuers"]
    assert (first["slug"], first["cryptosuite"]) == ("main", "eddsa-rdfc-2022")
    assert (second["slug"], second["cryptosuite"]) == ("north", "eddsa-jcs-2022")
    assert "  eddsa-jcs-2022  " in run("issuer", "list", home=home.root).stdout
    other = ("issuer", "add", "south", "--name", "South", "--cryptosuite", "rsa")
    assert_refused(run(*other, home=home.root), "usage", exit_code=2)


@pytest.mark.parametrize("slug", ["Main", "a b", "../x", "ñ", "x" * 41])
def test_a_slug_that_no_did_can_carry_is_refused(home: Home, slug: str) -> None:
    result = run("issuer", "add", slug, "--name", "X", home=home.root)
    assert_refused(result, "issuer-slug-invalid", exit_code=4)


def test_dids_are_listed_one_a_line(shared_home: Home) -> None:
    assert run("did", "list", home=shared_home.root).stdout == f"{DID}\n"


@pytest.mark.parametrize("which", [[], ["main"], [DID]])
def test_the_did_document_is_the_published_one(shared_home: Home, which: list[str]) -> None:
    shown = run("did", "show", *which, home=shared_home.root).stdout
    published = (shared_home.public / ".well-known" / "did.json").read_bytes()
    assert json.loads(shown) == json.loads(published)


def test_an_issuer_that_is_not_there_is_named(shared_home: Home) -> None:
    result = run("did", "show", "nobody", home=shared_home.root)
    assert_refused(result, "issuer-unknown", exit_code=4)


def test_a_did_key_is_resolved_without_asking_anybody() -> None:
    found = run_json("did", "resolve", DID_KEY)
    assert found["source"] == "did:key"
    assert found["document"]["id"] == DID_KEY


def test_a_did_web_is_resolved_where_it_lives(shared_home: Home) -> None:
    with web_server(shared_home.public) as port:
        did = f"did:web:localhost%3A{port}"
        result = run("did", "resolve", did, "--allow-loopback")
        # The document there is of the node's own DID, and of no other.
        assert_refused(result, "did-document-id-mismatch", exit_code=3)
        assert run("did", "resolve", did).exit_code == 3


@pytest.mark.parametrize(
    ("name", "code", "exit_code"),
    [
        ("did:ethr:0x01", "did-method-unsupported", 3),
        ("example.edu", "did-malformed", 2),
        ("did:web:127.0.0.1", "did-ip-literal", 2),
    ],
)
def test_a_did_that_cannot_be_resolved_is_named(
    name: str, code: str, exit_code: int
) -> None:
    result = run("did", "resolve", name)
    assert result.stderr.splitlines()[0].endswith(f"({code})")
    assert result.exit_code == exit_code


def test_keys_are_listed_without_their_secrets(shared_home: Home) -> None:
    keys = run_json("key", "list", home=shared_home.root)["keys"]
    assert [key["id"] for key in keys] == ["log", "evm", "main.credential", "main.status"]
    assert all(
        key.keys() == {"id", "role", "issuer", "public", "token", "createdAt"}
        for key in keys
    )
    header, *rows = run("key", "list", home=shared_home.root).stdout.splitlines()
    assert header.split() == ["id", "role", "issuer", "public", "token", "created"]
    assert len(rows) == 4


def test_a_token_works_until_it_is_revoked(home: Home) -> None:
    made = run_json("token", "create", "portal", "--role", "signer", home=home.root)
    assert use(home, made["token"]) == "portal"
    listed = run("token", "list", home=home.root).stdout
    assert "portal" in listed
    assert "in force" in listed
    assert made["token"] not in listed

    assert run("token", "revoke", made["id"], home=home.root).exit_code == 0
    with pytest.raises(TokenRefused):
        use(home, made["token"])
    again = run("token", "revoke", made["id"], home=home.root)
    assert_refused(again, "token-unknown", exit_code=4)
    (known,) = run_json("token", "list", home=home.root)["tokens"]
    assert known["revokedAt"] is not None


def test_the_secret_of_a_token_is_all_that_is_printed(home: Home) -> None:
    secret = run("token", "create", "x", "--role", "auditor", home=home.root).stdout.strip()
    assert use(home, secret) == "x"
