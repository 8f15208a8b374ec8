"""Every look, in order. One that cannot be taken does not keep the others from theirs."""

from collections.abc import AsyncIterator
from datetime import datetime

from node.config import Config
from node.doctor.files import (
    examine_disk,
    examine_files,
    examine_folder,
    examine_keys,
    examine_lock,
)
from node.doctor.finding import Finding, fine, of_error
from node.doctor.network import (
    examine_chain,
    examine_ipfs,
    examine_peers,
    examine_port,
    examine_tls,
)
from node.doctor.package import examine_package
from node.doctor.stores import examine_database
from node.home import Home
from node.storage.database import create_engine, locate
from primitives.errors import PatunayError


async def examine(
    home: Home, now: datetime, passphrase: bytes | None = None
) -> AsyncIterator[Finding]:
    """Yield what is to say of a node and of what it needs; changes nothing.

    Args:
        home: A daemon may run on it.
        now: By this machine's clock.
        passphrase: Tried on the key store; None leaves it sealed.
    """
    for finding in examine_package():
        yield finding
    for finding in examine_folder(home):
        yield finding
    for finding in examine_disk(home):
        yield finding
    yield examine_lock(home)
    yield examine_keys(home, passphrase)
    try:
        layers = home.layers()
    except PatunayError as e:
        yield of_error("config", e)
        return
    given = sum(source != "default" for source in layers.sources.values())
    yield fine("config", f"{given} settings are given, and can be honoured")
    for finding in examine_files(home, layers.config):
        yield finding
    async for finding in _surroundings(home, layers.config, now):
        yield finding


async def _surroundings(
    home: Home, config: Config, now: datetime
) -> AsyncIterator[Finding]:
    async for finding in _database(home, config, now):
        yield finding
    yield examine_port(config, is_held=home.is_held())
    for finding in examine_tls(home, config, now):
        yield finding
    async for finding in examine_chain(home, config, now):
        yield finding
    async for finding in examine_ipfs(config):
        yield finding
    async for finding in examine_peers(config, now):
        yield finding


async def _database(home: Home, config: Config, now: datetime) -> AsyncIterator[Finding]:
    try:
        engine = create_engine(locate(home.root, config))
    except PatunayError as e:
        yield of_error("database", e)
        return
    try:
        async for finding in examine_database(engine, now, config.serve.workers):
            yield finding
    finally:
        await engine.dispose()
