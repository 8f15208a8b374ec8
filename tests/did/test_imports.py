import subprocess
import sys

import pytest

OFFLINE = [
    "did.address",
    "did.document",
    "did.host",
    "did.identifier",
    "did.jwk",
    "did.key",
    "did.keyfile",
    "did.keystore",
    "did.multikey",
    "did.resolver",
    "did.service",
    "did.web",
]


def loaded_by(module: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_what_works_offline_loads_nothing_that_opens_a_socket() -> None:
    loaded = loaded_by(", ".join(OFFLINE))
    assert loaded.isdisjoint({"aiohttp", "asyncio", "ssl", "web3", "sqlalchemy", "pyld"})


def test_the_fetcher_alone_brings_the_network() -> None:
    assert "aiohttp" in loaded_by("did.fetch")


@pytest.mark.parametrize("module", OFFLINE)
def test_each_module_can_be_loaded_first(module: str) -> None:
    assert module in loaded_by(module)
