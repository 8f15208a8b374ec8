import io
import json
import logging
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from node.acting import handling
from node.config_tables import LogConfig
from node.logs import QUIET, LineFormatter, configure_logs, hide_secrets, log_access
from tests.support.nodes import Client

Form = Literal["json", "console"]


@pytest.fixture
def untouched() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    before = list(root.handlers)
    levels = {name: logging.getLogger(name).level for name in ("", *QUIET)}
    yield
    root.handlers[:] = before
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def written(form: Form, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logs(LogConfig(format=form, level=level), stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.usefixtures("untouched")
def test_a_line_of_json_says_when_what_and_for_which_request() -> None:
    stream = written("json")
    with handling("request-1"):
        logging.getLogger("node.daemon").warning("waits: %s (%s)", "for it", "a-code")
    log_access("GET", "/credentials/{id}", 404, 0.01234, {"code": "credential-unknown"})
    first, second = lines(stream)
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "warning",
        "logger": "node.daemon",
        "message": "waits: for it (a-code)",
        "request": "request-1",
    }
    assert (second["method"], second["route"], second["status"]) == (
        "GET",
        "/credentials/{id}",
        404,
    )
    assert (second["ms"], second["code"]) == (12.3, "credential-unknown")
    assert "request" not in second


@pytest.mark.usefixtures("untouched")
def test_a_line_for_people_holds_the_same() -> None:
    stream = written("console")
    with handling("request-1"):
        log_access("GET", "/healthz", 200, 0.001)
    (line,) = stream.getvalue().splitlines()
    assert " info    request logger=node.access_log request=request-1 method=GET" in line
    assert line.endswith("route=/healthz status=200 ms=1.0")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("form", ["json", "console"])
def test_h17_a_line_end_in_a_message_begins_no_new_line(form: Form) -> None:
    stream = written(form)
    evil = "x\r\n2026-01-01T00:00:00Z info forged\u2028\x1b[2J\u202e\x85"
    logging.getLogger("node.x").warning("found %s", evil)
    text = stream.getvalue()
    assert len(text.splitlines()) == 1
    assert text.isascii() or text.rstrip("\n").isprintable()
    assert "forged" in text


@pytest.mark.usefixtures("untouched")
def test_the_words_of_an_exception_are_left_out_and_its_place_is_there() -> None:
    stream = written("json")
    try:
        int("Maria Canary")
    except ValueError:
        logging.getLogger("node.api").exception("a bug")
    (line,) = lines(stream)
    assert (line["exception"], line["message"]) == ("ValueError", "a bug")
    assert line["at"].startswith("test_logs.py:")
    assert "Canary" not in stream.getvalue()


@pytest.mark.usefixtures("untouched")
def test_of_other_libraries_the_fixed_part_alone_is_written() -> None:
    stream = written("json")
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "10.1.2.3")
    logging.getLogger("urllib3").info("too quiet")
    (line,) = lines(stream)
    assert line["message"] == "Error handling request from %s"


@pytest.mark.usefixtures("untouched")
def test_below_its_level_nothing_is_written() -> None:
    stream = written("json", "error")
    log_access("GET", "/healthz", 200, 0.001)
    logging.getLogger("node.x").error("a failure")
    assert [line["message"] for line in lines(stream)] == ["a failure"]


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("ptn_abcdefghijk-_lmn", "…"),
        ("Authorization: Bearer abc.def-123", "Authorization: …"),
        ("https://rpc.example/v3/canary: down", "https://rpc.example/… down"),
        ("https://me:canary@rpc.example:8545/x?y=1", "https://rpc.example:8545/…"),
        ("postgresql://me:canary@[::1]:5432 refuses", "postgresql://[::1]:5432 refuses"),
        ("http://rpc.example?key=canary", "http://rpc.example/…"),
        ("https://rpc.example is down", "https://rpc.example is down"),
    ],
)
def test_what_could_be_a_key_to_something_is_hidden(text: str, hidden: str) -> None:
    assert hide_secrets(text) == hidden


async def test_each_request_has_one_line_by_its_route(
    client: Client, headers: dict[str, str]
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter("json"))
    logger = logging.getLogger("node.access_log")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        name = {"X-Request-Id": "request-1"}
        await client.get("/credentials/canary/receipt", headers=name)
        await client.get("/credentials/canary/receipt?x=canary", headers=name)
        await client.get("/canary")
        await client.post("/credentials/issue", data=b"{", headers=headers)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    first, refused, second, third = lines(stream)
    assert (first["route"], first["status"]) == ("/credentials/{id}/receipt", 404)
    assert (first["code"], first["request"]) == ("credential-unknown", "request-1")
    assert (refused["route"], refused["status"]) == ("/credentials/{id}/receipt", 400)
    assert (second["route"], second["status"]) == ("unknown", 404)
    assert (third["status"], third["code"]) == (415, "media-type-unsupported")
    assert len(third["token"]) == 36
    assert "canary" not in stream.getvalue()
