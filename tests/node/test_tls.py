"""The daemon's own TLS, with certificates made by the `openssl` command."""

import asyncio
import os
import socket
import ssl
import subprocess
import warnings
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from node.config import Config
from node.daemon import serving
from node.home import Home
from node.node import Node
from node.tls import (
    TlsFileMissing,
    TlsFileUnreadable,
    TlsKeyPermissions,
    TlsPairMismatch,
    server_context,
)
from tests.support.components import require

FILES = ("certificate.pem", "key.pem")


def openssl(*arguments: str | Path) -> None:
    subprocess.run([require("openssl"), *arguments], check=True, capture_output=True)


def make_pair(folder: Path, name: str = "") -> None:
    """Write a certificate for localhost and its key."""
    key, certificate = folder / f"{name}key.pem", folder / f"{name}certificate.pem"
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost"),
    )
    key.chmod(0o600)


def shake_hands(port: int, context: ssl.SSLContext) -> str | None:
    """Return the version that a server on this machine agrees to."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as wrapped,
    ):
        return wrapped.version()


@pytest.fixture
def config(node: Node) -> Config:
    make_pair(node.home.root)
    certificate, key = FILES
    return replace(node.config, tls_certificate_file=certificate, tls_key_file=key)


async def test_the_daemon_speaks_https_and_says_so(node: Node, config: Config) -> None:
    node.config = config
    trusted = ssl.create_default_context(cafile=str(node.home.root / "certificate.pem"))
    async with serving(node, 0) as url, aiohttp.ClientSession() as session:
        assert url.startswith("https://localhost:")
        async with session.get(f"{url}/healthz", ssl=trusted) as response:
            assert (await response.json())["status"] == "ok"
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{url}/healthz".replace("https:", "http:"))
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{url}/healthz")


async def test_nothing_older_than_tls_1_2_is_spoken(node: Node, config: Config) -> None:
    node.config = config
    old = ssl.create_default_context(cafile=str(node.home.root / "certificate.pem"))
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serving(node, 0) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(ssl.SSLError):
            await asyncio.to_thread(shake_hands, port, old)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert await asyncio.to_thread(shake_hands, port, old) == "TLSv1.2"
    context = server_context(node.home, config)
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_without_a_certificate_plain_http_is_spoken(node: Node) -> None:
    assert server_context(node.home, node.config) is None


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_there_is_named(home: Home, config: Config, name: str) -> None:
    (home.root / name).unlink()
    with pytest.raises(TlsFileMissing, match=name):
        server_context(home, config)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_pem_is_refused(home: Home, config: Config, name: str) -> None:
    (home.root / name).write_text("no PEM")
    with pytest.raises(TlsFileUnreadable):
        server_context(home, config)


def test_the_key_of_another_certificate_is_refused(home: Home, config: Config) -> None:
    make_pair(home.root, "other-")
    with pytest.raises(TlsPairMismatch, match=r"other-key\.pem is not the key of"):
        server_context(home, replace(config, tls_key_file="other-key.pem"))


def test_a_key_of_another_type_is_refused(home: Home, config: Config) -> None:
    openssl("genpkey", "-algorithm", "ed25519", "-out", home.root / "key.pem")
    (home.root / "key.pem").chmod(0o600)
    with pytest.raises(TlsPairMismatch):
        server_context(home, config)


def test_a_key_with_a_passphrase_is_refused_and_not_asked_for(
    home: Home, config: Config
) -> None:
    plain, sealed = home.root / "key.pem", home.root / "sealed.pem"
    openssl("pkey", "-in", plain, "-aes256", "-passout", "pass:x1y2", "-out", sealed)
    sealed.chmod(0o600)
    with pytest.raises(TlsFileUnreadable):
        server_context(home, replace(config, tls_key_file="sealed.pem"))


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o620, 0o601])
def test_a_key_that_others_may_read_is_refused(
    home: Home, config: Config, mode: int
) -> None:
    (home.root / "key.pem").chmod(mode)
    with pytest.raises(
        TlsKeyPermissions, match=f"found mode {mode:04o} on key.pem"
    ) as told:
        server_context(home, config)
    assert told.value.code == "key-permissions"
    assert told.value.hint == f"run `chmod 600 {home.root / 'key.pem'}`"


def test_the_group_may_read_a_key_of_the_system_alone(home: Home, config: Config) -> None:
    key = home.root / "key.pem"
    if os.geteuid() != 0:
        key.chmod(0o640)
        with pytest.raises(TlsKeyPermissions):
            server_context(home, config)
        return
    key.chmod(0o640)
    assert server_context(home, config) is not None
    os.chown(key, 65_534, 65_534)
    with pytest.raises(TlsKeyPermissions):
        server_context(home, config)
