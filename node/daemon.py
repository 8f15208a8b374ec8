"""The daemon: opens the node, serves it, and anchors in the background.

Starting is recovering: drafts that were left unsigned are signed, static files are written
anew, and the anchoring job looks at what is stored and goes on from there.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Final

from anchoring.backend import AnchorBackend
from node.acting import DAEMON, act_as
from node.anchor_request import ANCHOR_NOW
from node.anchor_state import AnchorState, anchor_state
from node.anchoring import Anchorer
from node.answering import answering
from node.backends import ipfs_publisher, open_backend
from node.chain_proofs import ChainProofJob
from node.chain_watch import ChainWatch
from node.following import Follower
from node.home import Home
from node.ipfs import IpfsJob
from node.leading import Job, lead
from node.listening import shared_listener
from node.logbook import close_batch, load_tree, publish_log
from node.metrics import Metrics
from node.metrics_server import serving_metrics
from node.node import Node
from node.ots import OtsJob
from node.setup import publish_all, refresh_documents
from node.signing import sign_drafts
from node.stopping import disk_failing
from node.storage import anchor_store, ledger
from node.storage.batches import count_unsigned
from node.storage.database import is_shared
from node.tls import server_context
from node.tracing import span, tracing
from node.unsealing import accepting_passphrase
from node.webhook_job import WebhookJob
from node.witnesses import WitnessJob
from node.witnessing import ensure_witness_key
from node.workers import WorkerPool
from primitives.clock import Clock
from primitives.errors import PatunayError
from primitives.instants import parse_instant

logger = logging.getLogger(__name__)

_TICK_SECONDS: Final = 1.0
"""Time between two looks at the queue."""

_RECHECK_SECONDS: Final = 60.0
"""Time between two looks at anchors that were thought to stand."""


class AnchorJob:
    """Closes batches when they are due, and drives each to its anchor."""

    def __init__(
        self, node: Node, backend: AnchorBackend, metrics: Metrics | None = None
    ) -> None:
        self._node = node
        self._metrics = metrics or Metrics()
        self._chain = backend.chain
        self._anchorer = Anchorer.configured(node, backend)
        self._rechecked_at = 0.0
        self._looked_at = 0.0
        self._moved = True

    async def run(self) -> None:
        """Work until cancelled. A chain that does not answer is tried again."""
        wait = 0.0
        while True:
            await asyncio.sleep(wait)
            try:
                moved = await self.tick()
                wait = 0.0 if moved else _TICK_SECONDS
            except PatunayError as e:
                logger.warning("anchoring waits: %s (%s)", e, e.code)
                self._metrics.anchor_failures.labels(e.code).inc()
                wait = float(self._node.config.chain.poll_seconds)

    async def tick(self) -> bool:
        """Do what is due now; return whether there may be more to do at once.

        Raises:
            PatunayError: Something could not be done now; nothing is lost.
        """
        await self._recheck()
        before = await anchor_state(self._node, self._chain)
        closed = None
        if before.anchored and await self._is_due():
            closed = await close_batch(self._node, request=ANCHOR_NOW)
        if closed is None and not self._may_look():
            return False
        self._moved = True  # an error must not keep the next tick from looking again
        self._looked_at = asyncio.get_running_loop().time()
        with self._metrics.anchor_step_seconds.time(), span("chain"):
            after = await self._anchorer.step()
        _time_anchor(before, after, self._metrics)
        self._moved = closed is not None or _mark(before) != _mark(after)
        return self._moved

    def _may_look(self) -> bool:
        """Whether the chain may be asked again: at once while that moves things on."""
        passed = asyncio.get_running_loop().time() - self._looked_at
        return self._moved or passed >= self._node.config.chain.poll_seconds

    async def _recheck(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._rechecked_at == 0.0 or now - self._rechecked_at > _RECHECK_SECONDS:
            await self._anchorer.recheck()
            self._rechecked_at = now

    async def _is_due(self) -> bool:
        async with self._node.reading() as c:
            waiting, since = await ledger.queue_state(c)
            asked = await ledger.has_request(c, ANCHOR_NOW)
            length = await ledger.log_length(c)
            latest = await anchor_store.latest_checkpoint(c)
        # Leaves that no checkpoint covers: a crash came between the two.
        if asked or length > (latest.tree_size if latest is not None else 0):
            return True
        if waiting == 0 or since is None:
            return False
        age = (self._node.instant() - parse_instant(since)).total_seconds()
        batch = self._node.config.batch
        return waiting >= batch.max_entries or age >= batch.period_seconds


class SigningJob:
    """Signs what others have decided on: a command, or who approved a batch."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def run(self) -> None:
        """Work until cancelled. A sealed node waits."""
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                await self.tick()
            except PatunayError as e:
                logger.warning("signing waits: %s (%s)", e, e.code)

    async def tick(self) -> int:
        """Sign what may be signed now; return how many were."""
        if self._node.unlocked is None:
            return 0
        async with self._node.reading() as c:
            waiting = await count_unsigned(c)
        return await sign_drafts(self._node) if waiting else 0


