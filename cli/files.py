"""Files that the user names: every way in which one can fail has its own error."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from primitives.canonical_json import JsonObject
from primitives.errors import Malformed, Misconfigured, PatunayError
from primitives.strict_json import MAX_DOCUMENT_BYTES, JsonMalformed, parse_json_object

STANDARD_INPUT: Final = Path("-")

_JSON_HINT: Final = "get the file again, exactly as it was handed out, and name that one"


class FileNotThere(Malformed):
    """The command line names a file that does not exist."""

    code = "file-not-found"
    hint = "check the spelling, and the folder that you are in"


class FileIsFolder(Malformed):
    """A folder stands where a file was expected."""

    code = "file-is-directory"
    hint = "name a file"


class FolderIsFile(Malformed):
    """A file stands where a folder was expected."""

    code = "file-not-directory"
    hint = "name a folder"


class FileForbidden(Misconfigured):
    """The operating system does not let this user read or write there."""

    code = "file-permission"
    hint = "check who owns the file and its folder"


class DiskFull(Misconfigured):
    """There is no room for what was to be written; nothing was written by halves."""

    code = "disk-full"
    hint = "free some space and run the command again"


class FileFailed(Misconfigured):
    """The operating system could not read or write there."""

    code = "file-failed"


_BY_NUMBER: Final[dict[int, tuple[type[PatunayError], str]]] = {
    errno.ENOENT: (FileNotThere, "found no file {}"),
    errno.EISDIR: (FileIsFolder, "found a folder at {}, want a file"),
    errno.ENOTDIR: (FolderIsFile, "found a file in the path {}, want a folder"),
    errno.EEXIST: (FolderIsFile, "found a file at {}, want a folder"),
    errno.EACCES: (FileForbidden, "no permission for {}"),
    errno.EPERM: (FileForbidden, "no permission for {}"),
    errno.EROFS: (FileForbidden, "{} is on a read-only file system"),
    errno.ENOSPC: (DiskFull, "no space left to write {}"),
    errno.EDQUOT: (DiskFull, "no quota left to write {}"),
    errno.EFBIG: (DiskFull, "{} would be over the largest size that is allowed"),
}


def file_error(error: OSError, name: Path | str) -> PatunayError:
    """Return what went wrong with the file of that name, as an error with a code."""
    kind, words = _BY_NUMBER.get(error.errno or 0, (FileFailed, ""))
    message = words.format(name) if words else f"{name}: {error.strerror or error}"
    return kind(message)


@contextmanager
def typed_errors(name: Path | str) -> Iterator[None]:
    """Give the operating system's errors about a file their own types.

    Raises:
        FileNotThere, FileIsFolder, FolderIsFile: Not what the command line says.
        FileForbidden, DiskFull, FileFailed: Cannot be read or written.
    """
    try:
        yield
    except OSError as e:
        raise file_error(e, name) from e


def read_file(path: Path, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> bytes:
    """Return what is in a file, or on standard input for `-`.

    One byte more than `max_bytes` at most, so that whoever parses it refuses it.

    Raises:
        PatunayError: As `typed_errors`.
    """
    with typed_errors(path):
        if path == STANDARD_INPUT:
            return sys.stdin.buffer.read(max_bytes + 1)
        with path.open("rb") as file:
            return file.read(max_bytes + 1)


def read_json(path: Path, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> JsonObject:
    """Return the JSON object in a file.

    Raises:
        JsonMalformed: As `parse_json_object`.
        PatunayError: As `read_file`.
    """
    return read_object(read_file(path, max_bytes=max_bytes), max_bytes)


def read_object(raw: bytes, max_bytes: int = MAX_DOCUMENT_BYTES) -> JsonObject:
    """Return the JSON object in the bytes of a file that the user named.

    Raises:
        JsonMalformed: As `parse_json_object`.
    """
    try:
        return parse_json_object(raw, max_bytes)
    except JsonMalformed as e:
        e.hint = e.hint or _JSON_HINT
        raise


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    A device, a pipe or a link is written to as it stands: replacing one would break it.

    Raises:
        PatunayError: As `typed_errors`.
    """
    from node.home import write_file  # noqa: PLC0415 - reading a file needs no home

    with typed_errors(path):
        if path.is_symlink() or (path.exists() and not path.is_file()):
            with path.open("wb") as file:
                file.write(content)
        else:
            write_file(path, content)
