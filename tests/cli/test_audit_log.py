from node.home import Home
from tests.support.command_line import assert_refused, run, run_json
from tests.support.nodes import meddle


def test_the_log_is_shown_in_order_and_from_any_entry_on(home: Home) -> None:
    for name in ("first", "second"):
        run_json("token", "create", name, "--role", "signer", home=home.root)
    shown = run_json("audit-log", "show", home=home.root)["entries"]
    actions = [entry["action"] for entry in shown]
    assert actions[-2:] == ["token.change", "token.change"]
    assert [entry["sequence"] for entry in shown] == list(range(1, len(shown) + 1))
    last = run_json("audit-log", "show", "--after", "1", "--limit", "1", home=home.root)
    assert [entry["sequence"] for entry in last["entries"]] == [2]
    header, first, *_ = run("audit-log", "show", home=home.root).stdout.splitlines()
    assert header.split() == ["entry", "at", "who", "action", "outcome", "on"]
    assert "command line: " in first
    assert "issuer.add" in first


def test_the_head_that_check_prints_holds_later_too(home: Home) -> None:
    head = run("audit-log", "check", home=home.root).stdout.strip()
    run_json("token", "create", "later", "--role", "signer", home=home.root)
    again = run("audit-log", "check", "--head", head, home=home.root)
    assert again.exit_code == 0
    assert again.stdout.strip() != head
    number, _, _ = head.partition(":")
    other = run("audit-log", "check", "--head", f"{number}:{'0' * 64}", home=home.root)
    assert other.exit_code == 1
    assert "audit-head-mismatch" in other.stdout
    none = run("audit-log", "check", "--head", "x", home=home.root)
    assert_refused(none, "audit-head-malformed", exit_code=2)


def test_an_entry_that_was_changed_is_told(home: Home) -> None:
    assert run_json("audit-log", "check", home=home.root)["problems"] == []
    meddle(home, "UPDATE audit_entries SET body = replace(body, 'done', 'gone')")
    result = run("audit-log", "check", home=home.root)
    assert result.exit_code == 1
    assert "1      audit-entry-changed" in result.stdout
    assert run("fsck", home=home.root).exit_code == 1
