"""The tables of the node's configuration; `node.config` has what they are tables of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from node.chain_presets import chain_presets
from node.config_checks import MAX_PORT, ConfigInvalid, require_one_of, require_range
from node.hosts import Authority


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """How issued credentials are gathered before they are anchored together."""

    period_seconds: int = 3600
    """Longest time that a credential waits in the queue before its batch is closed."""

    max_entries: int = 1000
    """Entries in the queue that close a batch before its period ends."""

    def __post_init__(self) -> None:
        """Check ranges once, here, so that no other module has to."""
        require_range("batch.period_seconds", self.period_seconds, 1, 7 * 86_400)
        require_range("batch.max_entries", self.max_entries, 1, 1 << 20)


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
        require_range("chain.confirmations", self.confirmations, 1, 10_000)
        require_range("chain.final_depth", self.final_depth, 0, 10_000)
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
        require_range("chain.quorum", self.quorum, 0, len(self.urls))
        require_range("chain.max_fee_gwei", self.max_fee_gwei, 1, 1_000_000)
        require_range("chain.poll_seconds", self.poll_seconds, 1, 3600)

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
        require_range("serve.workers", self.workers, 1, 64)
        require_range("serve.max_requests", self.max_requests, 1, 10_000)


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
        if self.listen and (found is None or found.port is None or found.port > MAX_PORT):
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
        require_range("limits.address_per_minute", self.address_per_minute, 0, 1_000_000)
        require_range("limits.token_per_minute", self.token_per_minute, 0, 1_000_000)


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
        require_one_of("log.format", self.format, ("console", "json"))
        require_one_of("log.level", self.level, ("debug", "info", "warning", "error"))


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
