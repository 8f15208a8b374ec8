"""Batches in the console: checked first, started by hand, approved by another."""

import asyncio
import io
import re
import zipfile
from dataclasses import replace

import pytest

from node.batches import batch_state
from node.node import Node
from node.permissions import Role
from node.setup import add_issuer
from node.signing import sign_drafts
from node.storage.batches import count_signed, require_batch
from node.templates import add_template
from primitives.strict_json import parse_json_object
from tests.node.test_web_console import ENGLISH, enter, fields, form_key, send
from tests.support.nodes import LEARNERS_FILE, TEMPLATE_FILE, Client, query

TEMPLATE = "als-lifeskills-communication"


@pytest.fixture
async def inside(client: Client, node: Node) -> Client:
    async with node.writing() as c:
        await add_template(node, c, parse_json_object(TEMPLATE_FILE.read_bytes()))
    await enter(client, node)
    return client


def rows(count: int) -> bytes:
    lines = LEARNERS_FILE.read_bytes().splitlines(keepends=True)
    return b"".join(lines[: count + 1])


async def upload(client: Client, raw: bytes, **changes: str) -> tuple[int, str]:
    values = {"template": TEMPLATE, "issuer": "main", "encoding": "utf-8", **changes}
    form = fields(form_key=await form_key(client), **values)
    form.add_field("file", io.BytesIO(raw), filename="learners.csv")
    response = await client.post(
        "/console/batches", data=form, headers=ENGLISH, allow_redirects=False
    )
    return response.status, response.headers.get("Location", await response.text())


async def uploaded(client: Client, count: int = 3) -> str:
    """Return the path of a batch that is checked."""
    status, where = await upload(client, rows(count))
    assert (status, where[:17]) == (303, "/console/batches/")
    return where


async def shown(client: Client, path: str) -> str:
    response = await client.get(path, headers=ENGLISH)
    assert response.status == 200
    return await response.text()


async def state_of(node: Node, path: str) -> str:
    async with node.reading() as c:
        batch = await require_batch(c, path.rpartition("/")[2])
        return batch_state(batch, await count_signed(c, batch.id))


async def test_a_file_is_checked_and_nobody_is_issued_anything(
    inside: Client, node: Node
) -> None:
    page = await shown(inside, await uploaded(inside))
    assert "3 credentials will be made." in page
    assert query(node.home, "SELECT count(*) FROM credentials") == [(0,)]


async def test_what_keeps_a_row_back_is_shown_by_its_number(inside: Client) -> None:
    header, first, second = rows(2).splitlines(keepends=True)
    broken = second.replace(b"2025-01-30", b"31/31/2025")
    assert broken != second
    _, path = await upload(inside, header + first + broken + b"<script>,x\n")
    page = await shown(inside, path)
    assert "Row 3" in page
    assert "Row 4" in page
    assert "<script>," not in page
    assert "1 credential will be made." in page
    assert "The date is not written as year-month-day." in page
    told = await (await inside.get(path, headers={"Accept-Language": "fil"})).text()
    assert "Hindi nakasulat ang petsa bilang taon-buwan-araw." in told
    # What was found stands beside it as it is.
    assert "31/31/2025" in told


async def test_is_started_by_hand_and_signed_by_the_daemon(
    inside: Client, node: Node
) -> None:
    path = await uploaded(inside)
    assert await send(inside, f"{path}/start") == (303, path)
    page = await shown(inside, path)
    assert "is being signed" in page
    assert "0 / 3" in page
    # Without a script the page comes back by itself.
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    await sign_drafts(node)
    page = await shown(inside, path)
    assert "3 / 3" in page
    assert "http-equiv" not in page
    archive = await (await inside.get(f"{path}/credentials.zip")).read()
    assert len(zipfile.ZipFile(io.BytesIO(archive)).namelist()) == 3
    status, text = await send(inside, f"{path}/start")
    assert (status, "batch-not-checked" in text) == (409, True)


async def test_tells_its_progress_as_it_goes_on(inside: Client, node: Node) -> None:
    path = await uploaded(inside)
    await send(inside, f"{path}/start")
    async with inside.get(f"{path}/events") as response:
        assert response.content_type == "text/event-stream"
        first = await response.content.readuntil(b"\n\n")
        assert b'"signed": 0' in first
        await sign_drafts(node)
        async with asyncio.timeout(5):
            second = await response.content.readuntil(b"\n\n")
        assert b'"state": "done"' in second


async def test_a_file_that_is_none_is_refused(inside: Client) -> None:
    for raw, code in ((b"", "nothing-handed-over"), (b"\x00\xff", "csv-")):
        status, text = await upload(inside, raw)
        assert (status, code in text) == (400, True)
    status, text = await upload(inside, rows(1), template="none")
    assert (status, "template-unknown" in text) == (404, True)


async def test_is_cancelled_before_it_is_signed(inside: Client, node: Node) -> None:
    path = await uploaded(inside)
    assert await send(inside, f"{path}/cancel") == (303, path)
    assert await state_of(node, path) == "cancelled"
    status, text = await send(inside, f"{path}/cancel")
    assert (status, "batch-ended" in text) == (409, True)


async def test_another_person_approves_where_the_node_asks_for_two(
    inside: Client, node: Node
) -> None:
    node.config = replace(node.config, batch_approval=True)
    path = await uploaded(inside)
    await send(inside, f"{path}/start")
    assert "waits for approval" in await shown(inside, path)
    status, text = await send(inside, f"{path}/approve")
    assert (status, "approval-same-person" in text) == (403, True)
    await enter(inside, node, [Role.APPROVER])
    assert (await send(inside, f"{path}/start"))[0] == 403
    assert await send(inside, f"{path}/approve") == (303, path)
    assert await state_of(node, path) == "signing"


async def test_another_person_rejects_with_a_reason(inside: Client, node: Node) -> None:
    node.config = replace(node.config, batch_approval=True)
    path = await uploaded(inside)
    await send(inside, f"{path}/start")
    await enter(inside, node, [Role.APPROVER])
    status, text = await send(inside, f"{path}/reject", reason="")
    assert (status, "rejection-reason-malformed" in text) == (400, True)
    assert await send(inside, f"{path}/reject", reason="wrong term") == (303, path)
    page = await shown(inside, path)
    assert "wrong term" in page
    assert await state_of(node, path) == "rejected"


async def test_a_token_of_another_issuer_sees_none_of_it(
    inside: Client, node: Node
) -> None:
    path = await uploaded(inside)
    await add_issuer(node, "north", "North")
    await enter(inside, node, issuers=["north"])
    assert "There is no batch yet." in await shown(inside, "/console/batches")
    for end in ("", "/events", "/credentials.zip"):
        assert (await inside.get(path + end)).status == 403, end
    assert (await send(inside, f"{path}/start"))[0] == 403
    form = await shown(inside, "/console/batches/new")
    assert re.findall(r'<option value="(main|north)"', form) == ["north"]
    status, _ = await upload(inside, rows(1))
    assert status == 403


async def test_lists_batches_in_pages(inside: Client) -> None:
    paths = [await uploaded(inside, 1) for _ in range(27)]
    first = await shown(inside, "/console/batches")
    more = re.search(r'href="(/console/batches\?cursor=[^"]+)"', first)
    assert more is not None
    second = await shown(inside, more[1])
    assert [p in first for p in paths].count(True) == 25
    assert all((p in first) is not (p in second) for p in paths)


async def test_a_form_of_another_kind_is_refused(inside: Client) -> None:
    response = await inside.post("/console/batches", data={"template": "x"})
    assert (response.status, response.content_type) == (415, "text/html")
