"""Where each setting comes from: a variable of the environment, the file, or its default.

Every setting has a variable: `chain.url` is `PATUNAY_CHAIN_URL`, or the content of the file
that `PATUNAY_CHAIN_URL_FILE` names, so that what is secret need not stand in the
environment, which other programs of the same user can read.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from node.config import Config
from node.config_checks import ConfigInvalid, did_you_mean
from node.config_tables import TABLES
from primitives.errors import Misconfigured

PREFIX: Final = "PATUNAY_"
_FILE: Final = "_FILE"
_MAX_BYTES: Final = 64 * 1024

OTHERS: Final = frozenset(
    {
        "PATUNAY_HOME",
        "PATUNAY_PASSPHRASE",
        "PATUNAY_PASSPHRASE_FILE",
        "PATUNAY_ACCOUNT_PASSPHRASE",
        "PATUNAY_ACCOUNT_PASSPHRASE_FILE",
        "PATUNAY_TOKEN",
        "PATUNAY_TOKEN_FILE",
        "PATUNAY_HSM_PIN",
        "PATUNAY_FAILPOINT",
        "PATUNAY_PYTHON",
    }
)
"""Variables that are no settings."""

_FOREIGN: Final = (
    "PATUNAY_INIT_",
    "PATUNAY_KIT_",
    "PATUNAY_REQUIRE_",
    # What Kubernetes gives every container where a service is called patunay.
    "PATUNAY_SERVICE_",
    "PATUNAY_PORT",
)
"""What variables begin with that other programs read, or set."""


class VariableInvalid(Misconfigured):
    """A variable of the environment is no setting, or holds no value of its kind."""

    code = "config-variable-invalid"
    hint = "docs/configuration.md lists every setting and its variable"


@dataclass(frozen=True, slots=True)
class Layers:
    """A configuration, and where each of its settings comes from."""

    config: Config
    sources: Mapping[str, str]
    """By setting: the variable's name, `patunay.toml`, `preset` or `default`."""


def setting_types() -> dict[str, type[Any]]:
    """Return the type of each setting, by its name, such as `chain.url`."""
    found = {f.name: f.type for f in fields(Config) if f.name not in TABLES}
    for table, owner in TABLES.items():
        found |= {f"{table}.{f.name}": f.type for f in fields(owner)}
    return {name: kind for name, kind in found.items() if isinstance(kind, type)}


def variable_of(setting: str) -> str:
    """Return the name of a setting's variable."""
    return PREFIX + setting.upper().replace(".", "_")


def load_layers(path: Path, environment: Mapping[str, str]) -> Layers:
    """Read the configuration file at `path`, and what the environment sets instead.

    Raises:
        ConfigInvalid: As `Config.from_toml`, or it is not UTF-8.
        VariableInvalid: The environment holds what is no setting.
        OSError: A file cannot be read.
    """
    try:
        return read_layers(path.read_text(encoding="utf-8"), environment)
    except UnicodeDecodeError as e:
        raise ConfigInvalid(f"{path.name}: byte {e.start} is not UTF-8") from e


def read_layers(text: str, environment: Mapping[str, str]) -> Layers:
    """Return what a configuration file says, and what the environment sets instead.

    Raises:
        ConfigInvalid, VariableInvalid, OSError: As `load_layers`.
    """
    types = setting_types()
    given = _variables(environment, types)
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise ConfigInvalid(f"not TOML: {e}") from e
    sources = {name: "patunay.toml" for name in types if _has(table, name)}
    for name, (variable, value) in given.items():
        _set(table, name, value)
        sources[name] = variable
    config = Config.from_table(table)
    if config.chain.preset:
        for name in ("chain.confirmations", "chain.final_depth"):
            sources.setdefault(name, "preset")
    return Layers(config, {name: sources.get(name, "default") for name in types})


def with_environment(config: Config, environment: Mapping[str, str]) -> Config:
    """Return what is in force of a configuration that is still to be written.

    Raises:
        ConfigInvalid, VariableInvalid, OSError: As `load_layers`.
    """
    return read_layers(config.to_toml(), environment).config


def shown_values(config: Config) -> dict[str, str | int | bool]:
    """Return the value of each setting, without what could be a key to something.

    Of the URL of an endpoint, the path and the query: operators of chain nodes put their
    customers' keys there. Of that of a database, everything but server and name.
    """
    found: dict[str, str | int | bool] = {}
    for name in setting_types():
        table, _, key = name.rpartition(".")
        value = getattr(getattr(config, table) if table else config, key)
        found[name] = _masked(value) if name in _MASKED else value
    return found


_MASKED: Final = frozenset({"chain.url", "chain.other_urls", "database.url"})


def _masked(urls: str) -> str:
    return " ".join(_masked_url(url) for url in urls.split())


def _masked_url(url: str) -> str:
    """Return a URL without user, password, query, or a path that may be a key."""
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme.startswith("postgres"):
        return f"{parts.scheme}://{host}{parts.path}"
    hidden = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{host}{hidden}"


def _variables(
    environment: Mapping[str, str], types: Mapping[str, type[Any]]
) -> dict[str, tuple[str, str | int | bool]]:
    """Return variable and value of each setting that the environment sets."""
    by_variable = {variable_of(name): name for name in types}
    found: dict[str, tuple[str, str | int | bool]] = {}
    for variable, given in sorted(environment.items()):
        is_other = variable in OTHERS or variable.startswith(_FOREIGN)
        if not variable.startswith(PREFIX) or is_other:
            continue
        name, text = by_variable.get(variable), given
        if name is None:
            name = by_variable.get(variable.removesuffix(_FILE))
            if name is None or not variable.endswith(_FILE):
                hint = did_you_mean(variable, [*by_variable, *OTHERS])
                raise VariableInvalid(f"{variable} is not a setting{hint}")
            text = _content(variable, Path(given))
        if name in found:
            raise VariableInvalid(f"found {found[name][0]} and {variable}, want one")
        found[name] = (variable, _value(variable, text, types[name]))
    return found


def _content(variable: str, path: Path) -> str:
    raw = path.read_bytes()
    if len(raw) > _MAX_BYTES:
        raise VariableInvalid(f"{variable}: found {len(raw)} bytes, want {_MAX_BYTES}")
    try:
        return raw.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as e:
        raise VariableInvalid(f"{variable}: byte {e.start} is not UTF-8") from e


def _value(variable: str, text: str, kind: type[Any]) -> str | int | bool:
    """Return the value that a text spells, in TOML's own spelling of it."""
    if kind is bool:
        if text not in ("true", "false"):
            raise VariableInvalid(f"{variable}: found {text[:40]!r}, want true or false")
        return text == "true"
    if kind is int:
        is_number = text.isascii() and text.isdigit() and len(text) < 16  # noqa: PLR2004 - no setting is that large
        if not is_number:
            raise VariableInvalid(f"{variable}: found {text[:40]!r}, want a whole number")
        return int(text)
    return text


def _has(table: Mapping[str, Any], name: str) -> bool:
    outer, _, key = name.rpartition(".")
    inner = table.get(outer, {}) if outer else table
    return isinstance(inner, dict) and key in inner


def _set(table: dict[str, Any], name: str, value: object) -> None:
    outer, _, key = name.rpartition(".")
    inner = table.setdefault(outer, {}) if outer else table
    if isinstance(inner, dict):  # what is no table is refused when it is read
        inner[key] = value
