"""One node in a process: its directory, database, keys and log, opened together.

The use cases (`node.issuance`, `node.logbook`, `node.anchoring`) are functions of this.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from anchoring.backend import AnchorReceipt
from anchoring.note import VerifierKey
from anchoring.tree import Tree
from did.document import parse_did_document
from did.keyfile import KeyEntry
from did.keystore import KeyNotFound, Keystore, Unlocked
from did.multikey import decode_multikey, encode_multikey
from node.config import Config
from node.home import Home
from node.storage.database import (
    create_engine,
    locate,
    migrate,
    open_lookups,
    reading,
    require_node,
    transaction,
    watch_disk,
)
from node.storage.leases import require_term
from node.storage.registry import OWN_SLUG, Issuer
from node.storage.remembered import Remembered
from node.storage.restorations import is_pending
from node.storage.store import LookupReader, Lookups
from node.taken_places import TakenPlaces
from node.till import Till
from node.token_keys import TokenKeys
from primitives.clock import Clock
from primitives.ed25519 import Signer
from primitives.errors import Misconfigured
from primitives.instants import format_instant

MAIN = OWN_SLUG
"""Slug of the node's own issuer."""

LEADING = "leading"
"""Name of the lease of the process that closes batches and anchors."""

MAX_SHOWN = 8
"""Checkpoints kept for receipts: each with a record of up to 1 MiB."""

LOG_KEY = "log"
EVM_KEY = "evm"


class NodeSealed(Misconfigured):
    """The keys are not unlocked."""

    code = "node-sealed"
    hint = "a daemon is unsealed by `patunay unseal`; a command asks for the passphrase"


class RestoreBehindPublished(Misconfigured):
    """A restored copy may be, or is, older than what the node has published since."""

    code = "restore-behind-published"
    hint = "run `patunay reconcile` first; docs/backup.md says what it does"


class KeyLost(Misconfigured):
    """A key that the node has published is not in this key store."""

    code = "key-lost"
    hint = (
        "copy keystore.json from the process that made it; after a restoration, replace it"
        " with `patunay key rotate`"
    )


@dataclass(frozen=True, slots=True)
class ShownCheckpoint:
    """What the receipts of all credentials under one checkpoint have in common."""

    note: str
    """The checkpoint, with what witnesses have signed of it."""

    record: bytes
    anchors: tuple[AnchorReceipt, ...]


@dataclass(slots=True)
class Node:
    """A node that is open. Use `Node.open`."""

    home: Home
    config: Config
    engine: AsyncEngine = field(repr=False)
    clock: Clock = field(repr=False)
    unlocked: Unlocked | None = field(default=None, repr=False)
    """The keys; None while sealed."""

    tree: Tree = field(default_factory=Tree, repr=False)
    """The log's tree, at least up to the last checkpoint; see `node.logbook`."""

    log_lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    """Held while this process lets `tree` grow, or publishes it."""

    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    """Held while this process writes. The store has one writer at a time anyway; here those
    who wait get their turns in order, and keep no connection meanwhile."""

    term: int | None = None
    """Number of the term in which this process leads; None where it does not, or where
    nobody else can. See `node.leading`."""

    is_restored: bool = False
    """Whether it was restored, and not yet compared with what it has published."""

    challenge_ends: dict[str, float] = field(default_factory=dict, repr=False)
    """When each challenge that this process gave out ends, on the clock's monotonic timer,
    by its digest; see `node.challenges`."""

    places: TakenPlaces = field(default_factory=TakenPlaces, repr=False)
    """Of status lists, as far as this process knows; see `node.places`."""

    till: "Till[Node]" = field(init=False, repr=False)
    """Takes in what this process issues one by one."""

    lookups: Lookups = field(init=False, repr=False)

    shown: Remembered[tuple[int, bool], ShownCheckpoint] = field(
        default_factory=lambda: Remembered(MAX_SHOWN), init=False, repr=False
    )
    """By size, and whether anchors count; see `node.logbook.build_receipt`."""

    tokens: TokenKeys = field(init=False, repr=False)
    """What signs with the keys that lie on a PKCS#11 token."""

    def __post_init__(self) -> None:
        """Make what nobody has to give."""
        self.till = Till(self, self.writing)
        self.lookups = open_lookups(self.engine)
        self.tokens = TokenKeys(self.config.hsm, self.home.root, self.config.domain)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, home: Home, clock: Clock, passphrase: bytes | None = None
    ) -> AsyncIterator["Node"]:
        """Open the node at `home`; with a passphrase, with its keys.

        Raises:
            ConfigInvalid: The configuration cannot be honoured.
            DatabaseMissing: There is no database, or no node in it.
            DatabaseRefused: The PostgreSQL server does not let the node in.
            SchemaNewer: A newer release has written it.
            KeyUnlockFailed: Wrong passphrase.
        """
        config = home.config()
        keystore = home.keystore()
        unlocked = None
        if passphrase is not None:
            unlocked = await _unlock(keystore, passphrase)
        engine = create_engine(locate(home.root, config))
        watch_disk(engine, home.disk)
        try:
            await require_node(engine)
            await migrate(engine)
            node = cls(home, config, engine, clock, unlocked)
            async with reading(engine) as c:
                node.is_restored = await is_pending(c)
            try:
                yield node
            finally:
                node.tokens.close()
                node.lookups.close()
        finally:
            await engine.dispose()

    async def unseal(self, passphrase: bytes) -> None:
        """Take the keys into memory; an open node that has them gets them anew.

        Raises:
            KeyUnlockFailed: Wrong passphrase; nothing has changed.
        """
        self.unlocked = await _unlock(self.home.keystore(), passphrase)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose writes are all kept, or none."""
        async with self._turn, transaction(self.engine) as connection:
            yield connection

    @asynccontextmanager
    async def writing_as_leader(self) -> AsyncIterator[AsyncConnection]:
        """Give such a connection to the process that leads; see `node.leading`.

        Raises:
            LeaseLost: Another process leads; nothing is kept.
        """
        async with self._turn, transaction(self.engine) as connection:
            if self.term is not None:
                await require_term(connection, LEADING, self.term)
            yield connection

    @asynccontextmanager
    async def writing_aside(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for one statement that needs no turn."""
        async with transaction(self.engine, in_turn=False) as connection:
            yield connection

    async def require_leading(self) -> None:
        """Return if no other process is known to lead.

        Raises:
            LeaseLost: One does.
        """
        if self.term is not None:
            async with self.reading() as connection:
                await require_term(connection, LEADING, self.term)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for reading."""
        async with reading(self.engine) as connection:
            yield connection

    def looking_up(self) -> AbstractAsyncContextManager[LookupReader]:
        """Give a reader of a few rows; see `Lookups`."""
        return self.lookups.reading()

    def now(self) -> str:
        """Return the time as it is stored."""
        return format_instant(self.instant())

    def instant(self) -> datetime:
        """Return the time, aware and in UTC."""
        return self.clock.now()

    def signer(self, key_id: str) -> Signer:
        """Return the signer of one of the node's Ed25519 keys.

        Raises:
            NodeSealed: The keys are not unlocked.
            KeyNotFound: There is no such key.
            Misconfigured: As `TokenKeys.signer`, for a key on a token.
            HsmUnavailable: The token gives no answer.
        """
        keys = self.keys()
        entry = keys.keystore.entry(key_id)
        return self.tokens.signer(entry) if entry.token else keys.signer(key_id)

    def require_reconciled(self) -> None:
        """Return if nothing stands in the way of signing but the passphrase.

        Raises:
            RestoreBehindPublished: It may sign what it has signed differently before.
        """
        if self.is_restored:
            raise RestoreBehindPublished(
                "this copy was restored, and may be behind what it has published"
            )

    def keys(self) -> Unlocked:
        """Return the unlocked keys.

        Raises:
            NodeSealed: They are not.
            RestoreBehindPublished: They may not be used yet.
        """
        self.require_reconciled()
        if self.unlocked is None:
            raise NodeSealed("the node's keys are sealed")
        return self.unlocked

    @property
    def vkey(self) -> VerifierKey:
        """The public key of the node's log; readable while sealed."""
        entry = self.home.keystore().entry(LOG_KEY)
        return VerifierKey(self.config.log_name, decode_multikey(entry.public))


