"""`patunay trust import-registry`: issuers that another network lists, into the draft."""

from pathlib import Path

import click

from cli.files import read_file
from cli.network import Surroundings
from cli.options import FILE, json_option, office_option
from cli.output import error_json, print_json, say, say_note
from credentials.trust_pack.registries import (
    MAX_REGISTRY_BYTES,
    Listed,
    Registry,
    parse_registry,
)
from did.multikey import decode_multikey
from node.trust_folder import Followed, TrustFolder


@click.command(
    "import-registry", epilog="Example: patunay trust import-registry registry.json"
)
@click.argument("file", type=FILE)
@click.option("--key", metavar="KEY", help="Multikey of whoever signs the list.")
@click.option("--only", multiple=True, metavar="DID", help="Take over this one alone.")
@click.option("--dry-run", is_flag=True, help="Show what is in the list, and no more.")
@office_option
@json_option
def import_registry(
    *,
    file: Path,
    key: str | None,
    only: tuple[str, ...],
    dry_run: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Look after the issuers that FILE lists: a registry of another network.

    Reads a registry of the DCC form, an OpenID Federation entity statement, and a W3C
    RecognizedEntityCredential (experimental). Nobody is believed by that: look them up
    with `patunay trust refresh`, look at them, and sign. An issuer that the office looks
    after already stays as it is.
    """
    office = TrustFolder.open(folder)
    clock = Surroundings.of(click.get_current_context()).clock
    believed = None if key is None else decode_multikey(key)
    raw = read_file(file, max_bytes=MAX_REGISTRY_BYTES)
    found = parse_registry(raw, believed, clock.now())
    known = {issuer.did for issuer in office.followed()}
    wanted = [one for one in found.listed if not only or one.did in only]
    new = [one for one in wanted if one.did not in known]
    if not dry_run:
        added = [Followed(one.did, one.name, ()) for one in new]
        office.follow((*office.followed(), *added))
    _print(found, wanted, known, as_json=as_json)
    if not as_json:
        done = "would be added" if dry_run else "added"
        say_note(f"{len(new)} {done}; `patunay trust refresh` looks them up")


def _print(
    found: Registry, wanted: list[Listed], known: set[str], *, as_json: bool
) -> None:
    if as_json:
        print_json(
            {
                "version": 1,
                "kind": found.kind,
                "signed": found.signed,
                "issuers": [
                    {"did": one.did, "name": one.name, "known": one.did in known}
                    for one in wanted
                ],
                "skipped": [
                    {"did": did, **error_json(error)}
                    for did, error in found.skipped.items()
                ],
            }
        )
        return
    signed = "its signature holds" if found.signed else "signed by nobody"
    say(f"{found.kind}, {signed}")
    for one in wanted:
        say(f"  {'known' if one.did in known else 'new':7} {one.did}  {one.name}")
    for did, error in found.skipped.items():
        say(f"  skipped {did}  {error} ({error.code})")
