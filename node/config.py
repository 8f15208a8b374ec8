"""The node's configuration: one TOML file, `patunay.toml` in the data directory.

The comments on these fields are the manual: docs/configuration.md repeats them, and a test
fails when a setting is missing there.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from anchoring.note import VerifierKey
from did.web import DidWeb
from node.chain_presets import chain_presets
from node.config_checks import (
    MAX_PORT,
    ConfigInvalid,
    require_hosts,
    require_known,
    require_loopback,
    require_origins,
    require_range,
    require_types,
)
from node.config_tables import (
    TABLES,
    BatchConfig,
    ChainConfig,
    DatabaseConfig,
    HsmConfig,
    LimitsConfig,
    LogConfig,
    MetricsConfig,
    ServeConfig,
    TracingConfig,
)
from node.hosts import OwnHosts
from node.peers import WitnessPeer, parse_calendars, parse_logs, parse_witnesses
from primitives.errors import PatunayError


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that a node needs to know."""

    domain: str
    """Host name under which the node is reached, with `:port` where it is not 443."""

    public_url: str = ""
    """Where the node is reached from outside, without final slash; `https://` and the
    domain where empty. The URLs in credentials begin with it, so it never changes."""

    did_method: str = "web"
    """`web` for did:web under the domain, or `key` for did:key."""

    listen_host: str = "127.0.0.1"
    """Address that the daemon listens on. Where strangers reach it, put a reverse proxy
    with TLS before it, or give it a certificate."""

    listen_port: int = 8460
    """Port that the daemon listens on."""

    allowed_hosts: str = ""
    """Names, besides the domain and this machine's own, that requests may be made under:
    `host` or `host:port`, separated by spaces."""

    cors_origins: str = ""
    """Origins, such as `https://portal.example`, whose pages may call the HTTP API from a
    browser, separated by spaces; empty allows none but the node's own pages."""

    tls_certificate_file: str = ""
    """PEM file of the certificate and those between it and its root, relative to the data
    directory. With it, the daemon speaks HTTPS and nothing else."""

    tls_key_file: str = ""
    """PEM file of the certificate's private key, relative to the data directory, without
    a passphrase, and closed to others."""

    database_file: str = "patunay.db"
    """SQLite file, relative to the data directory. Created by `patunay init` alone, so
    that a mistyped path cannot start an empty log."""

    ipfs_api: str = ""
    """Address of a Kubo node's RPC, such as `http://127.0.0.1:5001`, that anchor records
    are handed to; empty hands them to nobody. On the loopback interface: whoever reaches
    that address controls the Kubo node."""

    witnesses: str = ""
    """Witnesses that are asked to cosign this node's checkpoints, as `vkey@URL`, separated
    by spaces."""

    witnessed_logs: str = ""
    """Verifier keys of the logs whose checkpoints this node cosigns, separated by spaces;
    empty makes it no witness."""

    ots_calendars: str = ""
    """URLs of OpenTimestamps calendars that stamp this node's checkpoints, separated by
    spaces; empty asks nobody."""

    webhook_private_hosts: str = ""
    """Hosts that webhooks may lie at though their addresses are private, and that may be
    told without TLS: names or addresses, separated by spaces."""

    webhook_give_up_days: int = 3
    """Days after which an event that a webhook does not take is given up."""

    allow_loopback_http: bool = False
    """Whether DIDs and status lists at `localhost` may be read without TLS. For
    development alone: it lets a credential make this node call itself."""

    batch_approval: bool = False
    """Whether a batch is signed only after another person than who drafted it has approved
    it, and nothing is issued but in batches."""

    batch: BatchConfig = field(default_factory=BatchConfig)
    """See `BatchConfig`."""

    chain: ChainConfig = field(default_factory=ChainConfig)
    """See `ChainConfig`."""

    hsm: HsmConfig = field(default_factory=HsmConfig)
    """See `HsmConfig`."""

    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    """See `DatabaseConfig`."""

    serve: ServeConfig = field(default_factory=ServeConfig)
    """See `ServeConfig`."""

    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    """See `MetricsConfig`."""

    limits: LimitsConfig = field(default_factory=LimitsConfig)
    """See `LimitsConfig`."""

    log: LogConfig = field(default_factory=LogConfig)
    """See `LogConfig`."""

    tracing: TracingConfig = field(default_factory=TracingConfig)
    """See `TracingConfig`."""

    def __post_init__(self) -> None:
        """Check what one field alone does not show."""
        if self.did_method not in ("web", "key"):
            raise ConfigInvalid(f"did_method: found {self.did_method!r}, want web or key")
        require_range("listen_port", self.listen_port, 0, MAX_PORT)
        try:
            DidWeb.for_host(self.domain)
        except PatunayError as e:
            raise ConfigInvalid(f"domain: {e}") from e
        if self.public_url and not self.public_url.startswith(("https://", "http://")):
            raise ConfigInvalid(f"public_url: found {self.public_url!r}, want an HTTP URL")
        if bool(self.tls_certificate_file) != bool(self.tls_key_file):
            raise ConfigInvalid(
                "found one of tls_certificate_file and tls_key_file, want both or none"
            )
        if self.ipfs_api:
            require_loopback(self.ipfs_api)
        for name, parse in (
            ("witnesses", parse_witnesses),
            ("witnessed_logs", parse_logs),
            ("ots_calendars", parse_calendars),
        ):
            try:
                parse(getattr(self, name))
            except PatunayError as e:
                raise ConfigInvalid(f"{name}: {e}") from e
        require_hosts("allowed_hosts", self.allowed_hosts, port=True)
        require_origins(self.origins)
        require_hosts("webhook_private_hosts", self.webhook_private_hosts)
        require_range("webhook_give_up_days", self.webhook_give_up_days, 1, 30)

    @property
    def origins(self) -> frozenset[str]:
        """Return the origins of `cors_origins`."""
        return frozenset(self.cors_origins.split())

    @property
    def own_hosts(self) -> OwnHosts:
        """Return the hosts that the node answers to."""
        allowed = tuple(self.allowed_hosts.split())
        return OwnHosts(self.domain, self.base_url, self.listen_host, allowed)

    @property
    def peers(self) -> tuple[WitnessPeer, ...]:
        """Return the witnesses that are asked to cosign."""
        return parse_witnesses(self.witnesses)

    @property
    def calendars(self) -> tuple[str, ...]:
        """Return the calendars that are asked for stamps, without final slash."""
        return parse_calendars(self.ots_calendars)

    @property
    def logs(self) -> Mapping[str, VerifierKey]:
        """Return the keys of the logs that are witnessed, by origin."""
        return parse_logs(self.witnessed_logs)

    @property
    def base_url(self) -> str:
        """Return the public URL, without final slash."""
        return (self.public_url or f"https://{self.domain}").rstrip("/")

    @property
    def log_name(self) -> str:
        """Return the origin of the node's log."""
        return f"{self.domain}/log"

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read a configuration file.

        Raises:
            ConfigInvalid: Not TOML, or as `from_table`.
        """
        try:
            return cls.from_table(tomllib.loads(text))
        except tomllib.TOMLDecodeError as e:
            raise ConfigInvalid(f"not TOML: {e}") from e

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> Self:
        """Read what TOML made of a configuration file; takes the tables out of `table`.

        Raises:
            ConfigInvalid: An unknown or missing setting, a value of another type or out
                of range.
        """
        if "domain" not in table:
            raise ConfigInvalid("domain is missing")
        named = {
            name: _read(owner, table.pop(name, {}), f"{name}.")
            for name, owner in TABLES.items()
        }
        _apply_preset(named["chain"])
        require_known(table, {f.name for f in fields(cls)} - TABLES.keys(), "")
        require_types(table, cls, "")
        tables: dict[str, Any] = {
            name: TABLES[name](**settings) for name, settings in named.items()
        }
        return cls(**table, **tables)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the configuration file at `path`.

        Raises:
            ConfigInvalid: As `from_toml`, or it is not UTF-8.
        """
        try:
            return cls.from_toml(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as e:
            raise ConfigInvalid(f"{path.name}: byte {e.start} is not UTF-8") from e

    def to_toml(self) -> str:
        """Return the file that `from_toml` reads back as this."""
        tables = asdict(self)
        named = {name: tables.pop(name) for name in TABLES}
        return "\n".join(
            [
                "# See docs/configuration.md for what each setting means.",
                *_lines(tables),
                "",
                *(line for name in named for line in _table(name, named[name])),
            ]
        )


def _apply_preset(chain: dict[str, Any]) -> None:
    """Set what the preset knows and the file does not say."""
    preset = chain_presets().get(chain.get("preset", ""))
    if preset is not None:
        chain.setdefault("confirmations", preset.confirmations)
        chain.setdefault("final_depth", preset.final_depth)


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {_toml(value)}" for name, value in table.items()]


def _table(name: str, table: Mapping[str, Any]) -> list[str]:
    return [f"[{name}]", *_lines(table), ""]


def _toml(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    # TOML's basic strings are JSON's, but for one character that only JSON leaves alone.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _read(owner: type[Any], table: Any, prefix: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigInvalid(f"{prefix[:-1]} must be a table")
    require_known(table, {f.name for f in fields(owner)}, prefix)
    require_types(table, owner, prefix)
    return table
