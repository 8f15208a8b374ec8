"""A PostgreSQL of the tests' own: one server for all of them, a database for each.

It is started when the first test asks for it, listens on a Unix socket alone, and forgets
all when it ends. The server does not run as root: there it is the user `postgres`.
"""

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.support.components import require

_START_SECONDS = 30

_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "max_connections": "120",
    "listen_addresses": "",
}


def _as_whom() -> dict[str, Any]:
    """Return how to start what refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


@dataclass
class Cluster:
    """A server and its folder."""

    programs: Path
    folder: Path
    process: "subprocess.Popen[Any] | None" = None

    @classmethod
    def make(cls) -> "Cluster":
        """Make the folder of a server; skip the test where PostgreSQL is missing."""
        programs = require("postgres")
        # Not in pytest's own folder: a socket's path has to be short.
        folder = Path(tempfile.mkdtemp(prefix="patunay-pg-"))
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        subprocess.run(
            [
                *(programs / "initdb", "-D", folder / "data", "--wal-segsize=1"),
                *("--auth=trust", "--username=postgres", "--encoding=UTF8"),
                *("--locale=C", "--no-sync", "--no-instructions"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **_as_whom(),
        )
        return cls(programs, folder)

    def start(self) -> None:
        """Start the server; return when it answers."""
        options = [f"--{name}={value}" for name, value in _FAST.items()]
        command: list[str | Path] = [self.programs / "postgres", "-D", self.folder / "data"]
        with (self.folder / "log").open("ab") as log:
            process = self.process = subprocess.Popen(
                [*command, "-k", self.folder, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **_as_whom(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.run("SELECT 1")
            except (OSError, asyncpg.PostgresError):
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                assert process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self, how: str = "immediate") -> None:
        """End the server: `fast` cleanly, `immediate` as if it had crashed."""
        if self.process is None:
            return
        subprocess.run(
            [
                *(self.programs / "pg_ctl", "-D", self.folder / "data", "stop"),
                *("-m", how, "--silent"),
            ],
            check=True,
            cwd=self.folder,
            **_as_whom(),
        )
        self.process.wait(timeout=30)
        self.process = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / ".s.PGSQL.5432"

    def url(self, name: str) -> str:
        """Return the address of a database."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """Make a database, a copy of `template`; return its address."""
        return create_like(self.url(template))

    def run(self, sql: str) -> None:
        """Run one statement in the database that is always there."""
        execute(self.url("postgres"), sql)


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Give a server of its own, for tests that stop it."""
    cluster = Cluster.make()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(cluster.folder)


def create_like(url: str) -> str:
    """Make a copy of a database to which nobody is connected; return its address."""
    name = f"t{uuid.uuid4().hex[:16]}"
    before = _name(url)
    execute(_renamed(url, "postgres"), f'CREATE DATABASE "{name}" TEMPLATE "{before}"')
    return _renamed(url, name)


def drop(url: str) -> None:
    """Remove a database, whoever is connected to it."""
    execute(_renamed(url, "postgres"), f'DROP DATABASE "{_name(url)}" WITH (FORCE)')


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _renamed(url: str, name: str) -> str:
    parts = urlsplit(url)
    # Two slashes, also where no host stands between them.
    return urlunsplit(parts._replace(path=f"/{name}"))


def execute(url: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement, with `?` for the values; return its rows.

    Foreign keys are not looked at, as in SQLite's own tools.
    """

    async def run() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            if not re.match("(CREATE|DROP) DATABASE", sql):
                await connection.execute("SET session_replication_role = replica")
            numbers = iter(range(1, len(values) + 1))
            numbered = re.sub(r"\?", lambda _: f"${next(numbers)}", sql)
            rows = await connection.fetch(numbered, *values)
            return [tuple(row) for row in rows]
        finally:
            await connection.close()

    return _elsewhere(run())


def change(url: str, sql: str, *values: object) -> int:
    """Run one statement as `execute`; return how many rows it touched."""
    counted = execute(
        url, f"WITH touched AS ({sql} RETURNING 1) SELECT count(*) FROM touched", *values
    )
    found: int = counted[0][0]
    return found


def _elsewhere(work: Coroutine[Any, Any, list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """Run to the end, also where an event loop is running already."""
    answer: list[list[tuple[Any, ...]]] = []
    trouble: list[Exception] = []

    def run() -> None:
        try:
            answer.append(asyncio.run(work))
        except Exception as e:  # noqa: BLE001 - handed over to the other thread
            trouble.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    with contextlib.suppress(IndexError):
        raise trouble[0]
    return answer[0]
