"""Public test chains that the node knows by name; the facts are in chain_presets.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class ChainPreset:
    """What a node has to know of one chain. No endpoint: that is the operator's choice."""

    chain: str
    """CAIP-2 id."""

    name: str
    """For people."""

    explorer: str
    """URL of a page about a transaction, with `{transaction}` in it."""

    confirmations: int
    """As `chain.confirmations` of the configuration."""

    final_depth: int
    """As `chain.final_depth` of the configuration."""

    last_known_alive: str
    """Year, of public announcements; nobody has asked the chain since."""


@cache
def chain_presets() -> Mapping[str, ChainPreset]:
    """Return every preset by the name that `chain.preset` takes."""
    text = (files("node") / "chain_presets.toml").read_text(encoding="utf-8")
    return {name: ChainPreset(**table) for name, table in tomllib.loads(text).items()}


def explorer_link(chain: str, transaction: str) -> str | None:
    """Return the address of a page about a transaction; None for a chain without preset."""
    for preset in chain_presets().values():
        if preset.chain == chain:
            return preset.explorer.format(transaction=transaction)
    return None
