"""Batches over HTTP: upload, findings, start, progress, cancel, download."""

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from openpyxl import Workbook

from node.access import create_token
from node.api.batch_results import LOOK_SECONDS, MAX_STREAMS, STREAMS
from node.daemon import SigningJob
from node.home import Home
from node.node import Node
from node.permissions import Role
from node.setup import add_issuer
from node.signing import CHUNK
from node.templates import add_template
from node.uploads import KEPT_FOR, MAX_ROWS
from primitives.strict_json import parse_json_object
from tests.support.api import answer_of, problem_of
from tests.support.nodes import (
    LEARNERS_FILE,
    TEMPLATE_FILE,
    Client,
    HandClock,
    client_of,
    document_of,
    make_home_here,
    opened,
    query,
)
from tests.support.workbooks import saved

pytestmark = pytest.mark.usefixtures("node")

TEMPLATE = "als-lifeskills-communication"
URL = f"/batches?template={TEMPLATE}"
CSV = {"Content-Type": "text/csv"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def lines(count: int) -> bytes:
    """Return the header and the first rows of the example."""
    return b"".join(LEARNERS_FILE.read_bytes().splitlines(keepends=True)[: count + 1])


@pytest.fixture
async def node(node: Node) -> Node:
    async with node.writing() as c:
        await add_template(node, c, parse_json_object(TEMPLATE_FILE.read_bytes()))
    return node


async def uploaded(
    client: Client, headers: dict[str, str], body: bytes = b"", **more: str
) -> dict[str, Any]:
    sent = {**headers, **CSV, **more}
    told = await client.post(URL, data=body or lines(5), headers=sent)
    return await answer_of(told, 201, "/batches")


async def started(client: Client, headers: dict[str, str], name: str) -> dict[str, Any]:
    told = await client.post(f"/batches/{name}/start", headers=headers)
    return await answer_of(told, 202, "/batches/{batch}/start")


async def shown(client: Client, headers: dict[str, str], name: str) -> dict[str, Any]:
    told = await client.get(f"/batches/{name}", headers=headers)
    return await answer_of(told, 200, "/batches/{batch}")


def count(home: Home, table: str) -> int:
    return int(query(home, f"SELECT count(*) FROM {table}")[0][0])


# From the file to the credentials


async def test_a_file_is_checked_then_started_then_signed_then_downloaded(
    node: Node, client: Client, home: Home, headers: dict[str, str]
) -> None:
    batch = await uploaded(client, headers)
    assert (batch["state"], batch["rows"], batch["issuable"]) == ("checked", 5, 5)
    assert count(home, "credentials") == 0
    running = await started(client, headers, batch["id"])
    assert (running["state"], running["size"], running["signed"]) == ("signing", 5, 0)
    assert query(home, "SELECT file FROM uploads") == [(None,)]
    assert await SigningJob(node).tick() == 5
    done = await shown(client, headers, batch["id"])
    assert (done["state"], done["signed"]) == ("done", 5)
    path = f"/batches/{batch['id']}/credentials.zip"
    told = await client.get(path, headers=headers)
    archive = zipfile.ZipFile(io.BytesIO(await told.read()))
    assert archive.testzip() is None
    assert len(archive.namelist()) == 5
    for name in archive.namelist():
        stored = await document_of(node, name.removesuffix(".json"))
        assert json.loads(archive.read(name)) == stored
    again = await client.get(path, headers=headers)
    assert await again.read() == (await (await client.get(path, headers=headers)).read())


async def test_the_rows_may_come_in_a_form_or_as_json(
    client: Client, headers: dict[str, str]
) -> None:
    form = aiohttp.FormData()
    form.add_field("file", lines(2), filename="l.csv", content_type="text/csv")
    told = await client.post(URL, data=form, headers=headers)
    assert (await answer_of(told, 201, "/batches"))["issuable"] == 2
    rows = list(csv.DictReader(io.StringIO(lines(3).decode())))
    told = await client.post(URL, json={"rows": rows}, headers=headers)
    assert (await answer_of(told, 201, "/batches"))["issuable"] == 3


async def test_a_workbook_is_uploaded_with_the_name_of_its_sheet(
    node: Node, client: Client, home: Home, headers: dict[str, str]
) -> None:
    book = Workbook()
    sheet = book.create_sheet("March")
    for row in csv.reader(io.StringIO(lines(3).decode())):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    given = {**headers, "Content-Type": XLSX}
    first = await client.post(URL, data=saved(book), headers=given)
    assert (await problem_of(first, 400))["code"] == "csv-column-missing"
    other = await client.post(f"{URL}&sheet=May", data=saved(book), headers=given)
    assert (await problem_of(other, 400))["code"] == "xlsx-sheet-unknown"
    told = await client.post(f"{URL}&sheet=March", data=saved(book), headers=given)
    batch = await answer_of(told, 201, "/batches")
    assert (batch["rows"], batch["issuable"], batch["held"]) == (3, 2, 1)
    assert (await started(client, headers, batch["id"]))["size"] == 2
    assert await SigningJob(node).tick() == 2
    assert query(home, "SELECT sheet, held FROM uploads") == [("March", 1)]


async def test_what_is_wrong_with_a_row_is_told_by_its_number(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    good = lines(3).decode().splitlines()
    spoilt = good[2].split(",")
    spoilt[good[0].split(",").index("completed_on")] = "03/02/2026"
    body = "\n".join([*good[:2], ",".join(spoilt), good[3]]).encode()
    batch = await uploaded(client, headers, body)
    assert (batch["issuable"], batch["held"]) == (2, 1)
    told = await client.get(
        f"/batches/{batch['id']}/findings", params={"limit": 1}, headers=headers
    )
    first = await answer_of(told, 200, "/batches/{batch}/findings")
    found = first["findings"]
    while first["next"] is not None:
        told = await client.get(
            f"/batches/{batch['id']}/findings",
            params={"limit": 1, "cursor": first["next"]},
            headers=headers,
        )
        first = await answer_of(told, 200, "/batches/{batch}/findings")
        found += first["findings"]
    errors = [(f["row"], f["code"]) for f in found if f["severity"] == "error"]
    assert errors == [(3, "date-not-iso")]
    assert [f["row"] for f in found] == sorted(f["row"] for f in found)
    await started(client, headers, batch["id"])
    assert await SigningJob(node).tick() == 2


async def test_nobody_is_issued_a_credential_twice(
    node: Node, client: Client, home: Home, headers: dict[str, str]
) -> None:
    batch = await uploaded(client, headers)
    await started(client, headers, batch["id"])
    await SigningJob(node).tick()
    batch = await uploaded(client, headers)
    assert (batch["issuable"], batch["earlier"]) == (0, 5)
    running = await started(client, headers, batch["id"])
    assert (running["size"], running["earlier"], running["state"]) == (0, 5, "done")
    assert count(home, "credentials") == 5
    told = await client.post(f"/batches/{batch['id']}/start", headers=headers)
    assert (await problem_of(told, 409))["code"] == "batch-not-checked"


async def test_twenty_equal_uploads_and_starts_at_once_are_one(
    client: Client, home: Home, headers: dict[str, str]
) -> None:
    keyed = {**headers, "Idempotency-Key": "batch-1"}
    made = await asyncio.gather(*(uploaded(client, keyed) for _ in range(20)))
    assert len({batch["id"] for batch in made}) == 1
    keyed["Idempotency-Key"] = "start-1"
    await asyncio.gather(*(started(client, keyed, made[0]["id"]) for _ in range(20)))
    assert (count(home, "batches"), count(home, "credentials")) == (1, 5)


# Stopping


async def test_what_is_not_signed_of_a_cancelled_batch_never_is(
    node: Node, client: Client, home: Home, headers: dict[str, str]
) -> None:
    batch = await uploaded(client, headers, lines(20))
    await started(client, headers, batch["id"])
    told = await client.post(f"/batches/{batch['id']}/cancel", headers=headers)
    ended = await answer_of(told, 200, "/batches/{batch}/cancel")
    assert (ended["state"], ended["signed"], ended["decidedBy"]) == ("cancelled", 0, "test")
    assert await SigningJob(node).tick() == 0
    told = await client.post(f"/batches/{batch['id']}/cancel", headers=headers)
    assert (await problem_of(told, 409))["code"] == "batch-ended"
    # Its rows are free again, and its places in the lists are not.
    second = await uploaded(client, headers, lines(20))
    await started(client, headers, second["id"])
    assert await SigningJob(node).tick() == 20
    indexes = query(home, "SELECT status_index FROM credentials")
    assert len(set(indexes)) == len(indexes) == 40


async def test_what_was_signed_before_a_cancellation_stays(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    batch = await uploaded(client, headers, lines(400))
    await started(client, headers, batch["id"])
    job = asyncio.create_task(SigningJob(node).tick())
    for _ in range(1_000):
        if (await shown(client, headers, batch["id"]))["signed"]:
            break
    told = await client.post(f"/batches/{batch['id']}/cancel", headers=headers)
    signed = await job
    if told.status == 200:
        assert (await told.json())["signed"] == signed == CHUNK
    else:  # the second chunk was faster
        assert (await problem_of(told, 409))["code"] == "batch-ended"
        assert signed == 400


async def test_a_restart_goes_on_where_signing_ended(
    client: Client, home: Home, clock: HandClock, headers: dict[str, str]
) -> None:
    batch = await uploaded(client, headers, lines(10))
    await started(client, headers, batch["id"])
    async with opened(home, clock) as again, client_of(again) as later:
        assert await SigningJob(again).tick() == 10
        assert (await shown(later, headers, batch["id"]))["state"] == "done"


async def test_an_upload_that_nobody_starts_is_forgotten(
    client: Client, home: Home, clock: HandClock, headers: dict[str, str]
) -> None:
    batch = await uploaded(client, headers)
    clock.advance(KEPT_FOR.total_seconds() + 1)
    await uploaded(client, headers, lines(2))
    assert (await shown(client, headers, batch["id"]))["state"] == "cancelled"
    found = query(home, "SELECT file, findings FROM uploads ORDER BY uploaded_at LIMIT 1")
    assert found == [(None, "[]")]


# Who may


async def test_a_drafter_uploads_and_does_not_issue_alone(
    node: Node, client: Client, home: Home
) -> None:
    _, secret = await create_token(node, "drafter", [Role.DRAFTER])
    drafter = {"Authorization": f"Bearer {secret}"}
    batch = await uploaded(client, drafter)
    told = await client.post(f"/batches/{batch['id']}/start", headers=drafter)
    assert (await problem_of(told, 403))["code"] == "role-refused"
    assert count(home, "credentials") == 0


@pytest.fixture
async def strict(tmp_path: Any, clock: HandClock) -> AsyncIterator[Node]:
    home = await make_home_here(tmp_path / "strict", clock, batch_approval=True)
    async with opened(home, clock) as node:
        async with node.writing() as c:
            await add_template(node, c, parse_json_object(TEMPLATE_FILE.read_bytes()))
        yield node


async def test_where_two_people_are_asked_for_a_batch_waits(strict: Node) -> None:
    _, secret = await create_token(strict, "drafter", [Role.DRAFTER])
    drafter = {"Authorization": f"Bearer {secret}"}
    async with client_of(strict) as client:
        batch = await uploaded(client, drafter)
        running = await started(client, drafter, batch["id"])
        assert running["state"] == "waiting"
        assert await SigningJob(strict).tick() == 0


async def test_a_bound_token_sees_no_batch_of_another_issuer(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    await add_issuer(node, "north", "North")
    batch = await uploaded(client, headers)
    _, secret = await create_token(node, "north", [Role.SIGNER], issuers=["north"])
    bound = {"Authorization": f"Bearer {secret}"}
    listed = await (await client.get("/batches", headers=bound)).json()
    assert listed["batches"] == []
    for method, path in (
        ("GET", ""),
        ("GET", "/findings"),
        ("GET", "/events"),
        ("GET", "/credentials.zip"),
        ("POST", "/start"),
        ("POST", "/cancel"),
    ):
        told = await client.request(method, f"/batches/{batch['id']}{path}", headers=bound)
        assert (await problem_of(told, 403))["code"] == "issuer-refused"
    told = await client.post(URL, data=lines(1), headers={**bound, **CSV})
    assert (await problem_of(told, 403))["code"] == "issuer-refused"


# Progress


def events_in(text: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in text.split("\n\n"):
        members = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "data" in members:
            found.append((members["id"], json.loads(members["data"])))
    return found


async def test_progress_is_told_until_the_batch_is_done(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    batch = await uploaded(client, headers, lines(20))
    reading = asyncio.create_task(read_events(client, headers, batch["id"]))
    await asyncio.sleep(3 * LOOK_SECONDS)
    await started(client, headers, batch["id"])
    await asyncio.sleep(3 * LOOK_SECONDS)
    await SigningJob(node).tick()
    found = events_in(await asyncio.wait_for(reading, 30))
    states = [(data["state"], data["signed"]) for _, data in found]
    assert states == [("checked", 0), ("signing", 0), ("done", 20)]
    last = found[-1][0]
    resumed = await read_events(client, {**headers, "Last-Event-ID": last}, batch["id"])
    assert events_in(resumed) == []
    missed = await read_events(
        client, {**headers, "Last-Event-ID": found[0][0]}, batch["id"]
    )
    assert [data["state"] for _, data in events_in(missed)] == ["done"]


async def read_events(client: Client, headers: dict[str, str], name: str) -> str:
    async with client.get(f"/batches/{name}/events", headers=headers) as told:
        assert told.status == 200
        assert told.content_type == "text/event-stream"
        return await told.text()


async def test_too_many_readers_of_progress_are_told_to_come_back(
    client: Client, headers: dict[str, str]
) -> None:
    client.app[STREAMS].update(range(MAX_STREAMS))
    batch = await uploaded(client, headers)
    told = await client.get(f"/batches/{batch['id']}/events", headers=headers)
    assert (await problem_of(told, 503))["code"] == "http-overloaded"


# What is refused


@pytest.mark.parametrize(
    ("url", "body", "kind", "status", "code"),
    [
        ("/batches", b"", "text/csv", 400, "request-malformed"),
        (URL + "&issuer=none", lines(1), "text/csv", 404, "issuer-unknown"),
        ("/batches?template=none", lines(1), "text/csv", 404, "template-unknown"),
        (URL + "&encoding=utf-16", lines(1), "text/csv", 400, "request-malformed"),
        (URL + "&cryptosuite=bbs", lines(1), "text/csv", 400, "cryptosuite-unknown"),
        (URL, b"a,b\n1,2\n", "text/csv", 400, "csv-malformed"),
        (URL, "h\u00e9".encode("utf-16"), "text/csv", 400, "csv-is-utf16"),
        (URL, b"\xff", "text/csv", 400, "csv-not-utf8"),
        (URL, b"x", "text/plain", 415, "media-type-unsupported"),
        (URL, b"{}", "application/json", 400, "request-malformed"),
        (URL, b'{"rows":[]}', "application/json", 400, "request-malformed"),
        (URL, b'{"rows":[{"a":5}]}', "application/json", 400, "request-malformed"),
        (URL, b"[" * 99, "application/json", 400, "json-too-deep"),
        (URL, b" " * (8 << 20) + b"x", "text/csv", 413, "json-too-large"),
    ],
)
async def test_what_is_no_file_is_refused(
    client: Client,
    home: Home,
    headers: dict[str, str],
    url: str,
    body: bytes,
    kind: str,
    status: int,
    code: str,
) -> None:
    told = await client.post(
        url, data=io.BytesIO(body), headers={**headers, "Content-Type": kind}
    )
    found = (await problem_of(told, status))["code"]
    assert found == code or (code == "csv-malformed" and found.startswith("c"))
    assert count(home, "batches") == 0


async def test_a_batch_of_too_many_rows_is_told_where_to_go(
    client: Client, headers: dict[str, str]
) -> None:
    rows = [{"family_name": "A"}] * 1_001
    told = await client.post(URL, json={"rows": rows}, headers=headers)
    assert (await problem_of(told, 413))["code"] == "too-many-items"
    body = b"family_name,given_name,completed_on\n" + b"A,B,2026-01-01\n" * (MAX_ROWS + 1)
    told = await client.post(URL, data=body, headers={**headers, **CSV})
    assert (await problem_of(told, 413))["code"] == "too-many-items"


@pytest.mark.parametrize("path", ["", "/findings", "/events", "/credentials.zip"])
async def test_a_batch_that_is_none_is_unknown(
    client: Client, headers: dict[str, str], path: str
) -> None:
    told = await client.get(f"/batches/none{path}", headers=headers)
    assert (await problem_of(told, 404))["code"] == "batch-unknown"
