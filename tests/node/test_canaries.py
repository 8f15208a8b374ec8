"""Names and secrets that may stand in few places: searched for in all the others."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from node.access import create_token
from node.batches import issue_rows
from node.home import Home
from node.logs import LineFormatter
from node.node import MAIN, Node
from node.permissions import Role
from node.status import revoke
from node.storage.database import create_engine, locate
from node.storage.schema import metadata
from tests.support.nodes import (
    PASSPHRASE,
    HandClock,
    client_of,
    learners,
    opened,
    template,
)

NAME = "Maria Kanaryo"
REASON = "Kanaryo withdrew"

MAY_HOLD_NAMES = {
    ("credentials", "document"),
    ("credentials", "draft"),
    ("status_events", "reason"),
}
"""Tables and columns of the database in which a learner's name may stand."""


@contextmanager
def log_of_everything() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter("json"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    # aiohttp's own log of requests is the test server's: the daemon switches it off.
    of_aiohttp = logging.getLogger("aiohttp.access")
    of_aiohttp.disabled = True
    try:
        yield stream
    finally:
        of_aiohttp.disabled = False
        root.removeHandler(handler)
        root.setLevel(level)


def badge(node_did: str) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": node_did,
        "name": NAME,
        "credentialSubject": {"id": "did:example:kanaryo"},
    }


async def places_of(home: Home, words: list[str]) -> set[tuple[str, str]]:
    """Return table and column of every value of the database that holds one of them."""
    engine = create_engine(locate(home.root, home.config()))
    found = set()
    try:
        async with engine.connect() as c:
            for table in metadata.tables.values():
                for row in (await c.execute(select(table))).mappings():
                    for column, value in row.items():
                        text = (
                            value.decode("latin-1") if isinstance(value, bytes) else value
                        )
                        if any(word in str(text) for word in words):
                            found.add((table.name, str(column)))
    finally:
        await engine.dispose()
    return found


async def a_working_day(node: Node) -> tuple[str, list[dict[str, Any]]]:
    """Issue, verify, fail and revoke over HTTP; return the token and the problems."""
    _, secret = await create_token(node, "portal", [Role.SIGNER])
    sent = {"Authorization": f"Bearer {secret}"}
    problems = []
    async with client_of(node) as client:
        did = "did:web:localhost%3A8460"
        body = {"credential": badge(did)}
        made = await client.post("/credentials/issue", json=body, headers=sent)
        assert made.status == 201
        signed = (await made.json())["verifiableCredential"]
        verified = await client.post("/credentials/verify", json=signed)
        assert verified.status == 200
        tampered = {**signed, "name": NAME.upper()}
        rejected = await client.post("/credentials/verify", json=tampered)
        assert rejected.status >= 400
        for path, options in (
            ("/credentials/issue", {"json": {**body, NAME: 1}, "headers": sent}),
            ("/credentials/issue", {"json": body, "headers": {"Authorization": secret}}),
            (
                "/credentials/issue",
                {"json": body, "headers": {"Authorization": f"Bearer {secret}x"}},
            ),
            ("/credentials/issue?name=Kanaryo", {"data": NAME, "headers": sent}),
            ("/credentials/verify", {"data": NAME, "headers": sent}),
        ):
            answer = await client.post(path, **options)
            assert answer.status >= 400, path
            problems.append(await answer.json())
        name = str(signed["id"]).removeprefix("urn:uuid:")
    await revoke(node, name, REASON)
    return secret, problems


async def test_o11_names_and_secrets_stand_where_they_may_and_nowhere_else(
    home: Home, clock: HandClock
) -> None:
    with log_of_everything() as stream:
        async with opened(home, clock) as node:
            (learner,) = learners(1).rows
            await issue_rows(node, template(), learners(1), MAIN)
            secret, problems = await a_working_day(node)
    names = ["Kanaryo", "kanaryo", "KANARYO", learner.values["family_name"]]
    passphrase = PASSPHRASE.decode()
    written = stream.getvalue()
    assert "/credentials/issue" in written
    for word in (*names, secret, passphrase):
        assert word not in written, word
    shown = json.dumps(problems)
    for word in (secret, passphrase):
        assert word not in shown
    assert await places_of(home, names) <= MAY_HOLD_NAMES
    assert ("credentials", "document") in await places_of(home, names)
    assert await places_of(home, [secret, passphrase]) == set()
    for file in home.root.rglob("*"):
        if file.is_file():
            raw = file.read_bytes()
            assert secret.encode() not in raw, file
            assert PASSPHRASE not in raw, file
    public = b"".join(f.read_bytes() for f in home.public.rglob("*") if f.is_file())
    for word in names:
        assert word.encode() not in public, word
