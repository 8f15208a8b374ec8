from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config import Config
from node.config_checks import ConfigInvalid
from node.config_tables import TABLES, ChainConfig, MetricsConfig
from node.home import Home
from tests.support.nodes import opened, plan

LEAST = 'domain = "example.edu.ph"\n'

SETTINGS = {
    "domain": "school.example",
    "public_url": "https://school.example/node",
    "did_method": "key",
    "listen_host": "0.0.0.0",
    "listen_port": 9000,
    "allowed_hosts": "node:8460 school.local",
    "webhook_private_hosts": "portal.school.local 10.0.0.7",
    "webhook_give_up_days": 7,
    "cors_origins": "https://portal.example http://localhost:3000",
    "tls_certificate_file": "certificate.pem",
    "tls_key_file": "key.pem",
    "database_file": "other.db",
    "ipfs_api": "http://127.0.0.1:5001",
    "ots_calendars": "https://calendar.example",
    "witnesses": "w.example/witness+0ca6c2da+BMqTrBcFGHBx1nuDx/8O/oEI6OxFMFdddyaHkzPb2r58"
    "@https://w.example/witness",
    "witnessed_logs": "school.example/log+ba324001"
    "+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR",
    "allow_loopback_http": True,
    "batch_approval": True,
    "batch.period_seconds": 60,
    "batch.max_entries": 10,
    "chain.url": "http://127.0.0.1:8545",
    "chain.contract": "eip155:11155111:0x0000000000000000000000000000000000000001",
    "chain.preset": "sepolia",
    "chain.confirmations": 3,
    "chain.final_depth": 0,
    "chain.other_urls": "http://127.0.0.1:8546 https://rpc.example",
    "chain.quorum": 2,
    "chain.max_fee_gwei": 7,
    "chain.poll_seconds": 1,
    "hsm.module": "/usr/lib/token.so",
    "hsm.token": "node",
    "hsm.pin_file": "pin",
    "limits.address_per_minute": 60,
    "limits.token_per_minute": 0,
    "limits.behind_proxy": True,
    "log.format": "json",
    "log.level": "error",
    "log.requests": False,
    "database.url": "postgresql://office@db.example/node?sslmode=verify-full",
    "database.password_file": "database-password",
    "serve.workers": 2,
    "serve.max_requests": 50,
    "metrics.listen": "127.0.0.1:9464",
    "metrics.token_file": "metrics-token",
    "tracing.endpoint": "http://127.0.0.1:4318/v1/traces",
}

_TLS = ["tls_certificate_file", "tls_key_file"]
_PRESET = ["chain.url", "chain.preset"]
_ENDPOINTS = ["chain.url", "chain.other_urls", "chain.quorum"]
_TOKEN = ["hsm.module", "hsm.token"]
_TOGETHER = {name: all_ for all_ in (_TLS, _PRESET, _ENDPOINTS, _TOKEN) for name in all_}
"""Settings that are refused without the others."""


def _names() -> set[str]:
    plain = {f.name for f in fields(Config)} - TABLES.keys()
    return plain | {f"{t}.{f.name}" for t, owner in TABLES.items() for f in fields(owner)}


def _toml(**settings: object) -> str:
    lines = {"": [] if "domain" in settings else [LEAST.strip()]}
    for name, value in settings.items():
        table, _, key = name.rpartition(".")
        shown = f"{value!s}".lower() if isinstance(value, int) else f"'{value}'"
        lines.setdefault(table, []).append(f"{key} = {shown}")
    plain = lines.pop("")
    tables = [line for table, own in lines.items() for line in (f"[{table}]", *own)]
    return "\n".join([*plain, *tables])


def _value(config: Config, name: str) -> object:
    found: object = config
    for part in name.split("."):
        found = getattr(found, part)
    return found


def test_every_setting_is_tried_here() -> None:
    assert SETTINGS.keys() == _names()


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_is_read_and_written_back(name: str) -> None:
    together = _TOGETHER.get(name, [name])
    config = Config.from_toml(_toml(**{each: SETTINGS[each] for each in together}))
    assert _value(config, name) == SETTINGS[name]
    assert _value(Config("other.example"), name) != SETTINGS[name]
    assert Config.from_toml(config.to_toml()) == config


def test_a_domain_is_enough() -> None:
    config = Config.from_toml(LEAST)
    assert config == Config("example.edu.ph")
    assert config.base_url == "https://example.edu.ph"
    assert config.log_name == "example.edu.ph/log"
    assert config.chain.is_dev


def test_metrics_are_given_to_others_with_a_token_alone() -> None:
    text = LEAST + "[metrics]\nlisten = '0.0.0.0:9464'\ntoken_file = 'token'"
    assert Config.from_toml(text).metrics.address == ("0.0.0.0", 9464)
    assert MetricsConfig("[::1]:9464").address == ("::1", 9464)


