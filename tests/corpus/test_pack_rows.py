"""Runs the corpus's trust packs: in the library, and with the commands of an office."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from cli.network import Surroundings
from credentials.evidence import Evidence
from credentials.judge import judge
from credentials.policy import Policy
from credentials.trust_pack.belief import believe
from credentials.trust_pack.manifest import Federation
from credentials.trust_pack.pack import parse_pack
from credentials.trust_pack.verify import Seen, verify_pack
from primitives.canonical_json import canonicalize
from primitives.errors import Malformed, Rejected, Undetermined
from primitives.instants import parse_instant
from tests.corpus.build import CASES
from tests.corpus.runners import Answer
from tests.support.command_line import run
from tests.support.nodes import HandClock

NAMES = sorted(
    path.name
    for path in CASES.iterdir()
    if path.name[0] == "B" and b'"kind": "pack"' in (path / "context.json").read_bytes()
)


def read(name: str) -> tuple[Any, bytes, Answer]:
    folder = CASES / name
    context, expected = (
        json.loads((folder / file).read_bytes()) for file in ("context.json", "expect.json")
    )
    codes = frozenset({expected["code"]} - {""})
    return context, (folder / "input").read_bytes(), Answer(expected["outcome"], codes)


def judged(context: Any, raw: bytes) -> Answer:
    """Return what the library says, or raise what it refuses the pack with."""
    root = Federation.parse(canonicalize(context["root"]))
    clock, seen = parse_instant(context["clock"]), Seen()
    if context["before"]:
        first = parse_pack(base64.b64decode(context["before"]))
        seen = verify_pack(first, root, clock, seen)
    pack = parse_pack(raw)
    verify_pack(pack, root, clock, seen)
    belief, document = believe(pack), context["credential"]
    found = belief.evidence(Evidence(), document)
    return Answer.of(judge(document, found, belief.policy(Policy()), clock).to_json())


def agrees(found: Answer, expected: Answer) -> bool:
    """Tell whether the answer is the expected one; it may have further remarks."""
    return found.outcome == expected.outcome and expected.codes <= found.codes


@pytest.mark.parametrize("name", NAMES)
def test_the_library_gives_the_answer(name: str) -> None:
    context, raw, expected = read(name)
    kinds = {"malformed": Malformed, "rejected": Rejected, "undetermined": Undetermined}
    (code,) = expected.codes or {""}
    if not code.startswith("pack-") or expected.outcome == "valid":
        assert agrees(judged(context, raw), expected)
        return
    with pytest.raises(kinds[expected.outcome]) as refused:
        judged(context, raw)
    assert refused.value.code == code


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_of_an_office_give_the_answer(name: str, tmp_path: Path) -> None:
    context, raw, expected = read(name)
    store, around = (
        tmp_path / "store",
        Surroundings(HandClock(parse_instant(context["clock"]))),
    )
    files = {
        "pack.zip": raw,
        "before.zip": base64.b64decode(context["before"]),
        "root.json": canonicalize(context["root"]),
        "credential.json": json.dumps(context["credential"]).encode(),
    }
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
    given: tuple[str | Path, ...] = (
        tmp_path / "pack.zip",
        "--root",
        tmp_path / "root.json",
    )
    if context["before"]:
        # A machine that has let one in before.
        first = (tmp_path / "before.zip", "--store", store, *given[1:])
        assert run("trust", "import", *first, surroundings=around).exit_code == 0
        told = run("trust", "import", given[0], "--store", store, surroundings=around)
        given = (store,)
        if told.exit_code:
            assert expected.codes == {told.stderr.splitlines()[0].rpartition("(")[2][:-1]}
            return
    asked = ("verify", tmp_path / "credential.json", "--offline", "--json", "--pack")
    told = run(*asked, *given, surroundings=around)
    said = json.loads(told.stdout)
    if "error" in said:
        assert {said["error"]["code"]} == expected.codes
        # The pack is refused; nothing is said against the credential.
        assert told.exit_code == (3 if expected.outcome == "undetermined" else 4)
    else:
        assert agrees(Answer.of(said), expected)
