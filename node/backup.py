"""Backups: every table and the key files, under the passphrase, while the node runs.

The rows are those of one moment, whatever is written meanwhile, and in no store's own form:
a backup of a node in SQLite can be restored into PostgreSQL, and the other way round.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from did.keyfile import Argon2Cost
from node.config import Config
from node.home import Home
from node.node import Node
from node.sealed_stream import SealedWriter
from node.storage.copying import count_rows, read_rows, reflected, revision_of
from primitives.canonical_json import Json, canonicalize
from primitives.encodings import encode_base64

FORMAT: Final = 1

Progress = Callable[[str, int, int], None]
"""Told the step, how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What is in a backup."""

    made_at: str
    rows: int
    files: tuple[str, ...]


async def write_backup(
    node: Node,
    file: BinaryIO,
    passphrase: bytes,
    progress: Progress,
    *,
    cost: Argon2Cost | None = None,
) -> BackupReport:
    """Write a backup of `node` to `file`.

    Args:
        node: Open; need not be unlocked, and others may write to it.
        file: Empty.
        passphrase: That of the key store, so that one is to be kept, and not two.
        progress: Told after each part.
        cost: Of guessing the passphrase; the key store's own where None.

    Raises:
        KeyUnlockFailed: It is not the key store's.
        StorageFailed: The database or the disk did not do its part.
    """
    keystore = node.home.keystore()
    keystore.unlock(passphrase)
    writer = SealedWriter(file, passphrase, cost or keystore.file.cost)
    made_at = node.now()
    async with node.reading() as c:
        tables = await reflected(c)
        counts = {table.name: await count_rows(c, table) for table in tables}
        total = sum(counts.values())
        writer.write(
            canonicalize(
                {
                    "backup": FORMAT,
                    "madeAt": made_at,
                    "revision": await revision_of(c),
                    "tables": dict[str, Json](counts),
                }
            )
        )
        # After the snapshot: a key is kept before any row speaks of it.
        files = _files(node.home, node.config)
        for path in files:
            writer.write(canonicalize(_file(path)))
        done = 0
        for table in tables:
            async for rows in read_rows(c, table):
                columns: list[Json] = [column.name for column in table.columns]
                part: dict[str, Json] = {"table": table.name, "columns": columns}
                writer.write(canonicalize({**part, "rows": rows}))
                done += len(rows)
                progress("backing up", done, total)
    writer.close()
    return BackupReport(made_at, total, tuple(path.name for path in files))


def _files(home: Home, config: Config) -> list[Path]:
    """Return the files that cannot be made again; what lies elsewhere is not the node's."""
    named = (
        config.tls_certificate_file,
        config.tls_key_file,
        config.hsm.pin_file,
        config.database.password_file,
    )
    plain = [home.root / name for name in named if name and "/" not in name]
    return [home.config_file, home.keystore_file, *(p for p in plain if p.is_file())]


def _file(path: Path) -> dict[str, Json]:
    return {
        "file": path.name,
        "mode": path.stat().st_mode & 0o777,
        "content": encode_base64(path.read_bytes()),
    }