def _mark(state: AnchorState) -> tuple[object, ...]:
    looked_at = (state.transaction, *state.waiting)
    return (state.checkpoint, *((t.reference, t.state) for t in looked_at if t))


def _time_anchor(before: AnchorState, after: AnchorState, metrics: Metrics) -> None:
    """Say how long a checkpoint waited that has got its block in this step."""
    checkpoint, sent = after.checkpoint, after.transaction
    if checkpoint is None or sent is None or sent.block_time is None:
        return
    if before.checkpoint == checkpoint and before.anchored:
        return
    waited = parse_instant(sent.block_time) - parse_instant(checkpoint.created_at)
    metrics.anchor_seconds.observe(max(0.0, waited.total_seconds()))


async def run_daemon(
    home: Home,
    clock: Clock,
    passphrase: bytes | None,
    *,
    on_ready: Callable[[str], None],
    port: int | None = None,
) -> None:
    """Serve the node until SIGINT or SIGTERM; then finish what is in hand, and return.

    Args:
        home: Not held by another process.
        clock: The machine's.
        passphrase: Opens the key store; None starts sealed, see `node.unsealing`.
        on_ready: Told the local URL once requests are answered.
        port: Instead of the configured one; 0 takes any that is free.

    Raises:
        HomeLocked: Another daemon runs on this directory.
        PortBusy: The port is taken.
        DiskFailed: The disk did not take what was written, by this process or a worker.
        PatunayError: As `Node.open` and `open_backend`.
    """
    act_as(DAEMON)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    metrics = Metrics()
    pool = WorkerPool(home, passphrase, home.config().serve.workers - 1)
    with home.hold(), tracing(home.config()):
        async with (
            Node.open(home, clock, passphrase) as node,
            _refusing_restored(node),
            serving(node, port, metrics=metrics, pool=pool) as url,
            serving_metrics(node, metrics),
            _working(node, metrics, pool) as jobs,
        ):
            on_ready(url)
            waiting = asyncio.create_task(stop.wait())
            failing = asyncio.create_task(disk_failing(home.disk))
            try:
                await asyncio.wait(
                    {*jobs, waiting, failing}, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                waiting.cancel()
                failing.cancel()
    if home.disk.failure is not None:
        raise home.disk.failure


@asynccontextmanager
async def _refusing_restored(node: Node) -> AsyncIterator[None]:
    """Serve nothing either: lists and documents may be older than what was shown before.

    Raises:
        RestoreBehindPublished: The node was restored, and not reconciled.
    """
    node.require_reconciled()
    yield


@asynccontextmanager
async def _working(
    node: Node, metrics: Metrics, pool: WorkerPool
) -> "AsyncIterator[Sequence[asyncio.Task[None]]]":
    """Anchor, and publish to IPFS where that is configured, in the background."""
    async with AsyncExitStack() as stack:
        anchoring, unsealing = await _anchoring(node, metrics, pool, stack)
        others: list[Job] = [SigningJob(node).run, WebhookJob(node).run]
        publisher = await stack.enter_async_context(ipfs_publisher(node))
        if publisher is not None:
            others.append(IpfsJob(node, publisher).run)
        if node.config.peers:
            others.append(WitnessJob(node).run)
        if node.config.calendars:
            others.append(OtsJob(node).run)
        tasks = [asyncio.create_task(_lead(node, anchoring, others, unsealing))]
        if is_shared(node.engine):
            tasks.append(asyncio.create_task(Follower(node).run()))
        for task in tasks:
            stack.push_async_callback(_end, task)
        yield tasks


async def _lead(
    node: Node, anchoring: Job, others: Sequence[Job], unsealing: Job | None
) -> None:
    """Run the jobs of the process that leads, when this one does.

    Where there are others, a sealed one lets them lead: it could sign nothing.
    """
    if unsealing is not None and is_shared(node.engine):
        await unsealing()
        unsealing = None
    await lead(node, [partial(_in_order, unsealing, anchoring), *others])


async def _in_order(first: Job | None, second: Job) -> None:
    if first is not None:
        await first()
    await second()


async def _anchoring(
    node: Node, metrics: Metrics, pool: WorkerPool, stack: AsyncExitStack
) -> tuple[Job, Job | None]:
    """Return the work of anchoring, and what has to be waited for before it, if anything.

    A wrong setting of a node that is not sealed is told at once.
    """
    if node.unlocked is None:
        door = await stack.enter_async_context(AsyncExitStack())
        unsealed = await door.enter_async_context(accepting_passphrase(node, pool.unseal))
        unsealing = partial(_unseal, node, unsealed, door)
        return partial(_anchor_unsealed, node, metrics), unsealing
    backend = await open_backend(node)
    stack.push_async_callback(backend.close)
    return partial(_anchor_and_prove, node, backend, metrics), None


async def _unseal(node: Node, unsealed: asyncio.Event, door: AsyncExitStack) -> None:
    await unsealed.wait()
    await door.aclose()
    await _use_keys(node)


async def _anchor_unsealed(node: Node, metrics: Metrics) -> None:
    backend = await open_backend(node)
    try:
        await _anchor_and_prove(node, backend, metrics)
    finally:
        await backend.close()


async def _anchor_and_prove(node: Node, backend: AnchorBackend, metrics: Metrics) -> None:
    async with asyncio.TaskGroup() as jobs:
        jobs.create_task(AnchorJob(node, backend, metrics).run())
        jobs.create_task(ChainWatch(backend, metrics).run())
        # A development chain ends with this process: there is nothing to outlive it.
        if not node.config.chain.is_dev:
            jobs.create_task(ChainProofJob(node, backend).run())


async def _use_keys(node: Node) -> None:
    """Do what had to wait for the keys."""
    ensure_witness_key(node)
    await sign_drafts(node)


async def _end(job: "asyncio.Task[None]") -> None:
    """Stop the job between two of its steps' awaits: each is safe to be cut at."""
    if not job.done():
        job.cancel()
    with suppress(asyncio.CancelledError):
        await job


@asynccontextmanager
async def serving(
    node: Node,
    port: int | None = None,
    *,
    metrics: Metrics | None = None,
    pool: WorkerPool | None = None,
) -> AsyncIterator[str]:
    """Recover, then answer HTTP for `node`; gives the local URL.

    Args:
        node: Open.
        port: Instead of the configured one; 0 takes any that is free.
        metrics: Of the process; others than its own are of no use to anybody.
        pool: More processes that answer, where there are any.

    Raises:
        PortBusy: The port is taken.
        Misconfigured: As `server_context`.
    """
    server_context(node.home, node.config)  # a wrong certificate is told at once
    if node.unlocked is not None:
        await _use_keys(node)
    node.home.remove_leftovers(node.instant())
    await refresh_documents(node)
    await publish_all(node)
    async with node.log_lock:
        await load_tree(node)
        await publish_log(node)
    host = node.config.listen_host
    wanted = node.config.listen_port if port is None else port
    async with AsyncExitStack() as stack:
        place: tuple[str, int] | socket.socket = (host, wanted)
        if pool is not None and pool.count:
            place = stack.enter_context(shared_listener(host, wanted))
            await stack.enter_async_context(pool.running(place))
        bound = await stack.enter_async_context(
            answering(node, metrics or Metrics(), place)
        )
        scheme = "https" if node.config.tls_certificate_file else "http"
        yield f"{scheme}://{'localhost' if host == '127.0.0.1' else host}:{bound}"
