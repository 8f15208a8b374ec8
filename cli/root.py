"""The command `patunay`: which commands there are, and how each of them ends.

A command's module is imported when that command runs. `patunay verify` would otherwise
wait for the database, the web server and the chain before it reads its file.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import click

from cli.output import Exit, exit_code, print_error, say_note
from primitives.errors import Malformed, Misconfigured, PatunayError


class Lazy(NamedTuple):
    """A command that is not imported yet."""

    place: str
    """`module:name`."""

    summary: str
    """What `patunay --help` says of it; a test compares the two."""

    def load(self) -> click.Command:
        """Import it."""
        module, _, name = self.place.partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.place} is no command")
        return command


COMMANDS: Final[Mapping[str, Lazy]] = {
    "demo": Lazy("cli.demo:demo", "Show everything once, on this machine alone."),
    "init": Lazy("cli.setting_up:init", "Create a node in the new directory DIR."),
    "config": Lazy("cli.config:config", "The settings of this node."),
    "backup": Lazy(
        "cli.backing_up:backup",
        "Write everything that the node cannot make again to FILE, encrypted.",
    ),
    "restore": Lazy(
        "cli.backing_up:restore",
        "Make the node of the backup FILE in the new directory DIR.",
    ),
    "reconcile": Lazy(
        "cli.backing_up:reconcile_command",
        "Find out what a restored node published after its backup; let it sign again.",
    ),
    "serve": Lazy("cli.serving:serve", "Run the node until Ctrl-C."),
    "unseal": Lazy("cli.serving:unseal", "Give the running daemon its passphrase."),
    "issuer": Lazy("cli.identities:issuer", "The identities that this node signs for."),
    "did": Lazy("cli.identities:did", "Look at DIDs and their documents."),
    "key": Lazy("cli.identities:key", "The node's keys."),
    "template": Lazy("cli.issuing:template", "What credentials are made from."),
    "issue": Lazy("cli.issuing:issue", "Issue a credential for each learner in FILE."),
    "batch": Lazy("cli.batches:batch", "Credentials that were drafted together."),
    "credential": Lazy("cli.credentials:credential", "Revoke or suspend what was issued."),
    "status": Lazy("cli.credentials:status", "The status lists that this node publishes."),
    "anchor": Lazy("cli.anchors:anchor", "Public evidence of time for the log."),
    "chain": Lazy("cli.chains:chain", "The contract that anchors go to."),
    "receipt": Lazy("cli.receipts:receipt", "Print the receipt of credential ID."),
    "verify": Lazy("cli.verifying:verify", "Check credentials: FILE, folders, or -."),
    "bundle": Lazy(
        "cli.bundling:bundle",
        "Write credentials with all their evidence, to be verified without a network.",
    ),
    "trust": Lazy(
        "cli.trusting:trust", "Trust packs: what an office knows of many issuers."
    ),
    "audit": Lazy(
        "cli.auditing:audit", "Check a provider's whole history, as a stranger does."
    ),
    "check-split": Lazy(
        "cli.auditing:check_split", "Check a file that accuses a log of two histories."
    ),
    "check-stamp": Lazy(
        "cli.stamp_checking:check_stamp", "Check an OpenTimestamps stamp of a checkpoint."
    ),
    "presentation": Lazy(
        "cli.presenting:presentation", "What a holder shows of its credentials."
    ),
    "webhook": Lazy("cli.webhooks:webhook", "Addresses that are told of what happens."),
    "token": Lazy("cli.tokens:token", "Access tokens for programs and people."),
    "audit-log": Lazy("cli.audit_log:audit_log", "Who did what at this node, and when."),
    "doctor": Lazy(
        "cli.doctor:doctor", "Look at all that the node needs, and say what to do."
    ),
    "fsck": Lazy("cli.checking:fsck", "Check everything the node has stored."),
}


class Root(click.Group):
    """`patunay` itself: finds commands late, and turns every error into an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command, in the order in which a new node meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        found = COMMANDS.get(cmd_name)
        return found.load() if found is not None else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in COMMANDS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run, and end the process; a bug still ends in a traceback, on purpose."""
        del standalone_mode  # click would choose other words and exit codes
        given = list(sys.argv[1:] if args is None else args)
        as_json = "--json" in given
        name = prog_name or "patunay"
        try:
            code = super().main(given, name, complete_var, standalone_mode=False, **extra)
            sys.stdout.flush()
        except PatunayError as e:
            _end_with(e, as_json=as_json)
        except click.ClickException as e:
            _end_with(_usage_error(e), as_json=as_json)
        except (click.Abort, KeyboardInterrupt):
            say_note("interrupted")
            sys.exit(Exit.INTERRUPTED)
        except OSError as e:
            _end_with(_file_error(e), as_json=as_json)
        except ModuleNotFoundError as e:
            _end_with(_missing_package(e), as_json=as_json)
        sys.exit(code if isinstance(code, int) else Exit.VALID)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; end quietly where the reader of its output has gone away."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.Abort from None
        except BrokenPipeError:
            _forget_output()
            sys.exit(Exit.PIPE_CLOSED)


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 92},
    epilog="Example: patunay verify diploma.json",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    envvar="PATUNAY_HOME",
    metavar="DIR",
    help="The node's data directory (or set PATUNAY_HOME).",
)
@click.version_option(package_name="patunay", prog_name="patunay")
def root(data_dir: Path | None) -> None:
    """Issue, anchor and check credentials of learning.

    `patunay COMMAND --help` explains a command. Exit codes: 0 valid or done, 1 rejected, 2
    not understood, 3 could not be determined, 4 set up wrongly.
    """
    del data_dir  # the commands read it from the context


class CommandLineMalformed(Malformed):
    """The command line itself was not understood."""

    code = "usage"


class PackageMissing(Misconfigured):
    """The command needs a package that this installation was made without."""

    code = "package-missing"
    hint = "the offline kit verifies alone; install patunay in full for the other commands"


_OWN: Final = ("primitives", "contracts", "did", "anchoring", "credentials", "node", "cli")


def _missing_package(error: ModuleNotFoundError) -> PatunayError:
    """Return `error` with a code where the package is another's; else it is a bug."""
    package = (error.name or "").partition(".")[0]
    if not package or package in _OWN:
        raise error
    return PackageMissing(f"found no package {package}, which this command needs")


def _usage_error(error: click.ClickException) -> PatunayError:
    text = error.format_message().rstrip(".")
    text = text[:1].lower() + text[1:]
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context is not None else "patunay"
    return CommandLineMalformed(text, hint=f"`{path} --help` explains it")


def _file_error(error: OSError) -> PatunayError:
    """Return `error` with a code where it is about a file; else it is a bug."""
    from cli.files import DiskFull, file_error  # noqa: PLC0415 - help needs no files

    if error.filename is not None:
        return file_error(error, os.fsdecode(error.filename))
    typed = file_error(error, "standard output")
    if isinstance(typed, DiskFull):
        _forget_output()
        return typed
    raise error


def _end_with(error: PatunayError, *, as_json: bool) -> NoReturn:
    try:
        print_error(error, as_json=as_json)
    except OSError:
        # Nobody can be told where the output is closed or full: the exit code is left.
        _forget_output()
    sys.exit(exit_code(error))


def _forget_output() -> None:
    """Let the interpreter's own last flush go nowhere, instead of failing once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
