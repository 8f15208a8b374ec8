from pathlib import Path

import pytest

from node.config import Config
from node.config_checks import ConfigInvalid
from node.config_layers import (
    OTHERS,
    VariableInvalid,
    load_layers,
    read_layers,
    setting_types,
    shown_values,
    variable_of,
)
from node.disk import StorageFailed
from node.home import Home, KeystorePermissions
from tests.node.test_config import SETTINGS
from tests.support.nodes import environment

LEAST = 'domain = "example.edu.ph"\n'


def test_every_setting_has_a_variable_of_its_own() -> None:
    assert setting_types().keys() == SETTINGS.keys()
    variables = [variable_of(name) for name in SETTINGS]
    files = [f"{variable}_FILE" for variable in variables]
    assert len({*variables, *OTHERS}) == len(variables) + len(OTHERS)
    # Where `x_file` is a setting, nothing called `x` may be one: `X_FILE` would be both.
    assert set(files).isdisjoint(variables)
    assert set(files).isdisjoint(OTHERS)
    assert variable_of("chain.other_urls") == "PATUNAY_CHAIN_OTHER_URLS"


def test_what_the_environment_sets_comes_before_the_file() -> None:
    text = LEAST + "listen_port = 1\n[batch]\nmax_entries = 2\n"
    layers = read_layers(
        text,
        {
            "PATUNAY_LISTEN_PORT": "9000",
            "PATUNAY_BATCH_PERIOD_SECONDS": "60",
            "PATUNAY_ALLOW_LOOPBACK_HTTP": "true",
            "PATUNAY_PUBLIC_URL": "https://school.example",
            "HOME": "/nowhere",
        },
    )
    config = layers.config
    assert (config.listen_port, config.batch.max_entries) == (9000, 2)
    assert (config.batch.period_seconds, config.allow_loopback_http) == (60, True)
    assert config.public_url == "https://school.example"
    sources = {name: s for name, s in layers.sources.items() if s != "default"}
    assert sources == {
        "domain": "patunay.toml",
        "listen_port": "PATUNAY_LISTEN_PORT",
        "batch.max_entries": "patunay.toml",
        "batch.period_seconds": "PATUNAY_BATCH_PERIOD_SECONDS",
        "allow_loopback_http": "PATUNAY_ALLOW_LOOPBACK_HTTP",
        "public_url": "PATUNAY_PUBLIC_URL",
    }


def test_every_setting_can_come_from_the_environment_alone() -> None:
    given = {
        variable_of(name): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in SETTINGS.items()
    }
    layers = read_layers("", given)
    assert set(layers.sources.values()) == set(given)
    for name, value in SETTINGS.items():
        table, _, key = name.rpartition(".")
        found = getattr(layers.config, table) if table else layers.config
        assert getattr(found, key) == value, name


def test_a_file_holds_what_a_variable_would(tmp_path: Path) -> None:
    file = tmp_path / "rpc"
    file.write_text("https://rpc.example/v3/secret\n")
    layers = read_layers(LEAST, {"PATUNAY_CHAIN_URL_FILE": str(file)})
    assert layers.config.chain.url == "https://rpc.example/v3/secret"
    assert layers.sources["chain.url"] == "PATUNAY_CHAIN_URL_FILE"
    both = {"PATUNAY_CHAIN_URL_FILE": str(file), "PATUNAY_CHAIN_URL": "dev"}
    with pytest.raises(VariableInvalid, match=r"PATUNAY_CHAIN_URL and .*_FILE, want one"):
        read_layers(LEAST, both)
    file.write_bytes(b"\xff")
    with pytest.raises(VariableInvalid, match="byte 0 is not UTF-8"):
        read_layers(LEAST, {"PATUNAY_CHAIN_URL_FILE": str(file)})
    file.write_bytes(b"x" * 70_000)
    with pytest.raises(VariableInvalid, match="found 70000 bytes"):
        read_layers(LEAST, {"PATUNAY_CHAIN_URL_FILE": str(file)})


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PATUNAY_LISTEN_PROT", "1", "not a setting, did you mean PATUNAY_LISTEN_PORT?"),
        ("PATUNAY_CHAIN_URL_FIEL", "1", "did you mean PATUNAY_CHAIN_URL?"),
        ("PATUNAY_XYZZY", "1", "PATUNAY_XYZZY is not a setting"),
        ("PATUNAY__FILE", "1", "is not a setting"),
        ("PATUNAY_LISTEN_PORT", "0x10", "found '0x10', want a whole number"),
        ("PATUNAY_LISTEN_PORT", "", "want a whole number"),
        ("PATUNAY_LISTEN_PORT", "\u0663", "want a whole number"),
        ("PATUNAY_ALLOW_LOOPBACK_HTTP", "yes", "found 'yes', want true or false"),
    ],
)
def test_a_variable_that_cannot_be_honoured_is_refused(
    variable: str, value: str, words: str
) -> None:
    with pytest.raises(VariableInvalid) as caught:
        read_layers(LEAST, {variable: value})
    assert words in str(caught.value)
    assert variable in str(caught.value)