async def _unlock(keystore: Keystore, passphrase: bytes) -> Unlocked:
    # argon2id takes half a second on purpose; it gives the GIL back meanwhile.
    return await asyncio.to_thread(keystore.unlock, passphrase)


def credential_key(slug: str) -> str:
    """Return the key store's id of an issuer's credential key."""
    return f"{slug}.credential"


def status_key(slug: str) -> str:
    """Return the key store's id of an issuer's status list key."""
    return f"{slug}.status"


def signing_key(node: Node, issuer: Issuer, key_id: str) -> tuple[Signer, str]:
    """Return the signer to use in place of `key_id`, and the method that it signs as.

    That is the newest key of the same issuer and role that the published DID document
    lets assert: a key that a verifier would not find, or that was declared compromised,
    signs nothing.

    Raises:
        NodeSealed: The keys are not unlocked.
        KeyNotFound: There is no such key, or the document lets none of them assert.
        KeyLost: The document names a newer one than any that is here.
    """
    if issuer.did.startswith("did:key:"):
        key_id = credential_key(issuer.slug)  # a did:key has one key for everything
    methods = _assertion_methods(issuer)
    if not methods.keys() <= {entry.public for entry in node.keys().keystore.entries}:
        # Another process has added a key since this one unlocked the file.
        node.unlocked = node.keys().reread(node.home.keystore())
    own = keys_like(node.keys().keystore, key_id)
    _require_newest(issuer, methods, own)
    for entry in reversed(own):
        if entry.public in methods:
            return node.signer(entry.label.key_id), methods[entry.public]
    raise KeyNotFound(f"the DID document of {issuer.did} does not name the key {key_id}")


def _require_newest(
    issuer: Issuer, methods: Mapping[str, str], own: Sequence[KeyEntry]
) -> None:
    """Return if the newest method of a role is of a key that is here.

    Those before it were replaced in public: a verifier refuses what they sign now.
    """
    start = f"{issuer.did}#{own[0].label.role}-"
    numbers = {
        int(method.removeprefix(start)): public
        for public, method in methods.items()
        if method.startswith(start) and method.removeprefix(start).isdigit()
    }
    if numbers and numbers[max(numbers)] not in {entry.public for entry in own}:
        raise KeyLost(f"found no key of {start}{max(numbers)}, which the document names")


def keys_like(keystore: Keystore, key_id: str) -> tuple[KeyEntry, ...]:
    """Return the keys of the same issuer and role as `key_id`, oldest first.

    Raises:
        KeyNotFound: There is no such key.
    """
    label = keystore.entry(key_id).label
    return tuple(
        entry
        for entry in keystore.entries
        if (entry.label.role, entry.label.issuer) == (label.role, label.issuer)
    )


@lru_cache(64)
def _assertion_methods(issuer: Issuer) -> Mapping[str, str]:
    """Return the verification methods that the document lets assert, by multibase key."""
    document = parse_did_document(issuer.parsed(), issuer.did)
    usable = document.relationships["assertionMethod"]
    return {
        encode_multikey(method.public_key()): str(url)
        for url, method in document.methods.items()
        if url in usable
    }
