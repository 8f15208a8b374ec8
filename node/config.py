"""The node's configuration: one TOML file, `patunay.toml` in the data directory.

The comments on these fields are the manual: docs/configuration.md repeats them, and a test
fails when a setting is missing there.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from anchoring.note import VerifierKey
from did.web import DidWeb
from node.chain_presets import chain_presets
from node.hosts import Authority, OwnHosts
from node.peers import WitnessPeer, parse_calendars, parse_logs, parse_witnesses
from primitives.errors import Misconfigured, PatunayError

_MAX_PORT: Final = 65_535

_ORIGIN: Final = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


class ConfigInvalid(Misconfigured):
    """The configuration file cannot be honoured as it stands."""

    code = "config-invalid"
    hint = "docs/configuration.md lists every setting"


class IpfsApiExposed(ConfigInvalid):
    """The RPC of the Kubo node is not on the loopback interface."""

    code = "ipfs-api-exposed"
    hint = "let Kubo's RPC listen on 127.0.0.1: whoever reaches it controls that node"


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """How issued credentials are gathered before they are anchored together."""

    period_seconds: int = 3600
    """Longest time that a credential waits in the queue before its batch is closed."""

    max_entries: int = 1000
    """Entries in the queue that close a batch before its period ends."""

    def __post_init__(self) -> None:
        """Check ranges once, here, so that no other module has to."""
        _require_range("batch.period_seconds", self.period_seconds, 1, 7 * 86_400)
        _require_range("batch.max_entries", self.max_entries, 1, 1 << 20)


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """Where digests are anchored."""

    url: str = "dev"
    """`dev` for the development chain inside the daemon (its blocks are no evidence of
    time), or the HTTP(S) URL of an EVM node's JSON-RPC."""

    contract: str = ""
    """CAIP-10 account of the `AnchorRegistry` contract, such as `eip155:11155111:0xAb…`;
    empty on `dev`, where it is deployed at every start."""

    confirmations: int = 12
    """Blocks, the anchor's own included, after which an anchor counts as confirmed. Always
    1 on `dev`."""

    final_depth: int = 64
    """Blocks, the anchor's own included, after which an anchor counts as final; 0 waits
    for the block that the chain itself calls finalized. Always 1 on `dev`."""

    other_urls: str = ""
    """More JSON-RPC addresses of the same chain, separated by spaces."""

    quorum: int = 0
    """How many of the endpoints must agree; 0 means all of them."""

    max_fee_gwei: int = 200
    """Highest fee per gas, in gwei, that the node offers."""

    poll_seconds: int = 4
    """Time between two looks at the chain while an anchor is on its way."""

    preset: str = ""
    """A chain of `patunay chain presets`, whose depths hold where none are set here."""

    def __post_init__(self) -> None:
        """Check ranges once."""
        if self.url != "dev" and not self.url.startswith(("http://", "https://")):
            raise ConfigInvalid(f"chain.url: found {self.url!r}, want dev or an HTTP URL")
        self._require_preset()
        _require_range("chain.confirmations", self.confirmations, 1, 10_000)
        _require_range("chain.final_depth", self.final_depth, 0, 10_000)
        if 0 < self.final_depth < self.confirmations:
            raise ConfigInvalid(
                f"chain.final_depth: found {self.final_depth}, want 0 or at least "
                f"chain.confirmations, which is {self.confirmations}"
            )
        for url in self.urls[1:]:
            if not url.startswith(("http://", "https://")):
                raise ConfigInvalid(f"chain.other_urls: found {url[:80]!r}, want HTTP URLs")
        if self.is_dev and self.other_urls:
            raise ConfigInvalid("chain.other_urls: found some, want none with dev")
        _require_range("chain.quorum", self.quorum, 0, len(self.urls))
        _require_range("chain.max_fee_gwei", self.max_fee_gwei, 1, 1_000_000)
        _require_range("chain.poll_seconds", self.poll_seconds, 1, 3600)

    def _require_preset(self) -> None:
        if not self.preset:
            return
        found = chain_presets().get(self.preset)
        if found is None:
            known = ", ".join(chain_presets())
            raise ConfigInvalid(f"chain.preset: found {self.preset[:80]!r}, want {known}")
        if self.is_dev or self.chain_id not in {None, found.chain}:
            raise ConfigInvalid(
                f"chain.preset: found {self.preset}, which is {found.chain}, want the "
                f"chain of chain.url and chain.contract"
            )

    @property
    def urls(self) -> tuple[str, ...]:
        """Every endpoint, the first one first."""
        return (self.url, *self.other_urls.split())

    @property
    def depths(self) -> tuple[int, int]:
        """Depths at which an anchor counts as confirmed, and as final."""
        return (1, 1) if self.is_dev else (self.confirmations, self.final_depth)

    @property
    def chain_id(self) -> str | None:
        """CAIP-2 id of the chain; None on `dev`, and where no contract is configured."""
        return None if self.is_dev else self.contract.rpartition(":")[0] or None

    @property
    def is_dev(self) -> bool:
        """Whether anchors go to the development chain inside the daemon."""
        return self.url == "dev"


