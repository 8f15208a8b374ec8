"""The trust pack that `patunay verify` works from."""

from datetime import datetime
from pathlib import Path

import click

from cli.files import read_file
from credentials.trust_pack.archive import MAX_PACK_BYTES
from credentials.trust_pack.belief import PackBelief, believe
from credentials.trust_pack.manifest import Federation
from credentials.trust_pack.pack import parse_pack
from credentials.trust_pack.verify import Seen, verify_pack
from node.trust_store import TrustStore


def read_belief(pack: Path, root: Path | None, now: datetime) -> PackBelief:
    """Return what a pack gives, after it was verified.

    Args:
        pack: The file, or the folder that `patunay trust import` has let packs into.
        root: The federation's file, which a pack that is a file needs.
        now: Aware; this machine's clock.

    Raises:
        UsageError: A file without `root`, or a folder with one.
        PatunayError: The pack is not to be believed.
    """
    if pack.is_dir():
        if root is not None:
            raise click.UsageError("--root is for a --pack that is a file")
        return believe(TrustStore(pack).newest(now))
    if root is None:
        raise click.UsageError(
            "a --pack that is a file needs --root, the federation's own file"
        )
    found = parse_pack(read_file(pack, max_bytes=MAX_PACK_BYTES))
    verify_pack(found, read_federation(root), now, Seen())
    return believe(found)


def read_federation(file: Path) -> Federation:
    """Return the federation in a file.

    Raises:
        FederationMalformed: It is none.
    """
    return Federation.parse(read_file(file))
