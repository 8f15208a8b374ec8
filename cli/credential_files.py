"""The files that are verified or bundled: found, told apart and read."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from anchoring.receipt import MAX_RECEIPT_BYTES, Receipt
from cli.files import STANDARD_INPUT, read_file, read_json, read_object, typed_errors
from credentials.bundle import (
    MAX_BUNDLE_BYTES,
    Bundle,
    is_bundle,
    looks_like_bundle,
    parse_bundle,
)
from credentials.evidence import Obtained
from credentials.foreign.formats import FormatNotSupported, file_format
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.errors import Malformed


class NothingToVerify(Malformed):
    """A folder without any file to check."""

    code = "folder-without-credentials"
    hint = "the files must end in .json"


def find_files(named: Sequence[Path]) -> Iterator[Path]:
    """Yield the files, and the *.json of each folder in the order of their names.

    Raises:
        NothingToVerify: A folder without any.
    """
    for path in named:
        if path == STANDARD_INPUT or not path.is_dir():
            yield path
            continue
        with typed_errors(path):
            inside = sorted(path.glob("*.json"))
        if not inside:
            raise NothingToVerify(f"found no .json file in {path}")
        yield from inside


def read_credential(path: Path) -> JsonObject | Bundle:
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
    if looks_like_bundle(raw):
        return parse_bundle(raw)
    document = _read_object(raw)
    return parse_bundle(raw) if is_bundle(document) else document


def _read_object(raw: bytes) -> JsonObject:
    try:
        return read_object(raw)
    except Malformed as e:
        # No file that is JSON begins as one of these.
        if (found := file_format(raw)) is not None:
            raise FormatNotSupported(f"found {found}, want a credential in JSON") from e
        raise


def read_receipt(file: Path | None, clock: Clock) -> Obtained[Receipt] | None:
    """Return the receipt in a file.

    Raises:
        ReceiptMalformed: It is none.
    """
    if file is None:
        return None
    raw = read_json(file, max_bytes=MAX_RECEIPT_BYTES)
    return Obtained(Receipt.parse(raw), str(file), clock.now())