@dataclass(frozen=True, slots=True)
class HsmConfig:
    """The PKCS#11 token on which an issuer's keys can lie; docs/hsm.md."""

    module: str = ""
    """Full path of the token's PKCS#11 library, which runs inside the node's process;
    empty where there is no token."""

    token: str = ""
    """The name that the token was initialised with."""

    pin_file: str = ""
    """File of the user's PIN, relative to the data directory, closed to others; where
    empty, the environment variable PATUNAY_HSM_PIN has it."""

    def __post_init__(self) -> None:
        """Check what one field alone does not show."""
        if bool(self.module) != bool(self.token):
            raise ConfigInvalid("found one of hsm.module and hsm.token, want both or none")
        if self.module and not Path(self.module).is_absolute():
            raise ConfigInvalid(f"hsm.module: found {self.module!r}, want a full path")


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """The PostgreSQL database that several processes can share; docs/storage.md."""

    url: str = field(default="", repr=False)
    """`postgresql://user@host:port/name?sslmode=verify-full`, without a password. Where
    empty, the environment variable DATABASE_URL has it; where that is not set either, the
    node keeps all in the SQLite file `database_file`."""

    password_file: str = ""
    """File of the password, relative to the data directory, closed to others."""

    def __post_init__(self) -> None:
        """Check what one field alone does not show."""
        if self.url and not self.url.startswith(("postgresql://", "postgres://")):
            raise ConfigInvalid("database.url: found another scheme, want postgresql://")
        try:
            has_password = urlsplit(self.url).password is not None
        except ValueError as e:
            raise ConfigInvalid(f"database.url: {e}") from e
        if has_password or "password=" in self.url:
            raise ConfigInvalid(
                "database.url: found a password, want it in database.password_file"
            )


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """How much the daemon does at once; docs/operating.md."""

    workers: int = 1
    """Processes that answer requests. One of them anchors."""

    max_requests: int = 200
    """Requests in hand at once, of each process; one more is told to come back."""

    def __post_init__(self) -> None:
        """Check ranges once."""
        _require_range("serve.workers", self.workers, 1, 64)
        _require_range("serve.max_requests", self.max_requests, 1, 10_000)


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """Where Prometheus finds `/metrics`; docs/operating.md."""

    listen: str = ""
    """`host:port`, such as `127.0.0.1:9464`; empty answers nobody."""

    token_file: str = ""
    """File of the bearer token that is asked for, relative to the data directory, closed
    to others. Needed where `listen` is not on the loopback interface."""

    def __post_init__(self) -> None:
        """Check what one field alone does not show."""
        found = Authority.parse(self.listen) if self.listen else None
        if self.listen and (found is None or found.port is None or found.port > _MAX_PORT):
            raise ConfigInvalid(f"metrics.listen: found {self.listen!r}, want host:port")
        if found is not None and not found.is_loopback and not self.token_file:
            raise ConfigInvalid(
                f"metrics.listen: found {self.listen}, want a loopback address, or "
                "metrics.token_file"
            )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `listen`, which is not empty."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """How often whoever asks may ask; docs/operating.md."""

    address_per_minute: int = 1200
    """Requests of one address a minute, of which those of ten seconds may come at once; 0
    counts nobody's. Those from this machine itself are not counted."""

    token_per_minute: int = 60_000
    """Requests with one token a minute, counted in the same way; 0 counts none."""

    behind_proxy: bool = False
    """Whether the last address in `X-Forwarded-For` is who asks. For a proxy alone that
    writes that header itself: anybody else can write what he likes into it."""

    def __post_init__(self) -> None:
        """Check ranges once."""
        _require_range("limits.address_per_minute", self.address_per_minute, 0, 1_000_000)
        _require_range("limits.token_per_minute", self.token_per_minute, 0, 1_000_000)


