"""Options that many commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:  # reads configuration and keys, which a stranger's file needs none of
    from node.home import Home

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, allow_dash=True)
FOLDER = click.Path(path_type=Path)


def json_option(command: F) -> F:
    """Add `--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document, for programs."
    )(command)


def home_option(command: F) -> F:
    """Add `--data-dir`; the command gets a `home` that is there."""
    return _data_dir(_require_home)(command)


def own_home_option(command: F) -> F:
    """Add `--data-dir`; the command gets a `home`, or None where none was named."""
    return _data_dir(_find_home)(command)


def office_option(command: F) -> F:
    """Add `--dir`; the command gets the `folder` of a trust pack's office."""
    return click.option(
        "--dir",
        "folder",
        type=FOLDER,
        metavar="DIR",
        default=Path(),
        help="The office's folder; else the one you are in.",
    )(command)


def passphrase_option(command: F) -> F:
    """Add `--passphrase-file`."""
    return click.option(
        "--passphrase-file",
        type=FILE,
        metavar="FILE",
        help="Read the passphrase from FILE, not from PATUNAY_PASSPHRASE or a prompt.",
    )(command)


def token_option(command: F) -> F:
    """Add `--token-file`."""
    return click.option(
        "--token-file",
        type=FILE,
        metavar="FILE",
        help="Act with the token in FILE (or in PATUNAY_TOKEN), not as this user.",
    )(command)


def _data_dir(callback: "Callable[..., Home | None]") -> Callable[[F], F]:
    return click.option(
        "--data-dir",
        "home",
        type=FOLDER,
        metavar="DIR",
        callback=callback,
        help="The node's data directory, instead of PATUNAY_HOME.",
    )


def _find_home(
    context: click.Context, _option: click.Parameter, value: Path | None
) -> "Home | None":
    chosen = value or context.find_root().params.get("data_dir")
    if chosen is None:
        return None
    from node.home import Home  # noqa: PLC0415 - see above

    return Home.open(chosen)


def _require_home(
    context: click.Context, option: click.Parameter, value: Path | None
) -> "Home":
    home = _find_home(context, option, value)
    if home is None:
        from node.home import HomeMissing  # noqa: PLC0415 - see above

        raise HomeMissing(
            "found no data directory, want one named",
            hint="add --data-dir DIR or set PATUNAY_HOME; `patunay init` creates a node",
        )
    return home
