"""The one thing that the node has to read in its own certificate: until when it is good.

X.509 (RFC 5280, section 4.1) in DER: the fifth member of what is signed is the period.
"""

import ssl
from datetime import UTC, datetime
from typing import Final

from primitives.errors import Malformed

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"
_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_BEFORE_THE_PERIOD: Final = 3
"""Serial number, signature algorithm and issuer."""


class CertificateMalformed(Malformed):
    """The file does not begin with an X.509 certificate in PEM."""

    code = "certificate-malformed"
    hint = "give the node's own certificate first, as its authority has sent it"


def not_after(pem: bytes) -> datetime:
    """Return until when the first certificate of a PEM file is good.

    Raises:
        CertificateMalformed: There is none that can be read.
    """
    try:
        text = pem.decode("ascii")
        first = text[text.index(_BEGIN) : text.index(_END) + len(_END)]
        whole = _content(ssl.PEM_cert_to_DER_cert(first), _SEQUENCE)
        signed = _content(whole, _SEQUENCE)
        if signed[0] == _VERSION:
            signed = _rest(signed)
        for _ in range(_BEFORE_THE_PERIOD):
            signed = _rest(signed)
        return _instant(_rest(_content(signed, _SEQUENCE)))
    except (ValueError, IndexError) as e:
        raise CertificateMalformed("found no certificate that can be read") from e


def _instant(der: bytes) -> datetime:
    text = _content(der, der[0]).decode("ascii")
    if der[0] == _UTC_TIME:
        # RFC 5280, 4.1.2.5.1: 50 to 99 are of the twentieth century.
        century = "19" if int(text[:2]) >= 50 else "20"  # noqa: PLR2004 - see above
        text = century + text
    elif der[0] != _GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _content(der: bytes, tag: int) -> bytes:
    """Return what is inside the first value of `der`."""
    if der[0] != tag:
        raise ValueError("another tag")
    start, length = _length(der)
    if len(der) < start + length:
        raise ValueError("cut off")
    return der[start : start + length]


def _rest(der: bytes) -> bytes:
    """Return what follows the first value of `der`."""
    start, length = _length(der)
    return der[start + length :]


def _length(der: bytes) -> tuple[int, int]:
    """Return where the content of the first value begins, and its length."""
    short = der[1]
    if short < 0x80:  # noqa: PLR2004 - X.690, 8.1.3.4
        return 2, short
    octets = short & 0x7F
    if not 0 < octets <= 4:  # noqa: PLR2004 - 4 GiB, and no indefinite length
        raise ValueError("no length")
    return 2 + octets, int.from_bytes(der[2 : 2 + octets])
