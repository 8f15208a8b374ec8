"""What holds for every command: help, exit codes, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from cli.root import COMMANDS, root
from node.home import Home
from primitives.canonical_json import canonicalize
from tests.support.command_line import assert_refused, run, run_json
from tests.support.credentials_support import signed

HEAVY = ("web3", "aiohttp", "sqlalchemy", "rich", "alembic", "pyld", "eth_utils", "babel")
NOT_FOR_A_FILE = (
    *("asyncio", "ssl", "socket", "tempfile", "tomllib", "importlib.resources"),
    *("node.home", "node.own_node", "did.keystore", "anchoring.car"),
)
"""What a stranger's credential, verified offline, has no use for."""

PROBE = f"""
import sys
from cli.root import root
try:
    root.main(sys.argv[1:])
except SystemExit as end:
    print(end.code, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
OFFLINE_PROBE = PROBE.replace(repr(HEAVY), repr((*HEAVY, *NOT_FOR_A_FILE)))


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(click.Context(command)):
        inner = command.get_command(click.Context(command), name)
        assert inner is not None
        yield from leaves(inner, f"{path} {name}".strip())


LEAVES = dict(leaves(root, ""))


@contextmanager
def process(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process of its own, which never outlives the test."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PATUNAY_")}
    with subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean,
        start_new_session=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_command_itself_says(name: str) -> None:
    assert COMMANDS[name].summary == COMMANDS[name].load().get_short_help_str(limit=100)


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_explains_itself_with_an_example(path: str) -> None:
    result = run(*path.split(), "--help")
    assert result.exit_code == 0
    assert f"Example: patunay {path}" in " ".join(result.stdout.split()).replace(
        "--data-dir /srv/patunay ", ""
    )
    assert all(
        option.help for option in LEAVES[path].params if isinstance(option, click.Option)
    )


# The demonstration is for people to watch.
@pytest.mark.parametrize("path", sorted(LEAVES.keys() - {"demo"}))
def test_every_command_has_json(path: str) -> None:
    assert any("--json" in option.opts for option in LEAVES[path].params)


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == "0 []\n"


def test_verifying_a_strangers_credential_beside_the_own_node_imports_nothing_heavy(
    shared_home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(canonicalize(signed()))
    arguments = ["--data-dir", str(shared_home.root), "verify", "--offline", str(file)]
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == "3 []\n"
    assert "outcome: undetermined" in done.stdout


@pytest.mark.parametrize(
    ("is_presentation", "end"), [(False, 3), (True, 1)], ids=["credential", "presentation"]
)
def test_verifying_a_file_offline_imports_not_even_an_event_loop(
    is_presentation: bool, end: int, tmp_path: Path
) -> None:
    document = signed()  # by a did:web, whose document cannot be had
    if is_presentation:  # without proof
        document = {
            "@context": document["@context"],
            "type": ["VerifiablePresentation"],
            "verifiableCredential": [document],
        }
    file = tmp_path / "a.json"
    file.write_bytes(canonicalize(document))
    command = [sys.executable, "-c", OFFLINE_PROBE, "verify", "--offline", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == f"{end} []"
    assert "outcome: " in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["verify"], ["verify", "--nonsense", "x"], ["issuer", "add", "x"]],
    ids=" ".join,
)
def test_a_command_line_that_is_not_understood_ends_with_2(arguments: list[str]) -> None:
    assert_refused(run(*arguments), "usage", exit_code=2)


def test_errors_are_json_too() -> None:
    result = run("verify", "nothing-here.json", "--json")
    assert json.loads(result.stdout) == {
        "version": 1,
        "error": {
            "code": "file-not-found",
            "detail": "found no file nothing-here.json",
            "hint": "check the spelling, and the folder that you are in",
        },
    }
    assert_refused(result, "file-not-found", exit_code=2)


NEED_A_NODE = {
    "serve": (),
    "unseal": (),
    "issuer add": ("x", "--name", "X"),
    "issuer list": (),
    "did list": (),
    "did show": (),
    "key list": (),
    "key rotate": (),
    "key compromised": ("main.credential", "--since", "2026-01-01T00:00:00Z"),
    "key who-signed": ("main.credential",),
    "template add": ("t.json",),
    "template list": (),
    "template show": ("t",),
    "template retire": ("t",),
    "issue": ("--template", "t", "l.csv"),
    "credential show": ("x",),
    "batch list": (),
    "batch show": ("x",),
    "batch approve": ("x",),
    "batch reject": ("x", "--reason", "y"),
    "batch cancel": ("x",),
    "webhook add": ("https://a.example", "--event", "log.anchored"),
    "webhook list": (),
    "webhook remove": ("x",),
    "webhook deliveries": ("x",),
    "webhook retry": ("x", "1"),
    "credential revoke": ("x", "--reason", "y"),
    "credential suspend": ("x", "--reason", "y"),
    "credential reinstate": ("x", "--reason", "y"),
    "status show": (),
    "anchor export": (),
    "anchor stamp": (),
    "anchor estimate": (),
    "anchor move": ("--chain", "http://127.0.0.1:9"),
    "anchor now": (),
    "anchor status": (),
    "chain account export": ("-o", "x"),
    "chain account import": ("x",),
    "chain balance": (),
    "chain deploy": (),
    "chain register": ("x",),
    "chain estimate": (),
    "receipt": ("00000000-0000-4000-8000-000000000000",),
    "token create": ("x", "--role", "signer"),
    "token revoke": ("x",),
    "token list": (),
    "audit-log show": (),
    "backup": ("x",),
    "reconcile": (),
    "config show": (),
    "doctor": (),
    "config check": (),
    "audit-log check": (),
    "fsck": (),
}


def test_every_command_but_those_for_strangers_needs_a_node() -> None:
    strangers = {
        "verify",
        "did resolve",
        "audit",
        "check-split",
        "check-stamp",
        "presentation sign",
        "chain presets",
        "bundle",
    }
    offices = {path for path in LEAVES if path.startswith("trust ")}
    assert (
        LEAVES.keys() - NEED_A_NODE.keys()
        == {"demo", "init", "restore"} | strangers | offices
    )


@pytest.mark.parametrize("path", NEED_A_NODE)
def test_without_a_data_directory_it_says_so(path: str) -> None:
    result = run(*path.split(), *NEED_A_NODE[path])
    assert_refused(result, "node-directory-missing", exit_code=4)


@pytest.mark.parametrize("path", [*NEED_A_NODE, "verify"])
def test_a_data_directory_that_is_none_is_named(path: str, tmp_path: Path) -> None:
    result = run(*path.split(), *NEED_A_NODE.get(path, ("x",)), home=tmp_path)
    assert_refused(result, "node-directory-missing", exit_code=4)
    assert str(tmp_path) in result.stderr


def test_the_data_directory_is_taken_from_the_nearest_place(
    shared_home: Home, tmp_path: Path
) -> None:
    good, bad = shared_home.root, tmp_path
    assert run("did", "list", home=good).exit_code == 0
    assert run("--data-dir", good, "did", "list", home=bad).exit_code == 0
    assert run("--data-dir", bad, "did", "list", "--data-dir", good).exit_code == 0
    assert run("did", "list", "--data-dir", bad, home=good).exit_code == 4


def test_a_damaged_configuration_is_refused(home: Home) -> None:
    home.config_file.write_text("domain = 7\n", encoding="utf-8")
    assert_refused(run("did", "list", home=home.root), "config-invalid", exit_code=4)


def test_a_key_store_that_is_gone_is_no_traceback(home: Home) -> None:
    home.keystore_file.unlink()
    assert_refused(run("key", "list", home=home.root), "storage-failed", exit_code=3)


def test_ctrl_c_ends_with_130_and_one_line() -> None:
    with process("verify", "-") as running:
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        output, words = running.communicate(timeout=20)
    assert (running.returncode, output, words) == (130, "", "patunay: interrupted\n")


def test_ctrl_c_is_heard_in_the_middle_of_many_files(
    shared_home: Home, credential: Path, tmp_path: Path
) -> None:
    for number in range(10_000):
        (tmp_path / f"{number}.json").symlink_to(credential)
    with process("--data-dir", shared_home.root, "verify", tmp_path) as running:
        _await_cpu(running.pid, seconds=1.5)  # past its start, in the middle of the files
        running.send_signal(signal.SIGINT)
        output, words = running.communicate(timeout=10)
    assert (running.returncode, output, words) == (130, "", "patunay: interrupted\n")


def _await_cpu(pid: int, *, seconds: float) -> None:
    """Wait until a process has used so much of a processor, which others cannot hurry."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2].split()
        if int(stat[11]) + int(stat[12]) >= seconds * os.sysconf("SC_CLK_TCK"):
            return
        time.sleep(0.02)


def test_a_reader_that_goes_away_is_no_error(shared_home: Home) -> None:
    arguments = ("--data-dir", shared_home.root, "verify", shared_home.issued)
    with process(*arguments) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
        assert running.wait(20) == 141


def test_a_full_disk_behind_standard_output_is_named(credential: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [
                *(sys.executable, "-c", "from cli.main import main; main()"),
                *("verify", "--offline", str(credential)),
            ],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr.splitlines()[0] == (
        "patunay: error: no space left to write standard output (disk-full)"
    )
    assert done.returncode == 4


def test_version() -> None:
    assert run("--version").stdout == "patunay, version 0.1.0\n"


def test_json_output_is_one_document(shared_home: Home) -> None:
    assert run_json("issuer", "list", home=shared_home.root)["issuers"][0]["slug"] == "main"
