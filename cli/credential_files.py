"""The files that are verified or bundled: found, told apart and read."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.files import STANDARD_INPUT, read_file, read_json, read_object, typed_errors
from credentials.evidence import Obtained
from credentials.foreign.formats import FormatNotSupported, file_format
from credentials.kinds import MAX_BUNDLE_BYTES, is_bundle, looks_like_bundle
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import Malformed

if TYPE_CHECKING:  # most files hold a credential alone
    from anchoring.receipt import Receipt
    from credentials.bundle import Bundle


class NothingToVerify(Malformed):
    """A folder without any file to check."""

    code = "folder-without-credentials"
    hint = "the files must end in .json"


class FolderTooLarge(Malformed):
    """More files below a folder than are checked at once."""

    code = "folder-too-large"
    hint = "name some of the folders in it, one after the other"


MAX_FILES: Final = 100_000
"""Below one folder: a report on more would be read by nobody."""

_NOT_ENTERED: Final = ("$RECYCLE.BIN", "System Volume Information", "lost+found")
"""What operating systems put on a stick. What begins with a dot is not entered either."""


def find_files(named: Sequence[Path], *, deep: bool = False) -> Iterator[Path]:
    """Yield the files, and the *.json of each folder in the order of their paths.

    With `deep` those of the folders in it as well. One that cannot be entered is yielded
    itself, so that whoever reads it is told.

    Raises:
        NothingToVerify: A folder without any.
        FolderTooLarge: More than `MAX_FILES` below one.
    """
    for path in named:
        if path == STANDARD_INPUT or not path.is_dir():
            yield path
            continue
        with typed_errors(path):
            inside = sorted(_below(path) if deep else path.glob("*.json"))
        if not inside:
            raise NothingToVerify(f"found no .json file in {path}")
        yield from inside


def _below(folder: Path) -> Iterator[Path]:
    closed: list[Path] = []
    count = 0
    walk = os.walk(folder, onerror=lambda e: closed.append(Path(os.fsdecode(e.filename))))
    for place, folders, files in walk:
        # Links are not followed: they may lead out, or in a circle.
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and name not in _NOT_ENTERED
        ]
        for name in files:
            if name.lower().endswith(".json") and not name.startswith("."):
                count += 1
                if count > MAX_FILES:
                    raise FolderTooLarge(f"found over {MAX_FILES} files below {folder}")
                yield Path(place, name)
    yield from closed


def read_credential(path: Path) -> "JsonObject | Bundle":
    """Return the bundle or the JSON object in a file; neither is trusted.

    Only what begins as a bundle is read beyond the size of a credential.

    Raises:
        BundleMalformed: It is meant as a bundle, and is none.
        BundleAltered, BundleContextMismatch: See the classes.
        FormatNotSupported: It is a file of another kind, known by its first bytes.
        JsonMalformed: As `read_object`.
        PatunayError: As `read_file`.
    """
    raw = read_file(path, max_bytes=MAX_BUNDLE_BYTES)
    if not looks_like_bundle(raw):
        document = _read_object(raw)
        if not is_bundle(document):
            return document
    from credentials.bundle import parse_bundle  # noqa: PLC0415 - see above

    return parse_bundle(raw)


def _read_object(raw: bytes) -> JsonObject:
    try:
        return read_object(raw)
    except Malformed as e:
        # No file that is JSON begins as one of these.
        if (found := file_format(raw)) is not None:
            raise FormatNotSupported(f"found {found}, want a credential in JSON") from e
        raise


def read_receipt(file: Path | None, clock: Clock) -> "Obtained[Receipt] | None":
    """Return the receipt in a file.

    Raises:
        ReceiptMalformed: It is none.
    """
    if file is None:
        return None
    from anchoring.receipt import MAX_RECEIPT_BYTES, Receipt  # noqa: PLC0415 - see above

    raw = read_json(file, max_bytes=MAX_RECEIPT_BYTES)
    return Obtained(Receipt.parse(raw), str(file), clock.now())
