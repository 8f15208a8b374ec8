"""`patunay config`."""

import os

import click

from cli.options import home_option, json_option
from cli.output import print_json, print_table, say, say_note
from node.config_layers import shown_values, variable_of
from node.home import Home
from node.storage.database import URL_VARIABLE


@click.group()
def config() -> None:
    """The settings of this node.

    They are in patunay.toml; each has a variable of the environment that comes first.
    """


@config.command("show", epilog="Example: patunay config show")
@home_option
@json_option
def show(*, home: Home, as_json: bool) -> None:
    """Show each setting in force, and where it comes from.

    What could be a key to something is left out: the path of an endpoint's address, and a
    database's user and password.
    """
    layers = home.layers()
    values = shown_values(layers.config)
    sources = dict(layers.sources)
    if not layers.config.database.url and os.environ.get(URL_VARIABLE):
        sources["database.url"] = URL_VARIABLE
    if as_json:
        found = [
            {"name": n, "value": v, "source": sources[n], "variable": variable_of(n)}
            for n, v in values.items()
        ]
        print_json({"version": 1, "settings": found})
        return
    rows = [(name, _spelt(value), sources[name]) for name, value in values.items()]
    print_table(("setting", "value", "from"), rows)


@config.command("check", epilog="Example: patunay config check")
@home_option
@json_option
def check(*, home: Home, as_json: bool) -> None:
    """Check that patunay.toml and the environment can be honoured.

    As every command does when it starts. `patunay doctor` looks at the rest.
    """
    layers = home.layers()
    given = [name for name, source in layers.sources.items() if source != "default"]
    if as_json:
        print_json({"version": 1, "valid": True, "given": given})
        return
    say("valid")
    say_note(f"{len(given)} settings are given, {len(layers.sources)} in all")


def _spelt(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
