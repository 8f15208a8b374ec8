"""What the node needs beyond its own directory: ports, certificates, chain, IPFS, peers.

Asks only whom the configuration names.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp

from node.backends import GWEI
from node.certificate import not_after
from node.config import Config
from node.doctor.finding import Finding, Verdict, fine, of_error
from node.home import Home
from node.node import EVM_KEY
from node.tls import server_context
from primitives.errors import PatunayError, Undetermined

_SECONDS: Final = 10.0
_SKEW: Final = timedelta(seconds=120)
_STALE: Final = timedelta(hours=1)
_SOON: Final = timedelta(days=21)
_FEW_ANCHORS: Final = 100
_VERSION_BYTES: Final = 4096


def examine_port(config: Config, *, is_held: bool) -> Finding:
    """Return whether the daemon listens on its port, or could."""
    place = f"{config.listen_host}:{config.listen_port}"
    if is_held:
        return fine("port", f"{place} is the running daemon's")
    try:
        found = socket.getaddrinfo(
            config.listen_host, config.listen_port, type=socket.SOCK_STREAM
        )
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as e:
        hint = "stop the other program, or choose another listen_port"
        return Finding("port", Verdict.FAIL, "port-busy", f"{place}: {e.strerror}", hint)
    return fine("port", f"{place} is free")


def examine_tls(home: Home, config: Config, now: datetime) -> Iterator[Finding]:
    """Yield whether the node's own certificate is usable, and for how long."""
    if not config.tls_certificate_file:
        return
    try:
        server_context(home, config)
        ends = not_after((home.root / config.tls_certificate_file).read_bytes())
    except PatunayError as e:
        yield of_error("tls", e)
        return
    hint = "renew the certificate, and restart the daemon"
    detail = f"the certificate is good until {ends:%Y-%m-%d}"
    if ends <= now:
        detail = f"the certificate was good until {ends:%Y-%m-%d}"
        yield Finding("tls", Verdict.FAIL, "certificate-expired", detail, hint)
    elif ends - now < _SOON:
        yield Finding("tls", Verdict.WARN, "certificate-expires-soon", detail, hint)
    else:
        yield fine("tls", detail)


async def examine_chain(
    home: Home, config: Config, now: datetime
) -> AsyncIterator[Finding]:
    """Yield whether anchors can be made: endpoints, contract, money."""
    if config.chain.is_dev:
        yield fine("chain", "the development chain, inside the daemon: no evidence of time")
        return
    if not config.chain.contract:
        hint = "`patunay chain deploy` makes one; put it into patunay.toml"
        detail = "chain.contract is empty"
        yield Finding("chain", Verdict.FAIL, "config-invalid", detail, hint)
        return
    for number, url in enumerate(config.chain.urls, 1):
        yield await _endpoint(f"endpoint {number}", url, config, now)
    yield await _anchoring(home, config)


async def _endpoint(name: str, url: str, config: Config, now: datetime) -> Finding:
    from anchoring.evm_rpc import Endpoint, HttpRpc  # noqa: PLC0415 - imports web3

    rpc = HttpRpc(url, timeout_seconds=_SECONDS)
    try:
        endpoint = Endpoint(rpc, config.chain.chain_id or "eip155:0", _SECONDS)
        await endpoint.confirm()
        block: Any = await endpoint.ask(endpoint.eth.get_block("latest"))
        at = datetime.fromtimestamp(int(block["timestamp"]), now.tzinfo)
    except PatunayError as e:
        return of_error(name, e, _bad(e))
    finally:
        await rpc.disconnect()
    if at - now > _SKEW:
        hint = "set this machine's clock right"
        detail = f"the newest block is {(at - now).total_seconds():.0f} seconds ahead of it"
        return Finding("clock", Verdict.FAIL, "clock-skewed", detail, hint)
    if now - at > _STALE:
        hint = "look whether the chain stands still, or this machine's clock is ahead"
        detail = f"the newest block of {name} is of {at:%Y-%m-%d %H:%M} UTC"
        return Finding("clock", Verdict.WARN, "clock-skewed", detail, hint)
    return fine(name, f"answers for {config.chain.chain_id}")


async def _anchoring(home: Home, config: Config) -> Finding:
    from anchoring.evm import EvmAnchor  # noqa: PLC0415 - imports web3

    chain = config.chain
    anchor = EvmAnchor.connect(
        chain.url,
        chain.contract,
        other_urls=chain.urls[1:],
        quorum=chain.quorum,
        max_fee_per_gas=chain.max_fee_gwei * GWEI,
    )
    try:
        await anchor.confirm_contract()
        account = home.keystore().entry(EVM_KEY).public
        balance = await anchor.balance(account)
        gas, fees = await anchor.estimate(account)
    except PatunayError as e:
        return of_error("chain", e, _bad(e))
    finally:
        await anchor.close()
    anchors = balance // max(1, gas * fees.maximum)
    detail = f"the account {account} can pay for some {anchors} anchors"
    hint = f"send coins to {account}"
    if anchors == 0:
        return Finding("chain", Verdict.FAIL, "balance-low", detail, hint)
    if anchors < _FEW_ANCHORS:
        return Finding("chain", Verdict.WARN, "balance-low", detail, hint)
    return fine("chain", detail)


def _bad(error: PatunayError) -> Verdict:
    """What could not be asked is not known to be bad."""
    return Verdict.WARN if isinstance(error, Undetermined) else Verdict.FAIL


async def examine_ipfs(config: Config) -> AsyncIterator[Finding]:
    """Yield whether the Kubo node answers."""
    if not config.ipfs_api:
        return
    hint = "start Kubo, or correct ipfs_api; what waits is published later"
    try:
        async with (
            asyncio.timeout(_SECONDS),
            aiohttp.ClientSession() as session,
            session.post(f"{config.ipfs_api.rstrip('/')}/api/v0/version") as answer,
        ):
            answer.raise_for_status()
            await answer.content.read(_VERSION_BYTES)
    except (aiohttp.ClientError, OSError, TimeoutError) as e:
        detail = f"found no answer at {config.ipfs_api}: {type(e).__name__}"
        yield Finding("ipfs", Verdict.WARN, "ipfs-unreachable", detail, hint)
        return
    yield fine("ipfs", f"Kubo answers at {config.ipfs_api}")


async def examine_peers(config: Config, now: datetime) -> AsyncIterator[Finding]:
    """Yield what the witnesses' clocks say of this one, by the header Date."""
    for peer in config.peers:
        try:
            async with (
                asyncio.timeout(_SECONDS),
                aiohttp.ClientSession() as session,
                session.head(peer.url, allow_redirects=False) as answer,
            ):
                said = parsedate_to_datetime(answer.headers.get("Date", ""))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as e:
            detail = f"found no time at {peer.url}: {type(e).__name__}"
            hint = "nothing, if it is down for now: nothing waits for a witness"
            yield Finding("peers", Verdict.WARN, "fetch-failed", detail, hint)
            continue
        skew = (said - now).total_seconds()
        if abs(skew) > _SKEW.total_seconds():
            detail = f"{peer.url} says {skew:+.0f} seconds from this machine's time"
            hint = "set this machine's clock right, or tell the witness's operator"
            yield Finding("clock", Verdict.WARN, "clock-skewed", detail, hint)
        else:
            yield fine("peers", f"{peer.url} answers, and its clock agrees")
