"""`patunay trust`: an office's trust packs, made and let in."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import click

from anchoring.backend import AnchorReceipt, Sighting
from anchoring.cosignature import WitnessKey, WitnessQuorum
from cli.anchor_evidence import look
from cli.files import read_file, write_whole
from cli.network import Network, Surroundings
from cli.options import FILE, FOLDER, json_option, office_option, passphrase_option
from cli.output import print_json, say, say_note
from cli.pack_source import read_federation
from cli.passphrase import read_passphrase
from cli.progress import progress_bar
from cli.trust_reading import diff, import_, print_pack, show
from cli.trust_registries import import_registry
from credentials.evidence import Lookup
from credentials.policy import Policy
from credentials.trust_pack.archive import MAX_PACK_BYTES
from credentials.trust_pack.manifest import Federation
from credentials.trust_pack.pack import TrustPack, parse_pack
from credentials.trust_pack.parts import DenyList
from credentials.trust_pack.rules import Denial
from did.document import parse_did_document
from did.identifier import Did
from did.key import DidKey, did_key_document
from did.multikey import decode_multikey
from did.resolver import DidKeyResolver, MethodResolver
from node.auditing import Progress
from node.trust_folder import Followed, TrustFolder
from node.trust_refresh import Refresh, Trouble
from primitives.clock import SystemClock
from primitives.errors import Misconfigured
from primitives.hashing import Digest
from primitives.instants import parse_instant


class PackNotSigned(Misconfigured):
    """The office has signed no pack yet."""

    code = "trust-pack-not-signed"
    hint = "`patunay trust sign` makes one"


@click.group()
def trust() -> None:
    """Trust packs: what an office knows of many issuers.

    Signed, and carried to machines without a network. docs/trust-packs.md says how.
    """


for _command in (show, diff, import_, import_registry):
    trust.add_command(_command)


@trust.command("init", epilog="Example: patunay trust init office --federation ph")
@click.argument("directory", metavar="DIR", type=FOLDER)
@click.option("--federation", required=True, metavar="NAME", help="Id of the federation.")
@click.option(
    "--key", "others", multiple=True, metavar="KEY", help="Multikey of another office."
)
@click.option("--threshold", type=int, default=1, metavar="N", help="Signatures wanted.")
@click.option(
    "--contract", "contracts", multiple=True, metavar="CAIP-10", help="Whose events count."
)
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar="VKEY",
    help="Whose cosignatures of checkpoints count.",
)
@click.option(
    "--witness-threshold",
    type=int,
    default=1,
    metavar="N",
    help="How many witnesses have to agree.",
)
@passphrase_option
@json_option
def init(  # noqa: PLR0913 - one parameter for each option
    *,
    directory: Path,
    federation: str,
    others: tuple[str, ...],
    threshold: int,
    contracts: tuple[str, ...],
    witnesses: tuple[str, ...],
    witness_threshold: int,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Create an office's folder in the new directory DIR.

    Makes one key for it. Every office of a federation makes a folder of its own first; then
    `federation.json` is made with all the keys, and given to each of them and to verifiers.
    """
    keys = tuple(map(WitnessKey.parse, witnesses))
    folder = TrustFolder.create(
        directory.resolve(),
        federation,
        read_passphrase(passphrase_file, new=True),
        SystemClock(),
        others=others,
        threshold=threshold,
        contracts=contracts,
        witnesses=WitnessQuorum(keys, witness_threshold) if keys else None,
    )
    (key,) = folder.own_keys()
    if as_json:
        print_json({"version": 1, "directory": str(folder.root), "key": key})
        return
    say(key)
    say_note(f"verifiers need {folder.root / 'federation.json'}, by a way that they trust")


@trust.command("add-issuer", epilog="Example: patunay trust add-issuer did:web:up.edu.ph")
@click.argument("did", metavar="DID")
@click.option("--name", metavar="TEXT", help="By which you know it; else the DID.")
@click.option("--scope", multiple=True, metavar="TYPE", help="An award it is trusted for.")
@office_option
@json_option
def add_issuer(
    *, did: str, name: str | None, scope: tuple[str, ...], folder: Path, as_json: bool
) -> None:
    """Look after DID from now on.

    Nothing is looked up before `patunay trust refresh`. Again, it changes name and scope.
    """
    office = TrustFolder.open(folder)
    if did.startswith("did:key:"):
        parse_did_document(did_key_document(DidKey.parse(did)), did)
    added = Followed(str(Did.parse(did)), name or did, tuple(sorted(set(scope))))
    office.follow((*office.followed(), added))
    if as_json:
        print_json({"version": 1, "did": added.did, "name": added.name})
        return
    say(added.did)


