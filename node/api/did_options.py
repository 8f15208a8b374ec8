"""What may stand in the query of a request to the resolver; values alone.

See <https://www.w3.org/TR/did-resolution/#did-parameters> and, for the two that speak of
keys, <https://w3c-ccg.github.io/did-key-spec/#document-creation-algorithm>. What is asked
for and not done here is refused: an answer without it would be taken for one with it.
"""

import re
from collections.abc import Iterable
from typing import Final

from primitives.errors import Malformed, Undetermined
from primitives.instants import InstantMalformed, parse_second

_ASCII: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)
_RELATIVE: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})+")

_WRITTEN: Final = "Multikey"
_STABLE: Final = (
    "JsonWebKey2020",
    "Ed25519VerificationKey2020",
    "X25519KeyAgreementKey2020",
)
_EXPERIMENTAL: Final = ("Ed25519VerificationKey2018", "X25519KeyAgreementKey2019")

_SELECTORS: Final = ("service", "serviceType", "relativeRef")
"""They choose something in the document, which is given whole: whoever asks chooses."""


class ResolutionOptionRefused(Malformed):
    """A query after the DID: malformed, or one that this resolver does not honour."""

    code = "resolution-option-refused"
    hint = "ask for the DID, or for one of its keys by `%23` and the fragment"


class KeyFormatUnsupported(Undetermined):
    """A `publicKeyFormat` in which this resolver writes no key."""

    code = "key-format-unsupported"
    hint = "ask for Multikey, or for none"


class KeyFormatExperimental(Malformed):
    """A `publicKeyFormat` that counts as experimental, and was not asked for as such."""

    code = "key-format-experimental"
    hint = "ask for Multikey, or for none"


def check_options(query: Iterable[tuple[str, str]], *, is_constant: bool) -> None:
    """Return if the answer without options is the answer to these options.

    Args:
        query: Names and values, decoded once.
        is_constant: Whether the document is the same at all times, as a did:key's.

    Raises:
        ResolutionOptionRefused: Malformed, named twice, or not honoured.
        KeyFormatUnsupported: See the class.
        KeyFormatExperimental: See the class.
    """
    options: dict[str, str] = {}
    for name, value in query:
        if name in options or not _ASCII.fullmatch(value):
            raise ResolutionOptionRefused(f"found {name[:40]!r} twice, or not ASCII")
        options[name] = value
    for name, value in options.items():
        if not _is_met(name, value, is_constant=is_constant):
            raise ResolutionOptionRefused(f"found {name[:40]}={value[:80]}, want none")
    _check_format(options)


def _is_met(name: str, value: str, *, is_constant: bool) -> bool:
    if name in _SELECTORS:
        return name != "relativeRef" or _RELATIVE.fullmatch(value) is not None
    if name == "versionTime":
        return is_constant and _is_instant(value)
    if name == "enableExperimentalPublicKeyTypes":
        return value in ("true", "false")
    return name == "publicKeyFormat"


def _is_instant(value: str) -> bool:
    """Tell whether it is a time in whole seconds, in UTC."""
    try:
        parse_second(value)
    except InstantMalformed:
        return False
    return True


def _check_format(options: dict[str, str]) -> None:
    wanted = options.get("publicKeyFormat", _WRITTEN)
    if wanted == _WRITTEN:
        return
    is_allowed = options.get("enableExperimentalPublicKeyTypes") == "true"
    if wanted in _EXPERIMENTAL and not is_allowed:
        raise KeyFormatExperimental(f"found {wanted}, want {_WRITTEN} or {_STABLE}")
    raise KeyFormatUnsupported(f"found publicKeyFormat {wanted[:64]}, want {_WRITTEN}")
