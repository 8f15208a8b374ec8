"""DIDs and the DID URLs that name verification methods.

See <https://www.w3.org/TR/did-core/#did-syntax> and
<https://www.w3.org/TR/did-core/#did-url-syntax>.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from primitives.errors import Malformed

MAX_DID_CHARACTERS = 2_048
"""The longest DID read; checked before anything looks inside."""

MAX_FRAGMENT_CHARACTERS = 256
"""A did:key fragment has 48."""

# The last alternative leaves out ":", because a method-specific id may not end in one.
_DID = re.compile(
    r"did:([a-z0-9]+):"
    r"((?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2}))"
)

# RFC 3986 section 3.5.
_FRAGMENT = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})+")


class DidMalformed(Malformed):
    """The text is not a DID."""

    code = "did-malformed"


class DidTooLong(DidMalformed):
    """More than `MAX_DID_CHARACTERS`."""

    code = "did-too-long"


class DidUrlMalformed(Malformed):
    """The text is not a DID followed by a fragment and nothing else."""

    code = "did-url-malformed"


@dataclass(frozen=True, slots=True)
class Did:
    """A DID in parts; `Did.parse(str(d)) == d` always holds."""

    method: str
    """Lower-case letters and digits, such as `web`."""

    method_specific_id: str
    """As written, percent-encoding included."""

    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Spell it once, for whoever compares it as text."""
        text = f"did:{self.method}:{self.method_specific_id}"
        object.__setattr__(self, "_text", text)

    @classmethod
    def parse(cls, text: str) -> "Did":
        """Read a DID without path, query or fragment.

        Raises:
            DidTooLong: Over `MAX_DID_CHARACTERS`.
            DidMalformed: Not the syntax of DID Core section 3.1.
        """
        if len(text) > MAX_DID_CHARACTERS:
            raise DidTooLong(
                f"found {len(text)} characters, want at most {MAX_DID_CHARACTERS}"
            )
        match = _DID.fullmatch(text)
        if match is None:
            raise DidMalformed(f"found {text[:40]!r}, want did:<method>:<identifier>")
        return cls(match[1], match[2])

    def __str__(self) -> str:
        """Return the DID as it was written."""
        return self._text


@dataclass(frozen=True, slots=True)
class DidUrl:
    """The name of a verification method or service: a DID and a fragment.

    DID URLs with a path or a query exist, and name nothing that Patunay reads.
    """

    did: Did

    fragment: str
    """Without the `#`, never empty."""

    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Spell it once: tables of keys are looked up by it for every proof."""
        object.__setattr__(self, "_text", f"{self.did}#{self.fragment}")

    def __hash__(self) -> int:
        """Hash the text, which remembers its own."""
        return hash(self._text)

    @staticmethod
    @lru_cache(maxsize=1024)  # a refusal is not kept; a key's name comes back all the time
    def parse(text: str) -> "DidUrl":
        """Read an absolute DID URL such as `did:web:example.edu#key-1`.

        Raises:
            DidTooLong: The DID or the whole is over its limit.
            DidMalformed: What stands before the fragment is no DID.
            DidUrlMalformed: No fragment, or a path or query before it.
        """
        if len(text) > MAX_DID_CHARACTERS + 1 + MAX_FRAGMENT_CHARACTERS:
            raise DidTooLong(
                f"found {len(text)} characters, want at most "
                f"{MAX_DID_CHARACTERS + 1 + MAX_FRAGMENT_CHARACTERS}"
            )
        did, hash_sign, fragment = text.partition("#")
        if not hash_sign:
            raise DidUrlMalformed(f"found {text[:80]!r}, want a DID with a #fragment")
        if "/" in did or "?" in did:
            raise DidUrlMalformed(f"found {text[:80]!r}, want no path and no query")
        return DidUrl(Did.parse(did), checked_fragment(fragment))

    @classmethod
    def resolve(cls, reference: str, base: Did) -> "DidUrl":
        """Read `reference`, which may also be relative to `base`, such as `#key-1`.

        Raises:
            DidMalformed: As `parse`.
            DidUrlMalformed: As `parse`.
        """
        if reference.startswith("#"):
            return cls(base, checked_fragment(reference.removeprefix("#")))
        return cls.parse(reference)

    def __str__(self) -> str:
        """Return the absolute DID URL."""
        return self._text


def checked_fragment(text: str) -> str:
    """Return `text` if it is a fragment (without `#`).

    Raises:
        DidUrlMalformed: Empty, over `MAX_FRAGMENT_CHARACTERS`, or another character.
    """
    if len(text) > MAX_FRAGMENT_CHARACTERS:
        raise DidUrlMalformed(
            f"found a fragment of {len(text)} characters, "
            f"want at most {MAX_FRAGMENT_CHARACTERS}"
        )
    if _FRAGMENT.fullmatch(text) is None:
        raise DidUrlMalformed(
            f"found {text[:40]!r}, want a fragment of RFC 3986 section 3.5"
        )
    return text
