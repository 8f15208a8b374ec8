"""The data directory: who may read it, whether it can be written, and what lies about."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from node.config import Config
from node.doctor.finding import Finding, Verdict, fine, of_error
from node.home import Home
from node.unsealing import SOCKET_NAME
from primitives.errors import PatunayError

_OTHERS: Final = 0o077
_OTHERS_WRITE: Final = 0o022
_GIB: Final = 1 << 30
_LITTLE_BYTES: Final = _GIB
_TOO_LITTLE_BYTES: Final = 100 << 20
_FEW_NAMES: Final = 1000
"""Files that can still be made on the file system."""


def examine_folder(home: Home) -> Iterator[Finding]:
    """Yield what is to say of the directory itself, and of the files with secrets in it."""
    mode = home.root.stat().st_mode & 0o777
    if mode & _OTHERS_WRITE:
        detail = f"found mode {mode:04o} on {home.root}: others can put files there"
        hint = f"run `chmod 700 {home.root}`"
        yield Finding("folder", Verdict.FAIL, "files-open", detail, hint)
    elif mode & _OTHERS:
        detail = f"found mode {mode:04o} on {home.root}: others can see what is there"
        hint = f"run `chmod 700 {home.root}`"
        yield Finding("folder", Verdict.WARN, "files-open", detail, hint)
    else:
        yield fine("folder", f"{home.root}, for its owner alone")
    yield from _leftovers(home)


def examine_files(home: Home, config: Config) -> Iterator[Finding]:
    """Yield what is to say of the files that others must not read."""
    names = {
        "keystore.json": home.keystore_file,
        "database_file": home.root / config.database_file,
        "hsm.pin_file": home.root / config.hsm.pin_file,
        "database.password_file": home.root / config.database.password_file,
        "metrics.token_file": home.root / config.metrics.token_file,
    }
    missing = [home.root]
    open_to_others = 0
    for name, path in names.items():
        if path in missing or (name == "database_file" and not path.exists()):
            continue
        found = _open_to_others(name, path)
        if found is not None:
            open_to_others += 1
            yield found
    if not open_to_others:
        yield fine("files", "what is secret is for its owner alone")


def _open_to_others(name: str, path: Path) -> Finding | None:
    try:
        found = path.stat()
    except OSError as e:
        hint = "restore it from a backup, or correct the setting"
        detail = f"{name}: {e.strerror}: {path}"
        return Finding("files", Verdict.FAIL, "storage-failed", detail, hint)
    mode = found.st_mode & 0o777
    if mode & _OTHERS:
        detail = f"found mode {mode:04o} on {path}, want 0600"
        hint = f"run `chmod 600 {path}`"
        return Finding("files", Verdict.FAIL, "key-permissions", detail, hint)
    if found.st_uid != os.getuid():
        detail = f"{path} belongs to user {found.st_uid}, and this is {os.getuid()}"
        hint = "run this as the node's own user"
        return Finding("files", Verdict.WARN, "files-of-another", detail, hint)
    return None


def examine_disk(home: Home) -> Iterator[Finding]:
    """Yield whether there is room, and whether it can be written to."""
    for place in (home.root, home.public):
        if place.exists() and os.statvfs(place).f_flag & os.ST_RDONLY:
            hint = "mount it for writing, or move the node"
            detail = f"the file system of {place} is read-only"
            yield Finding("disk", Verdict.FAIL, "storage-read-only", detail, hint)
            return
        if place.exists() and not os.access(place, os.W_OK):
            hint = "run the node as the owner of its directory"
            detail = f"this user cannot write in {place}"
            yield Finding("disk", Verdict.FAIL, "storage-read-only", detail, hint)
            return
    free = shutil.disk_usage(home.root).free
    names = os.statvfs(home.root).f_favail
    detail = f"{free / _GIB:.1f} GiB free"
    hint = "make room before the node has to stop"
    if free < _TOO_LITTLE_BYTES:
        yield Finding("disk", Verdict.FAIL, "disk-almost-full", detail, hint)
    elif free < _LITTLE_BYTES:
        yield Finding("disk", Verdict.WARN, "disk-almost-full", detail, hint)
    elif 0 < names < _FEW_NAMES:
        detail = f"room for {names} more files"
        yield Finding("disk", Verdict.WARN, "disk-almost-full", detail, hint)
    else:
        yield fine("disk", detail)


def examine_lock(home: Home) -> Finding:
    """Return whether a daemon runs, and whether it waits for its passphrase."""
    if not home.is_held():
        return fine("daemon", "none runs on this directory")
    if (home.root / SOCKET_NAME).exists():
        hint = "give it the passphrase with `patunay unseal`"
        detail = "one runs, and waits for its passphrase"
        return Finding("daemon", Verdict.WARN, "node-sealed", detail, hint)
    return fine("daemon", "one runs on this directory")


def examine_keys(home: Home, passphrase: bytes | None) -> Finding:
    """Return whether the key store can be read, and with a passphrase unlocked."""
    try:
        keystore = home.keystore()
        if passphrase is None:
            count = len(keystore.entries)
            return fine("keys", f"{count} keys, sealed; no passphrase was given to try")
        unlocked = keystore.unlock(passphrase)
        return fine("keys", f"{len(unlocked.keystore.entries)} keys, and they unlock")
    except PatunayError as e:
        return of_error("keys", e)


def _leftovers(home: Home) -> Iterator[Finding]:
    found = list(home.leftovers())
    if found and not home.is_held():
        names = ", ".join(sorted(p.name for p in found)[:3])
        detail = f"{len(found)} files of writers that died: {names}"
        hint = "the daemon removes them when it starts"
        yield Finding("folder", Verdict.WARN, "files-left-over", detail, hint)
