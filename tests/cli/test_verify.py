"""`patunay verify`: from a file to a report that a registrar can act on."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from credentials.presentation import sign_presentation
from did.key import DidKey
from node.home import Home
from tests.support.command_line import (
    PASSPHRASE,
    assert_refused,
    create_home,
    issue,
    run,
    run_json,
    web_server,
)
from tests.support.credentials_support import STRANGER

CHECKS = ["structure", "proof", "issuer-key", "dates", "status", "issuer-listed", "anchor"]


def changed(credential: Path, **members: Any) -> bytes:
    """Return the credential with top-level members set anew."""
    return json.dumps({**json.loads(credential.read_bytes()), **members}).encode()


def check(report: Any, name: str) -> Any:
    return next(found for found in report["checks"] if found["name"] == name)


def test_a_valid_credential_gives_0_and_a_sentence_first(
    shared_home: Home, credential: Path
) -> None:
    result = run("verify", credential, home=shared_home.root)
    assert result.exit_code == 0
    first, _, *checks = result.stdout.splitlines()
    assert first == (
        "“Life Skills: Communication” was signed by Sample Schools Division"
        " (did:web:localhost%3A8460); it is in force."
    )
    assert [line.split()[0] for line in checks[:7]] == CHECKS
    assert [line.split()[1] for line in checks[:7]] == ["passed"] * 6 + ["unknown"]
    assert checks[-1] == "outcome: valid; standing: in-force"


def test_one_file_gives_its_report_as_json(shared_home: Home, credential: Path) -> None:
    report = run_json("verify", credential, home=shared_home.root)
    members = "version outcome authenticity standing summary as_of checks"
    assert list(report) == members.split()
    assert report["outcome"] == "valid"
    assert [found["name"] for found in report["checks"]] == CHECKS
    assert check(report, "issuer-key")["source"] == "own-node"


def test_a_file_on_standard_input_is_read(shared_home: Home, credential: Path) -> None:
    result = run("verify", "-", home=shared_home.root, stdin=credential.read_bytes())
    assert "outcome: valid" in result.stdout


DEEP = b'{"a":' * 9_000 + b"1" + b"}" * 9_000
MALFORMED = {
    "nothing": (b"", "json-malformed"),
    "half": (b'{"id": ', "json-malformed"),
    "page": (b"<html>not found</html>", "json-malformed"),
    "large": (b'{"a": "' + b"x" * (256 * 1024) + b'"}', "json-too-large"),
    "deep": (DEEP, "json-too-deep"),
    "twice": (b'{"a": 1, "\\u0061": 2}', "json-duplicate-key"),
    "list": (b"[]", "json-not-object"),
    "number": (b'{"a": NaN}', "json-number-unsafe"),
    "latin": ('{"a": "ñ"}'.encode("latin-1"), "json-not-utf8"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_json_object_ends_with_2_and_a_hint(tmp_path: Path, name: str) -> None:
    content, code = MALFORMED[name]
    file = tmp_path / "file.json"
    file.write_bytes(content)
    result = run("verify", "--offline", file)
    assert_refused(result, code, exit_code=2)
    assert result.stdout == ""


def test_a_context_that_is_not_known_leaves_it_open(
    shared_home: Home, credential: Path
) -> None:
    contexts = ["https://www.w3.org/ns/credentials/v2", "https://stranger.example/v1"]
    result = run(
        *("verify", "-", "--json"),
        home=shared_home.root,
        stdin=changed(credential, **{"@context": contexts}),
    )
    assert result.exit_code == 3
    found = check(json.loads(result.stdout), "proof")
    assert (found["result"], found["code"]) == ("undetermined", "context-unknown")
    assert found["hint"]


def test_a_term_that_no_context_defines_is_rejected(
    shared_home: Home, credential: Path
) -> None:
    document = changed(credential, honours="summa cum laude")
    result = run("verify", "-", "--json", home=shared_home.root, stdin=document)
    assert result.exit_code == 1
    found = check(json.loads(result.stdout), "proof")
    assert (found["result"], found["code"]) == ("failed", "unsigned-term")
    assert "honours" in found["detail"]
    assert found["hint"]


def test_a_changed_word_is_rejected_with_what_to_do(
    shared_home: Home, credential: Path
) -> None:
    document = changed(credential, name="Doctor of Philosophy")
    result = run("verify", "-", home=shared_home.root, stdin=document)
    assert result.exit_code == 1
    assert "is not what did:web:localhost%3A8460 signed" in result.stdout.splitlines()[0]
    assert "  proof          FAILED   " in result.stdout
    assert "(signature-rejected)" in result.stdout
    assert result.stderr.startswith("patunay: hint: do not rely on it")


def test_a_did_method_that_is_not_resolved_leaves_it_open(credential: Path) -> None:
    method = "did:ethr:0x0000000000000000000000000000000000000001"
    proof = json.loads(credential.read_bytes())["proof"][0]
    document = changed(
        credential, issuer=method, proof={**proof, "verificationMethod": f"{method}#key"}
    )
    result = run("verify", "-", "--json", stdin=document)
    assert result.exit_code == 3
    found = check(json.loads(result.stdout), "proof")
    assert (found["result"], found["code"]) == ("undetermined", "did-method-unsupported")
    assert found["hint"] == "Patunay resolves did:key and did:web"


def test_offline_without_a_node_nothing_is_looked_up(credential: Path) -> None:
    report = run_json("verify", "--offline", credential, code=3)
    assert check(report, "proof")["code"] == "not-looked-up"


def test_a_check_that_could_not_be_made_is_unknown_and_has_a_hint(credential: Path) -> None:
    result = run("verify", "--offline", credential)
    assert (
        "  proof          unknown  nothing was looked up (not-looked-up)" in result.stdout
    )
    assert "hint: allow look-ups, or add evidence" in result.stdout
    assert "✓" not in result.stdout


HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\u202egnp.exe\u2066\x9b1m"


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["words", "json"])
def test_nothing_hostile_in_a_credential_reaches_the_terminal(
    shared_home: Home, credential: Path, options: list[str]
) -> None:
    document = changed(
        credential,
        name=f"Diploma{HOSTILE}",
        type=["VerifiableCredential", f"Degree{HOSTILE}"],
    )
    result = run("verify", "-", *options, home=shared_home.root, stdin=document)
    assert result.exit_code == 1
    assert "Diploma" in result.stdout
    assert "Degree" in result.stdout
    assert result.output.replace("\n", "").isprintable()


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["words", "json"])
def test_nothing_hostile_in_the_name_of_a_file_reaches_the_terminal(
    tmp_path: Path, options: list[str]
) -> None:
    name = f"diploma{HOSTILE}.json"
    (tmp_path / name).write_bytes(b"{")
    result = run("verify", tmp_path, *options)
    assert result.exit_code == 2
    assert result.output.replace("\n", "").isprintable()
    if options:
        assert json.loads(result.stdout)["reports"][0]["file"] == str(tmp_path / name)
    else:
        assert "diploma\\x1b[2J\\x1b]0;owned\\x07\\r\\u202egnp.exe" in result.stdout


def test_a_name_is_shown_where_the_terminal_knows_ascii_alone(
    shared_home: Home, credential: Path
) -> None:
    document = changed(credential, name="Diploma of Peñaflor")
    result = run("verify", "-", home=shared_home.root, stdin=document, charset="ascii")
    assert "Diploma of Pe\\xf1aflor" in result.stdout


@pytest.fixture
def folder(tmp_path: Path, credential: Path) -> Path:
    """One file each of: valid, rejected, undetermined."""
    stranger = "did:ethr:1"
    proof = json.loads(credential.read_bytes())["proof"][0]
    open_question = {
        "issuer": stranger,
        "proof": {**proof, "verificationMethod": "did:ethr:1#k"},
    }
    shutil.copy(credential, tmp_path / "a.json")
    (tmp_path / "b.json").write_bytes(changed(credential, name="Doctor"))
    (tmp_path / "c.json").write_bytes(changed(credential, **open_question))
    (tmp_path / "notes.txt").write_text("not looked at", encoding="utf-8")
    return tmp_path


def test_a_folder_gives_a_line_for_each_file_and_a_count(
    shared_home: Home, folder: Path
) -> None:
    result = run("verify", "--offline", folder, home=shared_home.root)
    *lines, _, count = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["valid", "rejected", "undetermined"]
    assert count == "3 files: 1 valid, 1 rejected, 1 undetermined"
    assert result.exit_code == 1


def test_several_files_give_one_json_document(shared_home: Home, folder: Path) -> None:
    (folder / "d.json").write_bytes(b"{")
    found = run_json("verify", "--offline", folder, home=shared_home.root, code=1)
    assert found["version"] == 1
    assert found["outcome"] == "rejected"
    outcomes = [report["outcome"] for report in found["reports"]]
    assert outcomes == ["valid", "rejected", "undetermined", "malformed"]
    assert found["reports"][0]["file"] == str(folder / "a.json")
    assert found["reports"][3]["error"]["code"] == "json-malformed"


@pytest.mark.parametrize(
    ("names", "code"),
    [("a", 0), ("ac", 3), ("acx", 2), ("acxb", 1)],
    ids=["valid", "undetermined", "malformed", "rejected"],
)
def test_of_several_files_the_worst_decides(
    shared_home: Home, folder: Path, names: str, code: int
) -> None:
    (folder / "x.json").write_bytes(b"{")
    files = [folder / f"{name}.json" for name in names]
    assert run("verify", "--offline", *files, home=shared_home.root).exit_code == code


def test_a_folder_without_credentials_is_refused(tmp_path: Path) -> None:
    assert_refused(run("verify", tmp_path), "folder-without-credentials", exit_code=2)


@pytest.mark.parametrize("option", ["--trust", "--policy"])
def test_a_policy_of_another_form_is_refused(
    tmp_path: Path, credential: Path, option: str
) -> None:
    file = tmp_path / "rules.json"
    file.write_text('{"version": 2}', encoding="utf-8")
    result = run("verify", credential, option, file)
    assert_refused(result, "policy-malformed", exit_code=2)


def test_a_policy_may_require_the_anchor(
    shared_home: Home, tmp_path: Path, credential: Path
) -> None:
    file = tmp_path / "rules.json"
    file.write_text(
        '{"version": 1, "required": ["proof", "issuer-key", "anchor"]}', encoding="utf-8"
    )
    report = run_json("verify", credential, "--policy", file, home=shared_home.root, code=3)
    assert check(report, "anchor")["required"] is True


def test_it_judges_as_of_the_moment_that_is_named(
    shared_home: Home, credential: Path
) -> None:
    moment = "2020-01-01T00:00:00Z"
    report = run_json(
        "verify", credential, "--as-of", moment, home=shared_home.root, code=1
    )
    assert report["as_of"] == moment
    assert check(report, "dates")["code"] == "not-yet-valid"
    result = run("verify", credential, "--as-of", "yesterday")
    assert_refused_without_hint(result.stderr, "instant-malformed")
    assert result.exit_code == 2


def assert_refused_without_hint(words: str, code: str) -> None:
    assert words.splitlines()[0].endswith(f"({code})")


@pytest.mark.parametrize(
    "options", [["--offline", "--rpc", "http://x"], ["--receipt", "r.json", "second"]]
)
def test_options_that_contradict_each_other_are_refused(
    credential: Path, options: list[str]
) -> None:
    assert_refused(run("verify", credential, *options), "usage", exit_code=2)


def test_a_receipt_that_is_none_is_refused(tmp_path: Path, credential: Path) -> None:
    (tmp_path / "r.json").write_text("{}", encoding="utf-8")
    result = run("verify", credential, "--receipt", tmp_path / "r.json")
    assert result.stderr.splitlines()[0].endswith("(receipt-malformed)")
    assert result.exit_code == 2


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Home, Path]]:
    """A node whose public files are on the web, and one of its credentials."""
    public = tmp_path / "home" / "public"
    with web_server(public) as port:
        home = create_home(tmp_path / "home", port=port)
        yield home, issue(home, tmp_path, rows=1)[0]


def test_a_stranger_verifies_over_the_network(served: tuple[Home, Path]) -> None:
    report = run_json("verify", served[1], "--allow-loopback")
    assert report["outcome"] == "valid"
    assert check(report, "status")["source"].startswith("http://localhost:")
    assert "its own claim" in report["summary"]


def test_a_stranger_does_not_ask_this_machine_unless_told(
    served: tuple[Home, Path],
) -> None:
    report = run_json("verify", served[1], code=3)
    assert check(report, "proof")["code"] == "fetch-address-refused"


def test_another_node_resolves_a_stranger_unless_offline(
    served: tuple[Home, Path], shared_home: Home
) -> None:
    # The shared node is one for `localhost`, so it may ask this machine.
    assert run_json("verify", served[1], home=shared_home.root)["outcome"] == "valid"
    report = run_json("verify", "--offline", served[1], home=shared_home.root, code=3)
    assert check(report, "proof")["code"] == "not-looked-up"


def test_with_rpc_a_receipt_that_the_issuers_node_lacks_is_missing(
    served: tuple[Home, Path],
) -> None:
    options = ("--allow-loopback", "--rpc", "http://127.0.0.1:9")
    report = run_json("verify", served[1], *options)
    assert check(report, "anchor")["code"] == "fetch-not-found"
    assert check(report, "anchor")["result"] == "undetermined"


@pytest.mark.parametrize("options", [(), ("--rpc", "http://127.0.0.1:9")])
def test_the_own_node_says_that_its_credential_waits_for_its_anchor(
    shared_home: Home, credential: Path, options: tuple[str, ...]
) -> None:
    report = run_json("verify", credential, *options, home=shared_home.root)
    assert check(report, "anchor")["code"] == "not-yet-anchored"


def test_an_own_node_without_its_database_leaves_only_the_anchor_open(
    home: Home, credential: Path
) -> None:
    (home.root / "patunay.db").unlink()
    report = run_json("verify", credential, home=home.root)
    assert report["outcome"] == "valid"
    found = check(report, "anchor")
    assert (found["result"], found["code"]) == ("undetermined", "database-missing")


def test_verifying_needs_no_passphrase(shared_home: Home, credential: Path) -> None:
    assert PASSPHRASE
    result = run("verify", credential, home=shared_home.root, passphrase=None)
    assert result.exit_code == 0


@pytest.mark.parametrize(("listed", "code"), [(True, 0), (False, 3)])
def test_a_trust_list_decides_who_is_believed(
    served: tuple[Home, Path], tmp_path: Path, *, listed: bool, code: int
) -> None:
    home, file = served
    did = (
        f"did:web:localhost%3A{home.config().listen_port}"
        if listed
        else "did:web:x.example"
    )
    trust = {"version": 1, "issuers": [{"did": did, "name": "Division of Batangas"}]}
    (tmp_path / "trust.json").write_text(json.dumps(trust), encoding="utf-8")
    result = run("verify", file, "--trust", tmp_path / "trust.json", "--allow-loopback")
    assert result.exit_code == code, result.output
    assert ("listed as Division of Batangas" in result.stdout) is listed


HOLDER = DidKey(STRANGER.public_key)


def presentation(credential: Path, folder: Path, **options: Any) -> Path:
    """Show a credential to somebody, and write that down."""
    shown = sign_presentation(
        [json.loads(credential.read_bytes())],
        STRANGER,
        verification_method=HOLDER.verification_method,
        created=datetime.now(UTC),
        **{"challenge": "nonce-1", "domain": "ministry.example", **options},
    )
    file = folder / "presentation.json"
    file.write_bytes(json.dumps(shown).encode())
    return file


def test_a_presentation_is_judged_with_its_credentials(
    shared_home: Home, credential: Path, tmp_path: Path
) -> None:
    file = presentation(credential, tmp_path)
    asked = ("--challenge", "nonce-1", "--domain", "ministry.example")
    report = run_json("verify", file, *asked, home=shared_home.root)
    assert (report["outcome"], report["holder"]) == ("valid", str(HOLDER))
    assert [found["name"] for found in report["checks"]][2:5] == [
        "holder-key",
        "challenge",
        "domain",
    ]
    (member,) = report["credentials"]
    assert member["report"]["outcome"] == "valid"
    words = run("verify", file, *asked, home=shared_home.root).stdout.splitlines()
    assert words[0].startswith("A presentation of 1 credentials, all valid")
    assert any(line.startswith("credential 1: “Life Skills") for line in words)
    assert words[-1] == "outcome: valid"


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (("--challenge", "nonce-2"), "challenge"),
        (("--domain", "elsewhere.example"), "domain"),
    ],
)
def test_a_presentation_for_another_moment_or_place_is_rejected(
    shared_home: Home, credential: Path, tmp_path: Path, asked: tuple[str, str], name: str
) -> None:
    file = presentation(credential, tmp_path)
    report = run_json("verify", file, *asked, home=shared_home.root, code=1)
    assert check(report, name)["code"] == f"presentation-{name}-mismatch"
    assert check(report, "credentials")["result"] == "passed"


@pytest.mark.parametrize("option", ["--challenge", "--domain"])
def test_a_credential_cannot_answer_what_a_presentation_is_asked(
    shared_home: Home, credential: Path, option: str
) -> None:
    result = run("verify", credential, option, "x", home=shared_home.root)
    assert_refused(result, "presentation-wanted", exit_code=2)
