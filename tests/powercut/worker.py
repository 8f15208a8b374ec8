"""A node that works until its power is cut, and says what it has acknowledged.

python -m tests.powercut.worker     one line of JSON on standard input starts a node's
                                    process, the next line kills it; and so on

One process imports everything once and forks, so a start takes milliseconds. What a
child says is one line of JSON for each thing acknowledged: whoever asked for it may now
rely on it.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import event

from cli.files import file_error, write_whole
from node.batches import issue_rows
from node.daemon import serving
from node.disk import StorageFailed
from node.home import Home
from node.issuance import issue_document
from node.logbook import close_batch
from node.node import MAIN, Node
from node.rotation import rotate
from node.setup import add_issuer
from node.status import AlreadyRevoked, revoke
from node.storage.ledger import find_credential
from primitives.canonical_json import canonicalize
from primitives.clock import SystemClock
from primitives.errors import PatunayError
from primitives.hashing import sha256
from tests.support.credentials_support import unsigned
from tests.support.nodes import PASSPHRASE, learners, make_home_here, template

LEARNERS: Final = learners()


@dataclass
class Life:
    """One run of a node's process."""

    node: Node
    chance: Random
    tell: Callable[..., None]
    uuids: list[str] = field(default_factory=list)

    async def issue_file(self) -> None:
        """As `patunay issue` does: also writes each credential to `issued`."""
        first = self.chance.randrange(len(LEARNERS.rows) - 5)
        rows = LEARNERS.rows[first : first + self.chance.randint(1, 5)]
        file = replace(LEARNERS, rows=rows)
        report = await issue_rows(self.node, template(), file, MAIN)
        for name in [*report.issued, *report.earlier]:
            async with self.node.reading() as c:
                stored = await find_credential(c, name)
            assert stored is not None
            assert stored.document is not None
            self._tell_credential(name, stored.document.encode())
            path = self.node.home.issued / f"{name}.json"
            write_whole(path, stored.document.encode())
            self.tell("file", path.name, sha256(path.read_bytes()).hex())

    async def issue_one(self) -> None:
        """As `POST /credentials/issue` does."""
        name = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        document = unsigned(id=f"urn:uuid:{name}", issuer=..., credentialStatus=...)
        signed = await issue_document(self.node, document, None)
        self._tell_credential(name, canonicalize(signed))

    def _tell_credential(self, name: str, body: bytes) -> None:
        self.tell("credential", name, sha256(body).hex())
        self.uuids.append(name)

    async def close(self) -> None:
        made = await close_batch(self.node)
        if made is not None:
            self.tell("checkpoint", str(made.tree_size), made.note)

    async def revoke(self) -> None:
        if self.uuids:
            name = self.chance.choice(self.uuids)
            try:
                await revoke(self.node, name, "entered twice")
            except AlreadyRevoked:
                return
            self.tell("revoked", name)

    async def rotate(self) -> None:
        made = await rotate(self.node, MAIN)
        self.tell("key", made.key_id)

    async def add_issuer(self) -> None:
        slug = f"s{self.chance.getrandbits(40)}"
        await add_issuer(self.node, slug, "Another school")
        self.tell("issuer", slug)

    async def work(self, deeds: int) -> None:
        """Do one thing after another."""
        for _ in range(deeds):
            await self.chance.choice(self.deeds())()

    def deeds(self) -> list[Callable[[], Awaitable[None]]]:
        """Return what a node does, more often what it does more often."""
        return [
            *[self.issue_file] * 4,
            *[self.issue_one] * 4,
            *[self.close] * 5,
            *[self.revoke] * 4,
            self.rotate,
            self.add_issuer,
        ]


async def live(
    root: Path, seed: int, deeds: int, *, is_careless: bool, is_abrupt: bool
) -> None:
    """Make the node unless there is one, recover as the daemon does, and work.

    An abrupt one closes nothing when its disk fails: it only waits to be killed.
    """
    home = Home(root)
    if not home.config_file.is_file():
        shutil.rmtree(root, ignore_errors=True)
        await make_home_here(root)
        tell("created")
    with home.hold():
        async with Node.open(home, SystemClock(), PASSPHRASE) as node:
            if is_careless:
                event.listen(node.engine.sync_engine, "connect", _be_careless)
                await node.engine.dispose()
            async with serving(node, 0):
                tell("started")
                try:
                    await Life(node, Random(seed), tell).work(deeds)
                except StorageFailed as e:
                    if is_abrupt:
                        tell("stopped", e.code, str(e))
                        signal.pause()
                    raise


def _be_careless(connection: Any, _record: object) -> None:
    """For the control: the setting that is known to lose what was committed."""
    connection.execute("PRAGMA synchronous=NORMAL")


def tell(*words: str) -> None:
    """Say one line, at once and whole."""
    os.write(1, json.dumps(words).encode() + b"\n")


async def _warm_up() -> None:
    """Do each deed once: what the code loads at its first use, every child has."""
    with tempfile.TemporaryDirectory() as folder:
        home = await make_home_here(Path(folder) / "node")
        async with Node.open(home, SystemClock(), PASSPHRASE) as node, serving(node, 0):
            for deed in Life(node, Random(0), lambda *_: None).deeds():
                await deed()


def _child(order: dict[str, Any]) -> None:
    try:
        asyncio.run(
            live(
                Path(order["root"]),
                order["seed"],
                order["deeds"],
                is_careless=order["is_careless"],
                is_abrupt=order["is_abrupt"],
            )
        )
        tell("stopped", "done", "")
    except PatunayError as e:
        tell("stopped", e.code, str(e))
    except OSError as e:
        # As the command line tells it: an error that names no file would be a bug there.
        tell("stopped", file_error(e, "").code if e.filename else "bug", str(e))
    except BaseException as e:  # noqa: BLE001 - the parent decides what it means
        tell("stopped", "bug", repr(e))
    signal.pause()  # whoever has cut the power kills


def main() -> None:
    """Start a process and kill it, until there are no more orders."""
    asyncio.run(_warm_up())
    while order := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            _child(json.loads(order))
        sys.stdin.readline()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        tell("killed")


if __name__ == "__main__":
    main()
