"""Restoring a node from a backup. What was restored signs nothing before it is reconciled.

The rows and the migrations are one transaction, and the configuration is written last: a
crash leaves nothing that looks like a node.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from node.backup import FORMAT, Progress
from node.config import Config
from node.config_layers import with_environment
from node.config_tables import DatabaseConfig
from node.home import Home, create_folder
from node.sealed_stream import MAX_MESSAGE_BYTES, BackupMalformed
from node.storage.copying import clear, number_on, reflected, write_rows
from node.storage.database import (
    SchemaNewer,
    create_engine,
    locate,
    migrate_within,
    require_empty,
    revisions,
    transaction,
)
from node.storage.restorations import forget_challenges, save_restoration
from node.storage.sessions import forget_all
from node.storage.tokens import revoke_all
from primitives.canonical_json import JsonObject
from primitives.clock import Clock
from primitives.encodings import EncodingMalformed, decode_base64
from primitives.instants import format_instant
from primitives.strict_json import JsonMalformed, parse_json

_MAX_VALUES: Final = 4_000_000
"""In one message; its bytes are bounded."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What came out of a backup."""

    made_at: str
    restored_at: str
    rows: int
    files: tuple[str, ...]
    revoked: int
    """Tokens that were in force when the backup was made."""


async def restore_backup(
    home: Home,
    messages: Iterator[bytes],
    clock: Clock,
    progress: Progress,
    *,
    database: DatabaseConfig | None = None,
    keep_tokens: bool = False,
) -> RestoreReport:
    """Make the node of a backup in an empty directory, and in an empty database.

    Args:
        home: Where; must be empty or not there.
        messages: As `read_sealed` gives them.
        clock: The machine's.
        progress: Told after each part.
        database: Where to, instead of where it was; one without URL is SQLite.
        keep_tokens: Leave tokens in force. Nobody here can know which of them were revoked
            after the backup.

    Raises:
        BackupMalformed: No backup, or a damaged one; nothing is left of it in the database.
        BackupUnlockFailed: Wrong passphrase.
        SchemaNewer: It was made by a newer release.
        HomeExists: Something is in the directory.
        DatabaseInUse: The database has tables.
    """
    parts = map(_parsed, messages)
    head = next(parts, {})
    made_at, revision, total = _checked(head)
    create_folder(home.root)
    files, first = _take_files(parts)
    config = _config(files, database)
    for name, (content, mode) in files.items():
        if name != home.config_file.name:
            home.store(home.root / name, content, mode=mode)
    place = locate(home.root, with_environment(config, os.environ))
    if isinstance(place, Path):
        place.touch(mode=0o600)
    engine = create_engine(place)
    now = format_instant(clock.now())
    try:
        await require_empty(engine)
        async with transaction(engine) as c:
            await c.run_sync(migrate_within, revision)
            await _fill(c, first, parts, lambda n: progress("restoring", n, total), total)
            await c.run_sync(migrate_within, "head")
            await save_restoration(c, made_at, now)
            await forget_challenges(c)
            await forget_all(c)
            revoked = 0 if keep_tokens else await revoke_all(c, now)
    finally:
        await engine.dispose()
    home.store(home.config_file, config.to_toml().encode(), mode=0o600)
    return RestoreReport(made_at, now, total, tuple(files), revoked)


def _parsed(message: bytes) -> JsonObject:
    try:
        found = parse_json(message, MAX_MESSAGE_BYTES, max_nodes=_MAX_VALUES)
    except JsonMalformed as e:
        raise BackupMalformed(f"found a part that is no JSON: {e}") from e
    if not isinstance(found, dict):
        raise BackupMalformed("found a part that is no object")
    return found


def _checked(head: JsonObject) -> tuple[str, str, int]:
    if head.get("backup") != FORMAT:
        raise BackupMalformed(f"found backup {str(head.get('backup'))[:20]}, want {FORMAT}")
    revision, tables = str(head.get("revision")), head.get("tables")
    if revision not in revisions():
        raise SchemaNewer(f"found revision {revision[:20]}, want at most {revisions()[-1]}")
    if not isinstance(tables, dict):
        raise BackupMalformed("found no list of tables")
    counts = [count for count in tables.values() if isinstance(count, int)]
    return str(head.get("madeAt")), revision, sum(counts)


def _take_files(
    parts: Iterator[JsonObject],
) -> tuple[dict[str, tuple[bytes, int]], JsonObject | None]:
    """Return the files, and the first part that is none."""
    files: dict[str, tuple[bytes, int]] = {}
    for part in parts:
        name, mode, content = part.get("file"), part.get("mode"), part.get("content")
        if name is None:
            return files, part
        if not isinstance(name, str) or "/" in name or name.startswith("."):
            raise BackupMalformed("found a file of another folder")
        if not isinstance(mode, int) or not isinstance(content, str):
            raise BackupMalformed(f"found no content of {name[:80]}")
        try:
            files[name] = decode_base64(content), mode & 0o777
        except EncodingMalformed as e:
            raise BackupMalformed(f"{name[:80]}: {e}") from e
    return files, None


def _config(
    files: Mapping[str, tuple[bytes, int]], database: DatabaseConfig | None
) -> Config:
    raw, _ = files.get("patunay.toml", (b"", 0))
    if "keystore.json" not in files or not raw:
        raise BackupMalformed("found no configuration and key store, want both")
    config = Config.from_toml(raw.decode())
    return config if database is None else replace(config, database=database)


async def _fill(
    c: AsyncConnection,
    first: JsonObject | None,
    parts: Iterator[JsonObject],
    progress: Callable[[int], None],
    total: int,
) -> None:
    tables = {table.name: table for table in await reflected(c)}
    await clear(c, list(tables.values()))
    done = 0
    part = first
    while part is not None:
        columns, rows = part.get("columns"), part.get("rows")
        table = tables.get(str(part.get("table")))
        if table is None or not isinstance(columns, list) or not isinstance(rows, list):
            raise BackupMalformed(f"found a part of {str(part.get('table'))[:80]!r}")
        try:
            values = [row for row in rows if isinstance(row, list)]
            await write_rows(c, table, [str(column) for column in columns], values)
        except (ValueError, EncodingMalformed) as e:
            raise BackupMalformed(f"{table.name}: {e}") from e
        done += len(rows)
        progress(done)
        part = next(parts, None)
    if done != total:
        raise BackupMalformed(f"found {done} rows, want {total}")
    await number_on(c, list(tables.values()))
