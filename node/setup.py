"""Making a node, and the identities that it signs for."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from anchoring.entry import EntryKind
from credentials.data_integrity import DEFAULT_SUITE
from did.document import build_did_document, parse_did_document
from did.key import DidKey, did_key_document
from did.keyfile import MODERATE, Argon2Cost, KeyLabel
from did.keystore import Unlocked, new_keystore
from did.multikey import decode_multikey
from did.service import LogAnchor, PatunayLogService
from did.web import DidWeb
from node.audit_log import record
from node.config import Config
from node.config_layers import with_environment
from node.home import Home, create_folder, write_file
from node.issuer_keys import history_of
from node.node import EVM_KEY, LOG_KEY, MAIN, Node, credential_key, status_key
from node.permissions import Action
from node.publishing import publish_did_document, publish_did_history, publish_node
from node.status_lists import publish_lists
from node.storage import ledger
from node.storage.database import create_engine, locate, prepare
from node.storage.registry import (
    Issuer,
    list_issuers,
    save_issuer,
    update_document,
)
from node.suites import require_suite
from primitives.canonical_json import JsonObject, canonicalize
from primitives.clock import Clock
from primitives.ed25519 import SEED_BYTES
from primitives.errors import Malformed, Misconfigured
from primitives.hashing import sha256

MAX_NAME = 200
"""Characters of an issuer's name."""

_CREDENTIAL_FRAGMENT = "credential-1"
_STATUS_FRAGMENT = "status-1"


class SlugInvalid(Misconfigured):
    """An issuer's slug is not one that its DID can carry."""

    code = "issuer-slug-invalid"
    hint = "use lower-case letters, digits and hyphens, such as sdo-batangas"


class NameInvalid(Malformed):
    """An issuer's name is none."""

    code = "issuer-name-invalid"
    hint = "give the full name of the school or office, on one line"


async def create_node(
    home: Home,
    config: Config,
    passphrase: bytes,
    clock: Clock,
    *,
    name: str,
    cost: Argon2Cost = MODERATE,
) -> Issuer:
    """Create a node in an empty directory: keys, database, its own identity.

    Returns the node's own issuer.

    Raises:
        HomeExists: Something is there already.
        DatabaseInUse: The PostgreSQL database holds tables already.
        PassphraseUnusable: Empty, or longer than anybody types.
    """
    create_folder(home.root)
    keys = new_keystore(passphrase, cost)
    now = clock.now()
    keys = keys.add_ed25519(
        KeyLabel(LOG_KEY, "log", "", now), secrets.token_bytes(SEED_BYTES)
    )
    from eth_account import Account  # noqa: PLC0415 - wanted once, and slow to import

    account = Account.create()
    keys = keys.add_secp256k1(
        KeyLabel(EVM_KEY, "evm", "", now), bytes(account.key), address=account.address
    )
    home.save_keystore(keys.seal())
    # The tables before the configuration: a directory without patunay.toml is no node, so
    # a crash in between leaves nothing that looks like one.
    place = locate(home.root, with_environment(config, os.environ))
    if isinstance(place, Path):
        place.touch(mode=0o600)
    engine = create_engine(place)
    try:
        await prepare(engine)
        node = Node(home, config, engine, clock, keys)
        issuer = await add_issuer(node, MAIN, name)
    finally:
        await engine.dispose()
    write_file(home.config_file, config.to_toml().encode(), mode=0o600)
    return issuer


async def add_issuer(
    node: Node,
    slug: str,
    name: str,
    *,
    cryptosuite: str = DEFAULT_SUITE,
    on_token: bool = False,
) -> Issuer:
    """Create keys and a DID for another issuer of this node, and publish the document.

    Args:
        node: With its keys unlocked.
        slug: What it is called in commands and paths.
        name: What it is called among people.
        cryptosuite: One of `SUITES`: how it signs where a request names none.
        on_token: Make its keys on the PKCS#11 token of the configuration.

    Raises:
        PatunayError: As `add_within`.
    """
    async with node.writing() as c:
        issuer = await add_within(
            node, c, slug, name, cryptosuite=cryptosuite, on_token=on_token
        )
    await publish_all(node)
    return issuer


async def add_within(
    node: Node,
    c: AsyncConnection,
    slug: str,
    name: str,
    *,
    cryptosuite: str = DEFAULT_SUITE,
    on_token: bool = False,
) -> Issuer:
    """Do so in the caller's transaction; its document is published by `publish_all`.

    Raises:
        HsmNotConfigured: `on_token`, and there is no token.
        HsmKeyExists: `on_token`, and the token has keys of this issuer already.
        SlugInvalid: The slug cannot stand in a DID.
        NameInvalid: The name is none that people can read on one line.
        SuiteUnknown: There is no such cryptosuite.
        IssuerExists: It is taken.
        NodeSealed: The keys are not unlocked.
    """
    if not _is_slug(slug):
        raise SlugInvalid(f"found slug {slug[:64]!r}")
    if not (name.strip() == name != "" and len(name) <= MAX_NAME and name.isprintable()):
        raise NameInvalid(f"found {len(name)} characters, want 1 to {MAX_NAME} on one line")
    require_suite(cryptosuite)
    # Read anew in the transaction: another process may have added keys, and must not lose
    # them to this one.
    known = node.keys().reread(node.home.keystore())
    keys = _with_issuer_keys(known, slug, node, on_token=on_token)
    did, document = _identity(node, keys, slug)
    body = canonicalize(document)
    issuer = Issuer(slug, did, name, body.decode(), node.now(), cryptosuite)
    await save_issuer(c, issuer)
    if not did.startswith("did:key:"):
        await log_document(node, c, did, body)
    await record(c, node, Action.ISSUER_ADD, f"issuer:{did}", issuer=slug)
    # The keys before the commit: a DID document that is public without its keys could never
    # be used, keys without a document are only spare.
    node.home.save_keystore(keys.seal())
    node.unlocked = keys
    return issuer


