"""Which addresses a program has talked to, as strace saw it."""

import ipaddress
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.support.components import require

_CALL = re.compile(r"(?:connect|sendto|sendmsg|sendmmsg)\(.*sa_family=AF_INET6?,")
_PORT = re.compile(r"sin6?_port=htons\(([0-9]+)\)")
_ADDRESS = re.compile(r'(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]+)"')


class Peer(NamedTuple):
    """Where a call went, whatever came of it."""

    address: str
    """As `ipaddress` writes it."""

    port: int


def watch(
    *command: str, trace: Path, timeout_seconds: float = 120
) -> tuple[str, list[Peer]]:
    """Run a Python program under strace; return what it prints and whom it talked to.

    A call that is started in vain counts as well: that nobody answered is no merit of
    the caller.
    """
    calls = "connect,sendto,sendmsg,sendmmsg"
    done = subprocess.run(
        [
            *(str(require("strace")), "-f", "-s", "0", "-e", f"trace={calls}"),
            *("-e", "signal=none", "-o", str(trace), sys.executable, *command),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
    )
    return done.stdout, parse_trace(trace.read_text())


def parse_trace(trace: str) -> list[Peer]:
    """Return the peers in strace's output, in the order of the calls.

    Raises:
        ValueError: A call to an address that cannot be read: it must not go unseen.
    """
    peers = []
    for line in trace.splitlines():
        if _CALL.search(line) is None:
            continue
        port, address = _PORT.search(line), _ADDRESS.search(line)
        if port is None or address is None:
            raise ValueError(f"cannot read the address in {line!r}")
        peers.append(Peer(str(ipaddress.ip_address(address[1])), int(port[1])))
    return peers
