"""Telling a bundle from a credential, before either is parsed."""

from pathlib import Path

from cli.files import read_file, read_object
from credentials.bundle import (
    MAX_BUNDLE_BYTES,
    Bundle,
    is_bundle,
    looks_like_bundle,
    parse_bundle,
)
from primitives.canonical_json import JsonObject


def read_credential(path: Path) -> JsonObject | Bundle:
    """Return the bundle or the JSON object in a file; neither is trusted.

    Only what begins as a bundle is read beyond the size of a credential.

    Raises:
        BundleMalformed: It is meant as a bundle, and is none.
        BundleAltered, BundleContextMismatch: See the classes.
        JsonMalformed: As `read_object`.
        PatunayError: As `read_file`.
    """
    raw = read_file(path, max_bytes=MAX_BUNDLE_BYTES)
    if looks_like_bundle(raw):
        return parse_bundle(raw)
    document = read_object(raw)
    return parse_bundle(raw) if is_bundle(document) else document
