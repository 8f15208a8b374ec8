"""The certificate that the daemon itself shows, where no proxy does."""

import ssl
from pathlib import Path

from node.config import Config
from node.home import Home
from primitives.errors import Misconfigured

_MISMATCHES = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""What OpenSSL says of two files that are each in order."""

_OTHERS = 0o077
_OTHERS_THAN_THE_GROUP = 0o027
_ROOT = 0


class TlsFileMissing(Misconfigured):
    """A file that the configuration names for TLS is not there."""

    code = "tls-file-missing"
    hint = "check tls_certificate_file and tls_key_file; they are relative to the node"


class TlsFileUnreadable(Misconfigured):
    """A file for TLS may not be read, or is not PEM, or its key has a passphrase."""

    code = "tls-file-unreadable"
    hint = "give PEM files that the daemon's user may read, the key without a passphrase"


class TlsPairMismatch(Misconfigured):
    """The private key is not that of the certificate."""

    code = "tls-pair-mismatch"
    hint = "give the key that the certificate was made for, the node's own one first"


class TlsKeyPermissions(Misconfigured):
    """Others than the owner may read the key of the certificate."""

    code = "key-permissions"


def server_context(home: Home, config: Config) -> ssl.SSLContext | None:
    """Return how to speak TLS, 1.2 or newer; None where no certificate is configured.

    Raises:
        TlsFileMissing: One of the files is not there.
        TlsKeyPermissions: The key is open to others.
        TlsFileUnreadable: One of them cannot be read or is not what it should be.
        TlsPairMismatch: They do not belong together.
    """
    if not config.tls_certificate_file:
        return None
    certificate = home.root / config.tls_certificate_file
    key = home.root / config.tls_key_file
    for file in (certificate, key):
        if not file.is_file():
            raise TlsFileMissing(f"found no file at {file}")
    _check_key_mode(key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a password of our own, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as e:
        if e.reason in _MISMATCHES:
            raise TlsPairMismatch(f"{key.name} is not the key of {certificate.name}") from e
        names = f"{certificate.name} and {key.name}"
        raise TlsFileUnreadable(f"{names} are no usable PEM: {e.reason or e}") from e
    except OSError as e:
        names = f"{certificate.name} and {key.name}"
        raise TlsFileUnreadable(f"cannot read {names}: {e.strerror}") from e
    return context


def _check_key_mode(key: Path) -> None:
    """Refuse a key that others may read; the group may, where root owns the file.

    That is how a system hands one key to several services: root:ssl-cert, mode 0640.
    """
    found = key.stat()
    refused = _OTHERS_THAN_THE_GROUP if found.st_uid == _ROOT else _OTHERS
    mode = found.st_mode & 0o777
    if mode & refused:
        raise TlsKeyPermissions(
            f"found mode {mode:04o} on {key.name}, want 0600", hint=f"run `chmod 600 {key}`"
        )