@pytest.mark.parametrize(
    "variable",
    [*sorted(OTHERS), "PATUNAY_INIT_NAME", "PATUNAY_SERVICE_HOST", "PATUNAY_PORT_1_TCP"],
)
def test_variables_of_other_things_are_let_be(variable: str) -> None:
    assert read_layers(LEAST, {variable: "x"}).config == Config.from_toml(LEAST)


def test_a_value_out_of_range_is_refused_wherever_it_comes_from() -> None:
    with pytest.raises(ConfigInvalid, match="listen_port: found 70000, want 0 to 65535"):
        read_layers(LEAST, {"PATUNAY_LISTEN_PORT": "70000"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("listen_prot = 1\n", "listen_prot is not a setting, did you mean listen_port?"),
        ("[chain]\nqorum = 1\n", "chain.qorum is not a setting, did you mean quorum?"),
        ("[chian]\n", "chian is not a setting"),
        ("chain = 1\n", "chain must be a table"),
    ],
)
def test_a_misspelt_name_in_the_file_is_told_the_nearest(text: str, words: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        read_layers(LEAST + text, {})
    assert words in str(caught.value)


def test_the_depths_of_a_preset_are_named_as_such() -> None:
    text = LEAST + "[chain]\npreset = 'sepolia'\nurl = 'https://rpc.example'\nquorum = 1\n"
    contract = "eip155:11155111:0x0000000000000000000000000000000000000001"
    layers = read_layers(text, {"PATUNAY_CHAIN_CONTRACT": contract})
    assert layers.sources["chain.confirmations"] == "preset"
    assert layers.sources["chain.max_fee_gwei"] == "default"


def test_what_could_be_a_key_to_something_is_not_shown() -> None:
    shown = shown_values(
        read_layers(
            LEAST,
            {
                "PATUNAY_CHAIN_URL": "https://user:canary@rpc.example:8545/v3/canary",
                "PATUNAY_CHAIN_OTHER_URLS": "https://a.example/?key=canary http://b.example",
                "PATUNAY_DATABASE_URL": "postgresql://canary@db.example/node?x=canary",
            },
        ).config
    )
    assert "canary" not in str(shown)
    assert shown["chain.url"] == "https://rpc.example:8545/…"
    assert shown["chain.other_urls"] == "https://a.example/… http://b.example"
    assert shown["database.url"] == "postgresql://db.example/node"


def test_a_node_reads_the_environment_and_writes_the_file_alone(home: Home) -> None:
    with environment(PATUNAY_LISTEN_PORT="9001"):
        assert home.config().listen_port == 9001
        assert home.own_config().listen_port == 8460
        assert home.layers() == load_layers(
            home.config_file, {"PATUNAY_LISTEN_PORT": "9001"}
        )


def test_a_file_of_the_node_that_cannot_be_read_is_a_storage_failure(home: Home) -> None:
    home.keystore_file.unlink()
    with pytest.raises(StorageFailed, match=r"keystore\.json"):
        home.keystore()
    home.config_file.unlink()
    home.config_file.mkdir()
    for read in (home.config, home.own_config):
        with pytest.raises(StorageFailed, match=r"patunay\.toml"):
            read()
    with (
        environment(PATUNAY_LISTEN_PORT_FILE="/nowhere/port"),
        pytest.raises(StorageFailed),
    ):
        home.config()


def test_a_key_store_that_others_may_read_is_not_opened(home: Home) -> None:
    home.keystore_file.chmod(0o640)
    with pytest.raises(KeystorePermissions, match="found mode 0640"):
        home.keystore()
