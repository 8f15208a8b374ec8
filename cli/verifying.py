"""`patunay verify`.

Imports neither database nor web server nor chain: each is loaded when a file needs it.
"""

from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.anchor_evidence import AnchorQuestion
from cli.answering import Question, answer_files, read_or_error
from cli.credential_files import find_files, read_receipt
from cli.files import STANDARD_INPUT, read_json
from cli.network import Surroundings
from cli.options import FILE, json_option, own_home_option
from cli.output import worst
from cli.progress import progress_bar, tell_nobody
from cli.verdicts import exit_of, print_one, print_several
from credentials.policy import parse_policy
from primitives.instants import parse_moment

if TYPE_CHECKING:
    from credentials.trust_pack.belief import PackBelief
    from node.home import Home

T = TypeVar("T")


@click.command(epilog="Example: patunay verify diploma.json --trust providers-we-know.json")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--trust", type=FILE, metavar="FILE", help="Issuers that you know, by DID.")
@click.option("--policy", type=FILE, metavar="FILE", help="Which checks you require.")
@click.option(
    "--pack", type=FILE, metavar="FILE|DIR", help="A trust pack, or imported ones."
)
@click.option("--root", type=FILE, metavar="FILE", help="The federation of a pack's file.")
@click.option(
    "--rpc", multiple=True, metavar="URL", help="Also check the anchor, at this endpoint."
)
@click.option("--receipt", type=FILE, metavar="FILE", help="The credential's receipt.")
@click.option(
    "--record-source",
    metavar="FILE|URL",
    help="Read what issuers published from anchor records, and not from their servers.",
)
@click.option("--challenge", metavar="TEXT", help="What a presentation has to answer.")
@click.option("--domain", metavar="TEXT", help="Whom a presentation has to be made for.")
@click.option("--offline", is_flag=True, help="Look nothing up over the network.")
@click.option(
    "--allow-loopback", is_flag=True, help="Also ask `localhost`, without TLS, for trials."
)
@click.option(
    "--as-of", metavar="TIME", help="Judge as of 2026-11-22, or 2026-11-22T08:00:00Z."
)
@click.option(
    "--report", type=FILE, metavar="FILE", help="Write a report to print: .html or .pdf."
)
@click.option(
    "--lang",
    type=click.Choice(["en", "fil"]),
    default="en",
    show_default=True,
    help="Language of the report.",
)
@click.option("--office", default="", metavar="TEXT", help="Who verifies, for the report.")
@own_home_option
@json_option
def verify(  # noqa: PLR0913 - one parameter for each option
    *,
    files: tuple[Path, ...],
    trust: Path | None,
    policy: Path | None,
    pack: Path | None,
    root: Path | None,
    rpc: tuple[str, ...],
    receipt: Path | None,
    record_source: str | None,
    challenge: str | None,
    domain: str | None,
    offline: bool,
    allow_loopback: bool,
    as_of: str | None,
    report: Path | None,
    lang: str,
    office: str,
    home: "Home | None",
    as_json: bool,
) -> None:
    """Check credentials: FILE, folders, or -. Presentations too.

    Says who signed, whether a word was changed, and whether it is still in force. Exit
    code 0 valid, 1 rejected, 2 not a credential, 3 could not be determined, 4 set up
    wrongly; of several files the worst, in the order 4, 1, 2, 3, 0.
    """
    found = list(find_files(files, deep=True))
    refuse_contradictions(len(found), rpc=rpc, receipt=receipt, offline=offline)
    refuse_contradictory_source(record_source, offline=offline)
    if report is not None:
        from cli.reporting import require_report_name  # noqa: PLC0415 - seldom given

        require_report_name(report)
    around = Surroundings.of(click.get_current_context())
    demands = parse_policy(*(read_json(p) if p else None for p in (policy, trust)))
    now = around.clock.now()
    belief = _belief(pack, root, now)
    question = Question(
        around=around,
        policy=demands if belief is None else belief.policy(demands),
        pack=belief,
        as_of=now if as_of is None else parse_moment(as_of),
        clock=now,
        anchor=AnchorQuestion(read_receipt(receipt, around.clock), rpc),
        records=record_source,
        home=home,
        offline=offline,
        allow_loopback=allow_loopback,
        challenge=challenge,
        domain=domain,
    )
    # Outside of the event loop, which would not hear Ctrl-C while this waits.
    typed_in = read_or_error(STANDARD_INPUT) if STANDARD_INPUT in found else None
    with progress_bar() if len(found) > 1 else nullcontext(tell_nobody) as progress:
        answers = _run(
            lambda: answer_files(found, typed_in, question, progress), waits=question.waits
        )
    if report is not None:
        from cli.reporting import write_report  # noqa: PLC0415 - seldom given

        write_report(report, answers, question, lang, office)
    if found == list(files) and len(found) == 1:
        print_one(answers[0], as_json=as_json)
    else:
        print_several(answers, as_json=as_json)
    click.get_current_context().exit(worst(map(exit_of, answers)))


def _run(work: Callable[[], Coroutine[Any, Any, T]], *, waits: bool) -> T:
    """Return what `work` gives: in an event loop, or at once where it waits for nothing.

    asyncio takes longer to import than a credential takes to be verified. Only then is the
    work begun: Ctrl-C during the import finds nothing that is left undone.
    """
    if waits:
        import asyncio  # noqa: PLC0415 - see above

        return asyncio.run(work())
    try:
        work().send(None)
    except StopIteration as e:
        found: T = e.value
        return found
    raise RuntimeError("found something to wait for, want nothing")


def refuse_contradictions(
    count: int, *, rpc: tuple[str, ...], receipt: Path | None, offline: bool
) -> None:
    """Return if the options fit together.

    Raises:
        UsageError: They do not.
    """
    if offline and rpc:
        raise click.UsageError("--offline and --rpc exclude each other")
    if receipt is not None and count > 1:
        raise click.UsageError(f"--receipt is for one credential, found {count}")


def refuse_contradictory_source(place: str | None, *, offline: bool) -> None:
    """Return if the source may be read.

    Raises:
        UsageError: It is on the web, which is not to be asked.
    """
    if offline and place is not None:
        from cli.record_source import is_address  # noqa: PLC0415 - seldom given

        if is_address(place):
            raise click.UsageError(
                "--offline and a --record-source on the web exclude each other"
            )


def _belief(pack: Path | None, root: Path | None, now: datetime) -> "PackBelief | None":
    if pack is None:
        if root is not None:
            raise click.UsageError("--root is for a --pack")
        return None
    from cli.pack_source import read_belief  # noqa: PLC0415 - most files need none

    return read_belief(pack, root, now)
