"""`patunay doctor`."""

import asyncio
from pathlib import Path

import click

from cli.options import home_option, json_option, passphrase_option
from cli.output import Exit, print_json, say, say_note
from cli.passphrase import given_passphrase
from node.doctor.examine import examine
from node.doctor.finding import Finding, Verdict
from node.home import Home
from primitives.clock import SystemClock


@click.command(epilog="Example: patunay --data-dir /srv/patunay doctor")
@home_option
@passphrase_option
@json_option
def doctor(*, home: Home, passphrase_file: Path | None, as_json: bool) -> None:
    """Look at all that the node needs, and say what to do.

    Files, disk, clock, database, keys, port, certificate, chain, IPFS, witnesses, and
    Patunay's own files. Changes nothing, and may run beside `patunay serve`. With a
    passphrase, it is tried; nobody is asked for one. Exit code 1 where something fails.
    """
    passphrase = given_passphrase(passphrase_file)

    async def run() -> list[Finding]:
        now = SystemClock().now()
        return [finding async for finding in examine(home, now, passphrase)]

    findings = asyncio.run(run())
    failed = [f for f in findings if f.verdict is Verdict.FAIL]
    if as_json:
        print_json({"version": 1, "findings": [_described(f) for f in findings]})
    else:
        for finding in findings:
            _show(finding)
        warned = sum(f.verdict is Verdict.WARN for f in findings)
        say_note(f"{len(findings)} looks: {len(failed)} failed, {warned} to be seen to")
    click.get_current_context().exit(Exit.REJECTED if failed else Exit.VALID)


def _show(finding: Finding) -> None:
    code = f" ({finding.code})" if finding.code else ""
    say(f"{finding.verdict:4}  {finding.name:10}  {finding.detail}{code}")
    if finding.hint:
        say(f"{'':18}{finding.hint}")


def _described(finding: Finding) -> dict[str, str]:
    return {
        "name": finding.name,
        "verdict": str(finding.verdict),
        "code": finding.code,
        "detail": finding.detail,
        "hint": finding.hint,
    }
