"""Signed notes: a text, an empty line, and one line for each signature.

The format is C2SP signed-note with Ed25519 keys; see <https://c2sp.org/signed-note>.
Nothing in a note may be believed, not even its text, before `verify_note` has returned.
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from primitives.ed25519 import (
    PUBLIC_KEY_BYTES,
    KeyMalformed,
    PublicKey,
    Signature,
    SignatureRejected,
    Signer,
    check_public_key,
    verify_signature,
)
from primitives.encodings import EncodingMalformed, decode_base64, encode_base64
from primitives.errors import Malformed, Rejected
from primitives.hashing import sha256

MAX_NOTE_BYTES = 64 * 1024
"""Largest note read: a checkpoint has 200 bytes, and 100 bytes for each signature."""

MAX_SIGNATURES = 100
"""Signature lines read; the specification asks for at least 16."""

MAX_NAME_CHARACTERS = 255
"""Longest key name: the host and path of a URL without scheme."""

KEY_ID_BYTES = 4

_SIGNATURE_START = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NOT_IN_NAMES = re.compile("[+\\s\x00-\x1f\ud800-\udfff]")


class NoteMalformed(Malformed):
    """The text is not a signed note, or could not be one."""

    code = "checkpoint-malformed"


class VerifierKeyMalformed(Malformed):
    """The text or its parts are not a C2SP verifier key for Ed25519."""

    code = "verifier-key-malformed"


class NoteUnsigned(Rejected):
    """No signature on the note is by the key that was asked for."""

    code = "checkpoint-unsigned"


class NoteSignatureInvalid(SignatureRejected):
    """A signature names the key, and does not match the text under it."""

    code = "checkpoint-signature-invalid"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """The public half of a key, and the name it signs under; a class for each algorithm."""

    algorithm: ClassVar[bytes]
    """The byte before the public key, of the registry in signed-note."""

    name: str
    """Of a log: its origin. No white space and no plus sign."""

    public_key: PublicKey

    def __post_init__(self) -> None:
        if not _is_key_name(self.name):
            raise VerifierKeyMalformed(
                f"found name {self.name[:64]!r}, want 1 to {MAX_NAME_CHARACTERS} characters"
                " without white space or +"
            )
        check_public_key(self.public_key)

    @property
    def key_id(self) -> bytes:
        """Four bytes that help to find the signature; no protection against collisions."""
        return sha256(self.name.encode() + b"\n" + self.algorithm + self.public_key)[
            :KEY_ID_BYTES
        ]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key written as `name+hex key id+base64(algorithm || public key)`.

        Raises:
            VerifierKeyMalformed: Another form or algorithm, or a key id of another key.
            KeyRefused: The public key is no point of the prime-order group.
        """
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            raw = decode_base64(encoded)
        except EncodingMalformed as e:
            raise VerifierKeyMalformed(f"verifier key: {e}") from e
        if raw[:1] != cls.algorithm or len(raw) != 1 + PUBLIC_KEY_BYTES:
            raise VerifierKeyMalformed(
                f"found {len(raw)} bytes of algorithm {raw[:1].hex() or 'none'},"
                f" want {1 + PUBLIC_KEY_BYTES} of {cls.algorithm.hex()} (Ed25519)"
            )
        key = cls(name, PublicKey(raw[1:]))
        if key_id != key.key_id.hex():
            raise VerifierKeyMalformed(
                f"found key id {key_id[:16]!r}, want {key.key_id.hex()}"
            )
        return key

    def __str__(self) -> str:
        """Return the one form that `parse` reads."""
        encoded = encode_base64(self.algorithm + self.public_key)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


