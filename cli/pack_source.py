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
from primitives.errors import Malformed, Misconfigured, PatunayError, Rejected


class PackRefused(Misconfigured):
    """The verifier's own pack is not to be used; nothing is said about any credential."""

    code = "pack-refused"

    def __init__(self, reason: PatunayError) -> None:
        """Keep the code of what is wrong with the pack."""
        super().__init__(str(reason), hint=reason.hint)
        self.code = reason.code


def read_belief(pack: Path, root: Path | None, now: datetime) -> PackBelief:
    """Return what a pack gives, after it was verified.

    Args:
        pack: The file, or the folder that `patunay trust import` has let packs into.
        root: The federation's file, which a pack that is a file needs.
        now: Aware; this machine's clock.

    Raises:
        UsageError: A file without `root`, or a folder with one.
        PackRefused: The pack is not to be believed.
        PatunayError: It is too old, or there is none.
    """
    if pack.is_dir():
        if root is not None:
            raise click.UsageError("--root is for a --pack that is a file")
        try:
            return believe(TrustStore(pack).newest(now))
        except (Malformed, Rejected) as e:
            raise PackRefused(e) from e
    if root is None:
        raise click.UsageError(
            "a --pack that is a file needs --root, the federation's own file"
        )
    federation = read_federation(root)
    try:
        found = parse_pack(read_file(pack, max_bytes=MAX_PACK_BYTES))
        verify_pack(found, federation, now, Seen())
    except (Malformed, Rejected) as e:
        raise PackRefused(e) from e
    return believe(found)


def read_federation(file: Path) -> Federation:
    """Return the federation in a file.

    Raises:
        FederationMalformed: It is none.
    """
    return Federation.parse(read_file(file))
