"""The services of compose.yaml as processes: their own variables, commands and checks.

All are in one network of nothing but a loopback interface, which no other process of the
machine is on; so every name of a service is 127.0.0.1 and every port is free.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import yaml
from eth_utils.address import to_checksum_address

from contracts.artifact import load_artifact
from tests.docker.rehearsal.image import BASE_PATH, HOSTS, Image, mount
from tests.support.components import ROOT, require

COMPOSE: Final = ROOT / "docker" / "compose.yaml"
WITNESS_PORT: Final = "8461"
"""The port that is published for it: both nodes are on one interface here."""

_HEALTHY_SECONDS: Final = 120
_STOP_SECONDS: Final = 60

Variables = Mapping[str, str]


def read_compose(variables: Variables) -> dict[str, Any]:
    """Return the services, with variables filled in as Compose does."""

    def fill(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        found = variables.get(name, "")
        if not found and kind == ":?":
            raise ValueError(f"{name}: {rest}")
        return found or rest

    text = COMPOSE.read_text(encoding="utf-8")
    text = re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", fill, text)
    read: dict[str, Any] = yaml.safe_load(text)
    return read


@dataclass
class Running:
    """A service that was started."""

    name: str
    process: "subprocess.Popen[str]"
    check: Sequence[str]
    """The health check's own command, but for what stands in for a missing program."""

    around: "Sequence[str]"
    """What its commands are run by, so that they see what it sees."""

    variables: Variables

    def is_healthy(self) -> bool:
        """Run the health check."""
        return self.run(*self.check).returncode == 0

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Do what `docker compose exec` does."""
        return subprocess.run(
            [*self.around, *command],
            env=dict(self.variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=_HEALTHY_SECONDS,
        )

    def wait(self) -> None:
        """Return once it is healthy."""
        end = time.monotonic() + _HEALTHY_SECONDS
        while not self.is_healthy():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}")
            if time.monotonic() > end:
                said = self.run(*self.check)
                raise RuntimeError(f"{self.name} is not healthy: {said.stderr[-500:]}")
            time.sleep(0.5)
        sys.stdout.write(f"healthy  {self.name}: {' '.join(self.check)[:80]}\n")

    def stop(self) -> None:
        """Let it end as `docker compose stop` does."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(_STOP_SECONDS)
        sys.stdout.write(f"stopped  {self.name}: exit code {code}\n")
        if code not in (0, -signal.SIGTERM):
            raise RuntimeError(f"{self.name} ended with {code}")


class Nodes:
    """Containers of the image: a root that nobody can change, and what is mounted in it."""

    def __init__(self, image: Image, folder: Path, secrets: Mapping[str, Path]) -> None:
        self._image, self._folder, self._secrets = image, folder, secrets
        (image.layer.root / "run/secrets").mkdir(parents=True, exist_ok=True)
        (image.layer.root / "etc/hosts").write_text(HOSTS, encoding="utf-8")

    def start(self, name: str, service: Mapping[str, Any], *options: str) -> Running:
        """Start a service of the image."""
        root = self._folder / name / "root"
        root.mkdir(parents=True)
        below = f"{self._image.layer.changes}:/"
        mount("-t", "overlay", "-o", f"ro,lowerdir={below}", "overlay", root)
        mount("--rbind", "/dev", root / "dev")
        mount("-t", "proc", "proc", root / "proc")
        for place in ("data", "tmp", "run/secrets"):
            kept = self._folder / name / place.replace("/", "-")
            kept.mkdir(mode=0o700)
            shutil.chown(kept, int(self._image.user), int(self._image.user))
            mount("--bind", kept, root / place)
        for secret in service["secrets"]:
            copy = shutil.copy(self._secrets[secret], root / "run/secrets" / secret)
            shutil.chown(copy, int(self._image.user), int(self._image.user))
        variables = {
            **self._image.variables,
            # What is filled in with nothing is an empty text, and not YAML's null.
            **{k: str(v or "") for k, v in service["environment"].items()},
        }
        around = [
            *("chroot", str(root), "setpriv", f"--reuid={self._image.user}"),
            *(f"--regid={self._image.user}", "--clear-groups", "--no-new-privs"),
            *("--bounding-set=-all", "--inh-caps=-all"),
        ]
        command = [*around, *self._image.final.command(), *options]
        process = subprocess.Popen(command, env=variables, text=True)
        check = check_of(service)
        if options:
            check = [part.replace("8460", options[-1]) for part in check]
        return Running(name, process, check, around, variables)