def test_the_public_url_ends_without_a_slash() -> None:
    assert replace(plan(), public_url="https://a.example/x/").base_url == (
        "https://a.example/x"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("domain", "not TOML"),
        ("", "domain is missing"),
        ("domain = 5", "domain: found int, want str"),
        ('domain = "127.0.0.1"', "domain: found the address"),
        ('domain = "no_name"', "domain: found"),
        ('domain = "https://example.edu"', "domain: found"),
        (LEAST + 'domian = "x"', "domian is not a setting"),
        (LEAST + "batch = 5", "batch must be a table"),
        (LEAST + "[batch]\nperiod = 5", "batch.period is not a setting"),
        (LEAST + "[chain]\nurls = 'dev'", "chain.urls is not a setting"),
        (LEAST + "[chain]\nurl = 'ftp://x'", "chain.url: found 'ftp://x'"),
        (LEAST + "[chain]\nurl = 5", "chain.url: found int, want str"),
        (LEAST + "listen_port = true", "listen_port: found bool, want int"),
        (LEAST + "listen_port = '1'", "listen_port: found str, want int"),
        (LEAST + "listen_port = -1", "listen_port: found -1, want 0 to 65535"),
        (LEAST + "listen_port = 65536", "found 65536, want 0 to 65535"),
        (LEAST + "allow_loopback_http = 1", "found int, want bool"),
        (LEAST + "did_method = 'ethr'", "did_method: found 'ethr', want web or key"),
        (LEAST + "public_url = 'example.edu'", "public_url: found 'example.edu'"),
        (LEAST + "allowed_hosts = 'a https://b'", "found 'https://b', want host or"),
        (LEAST + "cors_origins = '*'", "cors_origins: found '*', want such as"),
        (LEAST + "cors_origins = 'https://A.example'", "found 'https://A.example', want"),
        (LEAST + "cors_origins = 'https://a.example/'", "found 'https://a.example/', want"),
        (LEAST + "webhook_private_hosts = 'a:1'", "found 'a:1', want host"),
        (LEAST + "webhook_give_up_days = 0", "webhook_give_up_days: found 0, want 1"),
        (LEAST + "allowed_hosts = 5", "allowed_hosts: found int, want str"),
        (LEAST + "tls_key_file = 'k.pem'", "found one of tls_certificate_file and"),
        (LEAST + "tls_certificate_file = 'c.pem'", "want both or none"),
        (LEAST + "[batch]\nperiod_seconds = 0", "found 0, want 1 to 604800"),
        (LEAST + "[batch]\nmax_entries = 0", "batch.max_entries: found 0"),
        (LEAST + "[batch]\nmax_entries = 1048577", "batch.max_entries: found 1048577"),
        (LEAST + "[chain]\nconfirmations = 0", "chain.confirmations: found 0"),
        (LEAST + "[chain]\nmax_fee_gwei = 0", "chain.max_fee_gwei: found 0"),
        (LEAST + "[chain]\npoll_seconds = 0", "chain.poll_seconds: found 0"),
        (LEAST + "[chain]\npoll_seconds = 1.5", "found float, want int"),
        (LEAST + "[tracing]\nendpoint = '127.0.0.1'", "want an HTTP URL"),
        (LEAST + "[serve]\nworkers = 0", "serve.workers: found 0, want 1 to 64"),
        (LEAST + "[serve]\nworkers = 65", "serve.workers: found 65, want 1 to 64"),
        (LEAST + "[serve]\nmax_requests = 0", "serve.max_requests: found 0"),
        (LEAST + "[metrics]\nlisten = '9464'", "found '9464', want host:port"),
        (LEAST + "[metrics]\nlisten = '127.0.0.1:99999'", "want host:port"),
        (LEAST + "[metrics]\nlisten = '0.0.0.0:9464'", "or metrics.token_file"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        Config.from_toml(text)
    assert message in str(caught.value)
    assert caught.value.code == "config-invalid"


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(listen_host=_TEXT, database_file=_TEXT, contract=_TEXT)
def test_any_text_survives_the_file(
    listen_host: str, database_file: str, contract: str
) -> None:
    config = replace(
        plan(),
        listen_host=listen_host,
        database_file=database_file,
        chain=ChainConfig(contract=contract),
    )
    assert Config.from_toml(config.to_toml()) == config


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "patunay.toml"
    file.write_bytes(LEAST.encode("utf-16"))
    with pytest.raises(ConfigInvalid, match="is not UTF-8"):
        Config.load(file)


async def test_the_configuration_is_read_when_a_node_opens(home: Home) -> None:
    home.config_file.write_text('domain = "example.edu"\nbatches = 1\n')
    with pytest.raises(ConfigInvalid, match="batches is not a setting"):
        async with opened(home):
            pass


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"chain.final_depth": 11}, "found 11, want 0 or at least chain.confirmations"),
        ({"chain.other_urls": "http://127.0.0.1:1"}, "found some, want none with dev"),
        ({"chain.url": "http://a", "chain.other_urls": "ftp://b"}, "want HTTP URLs"),
        ({"chain.url": "http://a", "chain.quorum": 2}, "found 2, want 0 to 1"),
    ],
)
def test_settings_of_a_chain_that_contradict_each_other_are_refused(
    settings: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigInvalid, match=told):
        Config.from_toml(_toml(**settings))
