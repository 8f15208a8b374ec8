"""`make image-rehearsal`: build the image and run its services, without Docker. Root.

The steps of the Dockerfile are run as they stand, in an overlay above this machine's own
system, and then every service of compose.yaml with its own variables, command and check:
two nodes of that image as user 10001 on a root that cannot be written, without rights;
PostgreSQL, Kubo and anvil as they are installed here. Exit code 1 where something of it
does not hold.
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.docker.rehearsal.image import Image, mount
from tests.docker.rehearsal.services import (
    WITNESS_PORT,
    Nodes,
    Running,
    ask_chain,
    deploy,
    read_compose,
    start_chain,
    start_database,
    start_kubo,
    write_secret,
)

CLONE_NEWNET = 0x4000_0000
"""Of linux/sched.h."""

GIVEN = {
    "PATUNAY_INIT_DOMAIN": "node.example.edu.ph",
    "PATUNAY_INIT_NAME": "Rehearsal",
    "PATUNAY_INIT_CHAIN": "http://chain:8545",
    "PATUNAY_INIT_WITNESS_DOMAIN": "witness.example.edu.ph",
}


def main() -> int:
    """Go into namespaces of its own, then do it all."""
    if os.geteuid() != 0:
        sys.stderr.write("building in an overlay needs root, on Linux: run this as root\n")
        return 1
    if sys.argv[1:] != ["--inside"]:
        here = [sys.executable, "-m", "tests.docker.rehearsal", "--inside"]
        return subprocess.run(["unshare", "--mount", *here], check=False).returncode
    with tempfile.TemporaryDirectory(prefix="patunay-image-") as name:
        folder = Path(name)
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
        try:
            image = Image(folder)
            _leave_the_network()
            _rehearse(image, folder)
        finally:
            subprocess.run(["umount", "--recursive", "--lazy", name], check=False)
    return 0


def _leave_the_network() -> None:
    """Have an interface of one's own, so that all ports are free and nothing goes out."""
    libc = ctypes.CDLL(None, use_errno=True)  # Python has it from 3.12 on
    if libc.unshare(CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def _rehearse(image: Image, folder: Path) -> None:
    secrets = {
        "patunay_passphrase": write_secret(folder / "passphrase", "four words of nobody"),
        "database_password": write_secret(folder / "password", "five: words\\ of nobody"),
    }
    files = {f"{name.upper()}_FILE": str(file) for name, file in secrets.items()}
    files["PATUNAY_DATABASE_PASSWORD_FILE"] = files.pop("DATABASE_PASSWORD_FILE")
    given = {**GIVEN, **files}
    services = read_compose(given)["services"]
    nodes = Nodes(image, folder / "containers", secrets)
    with ExitStack() as stack:

        def started(running: Running) -> Running:
            stack.callback(running.stop)
            running.wait()
            return running

        database = services["database"]
        password = secrets["database_password"]
        started(start_database(database, folder / "database", password))
        chain = started(start_chain(services["chain"]))
        url = chain.check[-2]
        given["PATUNAY_INIT_CONTRACT"] = deploy(url)
        services = read_compose(given)["services"]
        node = started(nodes.start("node", services["node"]))
        started(start_kubo(services["ipfs"], folder / "ipfs"))
        witness = started(
            nodes.start("witness", services["witness"], "--port", WITNESS_PORT)
        )
        keys = json.loads(_ask(node, "patunay", "key", "list", "--json"))["keys"]
        (account,) = [key["public"] for key in keys if key["id"] == "evm"]
        ask_chain(url, "anvil_setBalance", account, hex(10**18))
        for container in (node, witness):
            _ask(container, "patunay", "anchor", "now", "--timeout", "60")
            _ask(container, "patunay", "anchor", "status")
            _ask(container, "patunay", "fsck")
            _refuse(container, "touch", "/app/x")
            _refuse(container, "touch", "/usr/local/bin/x")
        settings = _ask(node, "cat", "/data/node/patunay.toml").splitlines()
        for wanted in (
            "workers = 2",
            'ipfs_api = "http://127.0.0.1:5001"',
            'url = "http://chain:8545"',
        ):
            if wanted not in settings:
                raise RuntimeError(f"found no {wanted} in the configuration")


def _ask(container: Running, *command: str) -> str:
    done = container.run(*command)
    sys.stdout.write(f"{container.name}: {' '.join(command)}: {done.returncode}\n")
    if done.returncode != 0:
        raise RuntimeError(done.stdout[-1000:] + done.stderr[-1000:])
    return done.stdout


def _refuse(container: Running, *command: str) -> None:
    if container.run(*command).returncode == 0:
        raise RuntimeError(f"{container.name} could do {command}")


if __name__ == "__main__":
    sys.exit(main())