def check_of(service: Mapping[str, Any]) -> list[str]:
    """Return the command of a health check."""
    return [str(part) for part in service["healthcheck"]["test"][1:]]


def start_database(service: Mapping[str, Any], folder: Path, password: Path) -> Running:
    """Do what the image of PostgreSQL does: make a cluster, a user and a database."""
    programs = require("postgres")
    given = service["environment"]
    folder.mkdir(parents=True)
    own = folder / "password"
    shutil.copy(password, own)
    for made in (folder, own):
        shutil.chown(made, "postgres", "postgres")
    around = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    variables = {"PATH": f"{programs}:{BASE_PATH}", "PGHOST": str(folder)}

    def run(*command: str) -> None:
        subprocess.run(
            [*around, *command],
            env=variables,
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )

    data, user = str(folder / "data"), given["POSTGRES_USER"]
    arguments = given["POSTGRES_INITDB_ARGS"].split()
    run("initdb", "-D", data, f"--username={user}", f"--pwfile={own}", *arguments)
    hba = folder / "data" / "pg_hba.conf"
    hba.write_text(f"{hba.read_text()}host all all all scram-sha-256\n")
    process = subprocess.Popen(
        [*around, "postgres", "-D", data, "-k", str(folder)],
        env=variables,
        text=True,
        stderr=(folder / "log").open("w"),
    )
    running = Running("database", process, check_of(service), around, variables)
    running.wait()
    if given["POSTGRES_DB"] != user:
        raise ValueError("found another name of the database than of its user")
    run("createdb", f"--username={user}", given["POSTGRES_DB"])
    return running


def start_chain(service: Mapping[str, Any]) -> Running:
    """Start anvil; `cast`, which its health check runs, is in no package for tests."""
    command = [str(require("anvil")), *service["command"]]
    process = subprocess.Popen(command, env={"PATH": BASE_PATH, "HOME": "/tmp"}, text=True)
    url = check_of(service)[-1]
    here = "from tests.docker.rehearsal.services import ask_chain"
    ask = f"import sys; {here}; ask_chain(*sys.argv[1:])"
    check = [sys.executable, "-c", ask, url, "eth_blockNumber"]
    return Running("chain", process, check, (), {"PATH": BASE_PATH})


def ask_chain(url: str, method: str, *parameters: object) -> Any:
    """Call anvil, which lets its first account spend without a key."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    asked = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(asked, timeout=10) as answer:
        return json.loads(answer.read())["result"]


def deploy(url: str) -> str:
    """Create the contract, as somebody does before the first start; return its name."""
    account = ask_chain(url, "eth_accounts")[0]
    data = "0x" + load_artifact().bytecode.hex()
    made = ask_chain(url, "eth_sendTransaction", {"from": account, "data": data})
    end = time.monotonic() + _HEALTHY_SECONDS
    while (receipt := ask_chain(url, "eth_getTransactionReceipt", made)) is None:
        if time.monotonic() > end:
            raise RuntimeError("the contract is in no block")
        time.sleep(0.5)
    number = int(ask_chain(url, "eth_chainId"), 16)
    return f"eip155:{number}:{to_checksum_address(receipt['contractAddress'])}"


def start_kubo(service: Mapping[str, Any], folder: Path) -> Running:
    """Do what the image of Kubo does: init with the profile, our script, the daemon."""
    program = require("kubo")
    variables = {
        "PATH": f"{program.parent}:{BASE_PATH}",
        "IPFS_PATH": str(folder),
        "HOME": str(folder),
    }
    scripts = [v.split(":")[0] for v in service["volumes"] if "container-init.d" in v]
    folder.mkdir(parents=True)
    profile = service["environment"]["IPFS_PROFILE"]
    for command in (
        ["ipfs", "init", f"--profile={profile}"],
        *([str(COMPOSE.parent / script)] for script in scripts),
    ):
        subprocess.run(command, env=variables, check=True, stdout=subprocess.DEVNULL)
    process = subprocess.Popen(
        ["ipfs", "daemon", "--migrate=true"],
        env=variables,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return Running("ipfs", process, check_of(service), (), variables)


def write_secret(file: Path, words: str) -> Path:
    """Write a file of one line for one user."""
    file.write_text(f"{words}\n", encoding="utf-8")
    file.chmod(0o400)
    return file