@dataclass(frozen=True, slots=True)
class LogConfig:
    """What the daemon writes to standard error; docs/operating.md."""

    format: str = "console"
    """`console` for people, `json` for programs: one object a line."""

    level: str = "info"
    """`debug`, `info`, `warning` or `error`: nothing below it is written."""

    requests: bool = True
    """Whether each request has a line."""

    def __post_init__(self) -> None:
        """Check what can be said."""
        _require_one_of("log.format", self.format, ("console", "json"))
        _require_one_of("log.level", self.level, ("debug", "info", "warning", "error"))


@dataclass(frozen=True, slots=True)
class TracingConfig:
    """Where traces of requests go; docs/operating.md."""

    endpoint: str = ""
    """URL of an OpenTelemetry collector (OTLP over HTTP), such as
    `http://127.0.0.1:4318/v1/traces`; empty traces nothing."""

    def __post_init__(self) -> None:
        """Check what can be told at once."""
        if self.endpoint and not self.endpoint.startswith(("http://", "https://")):
            raise ConfigInvalid(
                f"tracing.endpoint: found {self.endpoint[:80]!r}, want an HTTP URL"
            )


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
        _require_range("listen_port", self.listen_port, 0, _MAX_PORT)
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
            _require_loopback(self.ipfs_api)
        for name, parse in (
            ("witnesses", parse_witnesses),
            ("witnessed_logs", parse_logs),
            ("ots_calendars", parse_calendars),
        ):
            try:
                parse(getattr(self, name))
            except PatunayError as e:
                raise ConfigInvalid(f"{name}: {e}") from e
        _require_hosts("allowed_hosts", self.allowed_hosts, port=True)
        _require_origins(self.origins)
        _require_hosts("webhook_private_hosts", self.webhook_private_hosts)
        _require_range("webhook_give_up_days", self.webhook_give_up_days, 1, 30)

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
        _require_known(table, {f.name for f in fields(cls)} - TABLES.keys(), "")
        _require_types(table, cls, "")
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


TABLES: Final[Mapping[str, type[Any]]] = {
    "batch": BatchConfig,
    "chain": ChainConfig,
    "hsm": HsmConfig,
    "database": DatabaseConfig,
    "serve": ServeConfig,
    "metrics": MetricsConfig,
    "limits": LimitsConfig,
    "log": LogConfig,
    "tracing": TracingConfig,
}
"""Settings that are tables of their own."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that ends a message about a misspelt name, or nothing."""
    close = get_close_matches(name, known, n=1)
    return f", did you mean {close[0]}?" if close else ""


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
    _require_known(table, {f.name for f in fields(owner)}, prefix)
    _require_types(table, owner, prefix)
    return table


def _require_known(table: Mapping[str, Any], known: set[str], prefix: str) -> None:
    """A misspelt name would silently leave its default in force."""
    for name in table:
        if name not in known:
            asked = did_you_mean(name, known)
            raise ConfigInvalid(f"{prefix}{name} is not a setting{asked}")


def _require_types(table: Mapping[str, Any], owner: type[Any], prefix: str) -> None:
    wanted: dict[str, Any] = {f.name: f.type for f in fields(owner)}
    for name, value in table.items():
        if type(value) is not wanted[name]:
            found = type(value).__name__
            raise ConfigInvalid(
                f"{prefix}{name}: found {found}, want {wanted[name].__name__}"
            )


def _require_loopback(url: str) -> None:
    """Return if `url` is `http://host:port` of this machine, and no more."""
    scheme, _, text = url.partition("://")
    authority = Authority.parse(text)
    if scheme not in {"http", "https"} or authority is None:
        raise ConfigInvalid(f"ipfs_api: found {url[:80]!r}, want http://127.0.0.1:5001")
    if not authority.is_loopback:
        raise IpfsApiExposed(f"ipfs_api: found host {authority.name}, want a loopback one")


def _require_hosts(name: str, hosts: str, *, port: bool = False) -> None:
    for text in hosts.split():
        found = Authority.parse(text)
        if found is None or (found.port is not None and not port):
            wanted = "host or host:port" if port else "host"
            raise ConfigInvalid(f"{name}: found {text[:80]!r}, want {wanted}")


def _require_origins(origins: Iterable[str]) -> None:
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigInvalid(
                f"cors_origins: found {origin[:80]!r}, want such as "
                "https://portal.example, in lower case and without a path"
            )


def _require_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigInvalid(f"{name}: found {value[:40]!r}, want {', '.join(known)}")


def _require_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ConfigInvalid(f"{name}: found {value}, want {low} to {high}")
