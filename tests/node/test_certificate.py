import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.certificate import CertificateMalformed, not_after
from tests.node.test_tls import make_pair, openssl


def said_by_openssl(file: Path) -> datetime:
    done = subprocess.run(
        ["openssl", "x509", "-in", str(file), "-noout", "-enddate"],
        check=True,
        capture_output=True,
        text=True,
    )
    text = done.stdout.strip().removeprefix("notAfter=")
    return datetime.strptime(text, "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC)


def test_the_end_is_what_openssl_says(tmp_path: Path) -> None:
    make_pair(tmp_path)
    file = tmp_path / "certificate.pem"
    assert not_after(file.read_bytes()) == said_by_openssl(file)


@pytest.mark.parametrize("days", ["1", "3650", "20000"])
def test_years_of_two_digits_and_of_four_are_read(tmp_path: Path, days: str) -> None:
    file = tmp_path / "certificate.pem"
    openssl(
        *("req", "-x509", "-newkey", "ed25519", "-nodes", "-days", days),
        *("-keyout", tmp_path / "key.pem", "-out", file, "-subj", "/CN=localhost"),
    )
    assert not_after(file.read_bytes()) == said_by_openssl(file)
    text = b"a remark before it\n" + file.read_bytes() + b"and after\n"
    assert not_after(text) == said_by_openssl(file)


def test_each_cut_of_a_certificate_is_refused(tmp_path: Path) -> None:
    make_pair(tmp_path)
    lines = (tmp_path / "certificate.pem").read_bytes().splitlines(keepends=True)
    for count in range(len(lines) - 1):
        with pytest.raises(CertificateMalformed):
            not_after(b"".join(lines[:count]))
    for count in range(1, 4):
        with pytest.raises(CertificateMalformed):
            not_after(b"".join([lines[0], *lines[1 : 1 + count], lines[-1]])[:-1])


@pytest.mark.parametrize("raw", [b"", b"\xff", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_what_is_no_certificate_is_refused(raw: bytes) -> None:
    with pytest.raises(CertificateMalformed):
        not_after(raw + b"-----END CERTIFICATE-----\n")
