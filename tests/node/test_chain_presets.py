from pathlib import Path

import pytest

from node.chain_presets import chain_presets, explorer_link
from node.config import Config
from node.config_checks import ConfigInvalid

CONTRACT = f"eip155:11155111:0x{'ab' * 20}"


def read(chain: str) -> Config:
    return Config.from_toml(f'domain = "example.edu.ph"\n[chain]\n{chain}')


def test_the_presets_are_the_four_chains_by_their_registered_numbers() -> None:
    assert {name: preset.chain for name, preset in chain_presets().items()} == {
        "sepolia": "eip155:11155111",
        "hoodi": "eip155:560048",
        "base-sepolia": "eip155:84532",
        "polygon-amoy": "eip155:80002",
    }


def test_no_preset_names_an_endpoint() -> None:
    text = Path("node/chain_presets.toml").read_text(encoding="utf-8")
    urls = [line for line in text.splitlines() if "://" in line]
    assert len(urls) == len(chain_presets())
    assert all(line.startswith("explorer = ") for line in urls)


@pytest.mark.parametrize("name", chain_presets())
def test_a_preset_fills_the_depths_that_are_not_set(name: str) -> None:
    preset = chain_presets()[name]
    chain = read(f'url = "http://127.0.0.1:1"\npreset = "{name}"').chain
    assert chain.depths == (preset.confirmations, preset.final_depth)
    set_here = f'url = "http://127.0.0.1:1"\npreset = "{name}"\nfinal_depth = 99'
    chain = read(set_here).chain
    assert chain.depths == (preset.confirmations, 99)
    config = read(set_here)
    assert Config.from_toml(config.to_toml()) == config


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        (
            'url = "http://127.0.0.1:1"\npreset = "ropsten"',
            "found 'ropsten', want sepolia, hoodi",
        ),
        ('preset = "sepolia"', "which is eip155:11155111"),
        (
            f'url = "http://127.0.0.1:1"\ncontract = "{CONTRACT}"\npreset = "hoodi"',
            "which is eip155:560048",
        ),
    ],
)
def test_a_preset_of_another_chain_is_refused(chain: str, found: str) -> None:
    with pytest.raises(ConfigInvalid, match=found):
        read(chain)


def test_a_transaction_has_a_page_where_its_chain_has_an_explorer() -> None:
    link = explorer_link("eip155:84532", "0x12")
    assert link == "https://sepolia.basescan.org/tx/0x12"
    assert explorer_link("eip155:1", "0x12") is None