@dataclass(frozen=True, slots=True)
class VerifierKey(NoteKey):
    """A key that signs the text of a note as it stands."""

    algorithm: ClassVar[bytes] = b"\x01"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line, by a key that may be unknown here."""

    name: str

    key_id: bytes
    """4 bytes."""

    signature: bytes
    """As many bytes as the key's algorithm has; 64 for Ed25519."""

    def __str__(self) -> str:
        """Return the line without its newline."""
        encoded = encode_base64(self.key_id + self.signature)
        return f"{_SIGNATURE_START}{self.name} {encoded}"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note taken apart. Its signatures have not been verified."""

    text: str
    """What is signed, its last newline included."""

    signatures: tuple[NoteSignature, ...]
    """1 to `MAX_SIGNATURES`, in the order of the note."""

    @classmethod
    def parse(cls, note: str) -> "SignedNote":
        """Return the parts of `note`, of which nothing is verified.

        Raises:
            NoteMalformed: Over a limit, a control character such as a carriage return, no
                newline at the end, no or two empty lines before the signatures, or a line
                after it that is no signature.
        """
        _refuse_characters(note)
        body, blank, signatures = note.rpartition("\n\n")
        if not blank or not signatures.endswith("\n"):
            raise NoteMalformed("found no signature lines that end in a newline")
        text = body + "\n"
        _refuse_text(text)
        lines = signatures[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise NoteMalformed(
                f"found {len(lines)} signatures, want at most {MAX_SIGNATURES}"
            )
        return cls(text, tuple(parse_signature(line) for line in lines))


def sign_note(text: str, name: str, signer: Signer) -> str:
    """Return `text` as a note with one signature, by `signer` under `name`.

    Raises:
        NoteMalformed: `text` does not end in one newline, or holds a control character.
        VerifierKeyMalformed: `name` cannot be a key's name.
    """
    _refuse_characters(text)
    _refuse_text(text)
    key = VerifierKey(name, signer.public_key)
    signature = NoteSignature(name, key.key_id, signer.sign(text.encode()))
    return f"{text}\n{signature}\n"


def verify_note(note: str, key: VerifierKey) -> str:
    """Return the text of `note` if `key` signed it; raise otherwise.

    Signatures by other keys are ignored, whatever they hold.

    Args:
        note: The whole note.
        key: From the verifier's policy or an anchored DID document, never from the note.

    Raises:
        NoteMalformed: Not a signed note.
        NoteUnsigned: No signature line has the key's name and id.
        NoteSignatureInvalid: Such a line does not match; then no other line helps.
    """
    parsed = SignedNote.parse(note)
    wanted = (key.name, key.key_id)
    mine = [s for s in parsed.signatures if (s.name, s.key_id) == wanted]
    if not mine:
        raise NoteUnsigned(f"found no signature by {key.name} {key.key_id.hex()}")
    for line in mine:
        try:
            verify_signature(
                key.public_key, parsed.text.encode(), Signature(line.signature)
            )
        except (SignatureRejected, KeyMalformed) as e:
            raise NoteSignatureInvalid(f"signature by {key.name}: {e}") from e
    return parsed.text


def parse_signature(line: str) -> NoteSignature:
    """Return the parts of one signature line, without its newline; nothing is verified.

    Raises:
        NoteMalformed: It is none.
    """
    if not line.startswith(_SIGNATURE_START):
        raise NoteMalformed(f"found {line[:40]!r}, want a signature line")
    name, _, encoded = line.removeprefix(_SIGNATURE_START).partition(" ")
    if not _is_key_name(name):
        raise NoteMalformed(f"found key name {name[:64]!r} on a signature line")
    try:
        raw = decode_base64(encoded)
    except EncodingMalformed as e:
        raise NoteMalformed(f"signature by {name}: {e}") from e
    if len(raw) <= KEY_ID_BYTES:
        raise NoteMalformed(f"signature by {name} has {len(raw)} bytes, want over 4")
    return NoteSignature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def _refuse_characters(text: str) -> None:
    # Characters first: encoding a text without bound is what the limit is there for.
    if len(text) > MAX_NOTE_BYTES:
        raise NoteMalformed(f"found {len(text)} characters, want at most {MAX_NOTE_BYTES}")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as e:
        raise NoteMalformed("a note holds half of a surrogate pair") from e
    if size > MAX_NOTE_BYTES:
        raise NoteMalformed(f"found {size} bytes, want at most {MAX_NOTE_BYTES}")
    if bad := _CONTROL.search(text):
        raise NoteMalformed(f"found control character {ord(bad[0]):#04x} in a note")


def _refuse_text(text: str) -> None:
    """Of two empty lines before the signatures, nobody could see which one belongs."""
    if not text.endswith("\n") or text.endswith("\n\n") or text == "\n":
        raise NoteMalformed("the text of a note must end in exactly one newline")


def _is_key_name(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME_CHARACTERS and not _NOT_IN_NAMES.search(name)
