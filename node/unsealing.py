"""Giving a running daemon its passphrase, over a Unix socket in the data directory.

A node that starts without passphrase is sealed: it verifies and serves its files, and signs
nothing. The socket is there only as long as that lasts. Its mode is 0600, in a directory
of mode 0700: who may connect is who may read the key file. The passphrase never goes over
HTTP, where a proxy could see it.

    client: the passphrase, then the end of its side
    daemon: one line, `unsealed` or the code of an error
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from did.keystore import MAX_PASSPHRASE_BYTES
from node.audit_log import record
from node.home import Home
from node.node import Node, NodeSealed
from node.permissions import Action
from primitives.errors import Misconfigured, PatunayError

SOCKET_NAME: Final = "unseal.sock"

UNSEALED: Final = "unsealed"

READ_SECONDS: Final = 10.0
"""How long a client may take to say its passphrase."""

ANSWER_SECONDS: Final = 60
"""How long the daemon may take: argon2id wants a second of a fast machine."""

_MAX_ANSWER_BYTES: Final = 256
_PRIVATE: Final = 0o600


class NotSealed(Misconfigured):
    """No daemon of this node waits for a passphrase."""

    code = "daemon-not-sealed"
    hint = "start it with `patunay serve --sealed`; /healthz says whether it is sealed"


class UnsealRefused(Misconfigured):
    """The daemon did not take the passphrase."""

    code = "unseal-refused"
    hint = "check the passphrase; the daemon's own messages say more"


def _nobody(passphrase: bytes) -> None:
    del passphrase


@asynccontextmanager
async def accepting_passphrase(
    node: Node, told: Callable[[bytes], None] = _nobody
) -> AsyncIterator[asyncio.Event]:
    """Listen for the passphrase of a sealed node; gives what is set once it was right.

    Whoever is `told` gets the passphrase that was right. The caller holds the node
    (`Home.hold`), so a socket that is there is nobody's.
    """
    unsealed = asyncio.Event()
    one_at_a_time = asyncio.Lock()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with one_at_a_time:
                said = await _try(node, reader, told)
            writer.write(said.encode() + b"\n")
            await writer.drain()
        except (TimeoutError, ConnectionError):
            return  # whoever connects and says nothing gets no answer
        finally:
            writer.close()
            if node.unlocked is not None:
                unsealed.set()

    path = node.home.root / SOCKET_NAME
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Linux gives the new file this mode: there is no moment at which others could connect.
    os.fchmod(listening.fileno(), _PRIVATE)
    with _short_name(path) as name:
        listening.bind(name)
    server = await asyncio.start_unix_server(
        answer, sock=listening, limit=MAX_PASSPHRASE_BYTES + 1
    )
    try:
        yield unsealed
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def _try(
    node: Node, reader: asyncio.StreamReader, told: Callable[[bytes], None]
) -> str:
    async with asyncio.timeout(READ_SECONDS):
        passphrase = await reader.read(MAX_PASSPHRASE_BYTES + 1)
        while more := await reader.read(MAX_PASSPHRASE_BYTES + 1):
            passphrase = (passphrase + more)[: MAX_PASSPHRASE_BYTES + 1]
    try:
        await node.unseal(passphrase)
        async with node.writing() as c:
            await record(c, node, Action.SETTINGS, facts={"change": "unseal"})
    except PatunayError as e:
        return e.code
    told(passphrase)
    return UNSEALED


def refuse_if_sealed(home: Home) -> None:
    """Return unless a sealed daemon runs on `home`: what it is asked for would wait.

    Raises:
        NodeSealed: One does.
    """
    if home.is_held() and (home.root / SOCKET_NAME).exists():
        raise NodeSealed(f"the daemon of {home.root} is sealed, so its anchoring waits")


def send_passphrase(home: Home, passphrase: bytes) -> None:
    """Unseal the daemon of `home`.

    Raises:
        NotSealed: None runs, or it is not sealed.
        UnsealRefused: It does not take the passphrase.
    """
    path = home.root / SOCKET_NAME
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_SECONDS)
        try:
            with _short_name(path) as name:
                connection.connect(name)
        except (FileNotFoundError, ConnectionRefusedError) as e:
            raise NotSealed(f"no sealed daemon runs on {home.root}") from e
        try:
            connection.sendall(passphrase)
            connection.shutdown(socket.SHUT_WR)
            said = connection.makefile("rb").readline(_MAX_ANSWER_BYTES).decode().strip()
        except OSError as e:
            raise UnsealRefused(f"the daemon gave no answer: {e}") from e
    if said != UNSEALED:
        raise UnsealRefused(f"found {said or 'no answer'}, want {UNSEALED}")


@contextmanager
def _short_name(path: Path) -> Iterator[str]:
    """Give a name for `path` that fits into the 108 bytes of a socket's address."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
