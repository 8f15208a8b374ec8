"""What the daemon writes to standard error: one line for each thing that happened.

No line holds personal data or a secret. A request is told by its route, not by its path or
query; an exception by its type and place, not by its words, which may quote what was sent;
and what other libraries say, by the fixed part of their message alone.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, TextIO

from node.acting import current_request
from node.config_tables import LogConfig
from primitives.safe_text import safe_text

OWN: Final = ("node", "anchoring", "did", "credentials", "primitives", "cli")
"""Packages whose messages are written whole."""

_MEMBERS: Final = ("method", "route", "status", "code", "ms", "token", "term")
"""What else a line may say of what happened."""

_SECRETS: Final = re.compile(
    r"ptn_[\w-]{8,}"  # a token of ours
    r"|(?i:bearer|basic)\s+[\w+/=.~-]{8,}"  # what a header carries
    # Of a URL, user and password, and the path, where nodes' operators put keys.
    r"|://(?:[^\s/@]+@)?(?P<host>[\w.:\[\]-]+)(?P<path>[/?][^\s'\")]*)?"
)

QUIET: Final = ("asyncio", "aiohttp", "sqlalchemy", "alembic", "urllib3", "web3")
"""Libraries that say nothing below a warning that an operator could act on."""

access: Final = logging.getLogger("node.access_log")
"""Told one line for each request."""


class LineFormatter(logging.Formatter):
    """Writes a record as one line of JSON, or for people."""

    def __init__(self, form: Literal["json", "console"]) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        members = _members(record)
        if self._form == "json":
            # ASCII alone: no reader sees a line end, or a letter that turns the writing.
            return json.dumps(members)
        more = " ".join(f"{k}={v}" for k, v in members.items() if k not in _HEAD)
        head = f"{members['time']} {record.levelname.lower():7} {members['message']}"
        return safe_text(f"{head} {more}".rstrip())


_HEAD: Final = frozenset({"time", "level", "message"})


def configure_logs(config: LogConfig, stream: TextIO | None = None) -> None:
    """Let this process write its lines to `stream`, or to standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter("json" if config.format == "json" else "console"))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(config.level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))


def log_access(
    method: str,
    route: str,
    status: int,
    seconds: float,
    more: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write the line of one request.

    Args:
        method: Of HTTP.
        route: Its pattern, such as `/credentials/{id}`.
        status: Of the answer.
        seconds: From the request's head to the answer's end.
        more: The code of a problem, and the id of the token that was shown.
    """
    ms = round(seconds * 1000, 1)
    told = {"method": method, "route": route, "status": status, "ms": ms, **more}
    access.info("request", extra=told)


def _members(record: logging.LogRecord) -> dict[str, str | int | float]:
    at = datetime.fromtimestamp(record.created, UTC)
    members: dict[str, str | int | float] = {
        "time": at.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z",
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": hide_secrets(_message(record)),
    }
    request = current_request()
    if request:
        members["request"] = request
    for name in _MEMBERS:
        value = getattr(record, name, None)
        if value is not None:
            members[name] = value if isinstance(value, int | float) else str(value)
    if record.exc_info is not None and record.exc_info[0] is not None:
        members["exception"] = record.exc_info[0].__name__
        members["at"] = _place(record)
    return members


def _message(record: logging.LogRecord) -> str:
    if record.name.partition(".")[0] in OWN:
        return record.getMessage()
    return str(record.msg)


def _place(record: logging.LogRecord) -> str:
    """Return where an exception went through, innermost last; not what it says."""
    if record.exc_info is None:
        return ""
    frames = traceback.extract_tb(record.exc_info[2])
    return " > ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames)


def hide_secrets(text: str) -> str:
    """Return `text` without tokens, and without what of a URL could be a key."""
    return _SECRETS.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    if not found["host"]:
        return "…"
    return f"://{found['host']}/…" if found["path"] else f"://{found['host']}"