def _is_slug(slug: str) -> bool:
    return (
        0 < len(slug) <= 40  # noqa: PLR2004 - leaves room for the key's role
        and slug.isascii()
        and slug == slug.lower()
        and slug.replace("-", "").isalnum()
        and not slug.startswith("-")
    )


def _with_issuer_keys(keys: Unlocked, slug: str, node: Node, *, on_token: bool) -> Unlocked:
    """Add the issuer's keys, unless a run that died had done so."""
    known = {entry.label.key_id for entry in keys.keystore.entries}
    roles: Sequence[tuple[str, str]] = (
        (credential_key(slug), "credential"),
        (status_key(slug), "status"),
    )
    if node.config.did_method == "key":
        roles = roles[:1]
    for key_id, role in roles:
        if key_id not in known:
            label = KeyLabel(
                key_id,
                "credential" if role == "credential" else "status",
                slug,
                node.instant(),
            )
            keys = new_key(node, keys, label, on_token=on_token)
    return keys


def new_key(node: Node, keys: Unlocked, label: KeyLabel, *, on_token: bool) -> Unlocked:
    """Return `keys` with a new one more, in the key file or on the node's token.

    Raises:
        HsmNotConfigured: `on_token`, and there is no token.
        HsmKeyExists: `on_token`, and the token has a key of this id already.
    """
    if not on_token:
        return keys.add_ed25519(label, secrets.token_bytes(SEED_BYTES))
    public_key = node.tokens.create(label.key_id)
    return keys.add_token_key(label, public_key, token=node.config.hsm.token)


def _identity(node: Node, keys: Unlocked, slug: str) -> tuple[str, JsonObject]:
    public = decode_multikey(keys.keystore.entry(credential_key(slug)).public)
    if node.config.did_method == "key":
        key = DidKey(public)
        return str(key), did_key_document(key)
    segments = () if slug == MAIN else ("issuers", slug)
    did = str(DidWeb.for_host(node.config.domain, *segments))
    status = decode_multikey(keys.keystore.entry(status_key(slug)).public)
    document = build_did_document(
        did,
        assertion_keys={_CREDENTIAL_FRAGMENT: public, _STATUS_FRAGMENT: status},
        services=[log_service(node, keys.keystore.entry(EVM_KEY).public)],
    )
    return did, document


def log_service(node: Node, address: str) -> PatunayLogService:
    """Return what the node's DID documents say of its log and its anchors."""
    contract = anchor_contract(node.config)
    anchors: tuple[LogAnchor, ...] = ()
    if contract:
        chain = contract.rpartition(":")[0]
        anchors = (LogAnchor(contract, (f"{chain}:{address}",)),)
    return PatunayLogService(
        log=f"{node.config.base_url}/log/", vkey=str(node.vkey), anchors=anchors
    )


def anchor_contract(config: Config) -> str:
    """Return the CAIP-10 account of the contract that the node anchors in; may be empty."""
    if config.chain.is_dev:
        from anchoring.dev_chain import DEV_CONTRACT  # noqa: PLC0415 - web3 takes a second

        return DEV_CONTRACT
    return config.chain.contract


async def refresh_documents(node: Node) -> int:
    """Let the DID documents name the contract that is configured now; return how many.

    Contracts and accounts that they named before stay listed: what was anchored there was
    anchored there. A changed document is a new leaf of the log.
    """
    current = log_service(node, node.home.keystore().entry(EVM_KEY).public)
    changed = 0
    async with node.writing() as c:
        for issuer in await list_issuers(c):
            if issuer.did.startswith("did:key:"):
                continue
            before = parse_did_document(issuer.parsed(), issuer.did).log_service()
            earlier = before.anchors if before is not None else ()
            wanted = tuple(dict.fromkeys((*earlier, *current.anchors)))
            service = replace(current, anchors=wanted)
            if service == before:
                continue
            document = {**issuer.parsed(), "service": [service.to_json(issuer.did)]}
            body = canonicalize(document)
            await update_document(c, issuer.slug, body.decode())
            await log_document(node, c, issuer.did, body)
            changed += 1
    return changed


async def log_document(node: Node, c: AsyncConnection, did: str, body: bytes) -> None:
    """Queue a version of a DID document for the log, which also is its history."""
    now = node.now()
    await ledger.save_document(c, sha256(body), EntryKind.DID_DOCUMENT, body.decode(), now)
    await ledger.enqueue(c, [(EntryKind.DID_DOCUMENT, sha256(body), did)], now)


async def publish_all(node: Node) -> None:
    """Write every static file but the log anew from the database.

    So the two cannot differ. The log's files are for `node.logbook.publish_log`.
    """
    async with node.reading() as c:
        known = await list_issuers(c)
        webs = [issuer for issuer in known if not issuer.did.startswith("did:key:")]
        histories = [canonicalize(await history_of(c, issuer.did)) for issuer in webs]
    for issuer, history in zip(webs, histories, strict=True):
        publish_did_document(node.home, issuer.slug, issuer.document.encode())
        publish_did_history(node.home, issuer.slug, history)
    await publish_lists(node)
    publish_node(
        node.home,
        {
            "version": 1,
            "issuers": [{"slug": i.slug, "did": i.did, "name": i.name} for i in known],
            "log": {"origin": node.config.log_name, "vkey": str(node.vkey)},
        },
    )