@trust.command(
    "deny", epilog="Example: patunay trust deny did:web:x.example --reason closed"
)
@click.argument("subject", metavar="DID|KEY")
@click.option("--reason", required=True, metavar="TEXT", help="Shown to verifiers.")
@click.option("--since", metavar="TIME", help="What was anchored before still counts.")
@office_option
@json_option
def deny(
    *, subject: str, reason: str, since: str | None, folder: Path, as_json: bool
) -> None:
    """Do not believe an issuer, by its DID, or a key, by its Multikey, any more."""
    office = TrustFolder.open(folder)
    denial = Denial(reason, parse_instant(since) if since is not None else None)
    known = office.deny()
    keys, issuers = dict(known.keys), dict(known.issuers)
    if subject.startswith("did:"):
        issuers[str(Did.parse(subject))] = denial
    else:
        decode_multikey(subject)
        keys[subject] = denial
    office.write_part(DenyList.parse(DenyList(keys, issuers).to_bytes()))
    if as_json:
        print_json({"version": 1, "denied": subject, "reason": reason})
        return
    say(subject)


@trust.command(
    "refresh", epilog="Example: patunay trust refresh --chain https://rpc.example"
)
@click.option(
    "--chain", multiple=True, metavar="URL", help="Chain endpoint of your choice."
)
@click.option(
    "--allow-loopback", is_flag=True, help="Also ask `localhost`, without TLS, for trials."
)
@office_option
@json_option
def refresh(
    *, chain: tuple[str, ...], allow_loopback: bool, folder: Path, as_json: bool
) -> None:
    """Look up all issuers anew.

    DID documents and histories, checkpoints, status lists, and with --chain the anchors.
    What cannot be had is told, and the folder keeps what it had; then the exit code is 3.
    A round that was interrupted goes on where it ended, within a day.
    """
    office = TrustFolder.open(folder)
    around = Surroundings.of(click.get_current_context())
    with progress_bar() as progress:
        troubles = asyncio.run(
            _refresh(office, around, chain, progress, allow_loopback=allow_loopback)
        )
    parts = office.parts()
    if as_json:
        told = [
            {"what": t.what, "code": t.error.code, "detail": str(t.error)} for t in troubles
        ]
        print_json({"version": 1, "parts": len(parts), "troubles": told})
    else:
        say(f"{len(parts)} parts in {office.root}")
        for trouble in troubles:
            say_note(f"{trouble.what}: {trouble.error} ({trouble.error.code})")
    click.get_current_context().exit(3 if troubles else 0)


async def _refresh(
    office: TrustFolder,
    around: Surroundings,
    chain: tuple[str, ...],
    progress: Progress,
    *,
    allow_loopback: bool,
) -> tuple[Trouble, ...]:
    clock = around.clock
    policy = Policy(contracts=frozenset(office.federation().contracts))

    async def ask(
        anchors: Iterable[AnchorReceipt], digest: Digest
    ) -> dict[str, Lookup[Sighting]]:
        return await look(anchors, digest, chain, policy, clock)

    async with Network(
        clock, allow_loopback=allow_loopback, make_fetcher=around.fetcher
    ) as network:
        ways = MethodResolver({"key": DidKeyResolver(clock), "web": network})
        work = Refresh(office, ways, network.fetch, clock, ask if chain else None, progress)
        return await work.run()


@trust.command("sign", epilog="Example: patunay trust sign")
@click.argument("pack", type=FILE, required=False)
@office_option
@passphrase_option
@json_option
def sign(
    *, pack: Path | None, folder: Path, passphrase_file: Path | None, as_json: bool
) -> None:
    """Make and sign a pack of what the folder holds; or sign PACK, of another office, too.

    Look at it with `patunay trust show` and `patunay trust diff` before you sign it.
    """
    office = TrustFolder.open(folder)
    around = Surroundings.of(click.get_current_context())
    if pack is None:
        signed = office.sign(read_passphrase(passphrase_file), around.clock.now())
    else:
        found = parse_pack(read_file(pack, max_bytes=MAX_PACK_BYTES))
        signed = office.add_signatures(found, read_passphrase(passphrase_file))
        write_whole(pack, signed.to_bytes())
    print_pack(signed, as_json=as_json)
    _note_missing(signed, office.federation())


@trust.command("export", epilog="Example: patunay trust export -o pack.zip")
@click.option("-o", "--output", type=FILE, required=True, metavar="FILE", help="The pack.")
@office_option
@json_option
def export(*, output: Path, folder: Path, as_json: bool) -> None:
    """Write the last pack that was signed to FILE."""
    office = TrustFolder.open(folder)
    pack = office.pack()
    if pack is None:
        raise PackNotSigned(f"found no pack in {office.root}")
    write_whole(output, pack.to_bytes())
    print_pack(pack, as_json=as_json)
    _note_missing(pack, office.federation())


@trust.command("federation", epilog="Example: patunay trust federation federation.json")
@click.argument("file", type=FILE)
@office_option
@json_option
def federation(*, file: Path, folder: Path, as_json: bool) -> None:
    """Take over the federation's file FILE: its keys, threshold and contracts."""
    office, found = TrustFolder.open(folder), read_federation(file)
    office.write_federation(found)
    if as_json:
        print_json({"version": 1, "id": found.name, "keys": list(found.keys)})
        return
    say(f"{found.name}: {found.threshold} of {len(found.keys)} keys")


def _note_missing(pack: TrustPack, root: Federation) -> None:
    count = len(pack.signatures.keys() & set(root.keys))
    if count < root.threshold:
        say_note(f"{count} of {root.threshold} signatures: nobody believes this pack yet")
