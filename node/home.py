"""A node's data directory: what lies where, who may read it, and who holds it.

patunay.toml         configuration
keystore.json        private keys, encrypted; mode 0600
patunay.db           credentials, queue, checkpoints, transactions
public/              what the node serves as it stands: DID documents, status lists, log
issued/              credentials written by `patunay issue`, unless --out says otherwise
daemon.lock          held while a daemon runs
unseal.sock          there while a daemon waits for its passphrase; mode 0600
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from did.keystore import Keystore, open_keystore
from node.config import Config
from node.config_layers import Layers, load_layers
from node.disk import LOST_WRITES, Disk, DiskFailed, StorageFailed
from primitives.errors import Misconfigured

_PRIVATE = 0o600
_PRIVATE_FOLDER = 0o700
_OTHERS = 0o077

_LEFTOVER = re.compile(r"\..+\.[a-z0-9_]{8}")
"""What `write_file` calls a file that it has not finished."""

_LEFTOVER_SECONDS = 3600


class HomeMissing(Misconfigured):
    """There is no node at the place that was named."""

    code = "node-directory-missing"
    hint = "create one with `patunay init DIR --domain example.edu.ph`"


class HomeExists(Misconfigured):
    """There is a node, or something else, where a new one was to be made."""

    code = "node-directory-exists"
    hint = "name an empty or new directory"


class HomeLocked(Misconfigured):
    """Another process holds the node."""

    code = "storage-locked"
    hint = "a daemon runs on this data directory: use it, or stop it first"


class KeystorePermissions(Misconfigured):
    """Others than the owner may read the key store."""

    code = "key-permissions"


@dataclass(frozen=True, slots=True)
class Home:
    """One data directory."""

    root: Path
    disk: Disk = field(default_factory=Disk, compare=False, repr=False)

    @classmethod
    def open(cls, root: Path) -> "Home":
        """Return the node at `root`.

        Raises:
            HomeMissing: No `patunay.toml` there.
        """
        home = cls(root.resolve())
        if not home.config_file.is_file():
            raise HomeMissing(
                f"found no node at {root}, want a directory with patunay.toml"
            )
        return home

    @property
    def config_file(self) -> Path:
        """The configuration."""
        return self.root / "patunay.toml"

    @property
    def keystore_file(self) -> Path:
        """The encrypted keys."""
        return self.root / "keystore.json"

    @property
    def public(self) -> Path:
        """The folder of static files that the node serves."""
        return self.root / "public"

    @property
    def issued(self) -> Path:
        """Where issued credentials are written by default."""
        return self.root / "issued"

    @property
    def lock_file(self) -> Path:
        """Held by the daemon, and by a command that anchors without one."""
        return self.root / "daemon.lock"

    def config(self) -> Config:
        """Read the configuration, with what the environment sets instead.

        Raises:
            ConfigInvalid, VariableInvalid: It cannot be honoured.
            StorageFailed: A file cannot be read.
        """
        return self.layers().config

    def layers(self) -> Layers:
        """Read the configuration, and where each setting comes from.

        Raises:
            PatunayError: As `config`.
        """
        with _typed_failures(self.config_file):
            return load_layers(self.config_file, os.environ)

    def own_config(self) -> Config:
        """Read the file alone: what is written back must not be the environment's.

        Raises:
            PatunayError: As `config`.
        """
        with _typed_failures(self.config_file):
            return Config.load(self.config_file)

    def keystore(self) -> Keystore:
        """Read the key store, still sealed.

        Raises:
            KeystorePermissions: Its mode lets others in.
            StorageFailed: It is gone, or cannot be read.
        """
        with _typed_failures(self.keystore_file):
            mode = self.keystore_file.stat().st_mode & 0o777
            raw = self.keystore_file.read_bytes() if not mode & _OTHERS else b""
        if mode & _OTHERS:
            raise KeystorePermissions(
                f"found mode {mode:04o} on {self.keystore_file.name}, want {_PRIVATE:04o}",
                hint=f"run `chmod 600 {self.keystore_file}`",
            )
        return open_keystore(raw)

    def leftovers(self) -> Iterator[Path]:
        """Yield the files of writers that were killed before they gave them their name."""
        for folder in (self.root, self.issued, *self._public_folders()):
            if folder.is_dir():
                for path in sorted(folder.iterdir()):
                    if _LEFTOVER.fullmatch(path.name) and path.is_file():
                        yield path

    def remove_leftovers(self, now: datetime) -> int:
        """Remove those of an hour ago and before; who writes now is left alone.

        Raises:
            StorageFailed: One cannot be removed.
        """
        removed = 0
        for path in self.leftovers():
            with _typed_failures(path):
                age = now.timestamp() - path.stat().st_mtime
                if age > _LEFTOVER_SECONDS:
                    path.unlink()
                    removed += 1
        return removed

    def _public_folders(self) -> Iterator[Path]:
        for folder, _, _ in os.walk(self.public):
            yield Path(folder)

    def save_keystore(self, sealed: bytes) -> None:
        """Replace the key store, whole or not at all.

        Raises:
            StorageFailed: As `store`.
        """
        self.store(self.keystore_file, sealed, mode=_PRIVATE)

    def store(self, path: Path, content: bytes, *, mode: int = 0o644) -> None:
        """Write a file of the node itself, as `write_file` does.

        Raises:
            StorageFailed: The disk is full, say.
            DiskFailed: It did not take it, now or before.
        """
        self.disk.require_sound()
        try:
            with _typed_failures(path, writing=True):
                write_file(path, content, mode=mode)
        except DiskFailed as e:
            self.disk.fail(e)
            raise

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the node: at most one process serves or anchors at a time.

        The lock belongs to the process: the kernel gives it back even after kill -9.

        Raises:
            HomeLocked: Another process holds it.
            StorageFailed: The lock file cannot be made: a read-only disk, say.
        """
        with _typed_failures(self.lock_file):
            handle = os.open(self.lock_file, os.O_RDWR | os.O_CREAT, _PRIVATE)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as e:
                raise HomeLocked(f"another process holds {self.root}") from e
            yield
        finally:
            os.close(handle)

    def is_held(self) -> bool:
        """Tell whether a process holds the node now; makes no file."""
        try:
            handle = os.open(self.lock_file, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False


def write_file(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write `content` to `path` durably: whole or not at all, also over a power cut.

    Raises:
        OSError: With the name of a file, whatever failed.
    """
    with _named(path):
        _write_file(path, content, mode)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error say which file it is about: that of a write or a sync does not."""
    try:
        yield
    except OSError as e:
        if e.filename is not None:
            raise
        raise OSError(e.errno, e.strerror, str(path)) from e


@contextmanager
def _typed_failures(path: Path, *, writing: bool = False) -> Iterator[None]:
    """Give what the operating system says of the node's own files a name of ours."""
    try:
        yield
    except OSError as e:
        name = Path(os.fsdecode(e.filename)).name if e.filename else path.name
        kind = DiskFailed if writing and e.errno in LOST_WRITES else StorageFailed
        raise kind(f"{e.strerror}: {name}") from e


def _write_file(path: Path, content: bytes, mode: int) -> None:
    make_folder(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    # Without this, the new name may be lost although the content is safe.
    _sync_folder(path.parent)


def make_folder(folder: Path, *, mode: int = 0o777) -> None:
    """Make a folder durably, with those that it lies in, unless it is there.

    Each new name is synced in the folder above, or a power cut could take all that was
    written below it since. `mode` is of the last folder alone.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=mode, exist_ok=True)
    with _named(folder):
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def create_folder(root: Path) -> None:
    """Create the data directory for a new node.

    Raises:
        HomeExists: Something is there already.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise HomeExists(f"{root} is there already and not empty")
    make_folder(root, mode=_PRIVATE_FOLDER)
